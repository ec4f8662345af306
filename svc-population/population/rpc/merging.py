"""Carries merges out, and back: step after step, each saved and harmless to repeat, so that whatever is broken off is finished later."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from population.domain.merge import Merge, MergeState
from population.domain.resident import Resident
from population.operations import merging
from population.policies.merging import check_merge_transition
from population.policies.standing import check_here
from population.rpc.showing import Showing
from population.store.merges import under_way
from svckit.documents import Command, utc_now
from svckit.errors import FailedPrecondition, ServiceError
from svckit.store import Repository

RESUME_SECONDS = 30.0
"""How often every process looks for merges that were broken off, and how long it leaves them to the process that began."""
_log = logging.getLogger(__name__)


class Merging:
    """The steps of merges. They need no caller: who decided stands in the merge."""

    def __init__(self, *, merges: Repository[Merge], residents: Repository[Resident], showing: Showing) -> None:
        self._merges = merges
        self._residents = residents
        self._reseal = showing.reseal

    async def resume(self) -> None:
        """Finishes for ever what was broken off."""
        while True:
            await asyncio.sleep(RESUME_SECONDS)
            try:
                before = utc_now() - timedelta(seconds=RESUME_SECONDS)
                for merge_id in await under_way(self._merges.collection, before=before):
                    await self.finish(await self._merges.get(merge_id))
            except Exception as error:  # the next round tries again; nothing here may end the loop
                _log.warning("a merge could not be finished yet: %s", type(error).__name__)

    async def finish(self, merge: Merge) -> Merge:
        """Carries out what was decided, or takes it back. Raises FailedPrecondition (CHANGED_MEANWHILE, DEPARTED)."""
        if merge.state is MergeState.CONFIRMED:
            return await self._carry_out(merge)
        return await self._take_back(merge) if merge.state is MergeState.UNDOING else merge

    async def _carry_out(self, merge: Merge) -> Merge:
        now = utc_now()
        try:
            absorbed = await self._change(merge.absorbed_id, merge, "absorb", lambda one: _absorbed(one, merge, now))
        except ServiceError as error:
            await self._end(merge, "restore", undo_reason=error.message)
            raise

        def decide(survivor: Resident) -> Any:
            check_here(survivor)
            if merging.fields_of(survivor) != merge.before:
                raise FailedPrecondition("The entry changed meanwhile; look at it again.", reason="CHANGED_MEANWHILE")
            return merging.take_over(survivor, merge=merge, absorbed=absorbed, reseal=self._reseal, now=now)

        try:
            await self._change(merge.survivor_id, merge, "take", decide)
        except ServiceError as error:
            await self._reappear(merge)
            await self._end(merge, "restore", undo_reason=error.message)
            raise
        return await self._end(merge, "finish")

    async def _take_back(self, merge: Merge) -> Merge:
        now, kept = utc_now(), merge.kept_fields
        absorbed = await self._residents.get(merge.absorbed_id)

        def decide(survivor: Resident) -> Any:
            nonlocal kept
            changed, kept = merging.give_back(survivor, merge=merge, absorbed=absorbed, reseal=self._reseal, now=now)
            return changed

        await self._change(merge.survivor_id, merge, "give", decide)
        await self._reappear(merge)
        return await self._end(merge, "restore", kept_fields=kept)

    async def _reappear(self, merge: Merge) -> None:
        now = utc_now()
        await self._change(merge.absorbed_id, merge, "back", lambda one: merging.reappear(one, merge=merge, now=now))

    async def _change(self, resident_id: str, merge: Merge, step: str, decide: Any) -> Resident:
        # "#" is in no key of a caller's command.
        command = Command(key=f"#merge:{merge.merge_id}:{step}", digest="")
        return await self._residents.change(resident_id, decide, command=command)

    async def _end(self, merge: Merge, verb: str, **fields: Any) -> Merge:
        def decide(current: Merge) -> Any:
            if current.state in (MergeState.MERGED, MergeState.UNDONE):
                return current, ()  # another process was faster
            return replace(current, state=check_merge_transition(current, verb), changed_at=utc_now(), **fields), ()

        command = Command(key=f"#merge:{merge.merge_id}:{verb}", digest="")
        return await self._merges.change(merge.merge_id, decide, command=command)


def _absorbed(resident: Resident, merge: Merge, now: Any) -> Any:
    check_here(resident)
    return merging.absorb(resident, merge=merge, now=now)
