"""What a stored aggregate looks like and how commands become one guarded write. Pure; `store` and `batch` do the I/O.

A document is the aggregate's fields (its id as `_id`) plus what the store owns:
`revision` (+1 per write), `outbox` (events not yet published, oldest first: id, type, time, subject, data, traceparent),
`commands` (key and digest of the last commands, so that a repeated one changes nothing) and `created_by` (key and digest of the
command that created it; unique). An aggregate may show its `revision` by a field of that name, which decisions leave alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from pymongo import ASCENDING, IndexModel, InsertOne, UpdateOne

from svckit.access import Caller
from svckit.deltas import NATIVE, differences
from svckit.deltas import stored as stored
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound
from svckit.ids import new_id
from svckit.messages import event_json, event_type

S = TypeVar("S", bound=msgspec.Struct)
Document = dict[str, Any]
Decide = Callable[[Any], tuple[Any, Sequence[Any]]]
"""Gets the state (None when there is no document) and returns the new state and the events that happened, or raises."""

COMMANDS_KEPT = 500
LOADED = {"outbox": False}
"""Projection for loading: what waits for the relay is never needed to decide."""

INDEXES = (
    IndexModel([("created_by.key", ASCENDING)], name="created_by", unique=True, sparse=True),
    IndexModel([("outbox.time", ASCENDING)], name="outbox_time", sparse=True),
)
"""Indexes that every collection of aggregates has beside its own."""

_REVISION = "revision"
_DUPLICATE_KEY = 11000
TOO_LARGE_CODES = frozenset({10334, 17419, 17420})
"""MongoDB's errors for a document over 16 MB: in a request, after an update, to be inserted by an upsert."""


class Command(msgspec.Struct, frozen=True):
    """Identity of a command: `key` says which one, `digest` what it asks; the same key with another digest is refused."""

    key: str
    digest: str


class _Request(Protocol):
    request_id: str

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...


def command_of(request: Any, caller: Caller) -> Command:
    """Returns the command of a gRPC request with a `request_id`, which is unique among the requests of one subject.

    Raises InvalidArgument (REQUEST_ID_MISSING) when the request id is empty.
    """
    message: _Request = request
    if not message.request_id:
        raise InvalidArgument("A request id is needed.", reason="REQUEST_ID_MISSING", field="request_id")
    body = hashlib.blake2b(request.DESCRIPTOR.full_name.encode(), digest_size=16)
    body.update(message.SerializeToString(deterministic=True))
    return Command(key=f"{_quoted(caller.subject)}:{_quoted(message.request_id)}", digest=body.hexdigest())


def _quoted(part: str) -> str:
    """Keeps the marks of a key (":" here, "#" of `entries.part`) out of what others chose: two commands never share a key."""
    return part.replace("%", "%25").replace(":", "%3A").replace("#", "%23")


class Change(msgspec.Struct, frozen=True):
    """One decision about one aggregate.

    `command` None: repeating it is harmless by itself (a timer). `traceparent` goes into the events it creates; "" leaves them
    outside any trace. `creates`: the aggregate must not exist, and `command` is unique among all creations of the collection.
    """

    id: str
    decide: Decide
    command: Command | None = None
    traceparent: str = ""
    creates: bool = False


def created_by(subject: str) -> Document:
    """Returns the filter for what the commands of one caller created; the unique index on those commands serves it."""
    mine = _quoted(subject)
    return {"created_by.key": {"$gte": f"{mine}:", "$lt": f"{mine};"}}  # ";" follows ":"


class Version(msgspec.Struct, Generic[S], frozen=True):
    """An aggregate as it lies in the database. `seen` holds the digests of its commands by their keys."""

    state: S
    revision: int
    seen: dict[str, str]


class Committed(msgspec.Struct, frozen=True):
    """The events one write added to the outbox of an aggregate.

    `follows` tells that the write before it, if there was one, was made by this very process: nobody else's events lie between.
    """

    id: str
    events: list[Document]
    follows: bool


OnCommit = Callable[[Sequence[Committed]], None]


