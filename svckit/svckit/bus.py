"""How a worker hears of facts: a nameko entrypoint that hands a method all messages that are waiting, and acknowledges them at once.

    class Worker:
        name = "fire_safety"
        inspections = Documents("inspections", state_cls=Inspection, id_field="inspection_id")

        @handles("mediation.case_dispatched.v1")
        def open_inspections(self, events: list[Event]) -> None:
            self.inspections.apply([event.change(id=…, decide=…) for event in events])

The method returns when everything is saved; what it raises decides what becomes of the messages (see `Handler`). Messages may come
again and out of order between aggregates; `Event.change` records the event in the same write as its effect, so that repeating
it changes nothing. Never imports grpc.
"""

from __future__ import annotations

import collections
import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import eventlet
import msgspec
import pika
from eventlet.event import Event as Signal
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint, SharedExtension
from pymongo import MongoClient

from svckit import telemetry
from svckit.batch import BatchRepository
from svckit.cloudevents import ID, SUBJECT, TIME, TRACEPARENT, TYPE, attribute, headers_of
from svckit.commit import is_passing
from svckit.documents import Change, Command, Decide, Form
from svckit.errors import ServiceError, Unavailable
from svckit.event_codec import event_fields
from svckit.greenlink import GreenLink
from svckit.logs import redact
from svckit.topology import DELIVERIES, Queue

_log = logging.getLogger(__name__)

BATCH = 200
GATHERED = 1_000
"""Messages a handler gets at once, at most: in general, and one that gathers."""
FOR_PEOPLE = 0.5
"""Seconds by which what only people read (notices, lists, words to search) may come later; see `Handler.gather`."""
_LONGEST_REASON, _SUSPECTS = 500, 1_000
_MONGO_MS = 5_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Event(msgspec.Struct, frozen=True):
    """A fact. `type` is its routing key, `subject` the id of the aggregate it happened to, `data` its JSON.

    `traceparent` is the span of this very consumption: what the handler does next belongs below it.
    """

    id: str
    type: str
    subject: str
    time: dt.datetime
    data: bytes
    traceparent: str

    def fields(self) -> dict[str, Any]:
        """Returns the data as Python values (see `messages.to_fields`). Raises ValueError when it is not the event's JSON."""
        return event_fields(self.type, self.data)

    def change(self, *, id: str, decide: Decide) -> Change:
        """Returns the change of one aggregate because of this event; seen once, it is not decided again."""
        return Change(id, decide, Command(self.id, self.type), self.traceparent)


class Unprocessable(Exception):
    """Raised by a handler: this message can never be handled. It goes to the dead-letter queue at once."""


class _Message:
    """A delivery that was not acknowledged yet."""

    __slots__ = ("body", "channel", "headers", "properties", "tag")

    def __init__(self, channel: Any, tag: int, properties: bytes, body: bytes) -> None:
        self.channel = channel
        self.tag = tag
        self.properties = properties
        self.headers = headers_of(properties)
        self.body = body

    @property
    def id(self) -> str:
        return attribute(self.headers, ID)

    @property
    def deliveries(self) -> int:
        """How often it was delivered, this time included."""
        return int(self.headers.get("x-delivery-count", 0)) + 1

    def event(self, traceparent: str) -> Event:
        return Event(
            self.id,
            attribute(self.headers, TYPE),
            attribute(self.headers, SUBJECT),
            _time(attribute(self.headers, TIME)),
            self.body,
            traceparent,
        )

    def delivery(self) -> telemetry.Delivery:
        headers = self.headers
        return telemetry.Delivery(
            attribute(headers, TYPE), self.id, attribute(headers, SUBJECT), attribute(headers, TRACEPARENT)
        )


