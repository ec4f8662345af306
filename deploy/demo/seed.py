"""Puts the generated district into the suite through its public entry; seeding again changes nothing."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc
from binglian.housing.v1 import area_service_pb2, house_service_pb2
from binglian.housing.v1.area_service_pb2_grpc import AreaServiceStub
from binglian.housing.v1.house_service_pb2_grpc import BuildingServiceStub, HouseServiceStub
from binglian.mediation.v1 import committee_pb2, committee_service_pb2
from binglian.mediation.v1.committee_service_pb2_grpc import CommitteeServiceStub
from binglian.population.v1 import data_rights_service_pb2, resident_service_pb2
from binglian.population.v1.data_rights_service_pb2_grpc import DataRightsServiceStub
from binglian.population.v1.resident_service_pb2_grpc import HouseholdServiceStub, ResidentServiceStub

from deploy.client import Session, request_id
from deploy.demo.district import CITY, DISTRICT, District, Home, Size, buildings, draw, homes, household, houses, residents
from deploy.demo.families import WIFE, Numbers
from housing.codes import yichang_areas

CHUNK = 400
TOGETHER = 3
COMMITTEE = committee_service_pb2.CommitteeDraft(
    code="420502001003",
    name="西陵区西陵街道石板溪社区人民调解委员会",
    kind=committee_pb2.COMMITTEE_KIND_COMMUNITY,
    area_code="420502001003",
    members=[
        committee_service_pb2.MemberDraft(subject=subject, name=name, sex=sex, post=post)
        for subject, name, sex, post in (
            ("supervisor", "刘建国", "1", committee_pb2.COMMITTEE_POST_CHAIR),
            ("mediator", "赵敏", "2", committee_pb2.COMMITTEE_POST_MEMBER),
            ("worker-shibanxi", "李玉兰", "2", committee_pb2.COMMITTEE_POST_MEMBER),
        )
    ],
    term_begins_on="2026-01-01",
)
ACCOUNT, ACCOUNT_NAME = "resident", "吴桂英"
"""The resident among the demo accounts of the gateway, of the community whose clerk the demo has."""
AT_THE_COUNTER = "P12"
"""Purpose (purpose_code.csv): requests of the people themselves about their data."""
T = TypeVar("T")


def read_codes() -> tuple[dict[str, list[tuple[str, str]]], dict[str, str]]:
    """Communities by street and the names of city, district and streets, from the code list that svc-housing ships."""
    communities: dict[str, list[tuple[str, str]]] = defaultdict(list)
    names: dict[str, str] = {}
    for area in yichang_areas():
        if len(area.code) == 12 and area.code.startswith(DISTRICT):
            communities[area.code[:9]].append((area.code, area.name))
        elif area.code in (CITY, DISTRICT) or (len(area.code) == 9 and area.code.startswith(DISTRICT)):
            names[area.code] = area.name
    return communities, names


async def seed(session: Session, clerk: Session, size: Size, tell: Callable[[str], None]) -> District:
    """Imports areas, buildings, houses, households and residents, telling what is done; `clerk` is who keeps the register of
    the demo resident's community. Returns the drawn district.
    """
    district = draw(*read_codes(), size)
    areas = AreaServiceStub(session.channel)
    for chunk in _chunks(district.areas, 200):
        await session.call(
            areas.ImportAreas, area_service_pb2.ImportAreasRequest(request_id=_id(chunk), areas=chunk), timeout=60
        )
    tell(f"{len(district.areas)} areas, {len(district.grids)} of them grids")
    built = await _buildings(session, district, size)
    tell(f"{len(built)} buildings")
    dwellings = await _houses(session, built, size)
    tell(f"{len(dwellings)} houses")
    inhabited = homes(dwellings)
    households = await _households(session, inhabited)
    numbers = Numbers()
    people = [draft for home, own in zip(inhabited, households, strict=True) for draft in residents(home, own, numbers)]
    resident = _holder(people)
    ids = await _residents(session, people)
    tell(f"{len(people)} residents in {len(inhabited)} households (generated; identity numbers from a range nobody has)")
    await _link(clerk, ids[people.index(resident)])
    tell(f"1 account of a resident: {ACCOUNT} is {resident.name}, linked by the clerk of the community")
    await _committee(session)
    tell("1 mediation committee, of the demo people")
    return district


async def _buildings(session: Session, district: District, size: Size) -> list[tuple[str, str]]:
    """(building id, area code) of every building."""
    stub = BuildingServiceStub(session.channel)
    drafts = [draft for grid in district.grids for draft in buildings(grid, size)]
    built: list[tuple[str, str]] = []
    for chunk in _chunks(drafts, CHUNK):
        request = house_service_pb2.CreateBuildingsRequest(request_id=_id(chunk), buildings=chunk)
        ids = (await session.call(stub.CreateBuildings, request, timeout=60)).building_ids
        built += [(building_id, draft.area_code) for building_id, draft in zip(ids, chunk, strict=True)]
    return built


async def _houses(session: Session, built: list[tuple[str, str]], size: Size) -> list[tuple[str, str]]:
    """(house id, area code) of every house."""
    stub = HouseServiceStub(session.channel)
    drafts = [(area, draft) for building_id, area in built for draft in houses(building_id, size)]
    dwellings: list[tuple[str, str]] = []
    for chunk in _chunks(drafts, CHUNK):
        wanted = [draft for _, draft in chunk]
        ids = (
            await session.call(
                stub.CreateHouses, house_service_pb2.CreateHousesRequest(request_id=_id(wanted), houses=wanted), timeout=60
            )
        ).house_ids
        dwellings += [(house_id, area) for house_id, (area, _) in zip(ids, chunk, strict=True)]
    return dwellings


async def _households(session: Session, inhabited: list[Home]) -> list[str]:
    """The household id of every home."""
    stub = HouseholdServiceStub(session.channel)

    async def enter(chunk: Sequence[resident_service_pb2.HouseholdDraft]) -> list[str]:
        request = resident_service_pb2.CreateHouseholdsRequest(request_id=_id(chunk), households=chunk)
        return list((await session.call(stub.CreateHouseholds, request, timeout=60)).household_ids)

    return await _side_by_side(enter, [household(home) for home in inhabited])


async def _residents(session: Session, drafts: list[resident_service_pb2.ResidentDraft]) -> list[str]:
    """The resident id of everybody."""
    stub = ResidentServiceStub(session.channel)

    async def enter(chunk: Sequence[resident_service_pb2.ResidentDraft]) -> list[str]:
        request = resident_service_pb2.CreateResidentsRequest(request_id=_id(chunk), residents=chunk)
        return list((await session.call(stub.CreateResidents, request, timeout=60)).resident_ids)

    return await _side_by_side(enter, drafts)


async def _side_by_side(enter: Callable[[Sequence[T]], Awaitable[list[str]]], drafts: list[T]) -> list[str]:
    """Enters drafts in chunks, TOGETHER at a time, so that neither the service nor its database waits; ids in their order."""
    ids: list[str] = []
    for chunks in _chunks(_chunks(drafts, CHUNK), TOGETHER):
        for entered in await asyncio.gather(*map(enter, chunks)):
            ids += entered
    return ids


def _holder(people: list[resident_service_pb2.ResidentDraft]) -> resident_service_pb2.ResidentDraft:
    """Gives the name on the demo account to somebody of its community: a wife, whose name is not that of the house anyway."""
    found = next(
        draft for draft in people if draft.area_code.startswith(COMMITTEE.area_code) and draft.household_relation == WIFE
    )
    found.name = ACCOUNT_NAME
    return found


async def _link(clerk: Session, resident_id: str) -> None:
    """Lets the demo account act for its person, as at the counter. One that was linked to somebody else stays so."""
    stub = DataRightsServiceStub(clerk.channel)
    request = data_rights_service_pb2.LinkAccountRequest(
        resident_id=resident_id, request_id=request_id("seed", "link", resident_id), account=ACCOUNT
    )
    try:
        await clerk.call(stub.LinkAccount, request, purpose=AT_THE_COUNTER)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise


async def _committee(session: Session) -> None:
    """Only who stands in the register mediates; the demo people are the committee of one community."""
    stub = CommitteeServiceStub(session.channel)
    known = await session.call(stub.ListCommittees, committee_service_pb2.ListCommitteesRequest(code=COMMITTEE.code))
    if not known.committees:
        request = committee_service_pb2.CreateCommitteeRequest(request_id=_id([COMMITTEE]), committee=COMMITTEE)
        await session.call(stub.CreateCommittee, request)


def _chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _id(drafts: Sequence[Any]) -> str:
    """One id per content, so that another size of district is another request."""
    digest = hashlib.sha256()
    for draft in drafts:
        digest.update(draft.SerializeToString(deterministic=True))
    return request_id("seed", digest.hexdigest())