class Form(Generic[S]):
    """How one kind of aggregate is written to and read from documents.

    `encode` turns an event struct into its type (routing key) and JSON.
    """

    def __init__(
        self,
        state_cls: type[S],
        *,
        id_field: str,
        encode: Callable[[Any], tuple[str, bytes]] = lambda event: (event_type(event), event_json(event)),
    ) -> None:
        self.state_cls = state_cls
        self.id_field = id_field
        self.encode = encode
        # What an aggregate lets be known of its events, where it has a say in that: `published(self, events)`.
        self.published: Callable[[S, Sequence[Any]], Sequence[Any]] | None = getattr(state_cls, "published", None)
        self._names = tuple(
            (field, name)
            for field, name in zip(state_cls.__struct_fields__, state_cls.__struct_encode_fields__, strict=True)
            if field not in (id_field, _REVISION)
        )
        self._shows_revision = _REVISION in state_cls.__struct_fields__

    def state(self, document: Mapping[str, Any]) -> S:
        """Returns the aggregate of a document (with or without what the store owns)."""
        return msgspec.convert({**document, self.id_field: document["_id"]}, self.state_cls, builtin_types=NATIVE)

    def version(self, document: Document) -> Version[S]:
        """Returns a document as a draft begins with it."""
        return Version(self.state(document), document.get(_REVISION, 0), _commands_in(document))

    def document(self, state: S) -> Document:
        """Returns the document of a new aggregate that no command made and that tells nobody anything."""
        return {"_id": getattr(state, self.id_field), **self.changed(None, state), _REVISION: 1}

    def changed(self, before: S | None, after: S) -> Document:
        """Returns what of `after` differs from `before`, by its path in the document, as it is stored; without the id.

        Lists differ by their elements, and these by their fields: a long case costs what changes in it.
        """
        if before is None:
            whole: Document = stored(after)
            return {name: whole[name] for _, name in self._names if name in whole}
        fields: Document = {}
        for field, name in self._names:
            value = getattr(after, field)
            old = getattr(before, field)
            if value is not old and value != old:
                # Only lists are entered: anything else may be younger than the document.
                fields.update(differences(name, old, value) if isinstance(value, tuple) else {name: stored(value)})
        return fields

    def not_found(self, id: str) -> NotFound:
        """Returns the error for an id without a document."""
        name = self.state_cls.__name__
        return NotFound(f"{name} {id} does not exist.", reason=f"{_upper_snake(name)}_NOT_FOUND")


def created_once(document: Document) -> Document:
    """Returns the command that created a document, {} if none is known."""
    creation: Document = document.get("created_by") or {}
    return creation


class Draft(Generic[S]):
    """One document while commands are decided on it, in order; afterwards `write()` saves them all at once."""

    def __init__(self, form: Form[S], id: str, version: Version[S] | None) -> None:
        self.id = id
        self.state = version.state if version else None
        self._form = form
        self._before = self.state
        self._revision = version.revision if version else 0
        self._seen = dict(version.seen) if version else {}
        self._created_by: Document | None = None
        self._events: list[Document] = []
        self._commands: list[Document] = []

    def apply(self, change: Change, *, now: dt.datetime) -> S | None:
        """Decides one change on the state so far and returns the state after it.

        A command that was seen before returns the state as it is. Raises what `decide` raises (the draft stays as it was),
        FailedPrecondition (REQUEST_ID_REUSED) and Conflict (ALREADY_EXISTS).
        """
        command = change.command
        if command and command.key in self._seen:
            check_same(self._seen[command.key], command)
            return self.state
        if change.creates and self.state is not None:
            raise Conflict(f"{self._form.state_cls.__name__} {self.id} exists already.", reason="ALREADY_EXISTS")
        state, events = change.decide(self.state)
        if events and state is not None and self._form.published:
            events = self._form.published(state, events)
        entries = [self._entry(event, change.traceparent, now) for event in events]
        self._keep(state, entries, change)
        return self.state

    def _entry(self, event: Any, traceparent: str, now: dt.datetime) -> Document:
        kind, data = self._form.encode(event)
        return {"id": new_id(), "type": kind, "time": now, "subject": self.id, "data": data, "traceparent": traceparent}

    def _keep(self, state: S | None, entries: list[Document], change: Change) -> None:
        if state is None and (entries or self.state is not None):
            raise TypeError(f"a decision on {self.id} returned no state")
        unchanged = state is self.state and not entries and change.command is None
        self.state = state if unchanged else self._numbered(state)
        self._events += entries
        if change.command is None or state is None:
            return
        self._seen[change.command.key] = change.command.digest
        entry = {"key": change.command.key, "digest": change.command.digest}
        if change.creates:
            self._created_by = entry
        else:
            self._commands.append(entry)

    def _numbered(self, state: S | None) -> S | None:
        """Gives a state that shows its revision the one it is saved under: callers and the next command of this write see it."""
        if state is None or not hasattr(state, "revision"):
            return state
        return msgspec.structs.replace(state, revision=self._next_revision)

    @property
    def is_new(self) -> bool:
        """Tells whether there was no document."""
        return self._before is None

    @property
    def is_changed(self) -> bool:
        """Tells whether there is anything to write: every command counts, also one without effect."""
        if self._events or self._commands or self.state is self._before or self.state is None:
            return bool(self._events or self._commands)
        return bool(self._form.changed(self._before, self.state))

    @property
    def events(self) -> list[Document]:
        """What saving this draft leaves for the relay."""
        return self._events

    @property
    def version(self) -> Version[Any]:
        """The aggregate as it lies in the database once `write()` has succeeded."""
        return Version(self.state, self._next_revision, self._seen)

    def write(self, *, insert: bool = False) -> InsertOne[Document] | UpdateOne:
        """Returns the guarded write of everything decided; only if there `is_changed` anything.

        The guard makes a lost race a duplicate key of `_id`: the document is there, but no longer with this revision. `insert`
        says the same of a new document, for a third of the server's work.
        """
        assert self.state is not None, "nothing was decided that could be written"
        fields = self._form.changed(self._before, self.state)
        fields[_REVISION] = self._next_revision
        if self._created_by:
            fields["created_by"] = self._created_by
        if insert:
            return InsertOne({"_id": self.id, **fields, **self._lists()})
        return UpdateOne({"_id": self.id, _REVISION: self._revision}, {"$set": fields, **self._pushes()}, upsert=True)

    @property
    def _next_revision(self) -> int:
        return self._revision + 1

    def _lists(self) -> Document:
        lists: Document = {"outbox": self._events, "commands": self._commands[-COMMANDS_KEPT:]}
        return {name: items for name, items in lists.items() if items}

    def _pushes(self) -> Document:
        pushes: Document = {}
        if self._events:
            pushes["outbox"] = {"$each": self._events}
        if self._commands:
            pushes["commands"] = {"$each": self._commands, "$slice": -COMMANDS_KEPT}
        return {"$push": pushes} if pushes else {}


