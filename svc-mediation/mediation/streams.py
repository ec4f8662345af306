"""The hub between the live feed and the open streams of a process: each changed case is read once, whoever watches.

The feed wakes the hub quickly; a scan of what changed lately, every two seconds, finds whatever the feed missed. So a stream depends
on the database alone, and a cursor is never further ahead of what it has not shown than those few seconds (`OVERLAP` covers them).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta

from mediation.cursors import Cursor
from mediation.store import CaseSearch, Document, Filter
from svckit.documents import utc_now
from svckit.errors import ServiceError
from svckit.live import LiveFeed

_log = logging.getLogger(__name__)
SCAN_SECONDS = 2.0
SCAN_WINDOW = timedelta(seconds=10)
# What a resumed stream repeats: more than a change can stay unseen by the hub.
OVERLAP = timedelta(seconds=5)
# A client that is so far behind reads on from the database instead.
MOST_WAITING = 2_000
PAGE = 200
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
    ) -> AsyncGenerator[Document, None]:
        """Yields cases as they change: those of `where` since the cursor, or without one those of `first`; then every change.

        Each version once per call, in the order of `changed_at` as long as the database gives it; endless.
        """
        shown: OrderedDict[str, datetime] = OrderedDict()
        async with self.subscribe(wants) as subscription:
            start = Cursor(at=cursor.at - OVERLAP) if cursor else _BEGINNING
            last = start
            async for case in self._backlog(where if cursor else first, start):
                last = max(last, Cursor(at=case["changed_at"], key=case["case_id"]))
                if _is_new(shown, case):
                    yield case
            while True:
                changed = await subscription.take()
                fresh = (
                    self._backlog(where, Cursor(at=max(last.at - OVERLAP, _BEGINNING.at)))
                    if changed is None
                    else _each(changed)
                )
                async for case in fresh:
                    last = max(last, Cursor(at=case["changed_at"], key=case["case_id"]))
                    if _is_new(shown, case):
                        yield case

    async def _backlog(self, where: Filter, after: Cursor) -> AsyncIterator[Document]:
        while True:
            page = await self._search.changed_since(where, after=after, size=PAGE)
            for case in page:
                yield case
            if len(page) < PAGE:
                return
            after = Cursor(at=page[-1]["changed_at"], key=page[-1]["case_id"])


_BEGINNING = Cursor(at=datetime(1971, 1, 1, tzinfo=utc_now().tzinfo))


async def _each(cases: Iterable[Document]) -> AsyncIterator[Document]:
    for case in cases:
        yield case


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
