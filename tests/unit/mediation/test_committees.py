"""The register of committees: what the law asks of one, who enters it, and who may mediate for it."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation.domain.committee import (
    CommitteeDraft,
    CommitteeKind,
    CommitteeMember,
    CommitteePost,
    EngagedMediator,
    MediationCommittee,
)
from mediation.operations import committees
from mediation.policies import committees as policies
from svckit.access import Caller

from .builders import START, after_start, refused
from .dispute_builders import BOARD, opened

POLICY = yaml.safe_load(resources.files("mediation").joinpath("codes/parallel_policy.yaml").read_text("utf-8"))["committee"]
CHAIR = CommitteeMember(subject="chair-1", name="刘建国", sex="1", post=CommitteePost.CHAIR)
WOMAN = CommitteeMember(subject="member-1", name="赵敏", sex="2", post=CommitteePost.MEMBER)


def men(count: int) -> tuple[CommitteeMember, ...]:
    return tuple(
        CommitteeMember(subject=f"man-{number}", name="王", sex="1", post=CommitteePost.MEMBER) for number in range(count)
    )


def draft(**fields: Any) -> CommitteeDraft:
    given: dict[str, Any] = {
        "code": BOARD.code,
        "name": BOARD.name,
        "kind": CommitteeKind.COMMUNITY,
        "area_code": "420502001003",
        "members": (CHAIR, WOMAN, *men(1)),
        "mediators": (EngagedMediator(subject="mediator-1", name="赵敏"),),
        "term_begins_on": "2026-01-01",
    }
    return CommitteeDraft(**(given | fields))


def entered(**fields: Any) -> MediationCommittee:
    return committees.create_committee(draft=draft(**fields), committee_id="c", now=START)


def test_the_bounds_are_those_of_the_table() -> None:
    assert POLICY == {"members": "3-9", "term_years": 3, "must_include": "woman"}
    assert (policies.FEWEST_MEMBERS, policies.MOST_MEMBERS, policies.TERM_YEARS) == (3, 9, 3)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"code": ""}, "COMMITTEE_FIELD_MISSING", "committee.code"),
        ({"name": ""}, "COMMITTEE_FIELD_MISSING", "committee.name"),
        ({"area_code": ""}, "COMMITTEE_FIELD_MISSING", "committee.area_code"),
        ({"term_begins_on": ""}, "COMMITTEE_FIELD_MISSING", "committee.term_begins_on"),
        ({"kind": CommitteeKind.UNSPECIFIED}, "COMMITTEE_FIELD_MISSING", "committee.kind"),
        ({"members": (CHAIR, WOMAN)}, "COMMITTEE_SIZE", "committee.members"),
        ({"members": (CHAIR, WOMAN, *men(8))}, "COMMITTEE_SIZE", "committee.members"),
        ({"members": (WOMAN, *men(2))}, "CHAIR_COUNT", "committee.members"),
        ({"members": (CHAIR, replace(CHAIR, subject="x"), WOMAN)}, "CHAIR_COUNT", "committee.members"),
        ({"members": (CHAIR, *men(2))}, "WOMAN_REQUIRED", "committee.members"),
        ({"members": (CHAIR, WOMAN, WOMAN)}, "DUPLICATE_MEDIATOR", "committee.members[2].subject"),
        (
            {"mediators": (EngagedMediator(subject="chair-1", name="刘"),)},
            "DUPLICATE_MEDIATOR",
            "committee.mediators[0].subject",
        ),
        ({"term_begins_on": "2026-02-30"}, "TERM_DATE", "committee.term_begins_on"),
    ],
)
def test_what_the_law_asks_of_a_committee(fields: dict[str, Any], reason: str, field: str) -> None:
    assert refused(reason, committees.create_committee, draft=draft(**fields), committee_id="c", now=START) == field


@given(st.integers(0, 12), st.booleans(), st.integers(0, 2))
def test_any_committee_is_entered_that_keeps_the_law_and_no_other(size: int, woman: bool, chairs: int) -> None:
    members = tuple(
        CommitteeMember(
            subject=str(number),
            name="x",
            sex="2" if woman and number == size - 1 else "1",
            post=CommitteePost.CHAIR if number < chairs else CommitteePost.MEMBER,
        )
        for number in range(size)
    )
    lawful = 3 <= size <= 9 and woman and chairs == 1
    try:
        entered(members=members)
    except policies.InvalidArgument:
        assert not lawful
    else:
        assert lawful


@pytest.mark.parametrize(
    ("begins", "ends"), [("2026-01-01", "2028-12-31"), ("2024-02-29", "2027-02-27"), ("2026-03-15", "2029-03-14")]
)
def test_a_term_lasts_three_years(begins: str, ends: str) -> None:
    assert entered(term_begins_on=begins).term_ends_on == ends


def test_fields_are_changed_one_by_one_and_checked_as_a_whole() -> None:
    committee = replace(entered(), revision=4)
    later = after_start(days=1)
    change: dict[str, Any] = {"revision": 4, "now": later}
    renewed = committees.update_committee(
        committee, draft=draft(term_begins_on="2029-01-01"), fields=["term_begins_on"], **change
    )
    assert (renewed.term_ends_on, renewed.changed_at, renewed.members) == ("2031-12-31", later, committee.members)
    shrunk = draft(members=(CHAIR, *men(2)))
    refused("WOMAN_REQUIRED", committees.update_committee, committee, draft=shrunk, fields=["members"], **change)
    refused("STALE_REVISION", committees.update_committee, committee, draft=draft(), fields=["name"], revision=3, now=later)
    assert refused("UNKNOWN_FIELD", committees.update_committee, committee, draft=draft(), fields=["people"], **change) == (
        "update_mask"
    )
    refused("MASK_EMPTY", committees.update_committee, committee, draft=draft(), fields=[], **change)


def test_a_dissolved_committee_stays_so() -> None:
    gone = committees.dissolve_committee(entered(), now=after_start(days=1))
    assert committees.dissolve_committee(gone, now=after_start(days=2)) == gone
    refused("COMMITTEE_DISSOLVED", committees.update_committee, gone, draft=draft(), fields=["name"], revision=0, now=START)


def test_the_register_is_kept_by_community_street_and_judicial_bureau() -> None:
    for role, department in (("GRID_SUPERVISOR", ""), ("STREET_CENTER", ""), ("DEPT_LEAD", "JUST"), ("IMPORTER", "")):
        policies.check_registrar(Caller("x", roles=frozenset({role}), department=department))
    other = Caller("x", roles=frozenset({"DEPT_LEAD"}), department="FIRE")
    refused("OTHER_DEPARTMENT", policies.check_registrar, other)


def test_a_mediator_stands_in_the_register_of_the_committee() -> None:
    dispute, board = opened(), entered()
    assert policies.check_mediator_of(dispute, board, subject="mediator-1", field="subject") == "赵敏"
    assert policies.check_mediator_of(dispute, board, subject="chair-1", field="subject") == "刘建国"
    ask: dict[str, Any] = {"subject": "mediator-1", "field": "substitute_subject"}
    assert refused("MEDIATOR_NOT_REGISTERED", policies.check_mediator_of, dispute, None, **ask) == "substitute_subject"
    refused("OTHER_COMMITTEE", policies.check_mediator_of, dispute, entered(code="420502001004"), **ask)


def test_an_application_names_a_committee_of_its_city() -> None:
    assert policies.check_registered(entered(), area_code="42050200100310001").chair == CHAIR
    for committee in (None, entered(area_code="420602001003")):
        field = refused("UNKNOWN_COMMITTEE", policies.check_registered, committee, area_code="42050200100310001")
        assert field == "committee.code"