def check_same(digest: str, command: Command) -> None:
    """Raises FailedPrecondition (REQUEST_ID_REUSED) when the earlier command of this key asked for something else."""
    if digest != command.digest:
        raise FailedPrecondition(
            "This request id was used for another request.", reason="REQUEST_ID_REUSED", field="request_id"
        )


def _commands_in(document: Document) -> dict[str, str]:
    seen = {entry["key"]: entry["digest"] for entry in document.get("commands", ())}
    if creation := created_once(document):
        seen[creation["key"]] = creation["digest"]
    return seen


def lost_race(write_error: Mapping[str, Any]) -> bool:
    """Tells whether one error of a bulk write means: somebody else changed the document first."""
    return write_error["code"] == _DUPLICATE_KEY and set(write_error.get("keyPattern", ())) == {"_id"}


def created_before(write_error: Mapping[str, Any]) -> bool:
    """Tells whether one error of a bulk write means: this very command created an aggregate already."""
    return write_error["code"] == _DUPLICATE_KEY and set(write_error.get("keyPattern", ())) == {"created_by.key"}


def refusal(write_error: Mapping[str, Any]) -> Exception:
    """Returns what the caller hears about any other error of a bulk write.

    A unique index of the service becomes Conflict (ALREADY_EXISTS) with the index in its metadata, a full document
    FailedPrecondition (TOO_LARGE); the rest is a defect.
    """
    if write_error["code"] in TOO_LARGE_CODES:
        return too_large()
    if write_error["code"] == _DUPLICATE_KEY:
        names = ",".join(write_error.get("keyPattern", ()))
        return Conflict("Another one with the same key exists.", reason="ALREADY_EXISTS", metadata={"key": names})
    return RuntimeError(f"MongoDB refused a write: {write_error['code']} {write_error.get('errmsg', '')}")


def too_large() -> FailedPrecondition:
    """Returns what the caller hears when a document would grow over the 16 MB MongoDB keeps."""
    return FailedPrecondition("This holds as much as can be kept in one place; nothing was changed.", reason="TOO_LARGE")


def utc_now() -> dt.datetime:
    """Returns the time as it is stored: UTC, whole milliseconds."""
    now = dt.datetime.now(dt.UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _upper_snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
