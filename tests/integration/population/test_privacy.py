"""Rights of residents, the audit trail and retention, against the running service."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

import grpc
import msgspec
import pytest
from binglian.population.v1 import (
    care_pb2,
    care_pb2_grpc,
    life_event_pb2,
    merge_pb2,
    merge_pb2_grpc,
    question_service_pb2,
    question_service_pb2_grpc,
    resident_service_pb2,
    verification_pb2,
)
from binglian.population.v1 import data_rights_pb2 as messages
from binglian.population.v1 import data_rights_service_pb2 as pb
from binglian.population.v1 import data_rights_service_pb2_grpc as rights_grpc
from pymongo import AsyncMongoClient

from population.config import Settings
from population.domain.resident import Resident
from population.privacy.anchoring import anchor, verify
from population.privacy.keyring import open_ring
from population.privacy.retention import Retention
from population.privacy.trail import Trail
from svckit.access import Caller
from svckit.batch import BatchRepository
from svckit.documents import Form
from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, People
from tests.refusals import told
from tests.services import eventually

PURPOSES = ["P01", "P12", "P13"]


class Office:
    """Those who deal with people's rights."""

    def __init__(self, people: People) -> None:
        channel = people.service.channel
        self.rights = rights_grpc.DataRightsServiceStub(channel)
        self.mine = rights_grpc.MyDataServiceStub(channel)
        self.audit = rights_grpc.DataAuditServiceStub(channel)
        self.clerk = people.caller("clerk", "COMM_CLERK", area=CITY, purpose="P12", purposes=PURPOSES)
        self.dpo = people.caller("dpo", "DPO", area=CITY, purpose="P12", purposes=PURPOSES)
        self.auditor = people.caller("auditor", "AUDITOR", area=CITY, purpose="P13", purposes=PURPOSES)

    def submit(self, resident_id: str, kind: str, **fields: Any) -> messages.DataRequest:
        request = pb.SubmitDataRequestRequest(
            request_id=new_id(), resident_id=resident_id, kind=kind, requester=messages.REQUESTER_SELF, **fields
        )
        return self.rights.SubmitDataRequest(request, **self.clerk).data_request

    def decide(self, request: messages.DataRequest, decision: int = messages.DATA_DECISION_GRANTED) -> messages.DataRequest:
        decided = pb.DecideDataRequestRequest(
            data_request_id=request.data_request_id, request_id=new_id(), decision=decision, reason="符合规定"
        )
        return self.rights.DecideDataRequest(decided, **self.dpo).data_request

    def carry_out(self, request: messages.DataRequest) -> messages.DataRequest:
        done = pb.CarryOutDataRequestRequest(data_request_id=request.data_request_id, request_id=new_id(), done="已办理")
        return self.rights.CarryOutDataRequest(done, **self.dpo).data_request


@pytest.fixture(scope="module")
def office(people: People) -> Office:
    return Office(people)


def reveal(people: People, resident_id: str, **caller: Any) -> Any:
    request = resident_service_pb2.RevealResidentRequest(resident_id=resident_id)
    return people.residents.RevealResident(request, **(caller or people.stating("P01"))).resident


def move_out(people: People, resident_id: str, day: str = "2020-01-01") -> None:
    """The person lived in one house, until that day."""
    change = {"$set": {"residences": [residence(day)]}, "$inc": {"revision": 1}}
    people.service.database.residents.update_one({"_id": resident_id}, change)


def residence(until: str) -> dict[str, str]:
    return {
        "residence_id": new_id(),
        "house_id": new_id(),
        "area_code": CITY + "02001003",
        "since": "2010-01-01",
        "until": until,
    }


def reason_of(call: Any) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return told(refused.value).reason


