"""Dynamic collection through a running service: proposals, department feeds, checks, conflicts, and the register that follows."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.population.v1 import (
    collection_pb2,
    life_event_pb2,
    register_pb2,
    register_pb2_grpc,
    resident_service_pb2,
)
from binglian.population.v1 import collection_service_pb2 as pb
from binglian.population.v1 import collection_service_pb2_grpc as grpc_pb
from binglian.population.v1 import life_event_pb2_grpc as life_events

from population.department_feed import DepartmentFeed, DepartmentRecord, Source
from population.domain.collection import FieldLedger, FieldValue
from population.domain.resident import Resident, ResidentDraft
from population.operations.residents import create_resident
from population.vault import FieldKeys, Vault
from svckit.batch import BatchRepository
from svckit.documents import Change, Form, utc_now
from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, People, id_number
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration
EVIDENCE = [{"uri": "photo:id-card", "sha256": "ab" * 32}]


@pytest.fixture(scope="module")
def stub(people: People) -> Any:
    return grpc_pb.CollectionServiceStub(people.service.channel)


@pytest.fixture(scope="module")
def department(people: People) -> dict[str, Any]:
    return people.caller("psb", "DEPT_HANDLER", area=CITY, department="PSB", purpose="P11")


def record(number: str, **fields: str) -> dict[str, Any]:
    return {"id_number": number, "fields": [{"field": field, "value": value} for field, value in fields.items()]}


def push(stub: Any, caller: dict[str, Any], *records: dict[str, Any], feed: str = "") -> Any:
    feed = feed or new_id()
    messages = (pb.PushRecordsRequest(request_id=feed, record=one) for one in records)
    return stub.PushRecords(messages, **caller).report


def submit(stub: Any, caller: dict[str, Any], resident_id: str, **edits: tuple[str, str]) -> Any:
    request = pb.SubmitFieldsRequest(
        resident_id=resident_id,
        request_id=new_id(),
        edits=[{"field": field, "value": value, "seen": seen} for field, (value, seen) in edits.items()],
    )
    answer = stub.SubmitFields(request, **caller)
    return {one.field: collection_pb2.FieldOutcome.Name(one.outcome)[14:].lower() for one in answer.outcomes}


def entry(people: People, stub: Any, resident_id: str, field: str) -> collection_pb2.FieldEntry:
    request = pb.GetFieldLedgerRequest(resident_id=resident_id)
    return next(one for one in stub.GetFieldLedger(request, **people.stating("P01")).ledger.entries if one.field == field)


def shown(people: People, resident_id: str) -> Any:
    request = resident_service_pb2.RevealResidentRequest(resident_id=resident_id)
    return people.residents.RevealResident(request, **people.stating("P01")).resident


def test_equal_is_accepted_and_different_makes_somebody_look(people: People, stub: Any, department: dict[str, Any]) -> None:
    number = id_number()
    resident = people.enter(id_number=number, name="王小明", phone="13800000001")
    facts = people.service.facts("population.field_check_opened.v1", "population.field_check_completed.v1")
    report = push(stub, department, record(number, name="王小明", phone="13800000002", name_latin="Wang Xiaoming"))
    assert (report.received, report.matched, report.equal_fields, report.new_fields, report.different_fields) == (1, 1, 1, 1, 1)
    eventually(lambda: shown(people, resident.resident_id).name_latin == "Wang Xiaoming")
    (ledger,) = [
        one
        for one in stub.ListFieldChecks(pb.ListFieldChecksRequest(), **people.worker).ledgers
        if one.resident_id == resident.resident_id
    ]
    assert list(ledger.check.fields) == ["phone"]
    assert "13800000002" not in str(ledger)
    assert submit(stub, people.worker, resident.resident_id, phone=("13800000002", "")) == {"phone": "to_verify"}
    found = pb.CompleteFieldCheckRequest(
        resident_id=resident.resident_id,
        check_id=ledger.check.check_id,
        request_id=new_id(),
        found=[{"field": "phone", "value": "138-0000-0002"}],
        evidence=EVIDENCE,
    )
    done = stub.CompleteFieldCheck(found, **people.stating("P01")).ledger
    assert not done.HasField("check")
    assert stub.CompleteFieldCheck(found, **people.stating("P01")).ledger == done
    eventually(lambda: shown(people, resident.resident_id).phone == "13800000002")
    kept = entry(people, stub, resident.resident_id, "phone")
    assert (kept.accepted.by, kept.accepted.source, kept.accepted.verified) == ("worker", "GRID", True)
    assert [(one.source, one.value) for one in kept.overridden] == [("REGISTER", "13800000001")]
    kinds = [kind for kind, data in eventually(lambda: facts()[1:] and facts()) if data["residentId"] == resident.resident_id]
    assert kinds == ["population.field_check_opened.v1", "population.field_check_completed.v1"]
    stored = people.service.database["field_ledgers"].find_one({"_id": resident.resident_id})
    assert "13800000002" not in repr(stored)
    # The department says the same again and is right; another department says otherwise: somebody looks again.
    assert push(stub, department, record(number, phone="13800000002")).equal_fields == 1
    health = people.caller("health", "DEPT_HANDLER", area=CITY, department="HEALTH", purpose="P11")
    push(stub, health, record(number, phone="13800000001"))
    assert entry(people, stub, resident.resident_id, "phone").accepted.value == "13800000002"


def test_nobody_is_sent_to_look_at_who_is_gone_and_every_document_finds_its_person(
    people: People, stub: Any, department: dict[str, Any]
) -> None:
    register = register_pb2_grpc.RegisterServiceStub(people.service.channel)
    number, passport = id_number(), f"E{new_id()[-8:].translate(str.maketrans('abcdef', '123456'))}"
    resident = people.enter(id_number=number, name="王小明", phone="13800000001")
    add = register_pb2.AddIdDocumentRequest(
        resident_id=resident.resident_id, request_id=new_id(), id_doc_type="414", id_number=passport
    )
    register.AddIdDocument(add, **people.clerk)
    report = push(stub, department, record(passport, phone="13800000002"))
    assert (report.matched, report.different_fields) == (1, 1)
    died = register_pb2.RecordDeathRequest(
        resident_id=resident.resident_id, request_id=new_id(), died_on="2026-01-02", reason="民政"
    )
    register.RecordDeath(died, **people.clerk)
    assert push(stub, department, record(number, name="王大明")).unmatched == 1
    late = pb.SubmitFieldsRequest(
        resident_id=resident.resident_id, request_id=new_id(), edits=[{"field": "name", "value": "王大明", "seen": "王小明"}]
    )
    assert refusal(stub.SubmitFields, late, **people.worker).reason == "DEPARTED"


def test_a_feed_tells_what_was_wrong_with_which_record(people: People, stub: Any, department: dict[str, Any]) -> None:
    number = id_number()
    resident = people.enter(id_number=number)
    feed = new_id()
    records = [
        record(number, resident_type="02"),
        record(id_number(), name="查无此人"),
        record(number, resident_type="77"),
        record(number, faith="x"),
        record(number, sex="9"),
    ]
    report = push(stub, department, *records, feed=feed)
    assert (report.received, report.matched, report.unmatched, report.refused_count) == (5, 1, 1, 3)
    assert [(one.row, one.reason) for one in report.refused] == [
        (2, "CODE_UNKNOWN"),
        (3, "FIELD_UNKNOWN"),
        (4, "FIELD_FIXED_BY_ID"),
    ]
    ledger = stub.GetFieldLedger(pb.GetFieldLedgerRequest(resident_id=resident.resident_id), **people.worker).ledger
    assert push(stub, department, *records, feed=feed).refused_count == 3
    again = stub.GetFieldLedger(pb.GetFieldLedgerRequest(resident_id=resident.resident_id), **people.worker).ledger
    assert again.revision == ledger.revision
    batch = pb.PushRecordBatchRequest(request_id=new_id(), records=records[:2])
    assert stub.PushRecordBatch(batch, **department).report.unmatched == 1


def test_a_feed_that_is_repeated_with_other_content_says_so(people: People, stub: Any, department: dict[str, Any]) -> None:
    number, other, feed = id_number(), id_number(), new_id()
    resident, _ = people.enter(id_number=number, phone="13800000001"), people.enter(id_number=other, phone="13800000001")
    records = [record(number, phone="13800000002"), record(other, phone="13800000003")]
    told = push(stub, department, *records, feed=feed)
    assert push(stub, department, *records, feed=feed) == told, "the same content is answered as before"
    again = push(stub, department, record(number, phone="13800000004"), records[1], feed=feed)
    assert [(one.row, one.field, one.reason) for one in again.refused] == [(0, "request_id", "REQUEST_ID_REUSED")]
    assert (again.received, again.matched, again.different_fields, again.refused_count) == (2, 1, 1, 1)
    batch = pb.PushRecordBatchRequest(request_id=feed, records=[record(number, phone="13800000004"), records[1]])
    assert stub.PushRecordBatch(batch, **department).report == again
    (said,) = entry(people, stub, resident.resident_id, "phone").observations
    assert said.value == "13800000002"
    stored = people.service.database["field_ledgers"].find_one({"_id": resident.resident_id})
    assert stored is not None
    (command,) = (one for one in stored["commands"] if one["key"] == f"feed:PSB:{feed}#0")
    assert len(command["digest"]) == 32
    assert not {number, "13800000002"} & set(repr(command).split("'"))


def test_a_feed_needs_department_purpose_and_sound_messages(people: People, stub: Any, department: dict[str, Any]) -> None:
    sound = pb.PushRecordsRequest(request_id=new_id(), record=record(id_number(), name="王"))
    nobody = people.caller("x", "IMPORTER", area=CITY, purpose="P11")
    assert refusal(stub.PushRecords, iter([sound]), **nobody).reason == "DEPARTMENT_MISSING"
    aimless = people.caller("psb", "DEPT_HANDLER", area=CITY, department="PSB")
    assert refusal(stub.PushRecords, iter([sound]), **aimless).reason == "PURPOSE_REQUIRED"
    assert refusal(stub.PushRecords, iter([sound]), **people.stating("P11")).reason == "ROLE_REQUIRED"
    wrong = pb.PushRecordsRequest(request_id=new_id(), record={"id_number": "1"})
    said = refusal(stub.PushRecords, iter([sound, wrong]), **department)
    assert (said.reason, said.fields) == ("VALIDATION_FAILED", ("messages[1].record.fields",))


def test_what_must_not_be_kept_comes_in_by_no_stream(people: People, stub: Any, department: dict[str, Any]) -> None:
    records = [record(id_number(), name="王"), record(id_number(), name="王小明,重点人口")]
    messages = [pb.PushRecordsRequest(request_id=new_id(), record=one) for one in records]
    said = refusal(stub.PushRecords, iter(messages), **department)
    assert (said.reason, said.fields) == ("RESTRICTED_CONTENT", ("messages[1].record.fields[0].value",))
    report = {
        "rule": "LE01",
        "contact_name": "王丽",
        "address": "某路1号",
        "occurred_on": "2026-01-02",
        "detail": "吸毒人员",
        "consent": 1,
    }
    push = life_events.LifeEventServiceStub(people.service.channel).PushLifeEvents
    hospital = people.caller("hospital", "DEPT_HANDLER", area=CITY, department="HEALTH", purpose="P01")
    said = refusal(push, iter([life_event_pb2.PushLifeEventsRequest(request_id=new_id(), report=report)]), **hospital)
    assert (said.reason, said.fields) == ("RESTRICTED_CONTENT", ("messages[0].report.detail",))


def test_a_long_feed_is_taken_in_chunks(people: People, stub: Any, department: dict[str, Any]) -> None:
    numbers = [id_number() for _ in range(450)]
    people.residents.CreateResidents(
        resident_service_pb2.CreateResidentsRequest(
            request_id=new_id(), residents=[people.draft(id_number=number, name_latin="") for number in numbers]
        ),
        **people.importer,
    )
    report = push(stub, department, *(record(number, name="王小明", name_latin="Wang") for number in numbers))
    assert (report.received, report.matched, report.equal_fields, report.new_fields) == (450, 450, 450, 450)


def test_two_offline_edits_are_shown_to_a_person(people: People, stub: Any) -> None:
    resident_id = people.enter(name="王小明", phone="13811110001").resident_id
    clerk = people.caller("clerk", "COMM_CLERK", area=GRID[:12])
    first = submit(stub, people.worker, resident_id, phone=("13811110002", "138****0001"), name=("王晓明", "王**"))
    assert first == {"phone": "accepted", "name": "accepted"}
    # The clerk was offline: what the clerk saw was gone meanwhile.
    second = submit(stub, clerk, resident_id, phone=("13811110003", "13811110001"), name=("王晓明", "王小明"))
    assert second == {"phone": "conflict", "name": "accepted"}
    listed = stub.ListFieldConflicts(pb.ListFieldConflictsRequest(), **people.worker).ledgers
    assert resident_id in {ledger.resident_id for ledger in listed}
    conflict = entry(people, stub, resident_id, "phone").conflict
    assert (conflict.seen, conflict.present.value, conflict.present.by) == ("13811110001", "13811110002", "worker")
    assert (conflict.late.value, conflict.late.by) == ("13811110003", "clerk")
    request = pb.ResolveFieldConflictRequest(
        resident_id=resident_id, field="phone", request_id=new_id(), choice=collection_pb2.CONFLICT_CHOICE_REPLACE
    )
    assert refusal(stub.ResolveFieldConflict, request, **people.worker).reason == "ROLE_REQUIRED"
    lead = people.caller("lead", "GRID_SUPERVISOR", area=GRID[:12], purpose="P01")
    stub.ResolveFieldConflict(request, **lead)
    eventually(lambda: shown(people, resident_id).phone == "13811110003")
    kept = entry(people, stub, resident_id, "phone")
    assert (kept.accepted.by, kept.overridden[0].by, kept.overridden[0].value) == ("clerk", "worker", "13811110002")
    request.request_id = new_id()
    assert refusal(stub.ResolveFieldConflict, request, **lead).reason == "CONFLICT_OVER"


def test_what_is_wrong_is_refused_by_field(people: People, stub: Any) -> None:
    resident_id = people.enter().resident_id

    def said(field: str, value: str) -> Any:
        edits = [{"field": field, "value": value}]
        request = pb.SubmitFieldsRequest(resident_id=resident_id, request_id=new_id(), edits=edits)
        return refusal(stub.SubmitFields, request, **people.worker)

    assert said("phone", "call me").reason == "PHONE_INVALID"
    assert said("political_status", "x").reason == "FIELD_UNKNOWN"
    assert said("sex", "9").reason == "FIELD_FIXED_BY_ID"
    other = people.caller("other", "GRID_WORKER", area="420503")
    request = pb.GetFieldLedgerRequest(resident_id=resident_id)
    assert refusal(stub.GetFieldLedger, request, **other).code == "NOT_FOUND"


def test_records_out_of_a_file_are_taken_like_a_stream(people: People) -> None:
    vault = Vault(FieldKeys.of(b"k" * 32))
    database = people.service.database.client[f"t_feed_{new_id()[-12:]}"]
    residents = BatchRepository(database["residents"], form=Form(Resident, id_field="resident_id"))
    ledgers = BatchRepository(database["field_ledgers"], form=Form(FieldLedger, id_field="resident_id"))
    number, resident_id = id_number(), new_id()
    resident, facts = create_resident(
        draft=ResidentDraft(area_code=GRID, name="王小明", id_doc_type="111", id_number=number),
        resident_id=resident_id,
        residence_id=new_id(),
        seal=vault.seal,
        now=utc_now(),
    )
    residents.apply([Change(resident_id, lambda _: (resident, facts))])
    try:
        feed = DepartmentFeed(residents=database["residents"], ledgers=ledgers, vault=vault)
        source = Source(department="PSB", by="import", area=CITY, feed="file-2026")
        rows = [
            DepartmentRecord(id_number=number, fields=(FieldValue(field="phone", value="13800000003"),)),
            DepartmentRecord(id_number=number, fields=(FieldValue(field="name", value="王晓明"),)),
            DepartmentRecord(id_number=number, fields=(FieldValue(field="phone", value="none"),)),
            DepartmentRecord(id_number=id_number(), fields=(FieldValue(field="name", value="某人"),)),
        ]
        seen: list[int] = []
        report = feed.take(iter(rows), source=source, progress=lambda so_far: seen.append(so_far.received))
        assert (report.received, report.matched, report.unmatched, seen) == (4, 2, 1, [4])
        assert [(one.row, one.reason) for one in report.refused] == [(2, "PHONE_INVALID")]
        ledger = ledgers.get(resident_id)
        assert ledger.check
        assert ledger.check.fields == ("name",)
        feed.take(iter(rows), source=source)
        assert ledgers.get(resident_id).revision == ledger.revision
    finally:
        database.client.drop_database(database.name)
