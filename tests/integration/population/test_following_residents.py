"""Care, visits and watches of people who move, die, come back, are merged and taken apart again, through a real service and its worker."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.population.v1 import (
    care_pb2,
    care_pb2_grpc,
    merge_pb2,
    register_pb2,
    resident_service_pb2,
    welfare_pb2,
    welfare_pb2_grpc,
)
from binglian.population.v1 import life_event_pb2 as life

from svckit.ids import new_id
from tests.integration.population.people import GRID, People, id_number
from tests.integration.population.test_register import Register
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration
ELSEWHERE = "42050200200110001"


class Cared:
    """A person on the care register, with visits, and a house that is looked after."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.register = Register(people)
        self.care = care_pb2_grpc.CareServiceStub(people.service.channel)
        self.welfare = welfare_pb2_grpc.WelfareServiceStub(people.service.channel)

    def enter(self, name: str, category: str = "1003") -> tuple[str, str]:
        house = new_id()
        home = {"residence": self.register.home(house), "registered": {"area_code": GRID}}
        resident = self.people.enter(name=name, resident_type="", id_number=id_number(), **home).resident_id
        self.put(resident, category)
        watch = {"resident_id": resident, "house_id": house, "consent": {"uri": "x", "sha256": "a" * 64}, "contacts": "女儿"}
        self.welfare.StartWatch(welfare_pb2.StartWatchRequest(request_id=new_id(), **watch), **self.people.worker)
        eventually(lambda: self.planned(resident))
        return resident, house

    def put(self, resident: str, category: str) -> Any:
        given = {"resident_id": resident, "category": category, "consent": life.CONSENT_GIVEN, "request_id": new_id()}
        return self.care.EnterCare(care_pb2.EnterCareRequest(**given), **self.people.worker)

    def planned(self, resident: str) -> list[str]:
        """Areas of the visits that are planned for a person."""
        request = care_pb2.ListVisitPlansRequest(resident_id=resident)
        return [one.area_code for one in self.care.ListVisitPlans(request, **self.people.clerk).plans]

    def cared(self, resident: str) -> list[tuple[str, str]]:
        rows = self.people.service.database["care_entries"].find({"resident_id": resident, "state": "active"})
        return sorted((row["category"], row["area_code"]) for row in rows)

    def watched(self, resident: str) -> list[tuple[str, str]]:
        rows = self.people.service.database["welfare_watches"].find({"resident_id": resident, "state": "active"})
        return [(row["house_id"], row["area_code"]) for row in rows]

    def die(self, resident: str) -> None:
        death = register_pb2.RecordDeathRequest(
            resident_id=resident, request_id=new_id(), died_on="2026-01-05", reason="医院证明"
        )
        self.register.register.RecordDeath(death, **self.people.clerk)


@pytest.fixture(scope="module")
def cared(people: People) -> Cared:
    return Cared(people)


def test_nobody_visits_the_dead_and_what_was_a_mistake_is_taken_back(people: People, cared: Cared) -> None:
    resident, house = cared.enter("骆岱青")
    cared.die(resident)
    eventually(lambda: not (cared.planned(resident) or cared.cared(resident) or cared.watched(resident)))
    given = {"resident_id": resident, "category": "1002", "consent": life.CONSENT_GIVEN, "request_id": new_id()}
    refused = refusal(cared.care.EnterCare, care_pb2.EnterCareRequest(**given), **people.worker)
    assert refused.reason == "DEPARTED"
    restore = register_pb2.RestoreResidentRequest(resident_id=resident, request_id=new_id())
    cared.register.register.RestoreResident(restore, **people.clerk)
    eventually(lambda: cared.planned(resident) and cared.cared(resident) and cared.watched(resident))
    assert (cared.planned(resident), cared.watched(resident)) == ([GRID], [(house, GRID)])
    (plan,) = people.service.database["visit_plans"].find({"resident_id": resident})
    assert plan["missed"] == 0


def test_the_new_grid_has_what_the_old_one_had(people: People, cared: Cared) -> None:
    resident, _ = cared.enter("骆岱红")
    home = cared.register.home(new_id(), area=ELSEWHERE, since="2026-05-01")
    move = register_pb2.MoveResidentRequest(resident_id=resident, request_id=new_id(), home=home)
    cared.register.register.MoveResident(move, **people.clerk)
    eventually(lambda: cared.planned(resident) == [ELSEWHERE])
    eventually(lambda: cared.cared(resident) == [("1003", ELSEWHERE)] and not cared.watched(resident))


def test_a_house_is_watched_no_longer_than_somebody_lives_in_it(people: People, cared: Cared) -> None:
    resident, house = cared.enter("骆岱蓝")
    homes = people.service.database["residents"].find_one({"_id": resident})["residences"]
    home = next(one for one in homes if one["house_id"] == house)
    end = resident_service_pb2.EndResidenceRequest(
        resident_id=resident, residence_id=home["residence_id"], request_id=new_id(), until="2026-05-01"
    )
    people.residents.EndResidence(end, **people.worker)
    eventually(lambda: not cared.watched(resident))
    assert (cared.planned(resident), cared.cared(resident)) == ([GRID], [("1003", GRID)])


def test_what_two_entries_of_one_person_had_is_had_once_until_they_are_two_again(people: People, cared: Cared) -> None:
    one, house = cared.enter("骆岱明")
    other, _ = cared.enter("骆岱鸣")
    cared.put(one, "1002")
    merge = merge_pb2.MergeResidentsRequest(resident_id=other, absorbed_id=one, request_id=new_id(), reason="本人确认")
    merged = cared.register.merges.MergeResidents(merge, **people.clerk).merge
    eventually(lambda: cared.cared(other) == [("1002", GRID), ("1003", GRID)] and len(cared.planned(other)) == 2)
    assert house in {watched for watched, _ in eventually(lambda: len(cared.watched(other)) == 2 and cared.watched(other))}
    undo = merge_pb2.UndoMergeRequest(merge_id=merged.merge_id, request_id=new_id(), reason="是两个人")
    cared.register.merges.UndoMerge(undo, **people.clerk)
    eventually(lambda: (cared.cared(one), cared.cared(other)) == ([("1002", GRID), ("1003", GRID)], [("1003", GRID)]))
    eventually(lambda: (len(cared.planned(one)), len(cared.planned(other))) == (2, 1))
    assert cared.watched(one) == [(house, GRID)]