def test_a_person_sees_who_saw_their_data_and_for_what(people: People, office: Office) -> None:
    resident = people.enter()
    assert reveal(people, resident.resident_id).phone == "10012345678"
    listed = people.residents.ListResidents(resident_service_pb2.ListResidentsRequest(), **people.worker)
    assert listed.residents  # masked: nobody saw anything
    link = pb.LinkAccountRequest(resident_id=resident.resident_id, request_id=new_id(), account="anna")
    me = people.caller("anna", "RESIDENT", area=CITY, purpose="P12", purposes=PURPOSES)
    assert reason_of(lambda: office.mine.ListMyAccesses(pb.ListMyAccessesRequest(), **me)) == "ACCOUNT_NOT_LINKED"
    office.rights.LinkAccount(link, **office.clerk)
    seen = office.mine.ListMyAccesses(pb.ListMyAccessesRequest(), **me).accesses
    assert [(each.event, each.purpose, each.purpose_text) for each in seen][-2:] == [
        ("AE03", "P01", "居民服务办理"),
        ("AE06", "", ""),
    ]
    mine = office.mine.GetMyData(pb.GetMyDataRequest(), **me)
    copy = json.loads(mine.json)
    assert copy["residents"][0]["phone"] == "10012345678"
    assert copy["residents"][0]["id_number"].startswith("990000")
    assert mine.documents == sum(map(len, copy.values()))
    other = pb.LinkAccountRequest(resident_id=people.enter().resident_id, request_id=new_id(), account="anna")
    assert reason_of(lambda: office.rights.LinkAccount(other, **office.clerk)) == "ACCOUNT_LINKED"


def test_a_purpose_that_allows_less_shows_less(people: People) -> None:
    resident = people.enter()
    clerk = people.caller("clerk", "COMM_CLERK", area=CITY, purpose="P02", purposes=["P02"])
    shown = reveal(people, resident.resident_id, **clerk)
    assert (shown.name, shown.phone) == ("王小明", "10012345678")
    assert "*" in shown.id_number


def test_who_takes_consent_back_is_on_no_register_that_rests_on_it(people: People, office: Office) -> None:
    resident = people.enter(affiliation="01").resident_id
    care = care_pb2_grpc.CareServiceStub(people.service.channel)
    agreed, lawful = ("1003", life_event_pb2.CONSENT_GIVEN), ("3001", life_event_pb2.CONSENT_INFORMED)
    entered = {}
    for category, consent in (agreed, lawful):
        request = care_pb2.EnterCareRequest(
            resident_id=resident, request_id=new_id(), category=category, consent=consent, basis="登记"
        )
        entered[category] = care.EnterCare(request, **people.worker).entry.care_id
    database = people.service.database
    eventually(lambda: database.visit_plans.find_one({"_id": entered["1003"], "state": "active"}))
    office.carry_out(office.decide(office.submit(resident, "R4")))
    eventually(lambda: database.visit_plans.find_one({"_id": entered["1003"], "state": "ended"}))
    states = {row["category"]: row["state"] for row in database.care_entries.find({"resident_id": resident})}
    assert states == {"1003": "withdrawn", "3001": "active"}
    eventually(lambda: database.residents.find_one({"_id": resident})["affiliation"] is None)


def test_who_is_restricted_is_chosen_by_no_question(people: People, office: Office) -> None:
    ids = [people.enter(affiliation="02").resident_id for _ in range(2)]
    questions = question_service_pb2_grpc.QuestionServiceStub(people.service.channel)

    def found(purpose: str) -> set[str]:
        request = question_service_pb2.FindPeopleRequest(filter='affiliation = "02"', area_prefix=GRID[:12], page_size=200)
        clerk = people.caller("clerk", "COMM_CLERK", area=CITY, purpose=purpose, purposes=["P01", "P10"])
        return {one.resident_id for one in questions.FindPeople(request, **clerk).people}

    assert found("P01") >= set(ids)
    office.carry_out(office.decide(office.submit(ids[0], "R5")))
    eventually(lambda: ids[0] not in found("P01"))
    assert ids[1] in found("P01")
    assert ids[0] in found("P10"), "in an emergency everybody counts"


