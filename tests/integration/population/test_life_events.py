"""Life events through a running service: told by stream or one by one, found again, done, taken back; and birthdays of missed days."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from binglian.population.v1 import life_event_pb2 as pb
from binglian.population.v1 import life_event_pb2_grpc as grpc_pb
from binglian.population.v1 import register_pb2, register_pb2_grpc, resident_pb2, resident_service_pb2

from population.domain.life_event import LifeEvent
from population.life_event_feed import Birthdays, Interrupted, LifeEventFeed, LifeEventReport
from population.vault import FieldKeys, Vault
from population.working import BIRTHDAYS, bring_birthdays
from svckit.batch import BatchRepository
from svckit.documents import Form, utc_now
from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, NAME, OTHER_GRID, People, id_number
from tests.refusals import refusal

pytestmark = pytest.mark.integration
TODAY = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()


@pytest.fixture(scope="module")
def stub(people: People) -> Any:
    return grpc_pb.LifeEventServiceStub(people.service.channel)


@pytest.fixture(scope="module")
def hospital(people: People) -> dict[str, Any]:
    return people.caller("hospital", "DEPT_HANDLER", area=CITY, department="HEALTH", purpose="P01")


def birth(resident_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "rule": "LE01",
        "resident_id": resident_id,
        "occurred_on": TODAY.isoformat(),
        "detail": "2",
        "consent": pb.CONSENT_GIVEN,
    } | fields


def push(stub: Any, caller: dict[str, Any], *reports: dict[str, Any]) -> Any:
    return stub.PushLifeEvents((pb.PushLifeEventsRequest(request_id="feed-2026", report=one) for one in reports), **caller)


def listed(stub: Any, people: People, resident_id: str, state: int = 0) -> list[pb.LifeEvent]:
    request = pb.ListLifeEventsRequest(resident_id=resident_id, state=state)
    return list(stub.ListLifeEvents(request, **people.stating("P01")).life_events)


def test_what_happened_to_whom_shows_and_narrows_for_a_purpose_only(people: People, stub: Any) -> None:
    mother = people.enter(id_number=id_number())
    hospital = people.caller("hospital", "DEPT_HANDLER", area=CITY, department="HEALTH", purpose="P01")
    push(stub, hospital, birth(mother.resident_id))
    (event,) = stub.ListLifeEvents(pb.ListLifeEventsRequest(resident_id=mother.resident_id), **people.worker).life_events
    assert (event.rule, event.task, event.detail) == ("***", "***", "***")
    births = pb.ListLifeEventsRequest(resident_id=mother.resident_id, rule="LE01")
    said = refusal(stub.ListLifeEvents, births, **people.worker)
    assert (said.reason, said.fields, "P01" in said.metadata["purposes"]) == ("PURPOSE_REQUIRED", ("rule",), True)
    assert stub.ListLifeEvents(births, **people.stating("P01")).life_events[0].rule == "LE01"


def test_a_birth_makes_one_order_to_the_mothers_grid(people: People, stub: Any, hospital: dict[str, Any]) -> None:
    number, house = id_number(), str(uuid.uuid4())
    mother = people.enter(id_number=number)
    settle(people, mother.resident_id, house)
    told = birth("", contact_name=NAME, house_id=house)
    facts = people.service.facts("population.life_event_received.v1")
    answer = push(stub, hospital, told, told, {**told, "ordinal": 2}, {**told, "consent": 0}, {**told, "id_number": number})
    assert (answer.received, answer.opened, answer.repeated_events, answer.refused_count) == (5, 2, 1, 2)
    assert [(one.row, one.reason) for one in answer.refused] == [(3, "CONSENT_MISSING"), (4, "FIELD_NOT_FOR_RULE")]
    assert push(stub, hospital, birth(mother.resident_id)).repeated_events == 1
    event = listed(stub, people, mother.resident_id)[0]
    assert (event.area_code, event.assignee_role, list(event.sources)) == (GRID, "GRID_WORKER", ["HEALTH"])
    assert (event.due_at.ToDatetime(dt.UTC) - event.received_at.ToDatetime(dt.UTC)).days == 7
    assert event.detail == "2"
    stored = people.service.database["life_events"].find_one({"_id": event.life_event_id})
    assert number not in repr(stored)
    assert all("resident" not in data for _, data in facts())


def test_of_two_of_one_name_in_a_house_nobody_is_taken_for_the_other(
    people: People, stub: Any, hospital: dict[str, Any]
) -> None:
    house, pair = str(uuid.uuid4()), [people.enter(id_number=id_number()) for _ in range(2)]
    for one in pair:
        settle(people, one.resident_id, house)
    told = birth("", contact_name=NAME, house_id=house, area_code=GRID)
    assert push(stub, hospital, told, told).opened == 1
    assert [listed(stub, people, one.resident_id) for one in pair] == [[], []]


def settle(people: People, resident_id: str, house: str) -> None:
    """Lets somebody live in a house."""
    home = {"house_id": house, "since": "2020-01-01", "tenure": resident_pb2.TENURE_OWNER}
    start = resident_service_pb2.StartResidenceRequest(resident_id=resident_id, request_id=new_id(), residence=home)
    people.residents.StartResidence(start, **people.worker)


def test_a_second_document_finds_its_person_too(people: People, stub: Any) -> None:
    civil = people.caller("civil", "DEPT_HANDLER", area=CITY, department="CIVIL", purpose="P01")
    mother, passport = people.enter(id_number=id_number()), f"E{new_id()[-8:].translate(str.maketrans('abcdef', '123456'))}"
    register = register_pb2_grpc.RegisterServiceStub(people.service.channel)
    add = {"resident_id": mother.resident_id, "id_doc_type": "414", "id_number": passport}
    register.AddIdDocument(register_pb2.AddIdDocumentRequest(request_id=new_id(), **add), **people.clerk)
    assert push(stub, civil, {"rule": "LE02", "id_number": passport, "occurred_on": TODAY.isoformat()}).opened == 1
    assert [event.area_code for event in listed(stub, people, mother.resident_id)] == [GRID]


def test_somebody_unknown_goes_to_the_area_named(people: People, stub: Any, hospital: dict[str, Any]) -> None:
    outside = birth("", contact_name="李女士", address="某路1号", area_code="420502001003")
    nowhere = birth("", contact_name="赵女士", address="某路2号")
    answer = push(stub, hospital, outside, outside, nowhere)
    assert (answer.opened, answer.repeated_events) == (1, 1)
    assert [(one.row, one.reason) for one in answer.refused] == [(2, "NO_AREA")]


def test_each_department_tells_what_is_its_own(people: People, stub: Any, hospital: dict[str, Any]) -> None:
    def said(**report: Any) -> str:
        request = pb.ReportLifeEventRequest(request_id=new_id(), report=birth(str(uuid.uuid4()), area_code=GRID) | report)
        return refusal(stub.ReportLifeEvent, request, **hospital).reason

    assert said(rule="LE02") == "OTHER_DEPARTMENT"
    assert said(rule="LE99") == "RULE_UNKNOWN"
    assert said(occurred_on=(TODAY + dt.timedelta(days=2)).isoformat()) == "IN_THE_FUTURE"
    assert said(resident_id="") == "SUBJECT_MISSING"
    assert said(id_number=id_number()) == "FIELD_NOT_FOR_RULE"
    school = people.caller("edu", "DEPT_HANDLER", area=CITY, department="EDU")
    request = pb.ReportLifeEventRequest(request_id=new_id(), report=birth("", rule="LE13"))
    assert refusal(stub.ReportLifeEvent, request, **school).reason == "RULE_IS_STATISTICAL"


def test_done_taken_back_and_out_of_reach(people: People, stub: Any, hospital: dict[str, Any]) -> None:
    mother = people.enter(id_number=id_number()).resident_id
    push(stub, hospital, birth(mother), birth(mother, ordinal=2))
    first, second = listed(stub, people, mother)
    request = pb.CompleteLifeEventRequest(
        life_event_id=first.life_event_id, request_id=new_id(), outcome=pb.LIFE_EVENT_OUTCOME_SERVED, result="已上门"
    )
    other = people.caller("other", "GRID_WORKER", area=OTHER_GRID)
    assert refusal(stub.CompleteLifeEvent, request, **other).reason == "AREA_NOT_ALLOWED"
    said = refusal(stub.CompleteLifeEvent, request, **people.clerk)
    assert (said.reason, said.metadata["assignee_role"]) == ("OTHER_ROLE", "GRID_WORKER")
    done = stub.CompleteLifeEvent(request, **people.worker).life_event
    assert (done.state, done.completed_by) == (pb.LIFE_EVENT_STATE_COMPLETED, "worker")
    withdraw = pb.WithdrawLifeEventRequest(life_event_id=second.life_event_id, request_id=new_id())
    gone = stub.WithdrawLifeEvent(withdraw, **people.worker).life_event
    assert (gone.state, gone.detail, gone.consent) == (pb.LIFE_EVENT_STATE_WITHDRAWN, "", 0)
    death = pb.ReportLifeEventRequest(
        request_id=new_id(), report={"rule": "LE02", "resident_id": mother, "occurred_on": TODAY.isoformat()}
    )
    civil = people.caller("civil", "DEPT_HANDLER", area=CITY, department="CIVIL")
    told = stub.ReportLifeEvent(death, **civil).life_event
    assert told.assignee_role == "COMM_CLERK"
    withdraw = pb.WithdrawLifeEventRequest(life_event_id=told.life_event_id, request_id=new_id())
    assert refusal(stub.WithdrawLifeEvent, withdraw, **people.worker).reason == "STATUTORY"
    death.report.occurred_on = (TODAY - dt.timedelta(days=3)).isoformat()
    death.request_id = new_id()
    assert stub.ReportLifeEvent(death, **civil).life_event.life_event_id == told.life_event_id


# ------------------------------------------------------------------------------------------------- birthdays and files


@pytest.fixture
def events(people: People) -> BatchRepository[LifeEvent]:
    return BatchRepository(people.service.database["life_events"], form=Form(LifeEvent, id_field="life_event_id"))


def born(age: int, days_ago: int) -> str:
    reached = TODAY - dt.timedelta(days=days_ago)
    return dt.date(reached.year - age, reached.month, min(reached.day, 28)).isoformat()


def enter_born(people: People, birth_date: str) -> str:
    return people.enter(birth_date=birth_date, id_doc_type="999", id_number="", sex="1").resident_id


def residents_of(people: People) -> Any:
    class Residents:
        collection = people.service.database["residents"]

    return Residents()


def test_birthdays_of_missed_days_are_brought_once(people: People, stub: Any, events: BatchRepository[LifeEvent]) -> None:
    database = people.service.database
    missed = TODAY - dt.timedelta(days=10)
    database["progress"].replace_one({"_id": BIRTHDAYS}, {"through": missed.isoformat()}, upsert=True)
    days = {age: enter_born(people, born(age, 5)) for age in (60, 65, 80, 64)}
    before = enter_born(people, born(60, 15 + 28))
    database["leases"].delete_many({})
    arguments: Any = {"residents": residents_of(people), "events": events, "election_day": None}
    assert bring_birthdays(**arguments, now=utc_now()) >= 3
    assert [len(listed(stub, people, days[age])) for age in (60, 65, 80, 64)] == [1, 1, 1, 0]
    assert listed(stub, people, before) == []
    (event,) = listed(stub, people, days[80])
    assert (event.rule, list(event.sources)) == ("LE06", ["SYSTEM"])
    assert bring_birthdays(**arguments, now=utc_now()) == 0
    # Broken off in the middle, nothing is noted as done, and a second run makes nothing twice.
    database["progress"].replace_one({"_id": BIRTHDAYS}, {"through": missed.isoformat()}, upsert=True)
    birthdays = Birthdays(residents=database["residents"], events=events, election_day=None)
    span = frozenset(missed + dt.timedelta(days=step) for step in range(1, 11))
    with pytest.raises(Interrupted):
        birthdays.bring(span, holding=lambda: False)
    assert birthdays.bring(span) >= 3
    assert len(listed(stub, people, days[80])) == 1
    withdraw = pb.WithdrawLifeEventRequest(life_event_id=event.life_event_id, request_id=new_id())
    stub.WithdrawLifeEvent(withdraw, **people.worker)
    birthdays.bring(span)
    assert listed(stub, people, days[80]) == []


def test_eighteen_counts_before_an_election_only(people: People, stub: Any, events: BatchRepository[LifeEvent]) -> None:
    resident = enter_born(people, born(18, 0))
    reached = dt.date.fromisoformat(born(0, 0))
    residents = people.service.database["residents"]
    Birthdays(residents=residents, events=events, election_day=None).bring(frozenset({reached}))
    assert listed(stub, people, resident) == []
    election = TODAY + dt.timedelta(days=60)
    Birthdays(residents=residents, events=events, election_day=election).bring(frozenset({reached}))
    (event,) = listed(stub, people, resident)
    assert event.rule == "LE05"
    assert event.due_at.ToDatetime(dt.UTC).date() == election - dt.timedelta(days=20)


def test_a_file_of_events_is_taken_like_a_stream(people: People, events: BatchRepository[LifeEvent]) -> None:
    resident = people.enter().resident_id
    feed = LifeEventFeed(residents=people.service.database["residents"], events=events, vault=Vault(FieldKeys.of(b"k" * 32)))
    reports = [
        LifeEventReport(rule="LE08", resident_id=resident, occurred_on=TODAY.isoformat(), detail="3001"),
        LifeEventReport(rule="LE10", uscc="91420500MA4XXXXXX1", area_code=GRID, occurred_on=TODAY.isoformat()),
        LifeEventReport(rule="LE10", occurred_on=TODAY.isoformat()),
    ]
    first = feed.take(iter(reports), source="CIVIL", area=CITY)
    refused = [(one.row, one.reason) for one in first.refused]
    # New businesses are for the market authority to tell.
    assert (first.received, first.opened, refused) == (3, 1, [(1, "OTHER_DEPARTMENT"), (2, "SUBJECT_MISSING")])
    assert feed.take(iter(reports[1:2]), source="MSA", area=CITY).opened == 1
    assert feed.take(iter(reports), source="CIVIL", area=CITY).repeated_events == 1
