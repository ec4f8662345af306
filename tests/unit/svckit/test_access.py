from __future__ import annotations

import pytest
from google.protobuf.descriptor import MethodDescriptor

from svckit import access
from svckit.access import Caller, acting_as, caller_from_claims, check_area, current_caller
from svckit.admission import admission_of
from svckit.errors import PermissionDenied, ServiceError, Unauthenticated
from svckit.ids import new_id
from tests.probe import pb

DISPATCHER = Caller("u", roles=frozenset({"DISPATCHER"}), area="420502", purposes=frozenset({"P01", "P04"}))


def method(name: str) -> MethodDescriptor:
    return pb.DESCRIPTOR.services_by_name["ProbeService"].methods_by_name[name]


def refusal(name: str, caller: Caller | None) -> str:
    with pytest.raises(ServiceError) as caught:
        admission_of(method(name))(caller)
    return caught.value.reason


def stating(purpose: str) -> Caller:
    return Caller("u", roles=DISPATCHER.roles, area="420502", purposes=DISPATCHER.purposes, purpose=purpose)


def test_each_refusal_has_its_own_reason() -> None:
    assert refusal("AnyToken", None) == "TOKEN_MISSING"
    assert refusal("ForRole", Caller("u", roles=frozenset({"RESIDENT"}))) == "ROLE_REQUIRED"
    assert refusal("ForPurpose", DISPATCHER) == "PURPOSE_REQUIRED"
    assert refusal("ForPurpose", stating("P01")) == "PURPOSE_NOT_ALLOWED"
    assert refusal("AnyToken", stating("P05")) == "PURPOSE_NOT_ALLOWED"
    assert refusal("Open", stating("P05")) == "PURPOSE_NOT_ALLOWED"
    assert refusal("Undeclared", DISPATCHER) == "ACCESS_NOT_DECLARED"


def test_who_may_is_admitted() -> None:
    admission_of(method("Open"))(None)
    admission_of(method("AnyToken"))(Caller("u"))
    admission_of(method("ForRole"))(DISPATCHER)
    admission_of(method("ForPurpose"))(stating("P04"))


@pytest.mark.parametrize("area", ["420502", "420502001003", "42050200100310001"])
def test_inside_the_area(area: str) -> None:
    check_area(DISPATCHER, area)


@pytest.mark.parametrize("area", ["420503", "4205", "", "370202"])
def test_outside_the_area(area: str) -> None:
    with pytest.raises(PermissionDenied) as caught:
        check_area(DISPATCHER, area)
    assert caught.value.reason == "AREA_NOT_ALLOWED"


def test_current_caller() -> None:
    with pytest.raises(Unauthenticated):
        current_caller()
    with acting_as(DISPATCHER):
        assert current_caller() is DISPATCHER
        assert current_caller().city == "4205"
    assert access.maybe_caller() is None


@pytest.mark.parametrize(
    "claims",
    [{}, {"sub": "u"}, {"sub": 3, "area": ""}, {"sub": "u", "area": "", "roles": "ADMIN"}, {"sub": "u", "area": None}],
)
def test_claims_of_the_wrong_shape(claims: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        caller_from_claims(claims)


def test_everywhere_is_said_and_never_assumed() -> None:
    assert caller_from_claims({"sub": "u", "area": ""}).area == ""


def test_ids_are_version_7_and_sorted() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert ids[0][14] == "7"