def test_a_restriction_holds_for_every_entry_of_a_person(people: People, office: Office) -> None:
    survivor, absorbed, later = (people.enter().resident_id for _ in range(3))
    merges = merge_pb2_grpc.MergeServiceStub(people.service.channel)

    def merged(gone: str) -> None:
        request = merge_pb2.MergeResidentsRequest(
            resident_id=survivor, absorbed_id=gone, request_id=new_id(), reason="本人确认"
        )
        merges.MergeResidents(request, **people.clerk)

    office.carry_out(office.decide(office.submit(absorbed, "R5")))
    merged(absorbed)
    eventually(lambda: "*" in reveal(people, survivor).phone)
    merged(later)
    office.carry_out(office.decide(office.submit(survivor, "R5")))
    eventually(lambda: "*" in reveal(people, later).phone)
    office.rights.LiftRestriction(pb.LiftRestrictionRequest(resident_id=survivor, request_id=new_id()), **office.dpo)
    eventually(lambda: not any("*" in reveal(people, id).phone for id in (survivor, later)))


def test_erasing_waits_for_duties_and_leaves_nobody(people: People, office: Office) -> None:
    resident = people.enter()
    id = resident.resident_id
    move_out(people, id, "")  # lives here still
    first = office.submit(id, "R3")
    assert (first.due_at.ToDatetime() - first.submitted_at.ToDatetime()).days == 15
    decided = pb.DecideDataRequestRequest(
        data_request_id=first.data_request_id, request_id=new_id(), decision=messages.DATA_DECISION_GRANTED, reason="同意"
    )
    same = people.caller("clerk", "DPO", area=CITY, purpose="P12", purposes=PURPOSES)
    assert reason_of(lambda: office.rights.DecideDataRequest(decided, **same)) == "OWN_REQUEST"
    done = office.carry_out(office.decide(first))
    assert [each.duty for each in done.duties] == ["D01"]
    # Restricted meanwhile: within a second nobody sees it any more, but in an emergency.
    end = time.monotonic() + 8
    while "*" not in reveal(people, id).phone and time.monotonic() < end:
        time.sleep(0.1)
    assert reveal(people, id).phone == "100****5678"
    emergency = people.caller("worker", "GRID_WORKER", area=CITY, purpose="P10", purposes=["P10"])
    assert reveal(people, id, **emergency).phone == "10012345678"

    move_out(people, id)
    done = office.carry_out(office.decide(office.submit(id, "R3")))
    assert (done.state, list(done.duties)) == (messages.DATA_REQUEST_STATE_COMPLETED, [])
    stored = people.service.database.residents.find_one({"_id": id})
    kept = {name: stored.get(name) for name in ("name", "id_number", "phone", "household_id")}
    assert kept == {"name": "", "id_number": None, "phone": None, "household_id": ""}
    assert (stored["birth_date"][4:], stored["residences"][0]["house_id"]) == ("-01-01", "")
    request = resident_service_pb2.FindResidentsRequest(id_number=resident.id_number.replace("*", "0"))
    assert not people.residents.FindResidents(request, **people.stating("P01")).residents


def test_erasing_a_person_erases_every_entry_of_theirs_and_their_account(people: People, office: Office) -> None:
    survivor, absorbed = (people.enter().resident_id for _ in range(2))
    reveal(people, absorbed)
    merges = merge_pb2_grpc.MergeServiceStub(people.service.channel)
    merge = merge_pb2.MergeResidentsRequest(
        resident_id=survivor, absorbed_id=absorbed, request_id=new_id(), reason="本人确认", take=["phone"]
    )
    merges.MergeResidents(merge, **people.clerk)
    link = pb.LinkAccountRequest(resident_id=survivor, request_id=new_id(), account=f"portal-{survivor}")
    office.rights.LinkAccount(link, **office.clerk)
    copy = json.loads(office.rights.GetDataCopy(pb.GetDataCopyRequest(resident_id=survivor), **office.clerk).json)
    assert len(copy["residents"]) == 2
    seen = office.rights.ListDataAccesses(pb.ListDataAccessesRequest(resident_id=survivor), **office.clerk).accesses
    assert "AE03" in {each.event for each in seen}, "also who looked at the entry that was merged"
    for id in (survivor, absorbed):
        move_out(people, id)
    done = office.carry_out(office.decide(office.submit(survivor, "R3")))
    assert done.state == messages.DATA_REQUEST_STATE_COMPLETED
    database = people.service.database
    rows = list(database.residents.find({"_id": {"$in": [survivor, absorbed]}}))
    assert [(row["name"], row.get("phone"), row["documents"]) for row in rows] == [("", None, []), ("", None, [])]
    assert database.merges.count_documents({"survivor_id": survivor}) == 0
    assert database.resident_accounts.count_documents({"resident_id": survivor}) == 0


