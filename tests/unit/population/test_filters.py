"""Lists are not narrowed by what the caller may not see, whatever is added to them later."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.population.v1 import care_pb2, life_event_pb2, register_pb2, resident_service_pb2, welfare_pb2

from population.privacy.filters import check_filters, filters_of
from svckit.access import Caller
from svckit.errors import PermissionDenied


def filters(module: Any, service: str, rpc: str) -> Any:
    return filters_of(module.DESCRIPTOR.services_by_name[service].methods_by_name[rpc])


@pytest.mark.parametrize(
    ("module", "service", "rpc", "found"),
    [
        (care_pb2, "CareService", "ListCareEntries", {"category"}),
        (care_pb2, "CareService", "ListVisitPlans", {"rule"}),
        (life_event_pb2, "LifeEventService", "ListLifeEvents", {"rule"}),
        (welfare_pb2, "WelfareService", "ListWatches", set()),
        (resident_service_pb2, "ResidentService", "FindResidents", set()),
        (register_pb2, "RegisterService", "FindResidentsByName", set()),
    ],
)
def test_filters_on_what_is_hidden(module: Any, service: str, rpc: str, found: set[str]) -> None:
    assert set(filters(module, service, rpc)) == found


@pytest.mark.parametrize(("purpose", "allowed"), [("", False), ("P02", False), ("P08", False), ("P01", True), ("P03", True)])
def test_only_a_purpose_that_shows_it_narrows_by_it(purpose: str, allowed: bool) -> None:
    found, caller = filters(care_pb2, "CareService", "ListCareEntries"), Caller("u1", purpose=purpose)
    check_filters(found, caller, care_pb2.ListCareEntriesRequest(area_prefix="420502"))
    narrowed = care_pb2.ListCareEntriesRequest(category="2001")
    if allowed:
        check_filters(found, caller, narrowed)
        return
    with pytest.raises(PermissionDenied) as refusal:
        check_filters(found, caller, narrowed)
    assert (refusal.value.reason, refusal.value.field) == ("PURPOSE_REQUIRED", "category")
    assert "P03" in refusal.value.metadata["purposes"].split(",")
