"""Questions about many people: documents and replica give the same answers, statistics give nobody away, the replica keeps up."""

from __future__ import annotations

import base64
import datetime as dt
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from binglian.housing.v1 import events_pb2 as housing
from binglian.population.v1 import (
    job_service_pb2,
    job_service_pb2_grpc,
    question_pb2,
    question_service_pb2,
    question_service_pb2_grpc,
    register_pb2,
    register_pb2_grpc,
    resident_service_pb2,
)
from binglian.population.v1 import question_service_pb2 as pb
from hypothesis import HealthCheck, given, settings
from pymongo import MongoClient

from population.questions.columns import where_of
from population.questions.conditions import read
from population.questions.documents import filter_of
from population.replica.building import COLLECTION, Source, build
from population.replica.database import Database
from svckit.embedded import free_port
from svckit.ids import new_id
from svckit.testing import child, running_rabbit
from tests.integration.population.people import GRID, People
from tests.refusals import refusal
from tests.services import eventually, running_service
from tests.unit.population.filters import TODAY, filters, holds, people, seal

pytestmark = pytest.mark.integration

SEEDED = 6_000
DISTRICT = "420502"
COMMUNITY = "420502001001"


@pytest.fixture(scope="module")
def everybody(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[dict[str, Any]], Any, Database]]:
    """Made-up documents, the collection that holds them, and a replica built from it."""
    documents = people(800)
    name = f"t_questions_{new_id()[-12:]}"
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        rows = client[name][COLLECTION]
        rows.insert_many(documents)
        folder = tmp_path_factory.mktemp("replica")
        file = build(Source(uri=mongo_uri, database=name), folder, memory="500MB", processes=1, told=lambda *_: None)
        database = Database(file, memory="500MB", threads=1)
        yield documents, rows, database
        database.close()
        client.drop_database(name)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=filters())
def test_documents_columns_and_plain_reading_agree(everybody: Any, text: str) -> None:
    documents, rows, database = everybody
    condition = read(text, today=TODAY, seal=seal, purpose="P01")
    expected = {one["_id"] for one in documents if holds(text, one)}
    sizes = Counter(one["household_id"] for one in documents if one.get("household_id"))
    assert {row["_id"] for row in rows.find(filter_of(condition, sizes=sizes), {"_id": True})} == expected
    where = where_of(condition)
    assert {row[0] for row in database.query(f"SELECT id::VARCHAR FROM people WHERE {where.sql}", where.values)} == expected


def test_nothing_that_names_a_person_reaches_the_file(everybody: Any) -> None:
    documents, _, database = everybody
    content = database.file.read_bytes()
    for document in documents[:50]:
        assert document["name"].encode() not in content
        assert document["id_number"]["index"] not in content
        assert document["id_number"]["cipher"] not in content


@dataclass
class Office:
    """A running service with its replica and 6,000 made-up people in one district, beside those that are entered."""

    people: People
    ask: question_service_pb2_grpc.QuestionServiceStub

    def clerk(self, *, area: str = "4205", purpose: str = "P02") -> dict[str, Any]:
        return self.people.caller("clerk", "COMM_CLERK", area=area, purpose=purpose, purposes=["P01", "P02", "P09"])

    def count(self, text: str = "", **more: Any) -> pb.CountPeopleResponse:
        return self.ask.CountPeople(pb.CountPeopleRequest(filter=text, **more), **self.clerk(purpose="P01"))


