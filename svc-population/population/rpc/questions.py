"""QuestionService of the api: documents answer for what is small, the replica for what is large; names come from documents only."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

from binglian.population.v1 import question_pb2, question_service_pb2_grpc
from binglian.population.v1 import question_service_pb2 as pb
from pymongo.asynchronous.collection import AsyncCollection

from population import store
from population.domain.job import Job
from population.policies.jobs import ALONE, NOT_APPROVED, check_release
from population.policies.requests import local_day, read_day
from population.privacy import audit
from population.privacy.trail import Trail
from population.questions.asking import Found, area_of, asked, is_small
from population.questions.conditions import Seal
from population.questions.documents import asks_for_sizes, filter_of
from population.rpc import figures, voters
from population.rpc.people import PRESENT, SHOWN, person
from population.rpc.tokens import KEYS, behind, token_after, token_of
from svckit.access import current_caller
from svckit.documents import utc_now
from svckit.errors import FailedPrecondition, Unavailable
from svckit.paging import code_range, sort_by
from svckit.store import Repository

_log = logging.getLogger(__name__)
DEFAULT_PAGE = 50
Raw = dict[str, Any]


class Surfaces(Protocol):
    """Knows how large areas are; `population.rpc.surfaces` asks svc-housing."""

    async def below(self, area_code: str) -> Mapping[str, float]:
        """Returns the square kilometres of the areas directly inside one, as far as they are known."""


class QuestionServicer(question_service_pb2_grpc.QuestionServiceServicer):
    """`replica`: a stub of the replica's process, None where none is configured."""

    def __init__(
        self,
        *,
        rows: AsyncCollection[Raw],
        seal: Seal,
        replica: Any | None,
        surfaces: Surfaces | None,
        trail: Trail,
        jobs: Repository[Job],
    ) -> None:
        self._rows = rows
        self._seal = seal
        self._replica = replica
        self._surfaces = surfaces
        self._trail = trail
        self._jobs = jobs

    async def FindPeople(self, request: pb.FindPeopleRequest, context: object) -> pb.FindPeopleResponse:
        """See the proto."""
        caller, today = current_caller(), local_day(utc_now())
        condition = asked(request.filter, caller=caller, today=today, seal=self._seal)
        prefix = area_of(caller, request.area_prefix)
        if prefix is None:
            return pb.FindPeopleResponse(freshness=figures.fresh(utc_now()))
        _log.info("%s asked for people in %s for %s: %s", caller.subject, prefix or "all", caller.purpose, request.filter)
        if not is_small(prefix):
            return await self._from_replica(request)
        query = {"area_code": code_range(prefix), **PRESENT}
        sizes = await store.household_sizes(self._rows, prefix=prefix) if asks_for_sizes(condition) else {}
        part = filter_of(condition, sizes=sizes)
        return await self._from_documents(request, {"$and": [query, part]} if part else query)

    async def _from_documents(self, request: pb.FindPeopleRequest, query: Mapping[str, Any]) -> pb.FindPeopleResponse:
        now, after, size = utc_now(), token_after(request.page_token), request.page_size or DEFAULT_PAGE
        page = self._page({"$and": [query, behind(after)]} if after else query, size=size, now=now)
        if request.skip_total or after:
            (people, token), total = await page, 0
        else:
            # The page is made while the database is still counting.
            (people, token), total = await asyncio.gather(page, self._rows.count_documents(query))
        return pb.FindPeopleResponse(people=people, next_page_token=token, total_size=total, freshness=figures.fresh(now))

    async def _page(self, query: Mapping[str, Any], *, size: int, now: dt.datetime) -> tuple[list[question_pb2.Person], str]:
        """Returns the first `size` people and the token of the page behind them, "" when there is none."""
        rows = await self._rows.find(query, SHOWN).sort(sort_by(KEYS)).limit(size + 1).to_list()
        today = local_day(now)
        token = token_of(Found(rows[size - 1]["area_code"], rows[size - 1]["_id"])) if len(rows) > size else ""
        return [person(row, today=today) for row in rows[:size]], token

    async def _from_replica(self, request: pb.FindPeopleRequest) -> pb.FindPeopleResponse:
        answer: pb.FindPeopleResponse = await self._large("FindPeople", request)
        today = local_day(utc_now())
        ids = [one.resident_id for one in answer.people]
        by_id = {row["_id"]: row for row in await self._rows.find({"_id": {"$in": ids}}, SHOWN).to_list()}
        people = [person(by_id[one.resident_id], today=today) for one in answer.people if one.resident_id in by_id]
        del answer.people[:]
        answer.people.extend(people)
        return answer

    async def CountPeople(self, request: pb.CountPeopleRequest, context: object) -> pb.CountPeopleResponse:
        """See the proto. Counts over filters can be compared with one another: who asked for which stands in the audit trail."""
        caller = current_caller()
        asked(request.filter, caller=caller, today=local_day(utc_now()), seal=self._seal)
        counting = self._large("CountPeople", request)
        if not request.filter:
            plain: pb.CountPeopleResponse = await counting
            return plain
        note = f"{area_of(caller, request.area_prefix) or '-'} by {request.by_digits}: {request.filter}"
        recording = self._trail.record(caller, event=audit.BULK, rpc="QuestionService/CountPeople", note=note)
        # Written while it is counted: nobody waits for it.
        answer, _ = await asyncio.gather(counting, recording)
        counted: pb.CountPeopleResponse = answer
        return counted

    async def GetPyramid(self, request: pb.GetPyramidRequest, context: object) -> pb.GetPyramidResponse:
        """See the proto."""
        answer: pb.GetPyramidResponse = await self._large("GetPyramid", request)
        return answer

    async def GetTrend(self, request: pb.GetTrendRequest, context: object) -> pb.GetTrendResponse:
        """See the proto."""
        answer: pb.GetTrendResponse = await self._large("GetTrend", request)
        return answer

    async def GetHouseholdSizes(self, request: pb.GetHouseholdSizesRequest, context: object) -> pb.GetHouseholdSizesResponse:
        """See the proto."""
        answer: pb.GetHouseholdSizesResponse = await self._large("GetHouseholdSizes", request)
        return answer

    async def GetDensity(self, request: pb.GetDensityRequest, context: object) -> pb.GetDensityResponse:
        """See the proto."""
        counting = self._large("GetDensity", request)
        surfaces: Mapping[str, float] = {}
        if self._surfaces:
            answer, surfaces = await asyncio.gather(counting, self._surfaces.below(request.area_code))
        else:
            answer = await counting
        for area in answer.areas:
            if surface := surfaces.get(area.area_code, 0.0):
                area.square_kilometres = round(surface, 4)
                area.per_square_kilometre = round(area.count.value / surface, 1)
        density: pb.GetDensityResponse = answer
        return density

    async def CountAround(self, request: pb.CountAroundRequest, context: object) -> pb.CountAroundResponse:
        """See the proto."""
        answer: pb.CountAroundResponse = await self._large("CountAround", request)
        return answer

    async def ExportVoterRoll(
        self, request: pb.ExportVoterRollRequest, context: object
    ) -> AsyncIterator[pb.ExportVoterRollResponse]:
        """See the proto."""
        caller, today = current_caller(), local_day(utc_now())
        day = read_day(request.election_day, field="election_day") if request.election_day else today
        after, prefix = token_after(request.cursor), area_of(caller, request.area_prefix)
        if prefix is None:
            return
        if await voters.is_long(self._rows, prefix=prefix, day=day):
            await self._check_released(request.job_id, prefix=prefix, day=day)
        _log.info("%s streams the roll of voters of %s for %s", caller.subject, prefix or "all", day)
        async for entries, last in voters.roll(self._rows, prefix=prefix, day=day, after=after):
            yield pb.ExportVoterRollResponse(entries=entries, cursor=token_of(last))

    async def _check_released(self, job_id: str, *, prefix: str, day: dt.date) -> None:
        """Raises FailedPrecondition (NOT_APPROVED), NotFound."""
        if not job_id:
            raise FailedPrecondition(
                f"More than {ALONE} lines need the release of somebody else: name the job of the export.",
                reason=NOT_APPROVED,
                field="job_id",
            )
        check_release(await self._jobs.get(job_id), prefix=prefix, day=day)

    def _large(self, name: str, request: Any) -> Awaitable[Any]:
        """Asks the replica, for the same purpose. Raises Unavailable (REPLICA_UNAVAILABLE) where there is none."""
        if self._replica is None:
            raise Unavailable("No replica is configured here for large questions.", reason="REPLICA_UNAVAILABLE")
        purpose = current_caller().purpose
        call: Callable[..., Awaitable[Any]] = getattr(self._replica, name)
        return call(request, metadata=(("x-purpose", purpose),) if purpose else ())
