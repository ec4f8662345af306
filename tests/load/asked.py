"""What ours and the floors are asked to do: one kind of case, sent to the same five departments."""

import uuid

from binglian.mediation.v1 import case_service_pb2

DEPARTMENTS = ("FIRE", "HOUSING", "UMD", "PSB", "PROP")


def a_report() -> case_service_pb2.ReportCaseRequest:
    """A report with its area known, so that no other service is asked."""
    return case_service_pb2.ReportCaseRequest(
        request_id=str(uuid.uuid4()),
        category="D0402",
        description="小区东门外自来水主管破裂,路面积水。",
        area_code="42050200100110001",
        address="夷陵大道 1 号",
    )