def test_a_copy_tells_what_is_kept_of_a_person_and_not_who_said_it(people: People, office: Office) -> None:
    id, other = (people.enter().resident_id for _ in range(2))
    database = people.service.database
    said = {
        "description": "邻居李四投诉噪音",
        "instruction": "勿告知投诉人",
        "completed_by": "worker-7",
        "result": "已核实居住",
    }
    database.verification_orders.insert_one({"_id": new_id(), "resident_id": id, "state": "completed", **said})
    seen = {"at": dt.datetime(2026, 5, 1), "by": "worker-7", "notes": "缺药"}
    database.visit_plans.insert_one({"_id": new_id(), "resident_id": id, "state": "ended", "visits": [seen]})
    told = {"survivor_id": other, "absorbed_id": id, "state": "dismissed", "reason": "同名", "before": {"name": "王五"}}
    database.merges.insert_one({"_id": new_id(), **told})
    copy = office.rights.GetDataCopy(pb.GetDataCopyRequest(resident_id=id), **office.clerk)
    found = json.loads(copy.json)
    assert copy.documents == 4
    assert (found["residents"][0]["phone"], found["residents"][0]["name"]) == ("10012345678", "王小明")
    assert found["verification_orders"][0].keys() == {"_id", "state", "result"}
    assert [visit.keys() for visit in found["visit_plans"][0]["visits"]] == [{"at", "notes"}]
    assert found["merges"][0].keys() == {"_id", "state"}
    for secret in ("李四", "勿告知", "worker-7", other, "王五", "commands", "revision"):
        assert secret not in copy.json
    for rows in (database.verification_orders, database.visit_plans, database.merges):
        rows.delete_many({"$or": [{"resident_id": id}, {"absorbed_id": id}]})


def test_a_link_holds_for_the_entry_that_was_checked_and_can_be_undone(people: People, office: Office) -> None:
    one, other = (people.enter().resident_id for _ in range(2))
    account = f"portal-{one}"
    me = people.caller(account, "RESIDENT", area="", purpose="P12", purposes=["P12"])

    def link(resident_id: str, account: str = account) -> None:
        office.rights.LinkAccount(
            pb.LinkAccountRequest(resident_id=resident_id, request_id=new_id(), account=account), **office.clerk
        )

    def unlink(account: str) -> int:
        request = pb.UnlinkAccountRequest(resident_id=one, request_id=new_id(), account=account)
        return office.rights.UnlinkAccount(request, **office.clerk).unlinked

    def mine() -> Any:
        return office.mine.GetMyData(pb.GetMyDataRequest(), **me)

    assert reason_of(lambda: link(one, "clerk")) == "OWN_ACCOUNT"
    link(one)
    assert reason_of(lambda: link(other)) == "ACCOUNT_LINKED"
    assert mine().documents
    merges = merge_pb2_grpc.MergeServiceStub(people.service.channel)
    # Neither way round does a merge give an account what another entry holds.
    for survivor, absorbed in ((one, other), (other, one)):
        merge = merge_pb2.MergeResidentsRequest(
            resident_id=survivor, absorbed_id=absorbed, request_id=new_id(), reason="本人确认"
        )
        merged = merges.MergeResidents(merge, **people.clerk).merge
        assert reason_of(mine) == "ACCOUNT_LINK_RESTS"
        if survivor == one:
            link(one)
            assert len(json.loads(mine().json)["residents"]) == 2
        else:
            assert reason_of(lambda: link(one)) == "DEPARTED"
        undo = merge_pb2.UndoMergeRequest(merge_id=merged.merge_id, request_id=new_id(), reason="是两个人")
        merges.UndoMerge(undo, **people.clerk)
        assert mine().documents
    link(one, account + "-2")
    assert (unlink("nobody"), unlink(account), unlink("")) == (0, 1, 1)
    assert reason_of(mine) == "ACCOUNT_NOT_LINKED"


