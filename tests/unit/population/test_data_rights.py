"""Requests about one's own data: deadlines, states, what erasing leaves, and which duties and holdings are known."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.codes import rows_of
from population.crosscheck.extracts import drop_idle
from population.domain.care import CareState, VisitPlanState
from population.domain.data_request import (
    DataDecision,
    DataRequest,
    DataRequestDraft,
    DataRequestState,
    Requester,
    RetentionDuty,
)
from population.domain.elder import ElderOrderState
from population.domain.life_event import LifeEventState
from population.domain.residence import Residence
from population.domain.resident import Resident
from population.domain.secret import Secret
from population.domain.standing import ResidentStatus, Standing
from population.domain.verification import VerificationState
from population.domain.welfare import WelfareState
from population.operations import data_rights as operations
from population.policies.data_rights import kinds
from population.privacy.rules import rules
from population.store import DOCUMENTS
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied, ServiceError

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
SECRET = Secret(cipher=b"c", index=b"i")
RESIDENT = Resident(
    resident_id="r1",
    city="4205",
    area_code="42050200100310001",
    name="王小明",
    sex="1",
    birth_date="1950-06-07",
    id_doc_type="111",
    resident_type="01",
    created_at=NOW,
    changed_at=NOW,
    id_number=SECRET,
    phone=SECRET,
    household_id="h1",
    household_relation="01",
    residences=(Residence(residence_id="x", house_id="h", area_code="42050200100310001", since="2010-01-01"),),
    affiliation=SECRET,
    name_keys=("wang",),
)


def request(kind: str = "R1", **draft: object) -> DataRequest:
    made, _ = operations.submit(
        draft=DataRequestDraft(kind=kind, requester=Requester.SELF, **draft),  # type: ignore[arg-type]
        resident=RESIDENT,
        data_request_id="q1",
        deceased=False,
        by="clerk",
        online=False,
        now=NOW,
    )
    return made


def granted(kind: str, **draft: object) -> DataRequest:
    decision = DataDecision.GRANTED
    return operations.decide(request(kind, **draft), decision=decision, reason="x", revision=0, by="dpo", now=NOW)[0]


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_deadline_comes_from_the_table(kind: str) -> None:
    if kind == "R8":
        return
    made = request(kind, fields=("name",))
    assert made.due_at - NOW == dt.timedelta(days=1 if kind == "R4" else 15)
    reminded, events = operations.remind(made, now=made.due_at)
    assert [type(event).__name__ for event in events] == ["DataRequestOverdue"]
    assert reminded is not None
    assert operations.remind(reminded, now=made.due_at + DAY) == (reminded, ())


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (DataRequestDraft(kind="R2", requester=Requester.SELF), "FIELDS_MISSING"),
        (DataRequestDraft(kind="R8", requester=Requester.SELF), "NOT_DECEASED"),
        (DataRequestDraft(kind="R1", requester=Requester.RELATIVE), "NOT_DECEASED"),
        (DataRequestDraft(kind="R0", requester=Requester.SELF), "CODE_UNKNOWN"),
    ],
)
def test_what_cannot_be_asked(draft: DataRequestDraft, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        operations.submit(draft=draft, resident=RESIDENT, data_request_id="q", deceased=False, by="x", online=True, now=NOW)
    assert refused.value.reason == reason


def test_nobody_decides_what_they_entered_and_a_deadline_is_extended_once() -> None:
    with pytest.raises(PermissionDenied):
        operations.decide(request(), decision=DataDecision.REFUSED, reason="x", revision=0, by="clerk", now=NOW)
    longer, _ = operations.extend(request(), reason="复杂", revision=0, now=NOW)
    assert longer.due_at - NOW == 30 * DAY
    with pytest.raises(FailedPrecondition) as refused:
        operations.extend(longer, reason="x", revision=0, now=NOW)
    assert refused.value.reason == "EXTENDED_ALREADY"
    with pytest.raises(FailedPrecondition) as late:
        operations.extend(request(), reason="x", revision=0, now=NOW + 16 * DAY)
    assert late.value.reason == "TOO_LATE"


@given(st.lists(st.sampled_from(["grant", "refuse", "carry_out", "withdraw", "extend", "remind"]), max_size=8))
def test_whatever_happens_an_ended_request_stays_ended_and_reminds_nobody(verbs: list[str]) -> None:
    now, made = NOW, request("R3")
    for verb in verbs:
        now += DAY
        was = made
        try:
            made = step(made, verb, now)
        except ServiceError:
            assert made is was
        if was.state in ("completed", "refused", "withdrawn"):
            assert made.state == was.state
            assert made.remind_at is None


def step(made: DataRequest, verb: str, now: dt.datetime) -> DataRequest:
    if verb in ("grant", "refuse"):
        decision = DataDecision.GRANTED if verb == "grant" else DataDecision.REFUSED
        return operations.decide(made, decision=decision, reason="x", revision=0, by="dpo", now=now)[0]
    if verb == "carry_out":
        return operations.carry_out(made, duties=(), done="x", revision=0, now=now)[0]
    if verb == "withdraw":
        return operations.withdraw(made, revision=0, now=now)[0]
    if verb == "extend":
        return operations.extend(made, reason="x", revision=0, now=now)[0]
    return operations.remind(made, now=now)[0] or made


def test_marks_follow_what_was_asked_and_done() -> None:
    asked = request("R2", fields=("name", "phone"))
    marks = operations.marked(None, request=asked, now=NOW)
    assert marks.disputed == ("name", "phone")
    done, _ = operations.carry_out(granted("R2", fields=("name",)), duties=(), done="x", revision=0, now=NOW)
    assert operations.marked(marks, request=done, now=NOW).disputed == ("phone",)
    for kind in ("R4", "R5"):
        ended, _ = operations.carry_out(granted(kind), duties=(), done="x", revision=0, now=NOW)
        marks = operations.marked(marks, request=ended, now=NOW)
        assert marks.restricted
        marks, _ = operations.lift(marks, now=NOW)
    with pytest.raises(FailedPrecondition):
        operations.lift(marks, now=NOW)


@pytest.mark.parametrize(("kinds", "reason"), [("R4 R5", "R4"), ("R5 R4", "R4"), ("R5 R5", "R5")])
def test_of_two_reasons_the_stricter_one_stands(kinds: str, reason: str) -> None:
    marks = None
    for kind in kinds.split():
        ended, _ = operations.carry_out(granted(kind), duties=(), done="x", revision=0, now=NOW)
        marks = operations.marked(marks, request=ended, now=NOW)
    assert marks is not None
    assert (marks.restricted, marks.reason) == (True, reason)


def test_what_duties_forbid_to_erase_is_restricted() -> None:
    duty = RetentionDuty(duty="D01", law="x")
    ended, events = operations.carry_out(granted("R3"), duties=(duty,), done="x", revision=0, now=NOW)
    assert operations.marked(None, request=ended, now=NOW).restricted
    assert [(event.restricted, event.erased) for event in events] == [(True, False)]  # type: ignore[attr-defined]
    ended, events = operations.carry_out(granted("R3"), duties=(), done="x", revision=0, now=NOW)
    marks = operations.marked(None, request=ended, now=NOW)
    assert (marks.restricted, marks.erased_at) == (False, NOW)


def test_an_erased_person_is_nobody_whatever_fields_are_added() -> None:
    erased, events = operations.erase(RESIDENT, cause="request", now=NOW)
    assert erased is not None
    told = msgspec.json.encode(erased).decode()
    for secret in ("王小明", "wang", "1950-06-07", "31001", "h1"):
        assert secret not in told
    assert (erased.id_number, erased.phone, erased.affiliation, erased.birth_date) == (None, None, None, "1950-01-01")
    assert [type(event).__name__ for event in events] == ["ResidentErased"]
    assert operations.erase(erased, cause="request", now=NOW) == (erased, ())
    standing = Standing(status=ResidentStatus.MOVED_OUT, since="2020-01-01", at=NOW, by="clerk", reason="随女儿迁往武汉")
    left, _ = operations.erase(msgspec.structs.replace(RESIDENT, standing=standing), cause="request", now=NOW)
    assert left is not None
    assert left.standing == msgspec.structs.replace(standing, reason="")
    assert operations.erase(None, cause="request", now=NOW) == (None, ())


def test_every_collection_that_names_people_is_known_to_erasing_and_copies() -> None:
    named = {
        document._get_collection_name()
        for document in DOCUMENTS
        if {"resident_id", "survivor_id", "absorbed_id"}.intersection(document._fields)
    }
    # The register itself; the marks say that somebody was erased; the trail must not be touched.
    assert named - {"residents", "privacy_marks"} == set(rules().holdings)


def test_rules_name_collections_and_fields_that_exist() -> None:
    fields = {
        document._get_collection_name(): {field.db_field for field in document._fields.values()} for document in DOCUMENTS
    }
    for rule in rules().rules.values():
        asked = {name for each in (rule.only, *rule.only.get("$or", ())) for name in each} - {"$or"}
        assert {*rule.clear, *([rule.after] if rule.after else []), *asked} <= fields[rule.collection]
    for duty in rules().duties.values():
        assert {duty.by, *duty.condition} <= fields[duty.collection] | {"_id"}
    for name, holding in rules().holdings.items():
        assert {*holding.by, *holding.clear} <= fields[name] | {"_id"}
        assert {path.partition(".")[0] for path in holding.tells} <= fields[name]
    assert {path.partition(".")[0] for path in rules().register} <= fields["residents"]


def test_conditions_name_values_that_exist() -> None:
    known: dict[tuple[str, str], set[str]] = {
        ("verification_orders", "state"): {*VerificationState},
        ("data_requests", "state"): {*DataRequestState},
        ("care_entries", "state"): {*CareState},
        ("care_entries", "category"): {row["code"] for row in rows_of("care_category")},
        ("visit_plans", "state"): {*VisitPlanState},
        ("welfare_watches", "state"): {*WelfareState},
        ("life_events", "state"): {*LifeEventState},
        ("elder_orders", "state"): {*ElderOrderState},
    }
    conditions = [(rule.collection, rule.only) for rule in rules().rules.values()]
    conditions += [(duty.collection, duty.condition) for duty in rules().duties.values()]
    for collection, condition in conditions:
        for field, value in condition.items():
            if field in ("state", "category"):
                named = set(value["$in"]) if isinstance(value, dict) else {value}
                assert named <= known[collection, field], (collection, field)


def test_an_extract_nobody_uses_goes_and_one_in_use_stays(tmp_path: Path) -> None:
    files = [tmp_path / f"register-{number}.duckdb" for number in range(3)]
    for file in files:
        duckdb.connect(str(file)).execute("CREATE TABLE person AS SELECT '王' AS name").close()
    now = files[0].stat().st_mtime + 86_400
    os.utime(files[1], (now, now))
    holding = f"import duckdb; held = duckdb.connect({str(files[0])!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert drop_idle(tmp_path, now=now + 60) == 1
        assert [file.exists() for file in files] == [True, True, False]
        other.communicate(b"\n")
    assert drop_idle(tmp_path / "none", now=now) == 0
