"""QuestionService as the replica answers it: choices by id and area, and all statistics. Nobody's name is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, TypeVar

from binglian.population.v1 import question_pb2, question_service_pb2_grpc
from binglian.population.v1 import question_service_pb2 as pb

from population.policies.requests import local_day, read_day
from population.questions.asking import area_of, asked, first_of_month, past_day
from population.questions.columns import Where, inside, where_of
from population.questions.conditions import Seal
from population.replica import answers
from population.replica.database import Database
from population.replica.disclosure import Decisions
from population.replica.owner import Owner
from population.rpc import figures
from population.rpc.tokens import token_after, token_of
from population.statistics import nearby, trends
from population.statistics.areas import AreaCounts, check_level
from population.statistics.households import Sizes, sizes_told
from population.statistics.pyramids import Pyramid, counts_of, told
from svckit.access import current_caller
from svckit.documents import utc_now
from svckit.errors import FailedPrecondition, InvalidArgument

T = TypeVar("T")

DEFAULT_PAGE = 50
BAND_YEARS = 5
RADIUS_M = 800
BELOW = {4: 6, 6: 9, 9: 12, 12: 17}
"""Digits of the areas directly inside one."""
SCHOOL_AGES = (6, 14)
"""Compulsory school: nine years from six on (义务教育法)."""
NOBODY = Pyramid((), (0, 0, 0), 0)


class ReplicaServicer(question_service_pb2_grpc.QuestionServiceServicer):
    """Answers in threads: DuckDB computes while other calls go on."""

    def __init__(self, owner: Owner, *, seal: Seal, threads: int = 4) -> None:
        self._owner = owner
        self._seal = seal
        self._decisions = Decisions()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="question")

    async def FindPeople(self, request: pb.FindPeopleRequest, context: object) -> pb.FindPeopleResponse:
        """The page as ids and areas; the api adds who they are."""
        where = self._where(request.filter, request.area_prefix)
        if where is None:
            return pb.FindPeopleResponse(freshness=self._freshness())
        after = token_after(request.page_token)
        size = request.page_size or DEFAULT_PAGE
        page = self._ask(lambda database: answers.find(database, where, after=after, limit=size + 1))
        wants_total = not (request.skip_total or after)
        found, total = await asyncio.gather(page, self._ask(lambda database: database.count(where) if wants_total else 0))
        people = [question_pb2.Person(resident_id=one.resident_id, area_code=one.area_code) for one in found[:size]]
        token = token_of(found[size - 1]) if len(found) > size else ""
        return pb.FindPeopleResponse(people=people, next_page_token=token, total_size=total, freshness=self._freshness())

    async def CountPeople(self, request: pb.CountPeopleRequest, context: object) -> pb.CountPeopleResponse:
        """See the proto. The whole city is counted, whoever asks for which part: what is withheld is the same for all."""
        prefix = area_of(current_caller(), request.area_prefix)
        where = self._where(request.filter, request.area_prefix)
        if where is None or prefix is None:
            return pb.CountPeopleResponse(total=figures.count_of(0), freshness=self._freshness())
        everywhere, root = where_of(self._condition(request.filter)), prefix[:4]
        digits = 17 if max(len(prefix), request.by_digits) > 12 else 12

        def count(database: Database) -> tuple[int | None, dict[str, int | None]]:
            counts = AreaCounts(answers.by_area(database, everywhere, root=root, digits=digits), root=root)
            below = counts.shown(inside=prefix, digits=request.by_digits) if request.by_digits >= len(prefix) else {}
            return counts.total(prefix), below if request.by_digits else {}

        total, below = await self._ask(count)
        return pb.CountPeopleResponse(total=figures.count_of(total), areas=figures.areas(below), freshness=self._freshness())

    async def GetPyramid(self, request: pb.GetPyramidRequest, context: object) -> pb.GetPyramidResponse:
        """See the proto."""
        today = local_day(utc_now())
        day = first_of_month(past_day(request.day, field="day", today=today))
        years = request.band_years or BAND_YEARS
        prefix = area_of(current_caller(), request.area_prefix)
        if prefix is None:
            bands, total = figures.pyramid(NOBODY, years=years)
            return pb.GetPyramidResponse(bands=bands, total=total, freshness=self._freshness())
        check_level(prefix)

        def ask(database: Database) -> Pyramid:
            blocks, total_told = self._decisions.of(database, prefix=prefix, now=today, day=day)
            counts = counts_of(answers.ages(database, prefix=prefix, now=today, day=day))
            return told(counts, blocks=blocks, total_told=total_told, years=years)

        bands, total = figures.pyramid(await self._ask(ask), years=years)
        return pb.GetPyramidResponse(bands=bands, total=total, freshness=self._freshness())

    async def GetTrend(self, request: pb.GetTrendRequest, context: object) -> pb.GetTrendResponse:
        """See the proto. Which months are told is decided over all months and all sister areas, whichever are asked for."""
        today = local_day(utc_now())
        first = read_day(request.from_day, field="from_day")
        last = past_day(request.to_day, field="to_day", today=today) or today
        asked_for = trends.months(first, last, step=request.step_months or 1)
        prefix = area_of(current_caller(), request.area_prefix)
        if prefix is None:
            return pb.GetTrendResponse(freshness=self._freshness())
        check_level(prefix)
        decided = trends.months(trends.BEGIN, today, step=1)

        def ask(database: Database) -> dict[date, int | None]:
            shown = self._decisions.tells_months(database, prefix=prefix, now=today)
            return trends.as_told(decided, answers.trend(database, prefix=prefix, days=decided), shown=shown)

        told = await self._ask(ask)
        return pb.GetTrendResponse(points=figures.trend(asked_for, told), freshness=self._freshness())

    async def GetHouseholdSizes(self, request: pb.GetHouseholdSizesRequest, context: object) -> pb.GetHouseholdSizesResponse:
        """See the proto. What is told is decided for all sizes and areas together, as for pyramids."""
        today = local_day(utc_now())
        day = first_of_month(past_day(request.day, field="day", today=today))
        prefix = area_of(current_caller(), request.area_prefix)
        if prefix is None:
            return pb.GetHouseholdSizesResponse(households=figures.count_of(0), freshness=self._freshness())
        check_level(prefix)

        def ask(database: Database) -> Sizes:
            blocks, total_told, counts = self._decisions.of_households(database, prefix=prefix, now=today, day=day)
            return sizes_told(counts, blocks=blocks, total_told=total_told)

        sizes, households = figures.household_sizes(await self._ask(ask))
        return pb.GetHouseholdSizesResponse(sizes=sizes, households=households, freshness=self._freshness())

    async def GetDensity(self, request: pb.GetDensityRequest, context: object) -> pb.GetDensityResponse:
        """The counts; the api adds the surfaces, which svc-housing knows."""
        below = BELOW[len(request.area_code)]
        counted = await self.CountPeople(pb.CountPeopleRequest(area_prefix=request.area_code, by_digits=below), context)
        areas = [question_pb2.AreaDensity(area_code=area.area_code, count=area.count) for area in counted.areas]
        return pb.GetDensityResponse(areas=areas, freshness=counted.freshness)

    async def ExportVoterRoll(
        self, request: pb.ExportVoterRollRequest, context: object
    ) -> AsyncIterator[pb.ExportVoterRollResponse]:
        """Not here: it has names, and the replica has none."""
        raise FailedPrecondition("Ask svc-population itself for the roll of voters.", reason="NO_NAMES_HERE")
        yield

    async def CountAround(self, request: pb.CountAroundRequest, context: object) -> pb.CountAroundResponse:
        """See the proto. The whole city is counted, whoever asks: a circle does not end at the border of an area."""
        first, last = (request.from_age, request.to_age) if request.from_age or request.to_age else SCHOOL_AGES
        if first > last:
            raise InvalidArgument("The oldest age is below the youngest.", reason="AGES_INVALID", field="to_age")
        circle = {
            "longitude": request.point.longitude,
            "latitude": request.point.latitude,
            "radius_m": request.radius_m or RADIUS_M,
        }
        over, bands, prefix = nearby.window(**circle), nearby.bands(first, last), current_caller().area[:4]
        today = local_day(utc_now())

        def ask(database: Database) -> list[int]:
            cells = answers.cells_around(database, prefix=prefix, over=over, bands=bands, today=today)
            return [nearby.within(nearby.spread(cells[band], over=over), over=over, **circle) for band in bands]

        ages, total = figures.ages(bands, await self._ask(ask))
        return pb.CountAroundResponse(ages=ages, total=total, freshness=self._freshness())

    def _condition(self, text: str) -> Any:
        return asked(text, caller=current_caller(), today=local_day(utc_now()), seal=self._seal)

    def _where(self, text: str, wanted: str) -> Where | None:
        """Returns the condition on people, None when the caller may ask about nobody. Raises for a filter that makes no sense."""
        condition = where_of(self._condition(text))
        prefix = area_of(current_caller(), wanted)
        if prefix is None:
            return None
        return inside(prefix).and_(condition) if prefix else condition

    def _ask(self, question: Callable[[Database], T]) -> Awaitable[T]:
        database = self._owner.database()
        return asyncio.get_running_loop().run_in_executor(self._pool, question, database)

    def _freshness(self) -> question_pb2.Freshness:
        return figures.freshness(as_of=self._owner.as_of(), now=utc_now())
