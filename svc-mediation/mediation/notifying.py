"""The worker's part in notices: facts of ours become notices and mail, and a timer sends what is due. Never reaches grpc.

Everything may be repeated. A notice has the id of its event and recipient, a delivery that of its letter and channel; a message is given
to one worker by a claim. Gateways get a message at least once, always with the same id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider
from nameko.timer import timer
from pymongo.errors import PyMongoError

from mediation.config import MediationSettings
from mediation.domain.notice import Delivery, DeliveryState, Duty, Mailbox, Notice, NoticeChannel
from mediation.following import FOLLOWED, tell_merged
from mediation.gateways import SECONDS, Failed, Gateways, Message, configured, quiet_hours
from mediation.operations import deliveries as verbs
from mediation.operations import mailing
from mediation.quiet import Shift
from mediation.register_news import REGISTER_NEWS, thing_of
from mediation.telling import TELLS
from mediation.writing import Made, Piece, Roster, Writer, followed, letters_of, news_of, notices_of
from svckit.batch import BatchRepository, all_saved
from svckit.bus import FOR_PEOPLE, Documents, Event, handles
from svckit.config import from_env
from svckit.documents import Change, Command, utc_now
from svckit.errors import ServiceError
from svckit.ids import new_id

_log = logging.getLogger(__name__)
# Mailboxes one round turns into deliveries, and messages one round sends at the same time.
MAILBOXES_AT_ONCE = 200
MESSAGES_AT_ONCE = 16
TURN_SECONDS = 2.0
# No attempt lasts longer, however slowly a gateway dribbles: well inside the lease.
_LONGEST_ATTEMPT = 3 * SECONDS
_TASK = ("task_id", "department", "role", "state", "removed_at")
# What telling needs of a case and no more: most of a case is the clocks of its tasks, and to read them costs ten times the rest.
_CASE = dict.fromkeys(
    ("number", "category", "severity", "area_code", "reporter", "followers", *(f"tasks.{name}" for name in _TASK)), True
)


class Outgoing(DependencyProvider):
    """Dependency of a worker: the configured gateways and the quiet hours."""

    def setup(self) -> None:
        """Reads the settings. Raises ConfigError."""
        settings = from_env(MediationSettings)
        self.gateways = configured(settings)
        self.quiet = quiet_hours(settings)

    def get_dependency(self, worker_ctx: Any) -> Outgoing:
        """Returns itself; all workers of the process share it."""
        return self


class Notifying:
    """What MediationWorker does about notices."""

    cases: Any
    notices = Documents("notices", state_cls=Notice, id_field="notice_id")
    mailboxes = Documents("mailboxes", state_cls=Mailbox, id_field="recipient")
    deliveries = Documents("deliveries", state_cls=Delivery, id_field="delivery_id")
    duties = Documents("duties", state_cls=Duty, id_field="duty_id")
    outgoing = Outgoing()

    @handles(*dict.fromkeys((*TELLS, *FOLLOWED)), gather=FOR_PEOPLE)
    def make_notices(self, events: list[Event]) -> None:
        """Tells posts and people what happened: notices for the pages at once, mail for those on duty and for reporters.

        The cases merged into others hear of it too.
        """
        facts = [(event, event.fields()) for event in events]
        tell_merged(self.cases, [(event, fields["case_id"]) for event, fields in facts if event.type in FOLLOWED])
        facts = [(event, fields) for event, fields in facts if event.type in TELLS]
        cases = self._cases({fields["case_id"] for _, fields in facts})
        cases |= self._cases({id for case in cases.values() for id in followed(case)} - set(cases))
        roster = Roster.of(self.duties.collection, cases.values(), form=self.duties.form)
        self._save([one for event, fields in facts for one in notices_of(event, fields, cases, roster)])

    @handles(*REGISTER_NEWS, gather=FOR_PEOPLE)
    def tell_of_the_register(self, events: list[Event]) -> None:
        """Tells grids and communities what the population register asks of them."""
        facts = [(event, event.fields()) for event in events]
        news = [
            (event, told, thing_of(event.type, fields))
            for event, fields in facts
            if (told := REGISTER_NEWS[event.type](fields))
        ]
        roster = Roster.of(self.duties.collection, [thing for *_, thing in news], form=self.duties.form)
        self._save([one for event, told, thing in news for one in news_of(event, told, thing, roster)])

    def _save(self, made: list[Made]) -> None:
        self.notices.add([one.notice for one in made])
        quiet = self.outgoing.quiet
        all_saved(self.mailboxes.apply([_posting(one, piece, quiet) for one in made for piece in one.mail]))

    @timer(interval=1)
    def send_messages(self) -> None:
        """Cuts the letters and sends the messages whose time has come, also those that came while no worker ran."""
        try:
            _repeat(self._cut_letters, while_full=MAILBOXES_AT_ONCE)
            _repeat(self._send_due, while_full=MESSAGES_AT_ONCE)
        except (ServiceError, PyMongoError) as error:
            _log.warning("messages wait: %s", type(error).__name__)

    def _cases(self, ids: set[str]) -> dict[str, dict[str, Any]]:
        found = self.cases.collection.find({"_id": {"$in": list(ids)}}, _CASE) if ids else ()
        return {case["_id"]: case for case in found}

    def _writer(self) -> Writer:
        duties = self.duties
        return Writer(
            notices=self.notices.collection, duties=duties.collection, duty_form=duties.form, cases=self.cases.collection
        )

    # -------------------------------------------------------------------------------------------------------------- letters

    def _cut_letters(self) -> int:
        now, quiet = utc_now(), self.outgoing.quiet
        due = _due(self.mailboxes, {"next_at": {"$lte": now, "$type": "date"}}, MAILBOXES_AT_ONCE)
        cut = self.mailboxes.apply([Change(recipient, _cutting(quiet, now)) for recipient in due])
        open_ = [box for box in cut if isinstance(box, Mailbox) and box.letter]
        writer = self._writer()
        written = letters_of(open_, writer=writer, now=now)
        self.deliveries.add(written)
        all_saved(self.mailboxes.apply([Change(box.recipient, _sealing(box, quiet)) for box in open_]))
        return len(due)

    # ------------------------------------------------------------------------------------------------------------- messages

    def _send_due(self) -> int:
        now, claim = utc_now(), new_id()
        due = _due(self.deliveries, {"next_at": {"$lte": now, "$type": "date"}}, MESSAGES_AT_ONCE)
        claimed = self.deliveries.apply([Change(id, _claiming(claim, now)) for id in due])
        ours = [one for one in claimed if isinstance(one, Delivery) and _is_ours(one, claim)]
        writer = self._writer()
        pool = eventlet.GreenPool(MESSAGES_AT_ONCE)
        outcomes = list(pool.imap(lambda one: _attempt(one, self.outgoing.gateways, writer), ours))
        quiet = self.outgoing.quiet
        changes = [
            Change(one.delivery_id, _settling(claim, outcome, quiet)) for one, outcome in zip(ours, outcomes, strict=True)
        ]
        all_saved(self.deliveries.apply(changes))
        return len(due)


def _repeat(work: Callable[[], int], *, while_full: int) -> None:
    """Works off a backlog, for TURN_SECONDS at most: a worker that stops waits for it."""
    until = time.monotonic() + TURN_SECONDS
    while work() == while_full and time.monotonic() < until:
        pass


def _due(documents: BatchRepository[Any], where: dict[str, Any], size: int) -> list[str]:
    found = documents.collection.find(where, {"_id": True}).sort("next_at").limit(size)
    return [row["_id"] for row in found]


def _is_ours(delivery: Delivery, claim: str) -> bool:
    return delivery.state is DeliveryState.SENDING and delivery.claimed_by == claim


def _attempt(delivery: Delivery, gateways: Gateways, writer: Writer) -> bool | Failed:
    """Tries once; returns whether a gateway took it (False: the log), or how it failed."""
    try:
        with eventlet.Timeout(_LONGEST_ATTEMPT, Failed("TIMEOUT")):
            message = _message(delivery, writer)
            return gateways.send(NoticeChannel(delivery.channel), message)
    except Failed as failed:
        _log.warning("message %s failed by %s: %s", delivery.delivery_id, delivery.channel, failed.reason)
        return failed


def _message(delivery: Delivery, writer: Writer) -> Message:
    address = writer.address(delivery)
    if not address:
        raise Failed("NO_ADDRESS", permanent=True)
    data = writer.data(delivery) if delivery.channel is NoticeChannel.WEBHOOK else {}
    return Message(delivery_id=delivery.delivery_id, address=address, text=delivery.text, data=data, at=utc_now())


# ------------------------------------------------------------------------------------------------------------------ decisions


def _posting(made: Made, piece: Piece, quiet: Shift) -> Change:
    def decide(mailbox: Mailbox | None) -> tuple[Mailbox, tuple[Any, ...]]:
        return mailing.post(mailbox, recipient=piece.recipient, entry=piece.entry, quiet=quiet), ()

    # One event may put several notices into one mailbox.
    command = Command(f"{made.event.id}:{piece.entry.notice_id}", made.event.type)
    return Change(piece.recipient, decide, command, made.event.traceparent)


def _cutting(quiet: Shift, now: datetime) -> Any:
    def decide(mailbox: Mailbox | None) -> tuple[Mailbox | None, tuple[Any, ...]]:
        return mailbox and mailing.cut(mailbox, new_id=new_id, quiet=quiet, now=now), ()

    return decide


def _sealing(box: Mailbox, quiet: Shift) -> Any:
    assert box.letter is not None, "only open letters are sealed"
    letter_id = box.letter.letter_id

    def decide(mailbox: Mailbox | None) -> tuple[Mailbox | None, tuple[Any, ...]]:
        return mailbox and mailing.seal(mailbox, letter_id=letter_id, quiet=quiet), ()

    return decide


def _claiming(claim: str, now: datetime) -> Any:
    def decide(delivery: Delivery | None) -> tuple[Delivery | None, tuple[Any, ...]]:
        return delivery and verbs.claim(delivery, claim_id=claim, now=now), ()

    return decide


def _settling(claim: str, outcome: bool | Failed, quiet: Shift) -> Any:
    def decide(delivery: Delivery | None) -> tuple[Delivery | None, tuple[Any, ...]]:
        if delivery is None:
            return None, ()
        now = utc_now()
        if isinstance(outcome, Failed):
            return verbs.fail(
                delivery, claim_id=claim, reason=outcome.reason, permanent=outcome.permanent, quiet=quiet, now=now
            ), ()
        return verbs.confirm(delivery, claim_id=claim, logged_only=not outcome, now=now), ()

    return decide
