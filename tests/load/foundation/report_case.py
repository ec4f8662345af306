"""`report_case`: reporting a case through gRPC against a bare handler that makes the same write with group commit."""

import uuid

import grpc
from binglian.mediation.v1 import case_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub

from svckit.embedded import free_port
from tests.load.foundation.client import calls_per_second
from tests.load.harness import Row, compare
from tests.load.stack import Stack

IN_FLIGHT, SECONDS = 32, 6.0


def message() -> case_service_pb2.ReportCaseRequest:
    """A report with its area known, so that no other service is asked."""
    return case_service_pb2.ReportCaseRequest(
        request_id=str(uuid.uuid4()),
        category="D0402",
        description="小区东门外自来水主管破裂,路面积水。",
        area_code="42050200100110001",
        address="夷陵大道 1 号",
    )


def run(stack: Stack, address: str) -> Row:
    """Measures and returns the row."""
    port = free_port()
    stack.floor("grpc_floor", "--port", str(port), "--mongo-uri", stack.mongo_uri, "--database", "floor")
    metadata = (("authorization", f"Bearer {stack.token('worker', ['GRID_WORKER'])}"),)

    async def ours(channel: grpc.aio.Channel, _number: int) -> None:
        await CaseServiceStub(channel).ReportCase(message(), metadata=metadata)

    async def floor(channel: grpc.aio.Channel, _number: int) -> None:
        await channel.unary_unary("/floor/Report")(message().SerializeToString(), metadata=metadata)

    def reported() -> float:
        rate = calls_per_second(address, ours, in_flight=IN_FLIGHT, seconds=SECONDS)
        stack.settle()
        return rate

    return compare(
        "report_case",
        ours=reported,
        floor=lambda: calls_per_second(f"127.0.0.1:{port}", floor, in_flight=IN_FLIGHT, seconds=SECONDS),
        unit="cases/s",
        target=0.6,
    )
