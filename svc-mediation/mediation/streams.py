"""The hub between the live feed and the open streams of a process: each changed case is read once, whoever watches.

The feed wakes the hub quickly; a scan of what changed lately, every two seconds, finds whatever the feed missed. So a stream depends
on the database alone, and no change stays unseen for more than those few seconds, which `OVERLAP` covers when a stream resumes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta

from mediation.cursors import Cursor
from mediation.store import CaseSearch, Document, Filter
from svckit.documents import utc_now
from svckit.errors import ServiceError
from svckit.live import LiveFeed

_log = logging.getLogger(__name__)
SCAN_SECONDS = 2.0
SCAN_WINDOW = timedelta(seconds=10)
# A resumed stream repeats what was younger than this: longer than a change can stay unseen by the hub.
OVERLAP = timedelta(seconds=5)
# A client that is so far behind reads on from the database instead.
MOST_WAITING = 2_000
# Each page of a beginning may cost a sort of everything that follows it.
PAGE = 1_000
# A stream without a cursor shows its first cases after a tenth of a second, however many follow.
FIRST_BATCH, BATCH = 50, 200
MOST_PLACES = 100_000
_REMEMBERED = 20_000


class Subscription:
    """Changed cases on their way to one stream."""

    def __init__(self, wants: Callable[[Document], bool]) -> None:
        self.wants = wants
        self._waiting: OrderedDict[str, Document] = OrderedDict()
        self._fell_behind = False
        self._news = asyncio.Event()

    def put(self, case: Document) -> None:
        """Offers a case; a newer version takes the place of one that still waits."""
        if not self.wants(case):
            return
        self._waiting[case["case_id"]] = case
        self._waiting.move_to_end(case["case_id"])
        if len(self._waiting) > MOST_WAITING:
            self.fall_behind()
        self._news.set()

    def fall_behind(self) -> None:
        """Makes the stream read from the database: this queue is no longer complete."""
        self._waiting.clear()
        self._fell_behind = True
        self._news.set()

    async def take(self) -> list[Document] | None:
        """Waits for changes and returns them in order; None says: read from the database."""
        await self._news.wait()
        self._news.clear()
        taken = None if self._fell_behind else list(self._waiting.values())
        self._waiting.clear()
        self._fell_behind = False
        return taken


class Hub:
    """Reads what changed while anybody watches. Make it inside the running loop."""

    def __init__(self, *, live: LiveFeed, search: CaseSearch) -> None:
        self._live = live
        self._search = search
        self._subscriptions: set[Subscription] = set()
        self._running: asyncio.Task[None] | None = None
        self._seen: OrderedDict[str, datetime] = OrderedDict()
        self._scanned = utc_now()

    @contextlib.asynccontextmanager
    async def subscribe(self, wants: Callable[[Document], bool]) -> AsyncIterator[Subscription]:
        """Opens a subscription to changed cases (without diaries). Open it before reading, or a change in between is missed."""
        subscription = Subscription(wants)
        self._subscriptions.add(subscription)
        if self._running is None:
            self._scanned = utc_now()
            self._running = asyncio.get_running_loop().create_task(self._run())
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions and self._running:
                self._running.cancel()
                self._running = None

    async def _run(self) -> None:
        async with self._live.watch() as changes:
            while True:
                ids = await changes.wait(timeout=SCAN_SECONDS)
                try:
                    await self._round(ids or frozenset())
                except ServiceError as error:
                    # The database is away: the next scan starts where the last complete one did.
                    _log.warning("streams wait for the database: %s", error.message)
                    await asyncio.sleep(SCAN_SECONDS / 2)
                except Exception:
                    _log.exception("a change could not be shown")
                    await asyncio.sleep(SCAN_SECONDS / 2)

    async def _round(self, ids: frozenset[str]) -> None:
        now = utc_now()
        if not ids or now - self._scanned >= timedelta(seconds=SCAN_SECONDS):
            versions = await self._search.versions_since(self._scanned - SCAN_WINDOW)
            ids |= {id for id, at in versions.items() if self._seen.get(id) != at}
            self._scanned = now
        if ids:
            self._spread(await self._search.several(sorted(ids)))

    def _spread(self, cases: Iterable[Document]) -> None:
        for case in cases:
            if self._seen.get(case["case_id"]) == case["changed_at"]:
                continue
            self._seen[case["case_id"]] = case["changed_at"]
            self._seen.move_to_end(case["case_id"])
            for subscription in self._subscriptions:
                subscription.put(case)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def follow(
        self, *, where: Filter, first: Filter, wants: Callable[[Document], bool], cursor: Cursor | None
    ) -> AsyncGenerator[tuple[Document, Cursor], None]:
        """Yields cases as they change, each with the cursor to resume after it: those of `where` since the cursor, or without
        one those of `first`; then every change. Each version once per call; endless.
        """
        shown: OrderedDict[str, datetime] = OrderedDict()
        async with self.subscribe(wants) as subscription:
            asked = utc_now()
            resume = cursor or _BEGINNING
            batches = self._backlog(where, resume) if cursor else self._beginning(first, wants, asked=asked)
            while True:
                async for batch in batches:
                    for case, resume in batch:
                        if _is_new(shown, case):
                            yield case, resume
                # Whatever is older has been shown by now.
                resume = max(resume, Cursor(at=asked - OVERLAP))
                changed = await subscription.take()
                asked = utc_now()
                batches = self._backlog(where, resume) if changed is None else _one(changed, asked=asked)

    async def _beginning(self, first: Filter, wants: Callable[[Document], bool], *, asked: datetime) -> AsyncIterator[_Batch]:
        """All cases of a filter, longest unchanged first: their places are read at once, the cases as they are taken."""
        places = await self._search.places(first, most=MOST_PLACES)
        if places is None:
            async for batch in self._backlog(first, _BEGINNING):
                yield batch
            return
        at, size = 0, FIRST_BATCH
        while at < len(places):
            # Its place is where the case stood when asked: one that changed since must not carry the cursor past the others.
            resume = {place.key: _settled(place, asked=asked) for place in places[at : at + size]}
            found = {case["case_id"]: case for case in await self._search.several(list(resume))}
            yield [(found[id], after) for id, after in resume.items() if id in found and wants(found[id])]
            at, size = at + size, min(size * 2, BATCH)

    async def _backlog(self, where: Filter, after: Cursor) -> AsyncIterator[_Batch]:
        while True:
            asked = utc_now()
            page = await self._search.changed_since(where, after=after, size=PAGE)
            yield [(case, resume_after(case, asked=asked)) for case in page]
            if len(page) < PAGE:
                return
            after = position_of(page[-1])


_Batch = list[tuple[Document, Cursor]]
_BEGINNING = Cursor(at=datetime(1971, 1, 1, tzinfo=UTC))


def position_of(case: Document) -> Cursor:
    """Returns the place of a case's version in the order of all changes."""
    return Cursor(at=case["changed_at"], key=case["case_id"])


def resume_after(case: Document, *, asked: datetime) -> Cursor:
    """Returns from where a stream goes on that has shown `case` and what came before it when the database was asked.

    A change younger than the overlap may still have older neighbours nobody has seen: then it is the overlap that counts, and
    the youngest changes are shown again.
    """
    return _settled(position_of(case), asked=asked)


def _settled(place: Cursor, *, asked: datetime) -> Cursor:
    return min(place, Cursor(at=asked - OVERLAP))


async def _one(cases: list[Document], *, asked: datetime) -> AsyncIterator[_Batch]:
    yield [(case, resume_after(case, asked=asked)) for case in sorted(cases, key=position_of)]


def _is_new(shown: OrderedDict[str, datetime], case: Document) -> bool:
    """Tells whether this stream has not shown this version, nor a newer one."""
    before = shown.get(case["case_id"])
    if before and before >= case["changed_at"]:
        return False
    shown[case["case_id"]] = case["changed_at"]
    shown.move_to_end(case["case_id"])
    if len(shown) > _REMEMBERED:
        shown.popitem(last=False)
    return True
