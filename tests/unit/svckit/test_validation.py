from __future__ import annotations

import pytest
from binglian.mediation.v1 import case_service_pb2 as pb

from svckit.errors import InvalidArgument
from svckit.validation import validator_of


def violations(message) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as caught:
        validator_of(type(message))(message)
    assert caught.value.reason == "VALIDATION_FAILED"
    return dict(caught.value.violations)


def test_every_broken_rule_is_named_with_its_path() -> None:
    request = pb.ReportCaseRequest(request_id="short", photos=[{"uri": "u"}, {"uri": "u", "sha256": "zz"}], severity=99)
    found = violations(request)
    assert {"request_id", "category", "description", "severity", "photos[1].sha256"} <= found.keys()


def test_values_are_not_repeated() -> None:
    found = violations(pb.ReportCaseRequest(request_id="12345678", category="A", description="d", reporter_phone="1" * 21))
    assert "1" * 21 not in str(found)


def test_a_sound_request_passes() -> None:
    validator_of(pb.ReportCaseRequest)(pb.ReportCaseRequest(request_id="12345678", category="A", description="d"))