@pytest.fixture(scope="module")
def office(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A service with a replica, and a broker of its own: another worker of population would take its facts."""
    logs, port = tmp_path_factory.mktemp("questions"), free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BINGLIAN_FIELD_KEY", base64.b64encode(os.urandom(32)).decode())
        patch.setenv("BINGLIAN_POPULATION_REPLICA_ADDRESS", f"127.0.0.1:{port}")
        with (
            running_rabbit(tmp_path_factory.mktemp("rabbit")) as broker,
            running_service("population", mongo_uri=mongo_uri, amqp_uri=broker.uri, logs=logs) as service,
        ):
            variables = {
                "BINGLIAN_MONGO_URI": mongo_uri,
                "BINGLIAN_MONGO_DATABASE": service.database.name,
                "BINGLIAN_JWKS_URL": service.issuer.url,
                "BINGLIAN_GRPC_PORT": str(port),
                "BINGLIAN_REPLICA_FOLDER": str(logs / "replica"),
                "BINGLIAN_REPLICA_MEMORY": "500MB",
            }
            seed = [sys.executable, "-m", "population", "seed", "--residents", str(SEEDED), "--processes", "1"]
            subprocess.run(seed, env={**os.environ, **variables}, check=True)
            with child([sys.executable, "-m", "population", "replica"], log=logs / "replica.log", environment=variables):
                made = Office(
                    People(service, log=logs / "api.log"), question_service_pb2_grpc.QuestionServiceStub(service.channel)
                )
                eventually(lambda: is_there(made), seconds=40)
                yield made


def is_there(office: Office) -> bool:
    try:
        return office.count().total.value == SEEDED
    except grpc.RpcError:
        return False


QUESTION = "age >= 80 AND lives_alone = true AND floor >= 3 AND lift = false"


def test_a_list_of_a_community_and_of_a_district_are_the_same_people(office: Office) -> None:
    small = pages(office, pb.FindPeopleRequest(filter="age >= 60", area_prefix=COMMUNITY, page_size=37))
    large = pages(office, pb.FindPeopleRequest(filter=f'age >= 60 AND area:"{COMMUNITY}"', area_prefix=DISTRICT, page_size=41))
    assert small == large
    assert len(small) > 50
    assert [one.area_code for one in small] == sorted(one.area_code for one in small)
    assert all(one.name and one.birth_date < "1967" and one.age >= 60 for one in small)


def pages(office: Office, request: pb.FindPeopleRequest) -> list[question_pb2.Person]:
    found: list[question_pb2.Person] = []
    while True:
        answer = office.ask.FindPeople(request, **office.clerk())
        found += answer.people
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


def test_the_total_is_told_on_the_first_page_with_how_fresh_it_is(office: Office) -> None:
    answer = office.ask.FindPeople(pb.FindPeopleRequest(filter=QUESTION, area_prefix=DISTRICT), **office.clerk())
    stored = office.people.service.database["residents"]
    assert answer.total_size == stored.count_documents(filter_of(read(QUESTION, today=dt.date.today(), seal=seal))) > 3
    assert answer.freshness.source == question_pb2.ANSWER_SOURCE_REPLICA
    assert 0 <= answer.freshness.lag_ms < 5_000
    small = office.ask.FindPeople(pb.FindPeopleRequest(filter=QUESTION, area_prefix=COMMUNITY), **office.clerk())
    assert small.freshness.source == question_pb2.ANSWER_SOURCE_DOCUMENTS


def test_who_counted_by_which_filter_stands_in_the_trail(office: Office) -> None:
    office.count("age >= 63", area_prefix=DISTRICT, by_digits=9)
    (entry,) = office.people.service.database["audit_entries"].find({"note": {"$regex": "age >= 63"}})
    assert (entry["subject"], entry["event"], entry["rpc"]) == ("clerk", "AE05", "QuestionService/CountPeople")
    assert entry["note"] == f"{DISTRICT} by 9: age >= 63"
    assert (entry["residents"], entry["count"]) == ([], 0)


def test_affiliation_needs_a_purpose_that_allows_it(office: Office) -> None:
    request = pb.FindPeopleRequest(filter='affiliation = "01" AND age > 45', area_prefix=DISTRICT)
    assert refusal(office.ask.FindPeople, request, **office.clerk(purpose="P02")).reason == "PURPOSE_REQUIRED"
    answer = office.ask.FindPeople(request, **office.clerk(purpose="P01"))
    assert 0 < answer.total_size < SEEDED / 10
    assert all(one.age > 45 for one in answer.people)


@pytest.mark.parametrize(
    "text",
    [
        "age >> 3",
        "age = old",
        'name = "王"',
        'id_number = "1"',
        "lift",
        "age >= 80 AND (",
        "sex = 7",
        "lift > true",
        "floor = 3.5",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_with_its_place(office: Office, text: str) -> None:
    for prefix in (COMMUNITY, DISTRICT):
        request = pb.FindPeopleRequest(filter=text, area_prefix=prefix)
        refused = refusal(office.ask.FindPeople, request, **office.clerk())
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "FILTER_INVALID")
        assert refused.fields == ("filter",)
        assert int(refused.metadata["position"]) >= 1


def test_callers_see_their_own_area_only(office: Office) -> None:
    other = office.clerk(area="420599")
    assert office.ask.FindPeople(pb.FindPeopleRequest(area_prefix=DISTRICT), **other).total_size == 0
    assert office.ask.CountPeople(pb.CountPeopleRequest(), **other).total.value == 0
    own = office.ask.FindPeople(pb.FindPeopleRequest(page_size=200), **office.clerk(area=COMMUNITY))
    assert {one.area_code[:12] for one in own.people} == {COMMUNITY}


def test_counts_by_area_add_up_where_nothing_is_withheld(office: Office) -> None:
    answer = office.count(by_digits=12)
    assert sum(area.count.value for area in answer.areas) == answer.total.value == SEEDED
    rare = office.count("age >= 95", by_digits=17)
    withheld = [area for area in rare.areas if area.count.withheld]
    assert withheld
    assert all(area.count.value == 0 or area.count.value >= 10 for area in rare.areas)
    # Everybody less those who are younger says the same, and is withheld the same.
    everybody = {area.area_code: area.count.value for area in office.count(by_digits=17).areas if not area.count.withheld}
    younger = {area.area_code: area.count for area in office.count("age < 95", by_digits=17).areas}
    assert any(count.withheld for count in younger.values())
    told = {area: count.value for area, count in younger.items() if not count.withheld}
    assert not [area for area, count in told.items() if 0 < everybody.get(area, count) - count < 10]


def test_the_pyramid_of_today_and_of_a_day_in_the_past(office: Office) -> None:
    stub, clerk = office.ask, office.clerk()
    now = stub.GetPyramid(pb.GetPyramidRequest(area_prefix=DISTRICT, band_years=10), **clerk)
    assert now.total.total.value == SEEDED
    assert [band.from_age for band in now.bands][:3] == [0, 10, 20]
    past = stub.GetPyramid(pb.GetPyramidRequest(area_prefix=DISTRICT, day="2015-01-01", band_years=10), **clerk)
    trend = stub.GetTrend(pb.GetTrendRequest(from_day="2015-01-01", to_day="2026-07-01", step_months=12), **clerk)
    assert [point.day[:4] for point in trend.points] == [str(year) for year in range(2015, 2027)] + ["2026"]
    assert 0 < past.total.total.value == trend.points[0].count.value < SEEDED
    assert trend.points[-1].count.value == SEEDED
    odd = pb.GetTrendRequest(area_prefix="42050", from_day="2015-01-01")
    assert refusal(stub.GetTrend, odd, **clerk).reason == "AREA_CODE_INVALID"
    monthly = stub.GetTrend(pb.GetTrendRequest(area_prefix=DISTRICT, from_day="2015-01-17", to_day="2015-03-09"), **clerk)
    assert [point.day for point in monthly.points] == ["2015-01-01", "2015-02-01", "2015-03-01"]
    assert monthly.points[0].count == trend.points[0].count


def test_pyramids_of_parts_and_of_the_whole_are_decided_together(office: Office) -> None:
    def pyramid(prefix: str, years: int) -> pb.GetPyramidResponse:
        return office.ask.GetPyramid(pb.GetPyramidRequest(area_prefix=prefix, band_years=years), **office.clerk())

    parts = [area.area_code for area in office.count(by_digits=12).areas]
    for years in (5, 7, 20):
        whole = pyramid(DISTRICT, years)
        told = sum(band.total.value for band in whole.bands)
        assert told > SEEDED * 0.75 or years == 7
        own = {part: {band.from_age: band.total for band in pyramid(part, years).bands} for part in parts}
        for band in whole.bands:
            shown = [bands[band.from_age] for bands in own.values() if band.from_age in bands]
            withheld = [one for one in shown if one.withheld]
            rest = band.total.value - sum(one.value for one in shown)
            assert band.total.withheld or len(shown) < len(parts) or (rest == 0 if not withheld else rest >= 10 or rest == 0)
    odd = pb.GetPyramidRequest(area_prefix="42050")
    assert refusal(office.ask.GetPyramid, odd, **office.clerk()).reason == "AREA_CODE_INVALID"


def test_trends_of_parts_withhold_no_month_alone(office: Office) -> None:
    def trend(prefix: str) -> list[int | None]:
        request = pb.GetTrendRequest(area_prefix=prefix, from_day="2015-01-01")
        return [
            None if one.count.withheld else one.count.value for one in office.ask.GetTrend(request, **office.clerk()).points
        ]

    parts = [area.area_code for area in office.count(area_prefix=COMMUNITY[:9], by_digits=12).areas]
    assert len(parts) > 1
    whole, own = trend(COMMUNITY[:9]), [trend(part) for part in parts]
    assert None in [count for counts in own for count in counts]
    for month, total_of_month in enumerate(whole):
        withheld = sum(counts[month] is None for counts in own)
        assert withheld != (0 if total_of_month is None else 1)


def test_household_sizes(office: Office) -> None:
    answer = office.ask.GetHouseholdSizes(pb.GetHouseholdSizesRequest(), **office.clerk())
    assert [one.size for one in answer.sizes] == [1, 2, 3, 4, 5, 6]
    assert sum(one.size * one.households.value for one in answer.sizes) == SEEDED
    past = office.ask.GetHouseholdSizes(pb.GetHouseholdSizesRequest(day="2015-01-01", area_prefix=DISTRICT), **office.clerk())
    odd = pb.GetHouseholdSizesRequest(area_prefix="42050")
    assert refusal(office.ask.GetHouseholdSizes, odd, **office.clerk()).reason == "AREA_CODE_INVALID"
    there = office.ask.GetTrend(pb.GetTrendRequest(from_day="2015-01-01", to_day="2015-01-01"), **office.clerk())
    assert 0 < sum(one.size * one.households.value for one in past.sizes) <= there.points[0].count.value


def test_children_of_school_age_around_a_point(office: Office) -> None:
    one = office.people.service.database["residents"].find_one({"living.longitude": {"$ne": None}})
    assert one is not None
    point = {"longitude": one["living"]["longitude"], "latitude": one["living"]["latitude"]}
    near = office.ask.CountAround(question_service_pb2.CountAroundRequest(point=point), **office.clerk())
    far = office.ask.CountAround(question_service_pb2.CountAroundRequest(point=point, radius_m=3_000), **office.clerk())
    assert [(count.age, count.to_age) for count in near.ages] == [(6, 11), (12, 14)]
    assert 10 <= near.total.value < far.total.value
    own = office.ask.CountAround(question_service_pb2.CountAroundRequest(point=point), **office.clerk(area=COMMUNITY))
    assert (list(own.ages), own.total) == (list(near.ages), near.total)


def released(office: Office, area: str, *, day: str = "2026-11-03", approved: bool = True) -> str:
    """An export of the roll of voters, approved by a second person."""
    jobs = job_service_pb2_grpc.JobServiceStub(office.people.service.channel)
    spec = {"fields": ["name"], "format": "FILE_FORMAT_CSV", "in_full": True, "election_day": day, "area_prefix": area}
    request = job_service_pb2.StartExportRequest(request_id=new_id(), legal_basis="选举法", export_spec=spec)
    steward = office.people.caller("steward", "DATA_STEWARD", area="4205", purpose="P09", purposes=["P09"])
    job = jobs.StartExport(request, **steward).job
    if approved:
        officer = office.people.caller("officer", "DPO", area="4205", purpose="P11", purposes=["P11"])
        jobs.ApproveJob(job_service_pb2.ApproveJobRequest(request_id=new_id(), job_id=job.job_id), **officer)
    return job.job_id


def test_a_long_roll_of_voters_is_released_by_two_people(office: Office) -> None:
    def refused(**more: Any) -> str:
        request = pb.ExportVoterRollRequest(**{"area_prefix": DISTRICT, "election_day": "2026-11-03", **more})
        return refusal(lambda *a, **k: list(office.ask.ExportVoterRoll(*a, **k)), request, **office.clerk(purpose="P09")).reason

    of_a_community = released(office, COMMUNITY)
    assert refused() == "NOT_APPROVED"
    assert refused(job_id="nobody") == "JOB_NOT_FOUND"
    assert refused(job_id=released(office, DISTRICT, approved=False)) == "NOT_APPROVED"
    assert refused(job_id=released(office, DISTRICT, day="2026-11-04")) == "NOT_APPROVED"
    assert refused(job_id=of_a_community) == "NOT_APPROVED"


def test_the_roll_of_voters_is_streamed_whole_and_resumes(office: Office) -> None:
    clerk = office.clerk(purpose="P09")
    request = pb.ExportVoterRollRequest(area_prefix=DISTRICT, election_day="2026-11-03", job_id=released(office, DISTRICT))
    messages = list(office.ask.ExportVoterRoll(request, **clerk))
    lines = [line for message in messages for line in message.entries]
    born = {"birth_date": {"$lte": "2008-11-03", "$gt": ""}, "resident_type": {"$ne": "05"}}
    assert len(lines) == office.people.service.database["residents"].count_documents(born)
    assert "*" not in lines[0].name + lines[0].birth_date
    request.cursor = messages[2].cursor
    rest = [line for message in office.ask.ExportVoterRoll(request, **clerk) for line in message.entries]
    assert rest == lines[1500:]
    assert (
        refusal(lambda *a, **k: list(office.ask.ExportVoterRoll(*a, **k)), request, **office.clerk()).reason
        == "PURPOSE_NOT_ALLOWED"
    )


def test_the_replica_keeps_up_with_what_is_entered_changed_and_removed(office: Office) -> None:
    rows = office.people.service.database["residents"]
    before = total(office, 'resident_type = "05"')
    resident = office.people.enter(resident_type="05", area_code=GRID)
    began = time.monotonic()
    eventually(lambda: total(office, 'resident_type = "05"') == before + 1, seconds=5)
    assert time.monotonic() - began < 5
    rows.update_one({"_id": resident.resident_id}, {"$set": {"resident_type": "03"}})
    eventually(lambda: total(office, 'resident_type = "05"') == before, seconds=5)
    rows.delete_one({"_id": resident.resident_id})
    eventually(
        lambda: office.ask.FindPeople(pb.FindPeopleRequest(area_prefix=DISTRICT), **office.clerk()).total_size == SEEDED,
        seconds=5,
    )


def total(office: Office, text: str) -> int:
    return office.ask.FindPeople(pb.FindPeopleRequest(filter=text, area_prefix=DISTRICT), **office.clerk()).total_size


def test_how_somebody_lives_is_asked_for_until_they_move(office: Office) -> None:
    told = {"living": {"floor": 44, "lift": False, "alone": True}, "affiliation": "02"}
    resident = office.people.enter(area_code=GRID, **told)
    try:
        question = 'floor = 44 lives_alone = true affiliation = "02"'
        request = pb.FindPeopleRequest(filter=question, area_prefix=GRID[:12])
        found = office.ask.FindPeople(request, **office.clerk(purpose="P01"))
        assert [one.resident_id for one in found.people] == [resident.resident_id]
        move = resident_service_pb2.StartResidenceRequest(
            resident_id=resident.resident_id, request_id=new_id(), residence={"house_id": new_id()}
        )
        office.people.residents.StartResidence(move, **office.people.worker)
        assert office.ask.FindPeople(request, **office.clerk(purpose="P01")).total_size == 0
    finally:
        office.people.service.database["residents"].delete_one({"_id": resident.resident_id})


def found_by(office: Office, text: str, prefix: str) -> set[str]:
    request = pb.FindPeopleRequest(filter=text, area_prefix=prefix, page_size=200)
    return {one.resident_id for one in office.ask.FindPeople(request, **office.clerk()).people}


def test_tenure_and_household_size_are_asked_for_as_they_are_now(office: Office) -> None:
    """In a community by documents, in the district by the replica; the household grows and shrinks, also outside of the community."""
    grid, made = f"{GRID[:12]}19999", resident_service_pb2.CreateHouseholdRequest(request_id=new_id())
    made.household.area_code = grid
    household = office.people.households.CreateHousehold(made, **office.people.worker).household.household_id
    home = {"house_id": new_id(), "tenure": "TENURE_TENANT"}
    rows, register = (
        office.people.service.database["residents"],
        register_pb2_grpc.RegisterServiceStub(office.people.service.channel),
    )

    def both_say(question: str, ids: list[str]) -> None:
        for prefix in (GRID[:12], DISTRICT):
            text = f'{question} AND area:"{grid}"'
            eventually(lambda text=text, prefix=prefix: found_by(office, text, prefix) == set(ids), seconds=10)

    entered = [office.people.enter(area_code=grid, residence=home, household_id=household).resident_id for _ in range(3)]
    first, second, third = entered
    try:
        both_say('household_size = 3 AND tenure = "tenant"', entered)
        rows.update_one({"_id": third}, {"$set": {"area_code": "42050200100419999"}})
        both_say("household_size = 3", [first, second])
        died = {"resident_id": third, "request_id": new_id(), "died_on": dt.date.today().isoformat(), "reason": "old age"}
        register.RecordDeath(register_pb2.RecordDeathRequest(**died), **office.people.clerk)
        both_say("household_size = 2", [first, second])
        both_say("household_size > 2", [])
        # Who came to another home last lives as that one says.
        start = resident_service_pb2.StartResidenceRequest(
            resident_id=first, request_id=new_id(), residence={"house_id": new_id(), "tenure": "TENURE_OWNER"}
        )
        office.people.residents.StartResidence(start, **office.people.worker)
        both_say('tenure = "owner"', [first])
        both_say('tenure != "owner"', [second])
    finally:
        rows.delete_many({"_id": {"$in": entered}})


UPSTAIRS = "floor >= 3 AND lift = false AND lives_alone = true"
FAR = {"longitude": 100.5, "latitude": 20.5}


def placed(building: str, *, lift: bool, minute: int) -> housing.BuildingChanged:
    fact = housing.BuildingChanged(building_id=building, area_code=GRID, floors=6, lift=lift, point=FAR)
    fact.at.FromDatetime(dt.datetime(2026, 3, 2, 1, minute))
    return fact


def upstairs(office: Office, prefix: str) -> set[str]:
    answer = office.ask.FindPeople(pb.FindPeopleRequest(filter=UPSTAIRS, area_prefix=prefix, page_size=200), **office.clerk())
    return {one.resident_id for one in answer.people}


def test_storey_lift_and_place_come_from_the_house(office: Office) -> None:
    house, building = new_id(), new_id()
    registered = housing.HouseRegistered(house_id=house, building_id=building, area_code=GRID, floor=5)
    registered.at.FromDatetime(dt.datetime(2026, 3, 2, 1, 0))
    home = {"house_id": house, "tenure": "TENURE_OWNER"}
    first = office.people.enter(area_code=GRID, residence=home, living={"alone": True, "floor": 1})
    entered = [first.resident_id]
    try:
        office.people.service.publish(placed(building, lift=False, minute=1))
        office.people.service.publish(registered)
        for prefix in (GRID[:12], DISTRICT):
            eventually(lambda prefix=prefix: first.resident_id in upstairs(office, prefix), seconds=30)
        # Who moves in later lives as the house says, too.
        for _ in range(12):
            child = {"id_doc_type": "999", "id_number": "", "birth_date": f"{dt.date.today().year - 9}-01-01"}
            entered.append(office.people.enter(area_code=GRID, residence=home, living={"alone": True}, **child).resident_id)
        for prefix in (GRID[:12], DISTRICT):
            eventually(lambda prefix=prefix: set(entered) <= upstairs(office, prefix), seconds=30)
        near = pb.CountAroundRequest(point={"longitude": FAR["longitude"] + 0.005, "latitude": FAR["latitude"]})
        answer = office.ask.CountAround(near, **office.clerk())
        assert [(one.age, one.count.value) for one in answer.ages if one.count.value] == [(6, 12)]
        near.point.longitude += 0.01
        assert office.ask.CountAround(near, **office.clerk()).total.value == 0
        # A lift was added; what is older says nothing any more.
        office.people.service.publish(placed(building, lift=True, minute=3))
        office.people.service.publish(placed(building, lift=False, minute=2))
        for prefix in (GRID[:12], DISTRICT):
            eventually(lambda prefix=prefix: not set(entered) & upstairs(office, prefix), seconds=30)
    finally:
        office.people.service.database["residents"].delete_many({"_id": {"$in": entered}})