def _time(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return _EPOCH


class Handler(Entrypoint):  # type: ignore[misc]  # nameko has no types
    """The entrypoint behind `handles`.

    After a batch returns, all of it is acknowledged. After an error the batch is repeated message by message, so that only the
    guilty one suffers: it comes again after a pause, and goes to the dead-letter queue with the reason after DELIVERIES
    deliveries, or at once when it can never succeed. While the database is away (`Unavailable`) the batch just waits.

    `gather`: how many seconds a first message waits for more, so that a busy hour costs few large batches instead of many small ones.
    """

    link = GreenLink()

    def __init__(self, *types: str, gather: float = 0.0, **options: Any) -> None:
        super().__init__(expected_exceptions=(Exception,), **options)
        self.types = types
        self.gather = gather
        self._most = GATHERED if gather else BATCH
        self.prefetch = 2 * self._most
        self._waiting: collections.deque[_Message] = collections.deque()
        self._news = Signal()
        self._channel: Any = None
        self._held: set[int] = set()
        self._suspects: collections.OrderedDict[str, None] = collections.OrderedDict()
        self._stopping = False
        self._ended = Signal()

    # ------------------------------------------------------------------------------------------------ nameko

    def setup(self) -> None:
        """Asks the link for a channel."""
        self.link.register(self)

    def start(self) -> None:
        """Begins to work."""
        self.container.spawn_managed_thread(self._work, identifier=f"handler {self.method_name}")

    def stop(self) -> None:
        """Returns when the batch in hand is done and acknowledged; what waits goes back to the queue."""
        self._stopping = True
        self._wake()
        self._ended.wait()

    def kill(self) -> None:
        """Takes nothing more."""
        self._stopping = True

    # ------------------------------------------------------------------------------------------------ link

    @property
    def queue(self) -> Queue:
        """`<service>.<method>`, bound to the event types."""
        return self.link.topology.handler(self.method_name, self.types)

    def opened(self, channel: Any) -> None:
        """A new channel: earlier deliveries come again through it."""
        self._waiting.clear()
        self._held.clear()
        self._channel = channel

    def lost(self) -> None:
        """Forgets what was delivered and not begun."""
        self._waiting.clear()
        self._channel = None

    def received(self, channel: Any, tag: int, properties: bytes, body: bytes) -> None:
        """Keeps a message until the handler is free."""
        if channel is self._channel:
            self._waiting.append(_Message(channel, tag, properties, body))
            self._wake()

    def _wake(self) -> None:
        if not self._news.ready():
            self._news.send(None)

    # ------------------------------------------------------------------------------------------------ batches

    def _work(self) -> None:
        try:
            while not self._stopping:
                self._gather()
                batch = self._next_batch()
                if batch:
                    self._handle(batch)
                else:
                    self._news.wait()
                    self._news = Signal()
        finally:
            self._ended.send(None)

    def _gather(self) -> None:
        until = time.monotonic() + self.gather
        while 0 < len(self._waiting) < self._most and not self._stopping and (pause := until - time.monotonic()) > 0:
            eventlet.sleep(min(pause, 0.1))  # enough may have come meanwhile, or it is to stop

    def _next_batch(self) -> list[_Message]:
        """Everything that waits, up to the most one may get; a message that failed before goes alone."""
        batch: list[_Message] = []
        while self._waiting and len(batch) < self._most:
            if self._waiting[0].id in self._suspects:
                return batch or [self._waiting.popleft()]
            batch.append(self._waiting.popleft())
        return batch

    def _handle(self, batch: list[_Message]) -> None:
        try:
            error = self._call(batch)
        except _GivenUp:
            return
        if error is None:
            self._acknowledge(batch)
        elif len(batch) == 1:
            self._failed(batch[0], error)
        else:
            _log.warning("%s failed on %d messages, now one by one: %s", self.queue.name, len(batch), _told(error))
            for message in batch:
                self._handle([message])

    def _call(self, batch: list[_Message]) -> Exception | None:
        """Runs the method until the database has answered; returns what it raised. Raises _GivenUp when the channel is gone."""
        pause = 0.05
        while True:
            if self._stopping or batch[0].channel is not self._channel:
                raise _GivenUp
            error = self._call_once(batch)
            if error is None or not _is_passing(error):
                return error
            _log.warning("%s waits: %s", self.queue.name, _told(error))
            eventlet.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _call_once(self, batch: list[_Message]) -> Exception | None:
        deliveries = [message.delivery() for message in batch] if telemetry.enabled() else ()
        if not deliveries:
            return self._run([message.event(attribute(message.headers, TRACEPARENT)) for message in batch])
        with telemetry.process_spans(queue=self.queue.name, deliveries=deliveries) as traceparents:
            error = self._run([message.event(one) for message, one in zip(batch, traceparents, strict=True)])
            if error is not None:
                traceparents.failed(error)
            return error

    def _run(self, events: list[Event]) -> Exception | None:
        """Lets nameko run the method in a worker of its own, with its dependencies."""
        if not all(event.id and event.type for event in events):
            return Unprocessable("it is no CloudEvent: the id or the type is missing")
        outcome = Signal()

        def on_result(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            outcome.send(exc_info[1] if exc_info else None)
            return result, exc_info

        try:
            self.container.spawn_worker(self, (events,), {}, handle_result=on_result)
        except ContainerBeingKilled as killed:
            raise _GivenUp from killed
        error: Exception | None = outcome.wait()
        return error

    # ------------------------------------------------------------------------------------------------ outcome

    def _acknowledge(self, batch: Sequence[_Message]) -> None:
        for message in batch:
            self._suspects.pop(message.id, None)
        if self._held:
            for message in batch:
                self._later(message, message.channel.basic_ack, message.tag)
        else:
            self._later(batch[-1], batch[-1].channel.basic_ack, batch[-1].tag, True)

    def _later(self, message: _Message, work: Callable[..., None], *arguments: Any) -> None:
        def send() -> None:
            if message.channel is self._channel and message.channel.is_open:
                work(*arguments)

        self.link.call(send)

    def _failed(self, message: _Message, error: Exception) -> None:
        hopeless = isinstance(error, Unprocessable) or not _is_json(message.body)
        if not hopeless and message.deliveries < DELIVERIES:
            self._return(message, error)
        elif self.link.dead_letter(self._dead_properties(message, error), message.body):
            _log.error("%s gave up message %s: %s", self.queue.name, message.id, _told(error))
            self._acknowledge([message])
        else:
            self._return(message, error)

    def _return(self, message: _Message, error: Exception) -> None:
        """Gives a message back after a pause that grows with every delivery, to 8 s at most; the others go on meanwhile."""
        _log.warning("%s failed on message %s (delivery %d): %s", self.queue.name, message.id, message.deliveries, _told(error))
        self._suspects[message.id] = None
        if len(self._suspects) > _SUSPECTS:
            self._suspects.popitem(last=False)
        self._held.add(message.tag)

        def give_back() -> None:
            if message.channel is self._channel:
                self._later(message, message.channel.basic_nack, message.tag, False, True)
                self._held.discard(message.tag)

        eventlet.spawn_after(0.1 * 3 ** (min(message.deliveries, DELIVERIES) - 1), give_back)

    def _dead_properties(self, message: _Message, error: Exception) -> Any:
        properties = pika.BasicProperties().decode(message.properties)
        properties.headers = {**message.headers, "x-queue": self.queue.name, "x-reason": _told(error)[:_LONGEST_REASON]}
        return properties


handles = Handler.decorator
"""Decorator of a worker's method(self, events: list[Event]): the event types it takes. The method's name names the queue."""


class _GivenUp(Exception):
    """The channel is gone or the worker stops: the messages come again."""


def _is_passing(error: Exception) -> bool:
    return isinstance(error, Unavailable) or is_passing(error)


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _told(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return f"{error.reason}: {redact(error.message)}"
    return f"{type(error).__name__}: {redact(str(error))}"


class MongoConnection(SharedExtension):  # type: ignore[misc]  # nameko has no types
    """The worker's database. Reads `MONGO_URI`, `MONGO_DATABASE` and `SERVICE` of the container's config."""

    def setup(self) -> None:
        """Connects in the background."""
        config = self.container.config
        self.client: MongoClient[dict[str, Any]] = MongoClient(
            config["MONGO_URI"],
            tz_aware=True,
            appname=f"binglian-{config['SERVICE']}-worker",
            serverSelectionTimeoutMS=_MONGO_MS,
            connectTimeoutMS=_MONGO_MS,
        )
        self.database = self.client[config["MONGO_DATABASE"]]

    def stop(self) -> None:
        """Closes the connections."""
        self.client.close()


class Documents(DependencyProvider):  # type: ignore[misc]  # nameko has no types
    """Dependency of a worker: the BatchRepository of one collection, whose events wake the relay of the service.

    `encode` as in `documents.Form`.
    """

    mongo = MongoConnection()
    link = GreenLink()

    def __init__(self, collection: str, *, state_cls: type[Any], id_field: str, **form: Any) -> None:
        self._collection = collection
        self._form = Form(state_cls, id_field=id_field, **form)
        self._repository: BatchRepository[Any] | None = None

    def get_dependency(self, worker_ctx: Any) -> BatchRepository[Any]:
        """Returns the repository; all workers of the process share it."""
        if self._repository is None:
            collection = self.mongo.database[self._collection]
            self._repository = BatchRepository(
                collection, form=self._form, on_commit=lambda done: self.link.wake(self._collection, [one.id for one in done])
            )
        return self._repository
