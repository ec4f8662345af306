"""`python -m <service> republish`: tells followers anew what a service knows, from its stored documents.

For followers that missed facts: a fact or a field of one is younger than the documents, a follower was added, or its database is an
older copy. A fact told anew is laid into the outbox of its document, only if the document is still as it was read (whoever changed it
meanwhile has told it); its revision stays, and the relay publishes it like any other. Followers take every fact any number of times, so
the command may be repeated. It writes down how far it is and goes on from there.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TextIO, TypeVar

import msgspec
from pymongo import MongoClient, UpdateOne
from pymongo.database import Database
from pymongo.errors import PyMongoError

from svckit.commit import DURABLE
from svckit.documents import LOADED, Document, Form, utc_now
from svckit.ids import new_id

S = TypeVar("S", bound=msgspec.Struct)
Facts = Callable[[Any, dt.datetime], Sequence[Any]]
"""Gets a state and the present time and returns what is to be told of it, nothing for what concerns nobody."""

AT_ONCE = 500
"""Documents read and written at once."""
MOST_WAITING = 10
"""Batches that may wait for the broker: the outboxes do not fill up while it is away."""
_LOOK_SECONDS = 0.1
_SAY_SECONDS = 2.0
_PROGRESS = "progress"


class Told(msgspec.Struct, frozen=True):
    """What came of one kind: documents read, facts told, documents that were changed while they were read."""

    read: int = 0
    facts: int = 0
    changed: int = 0


class Kind(Generic[S]):
    """Documents of one collection and what is to be told of them."""

    def __init__(self, name: str, *, collection: str, state_cls: type[S], id_field: str, facts: Facts, help: str) -> None:
        self.name = name
        self.collection = collection
        self.help = help
        self._form = Form(state_cls, id_field=id_field)
        self._facts = facts

    def entries(self, document: Document, *, now: dt.datetime) -> list[Document]:
        """Returns the facts of a document as they wait for the relay."""
        found = []
        for event in self._facts(self._form.state(document), now):
            kind, data = self._form.encode(event)
            entry = {"id": new_id(), "type": kind, "time": now, "subject": document["_id"], "data": data, "traceparent": ""}
            found.append(entry)
        return found


class Republisher:
    """Tells one kind after the other; `say` gets sentences, `pause` waits some seconds."""

    def __init__(
        self, database: Database[Document], *, say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._say = say
        self._pause = pause
        self._said = 0.0

    def tell(self, kind: Kind[Any], *, anew: bool = False) -> Told:
        """Tells all of a kind, from where an earlier run was stopped unless `anew`. Raises PyMongoError."""
        rows = self._database[kind.collection].with_options(**DURABLE)
        mark = {"_id": f"republish/{kind.name}"}
        place = None if anew else self._database[_PROGRESS].find_one(mark)
        told = Told(**place["told"]) if place else Told()
        if place:
            self._say(f"{kind.name}: goes on after {told.read:,}")
        total, waiting = rows.estimated_document_count(), deque[tuple[str, str]]()
        for documents in _batches(rows, after=place["after"] if place else ""):
            told = self._tell(kind, rows, documents, told, waiting)
            self._database[_PROGRESS].update_one(
                mark, {"$set": {"after": documents[-1]["_id"], "told": msgspec.structs.asdict(told)}}, upsert=True
            )
            self._tell_progress(kind, told, total)
            self._wait(kind, rows, waiting, MOST_WAITING)
        self._wait(kind, rows, waiting, 0)
        self._database[_PROGRESS].delete_one(mark)
        self._say(f"{kind.name}: {told.facts:,} facts of {told.read:,} are out; {told.changed:,} changed meanwhile and told so")
        return told

    def _tell(
        self, kind: Kind[Any], rows: Any, documents: Sequence[Document], told: Told, waiting: deque[tuple[str, str]]
    ) -> Told:
        now = utc_now()
        facts = {document["_id"]: kind.entries(document, now=now) for document in documents}
        writes = [
            UpdateOne(
                {"_id": document["_id"], "revision": document.get("revision", 0)},
                {"$push": {"outbox": {"$each": facts[document["_id"]]}}},
            )
            for document in documents
            if facts[document["_id"]]
        ]
        written = rows.bulk_write(writes, ordered=False).matched_count if writes else 0
        last = next((id for id in reversed(facts) if facts[id]), "")
        if last:
            waiting.append((last, facts[last][-1]["id"]))
        return Told(
            read=told.read + len(documents),
            facts=told.facts + sum(map(len, facts.values())),
            changed=told.changed + len(writes) - written,
        )

    def _wait(self, kind: Kind[Any], rows: Any, waiting: deque[tuple[str, str]], most: int) -> None:
        """Waits until at most so many batches are still to be published."""
        while len(waiting) > most:
            id, fact = waiting[0]
            if rows.find_one({"_id": id, "outbox.id": fact}, {"_id": True}) is None:
                waiting.popleft()
                continue
            self._say_seldom(f"{kind.name}: waits until facts are out (the api process publishes them)")
            self._pause(_LOOK_SECONDS)

    def _tell_progress(self, kind: Kind[Any], told: Told, total: int) -> None:
        self._say_seldom(f"{kind.name}: {told.read:,} of about {max(total, told.read):,}, {told.facts:,} facts")

    def _say_seldom(self, text: str) -> None:
        if time.monotonic() - self._said > _SAY_SECONDS:
            self._said = time.monotonic()
            self._say(text)


def _batches(rows: Any, *, after: str) -> Iterator[list[Document]]:
    """Yields the documents in the order of their ids; each batch is a query of its own, so that no cursor grows old."""
    while documents := rows.find({"_id": {"$gt": after}}, LOADED).sort("_id", 1).limit(AT_ONCE).to_list():
        yield documents
        after = documents[-1]["_id"]


def command(
    arguments: Sequence[str], *, package: str, kinds: Sequence[Kind[Any]], uri: Callable[[], tuple[str, str]], out: TextIO
) -> int:
    """Runs `python -m <package> republish`; `uri` returns MongoDB's address and the database. Exit code: 0 when all is out."""
    by_name = {kind.name: kind for kind in kinds}
    wanted = _parsed(arguments, package, by_name)
    address, name = uri()

    def say(text: str) -> None:
        out.write(f"{text}\n")
        out.flush()

    try:
        with MongoClient[Document](address, tz_aware=True, appname=f"binglian-{package}-republish") as client:
            republisher = Republisher(client[name], say=say)
            for each in dict.fromkeys(wanted.kinds or by_name):
                republisher.tell(by_name[each], anew=wanted.anew)
    except PyMongoError as error:
        say(f"stopped: {error}")
    except KeyboardInterrupt:
        say("stopped")
    else:
        return 0
    say("Start the command again: it goes on where it was.")
    return 1


def _parsed(arguments: Sequence[str], package: str, kinds: Mapping[str, Kind[Any]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {package} republish",
        description="Tells followers anew what the documents say; followers take it any number of times. Progress is kept: "
        "stopped at any moment, the next run goes on.",
        epilog="\n".join(f"  {name:<10} {kind.help}" for name, kind in kinds.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"what to tell: {', '.join(kinds)}; all when none is named")
    parser.add_argument("--anew", action="store_true", help="begin at the beginning, not where the last run was stopped")
    found = parser.parse_args(arguments)
    for name in found.kinds:
        if name not in kinds:
            parser.error(f"{name!r} is no kind; there are {', '.join(kinds)}")
    return found