def test_a_correction_marks_its_fields_as_disputed_until_it_is_done(people: People, office: Office) -> None:
    id = people.enter().resident_id
    request = office.submit(id, "R2", fields=["name"], details="名字写错了")
    marks = people.service.database.privacy_marks
    assert marks.find_one({"_id": id})["disputed"] == ["name"]
    office.carry_out(office.decide(request))
    assert marks.find_one({"_id": id})["disputed"] == []


def test_texts_say_nothing_that_must_not_be_kept(people: People, office: Office) -> None:
    id = people.enter().resident_id
    request = pb.SubmitDataRequestRequest(
        request_id=new_id(), resident_id=id, kind="R1", requester=messages.REQUESTER_SELF, details="有前科"
    )
    with pytest.raises(grpc.RpcError) as refused:
        office.rights.SubmitDataRequest(request, **office.clerk)
    said = told(refused.value)
    assert (said.reason, "details" in said.fields) == ("RESTRICTED_CONTENT", True)
    complete = verification_pb2.CompleteVerificationRequest(
        order_id=new_id(),
        request_id=new_id(),
        outcome=verification_pb2.VERIFICATION_OUTCOME_CONFIRMED,
        result="电话13812345678",
    )
    assert reason_of(lambda: people.orders.CompleteVerification(complete, **people.clerk)) == "NUMBER_IN_TEXT"


def test_auditors_search_the_trail_and_every_alteration_shows(people: People, office: Office) -> None:
    id = people.enter().resident_id
    reveal(people, id)
    found = office.audit.ListDataAuditEntries(pb.ListDataAuditEntriesRequest(resident_id=id), **office.auditor).entries
    assert [each.event for each in found] == ["AE03", "AE06"]
    assert (found[0].subject, found[0].purpose, found[0].rpc) == ("worker", "P01", "ResidentService/RevealResident")
    reads = office.audit.ListDataAuditEntries(pb.ListDataAuditEntriesRequest(event="AE15"), **office.auditor).entries
    assert reads[0].subject == "auditor"
    elsewhere = people.caller("auditor", "AUDITOR", area="9901", purpose="P13", purposes=PURPOSES)
    assert not office.audit.ListDataAuditEntries(pb.ListDataAuditEntriesRequest(resident_id=id), **elsewhere).entries

    database, key = people.service.database, audit_key(people)
    anchor(database, key=key, now=dt.datetime.now(dt.UTC))
    count, flaws = verify(database, key=key)
    assert count > 2
    assert flaws == []
    chain = found[0].entry_id.partition(":")[0]
    last = database.audit_entries.find_one({"chain": chain}, sort=[("number", -1)])
    database.audit_entries.delete_one({"_id": last["_id"]})
    assert [flaw.place for flaw in verify(database, key=key)[1]] == [last["_id"]]
    database.audit_entries.insert_one(last | {"subject": "nobody"})
    assert [flaw.place for flaw in verify(database, key=key)[1]] == [last["_id"]]
    database.audit_entries.replace_one({"_id": last["_id"]}, last)
    assert verify(database, key=key)[1] == []


def test_retention_makes_people_anonymous_who_moved_out_long_ago_and_no_others(people: People, office: Office) -> None:
    gone, recent, here, floated, back = (people.enter().resident_id for _ in range(5))
    move_out(people, gone)
    move_out(people, recent, dt.date.today().isoformat())
    database = people.service.database
    # Registered elsewhere for ever, lived here until 2020 (流动人口); the other one is registered here and lives elsewhere.
    homes = [residence("2020-01-01"), residence("") | {"kind": "registered", "area_code": "11010100100110001"}]
    left = {"status": "moved_out", "since": "2020-01-01", "at": dt.datetime(2020, 1, 2), "by": "clerk"}
    database.residents.update_one({"_id": floated}, {"$set": {"residences": homes, "standing": left}, "$inc": {"revision": 1}})
    database.residents.update_one({"_id": back}, {"$set": {"residences": homes}, "$inc": {"revision": 1}})
    duties = {
        id: office.rights.ListRetentionDuties(pb.ListRetentionDutiesRequest(resident_id=id), **office.clerk)
        for id in (floated, back)
    }
    assert [[each.duty for each in duties[id].duties] for id in (floated, back)] == [[], ["D01"]]
    database.audit_entries.insert_many(
        [{"_id": f"old:{n:09d}", "chain": "old", "number": n, "digest": f"d{n}", "at": dt.datetime(2020, 1, 1)} for n in (1, 2)]
    )
    cancelled = {"state": "cancelled", "description": "投诉", "changed_at": dt.datetime(2020, 1, 1)}
    database.verification_orders.insert_one({"_id": f"order-{gone}", **cancelled})
    database.life_events.insert_one({"_id": f"open-{gone}", "state": "open", "due_at": dt.datetime(2020, 1, 1)})
    old, young = dt.datetime(2020, 1, 1), dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    served = {"state": "completed", "completed_by": "li", "detail": "女", "contact_name": "王", "rule": "LE01"}
    for at, mark in ((old, "old"), (young, "young")):
        database.care_entries.insert_one(
            {"_id": f"{mark}-{gone}", "resident_id": mark + gone, "state": "ended", "ended_at": at}
        )
        database.visit_plans.insert_one({"_id": f"{mark}-{gone}", "state": "ended", "changed_at": at})
        database.life_events.insert_one({"_id": f"{mark}-{gone}", **served, "completed_at": at, "changed_at": at})
    facts = people.service.facts("population.resident_erased.v1")
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    repository = BatchRepository(database.residents, form=Form(Resident, id_field="resident_id"))
    database.leases.delete_many({"_id": "retention"})
    retention = Retention(repository, clock=lambda: tomorrow)
    while retention.work():
        pass
    names = {row["_id"]: row["name"] for row in database.residents.find({"_id": {"$in": [gone, recent, here, floated, back]}})}
    assert [bool(names[id]) for id in (gone, floated, recent, here, back)] == [False, False, True, True, True]
    assert database.audit_entries.count_documents({"chain": "old"}) == 0
    assert database.audit_trimmed.find_one({"_id": "old"}) == {"_id": "old", "number": 2, "digest": "d2"}
    mine = {"_id": {"$in": [f"old-{gone}", f"young-{gone}"]}}
    for kept in (database.care_entries, database.visit_plans):
        assert [row["_id"] for row in kept.find(mine)] == [f"young-{gone}"]
    events = {row["_id"].partition("-")[0]: row for row in database.life_events.find(mine)}
    assert (events["old"].get("contact_name"), events["old"]["rule"]) == (None, "LE01")
    assert events["young"]["contact_name"] == "王"
    for collection in (database.care_entries, database.visit_plans, database.life_events):
        collection.delete_many(mine)
    assert database.life_events.find_one({"_id": f"open-{gone}"}) is None
    assert "description" not in database.verification_orders.find_one_and_delete({"_id": f"order-{gone}"})
    run = database.retention_runs.find_one({"rule": "residents", "day": {"$gt": dt.date.today().isoformat()}})
    assert run["ended_at"]
    assert run["done"] >= 1
    assert facts is not None
    row = database.residents.find_one({"_id": gone})
    assert msgspec.convert({**row, "resident_id": gone}, Resident, builtin_types=(dt.datetime, bytes)).phone is None


def audit_key(people: People) -> bytes:
    import os

    settings = Settings(mongo_uri="m", amqp_uri="a", field_key=os.environ["BINGLIAN_FIELD_KEY"])
    return open_ring(settings, people.service.database).audit_key()


async def test_of_many_people_shown_at_once_everybody_is_named(people: People, mongo_uri: str) -> None:
    ids, key = tuple(new_id() for _ in range(450)), audit_key(people)
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as client:
        database = client[people.service.database.name]
        trail = Trail(database.audit_entries, key=key)
        await trail.record(Caller("lister"), event="AE05", rpc="X/List", residents=ids, count=460)
    found = list(people.service.database.audit_entries.find({"subject": "lister"}).sort("number"))
    assert [entry["count"] for entry in found] == [210, 200, 50]
    assert tuple(id for entry in found for id in entry["residents"]) == ids
    assert verify(people.service.database, key=key)[1] == []
