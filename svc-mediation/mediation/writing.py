"""From facts to notices, and from letters to deliveries: who is on duty, where they are reached, what the message says.

Reads the roster and the cases; what it returns is saved by the worker. Addresses leave this module only towards a gateway.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from binglian.mediation.v1 import notice_pb2

from mediation.domain import ServiceActor
from mediation.domain.notice import (
    Contact,
    Delivery,
    DeliveryState,
    Duty,
    Entry,
    Language,
    Letter,
    Mailbox,
    Notice,
    NoticeChannel,
    Post,
)
from mediation.domain.states import Severity
from mediation.operations.roster import is_on_duty
from mediation.phrases import message_text
from mediation.policies.protecting import PROTECTED_CATEGORY, hidden_from
from mediation.telling import Told, is_history, tell, when
from svckit.bus import Event
from svckit.documents import Form, utc_now
from svckit.event_codec import message_json

Document = dict[str, Any]
# Half a year: longer than any case is disputed afterwards.
KEPT = timedelta(days=180)
# Notices a delivery names.
MOST_NAMED = 50
# city, district, street, community, grid (area_code_rule.yaml)
_LEVELS = (4, 6, 9, 12, 17)
_NAMESPACE = uuid.UUID("5d0b6d0e-4c0b-5b52-9a5c-0d8f8a2f5b11")
_HIDDEN = {"outbox": False, "commands": False, "created_by": False}


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One entry for one mailbox."""

    recipient: str
    entry: Entry


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A notice, and the mail it makes. `event` caused it."""

    event: Event
    notice: Notice
    mail: tuple[Piece, ...]


class Roster:
    """Everybody who may be on duty for the cases at hand."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties

    @classmethod
    def of(cls, duties: Any, cases: Iterable[Document], *, form: Form[Duty]) -> Roster:
        """Reads the duties of all areas that contain one of the cases."""
        areas = sorted({area for case in cases for area in containing(case["area_code"])})
        found = duties.find({"removed_at": None, "area_code": {"$in": areas}}, _HIDDEN) if areas else ()
        return cls([form.state(row) for row in found])

    def on_duty(self, post: Post, *, area_code: str, at: datetime) -> list[Duty]:
        """Returns who holds a post for an area at an instant."""
        return [
            duty
            for duty in self._duties
            if duty.role in post.roles
            and duty.department == post.department
            and area_code.startswith(duty.area_code)
            and is_on_duty(duty, at=at)
        ]


def containing(area_code: str) -> tuple[str, ...]:
    """Returns the codes of an area and of all it lies in."""
    return tuple(area_code[:length] for length in _LEVELS if length <= len(area_code))


# ------------------------------------------------------------------------------------------------------------------- notices


def followed(case: Document) -> list[str]:
    """Returns the ids of the cases that were merged into this one and whose reporters hear what its reporter hears."""
    return [one["case_id"] for one in case.get("followers", ()) if one.get("left_at") is None]


def notices_of(event: Event, fields: Mapping[str, Any], cases: Mapping[str, Document], roster: Roster) -> Iterator[Made]:
    """Returns what one fact makes us tell, each to its recipient once; nothing for what happened long ago.

    `cases` holds the stored case of the fact and those that follow it; of a case that is not there nothing is told.
    """
    happened_at = when(fields, event.time)
    case = cases.get(fields["case_id"])
    if case is None or is_history(happened_at, event.time):
        return
    mailed: set[tuple[str, str]] = set()
    for told in tell(event.type, fields, case):
        for notice, pieces in _told(event, told, case, cases, roster, happened_at):
            fresh = tuple(piece for piece in pieces if (piece.recipient, told.task_id) not in mailed)
            # Who holds two posts (a department and its overseer) gets one message about one thing.
            mailed.update((piece.recipient, told.task_id) for piece in fresh)
            yield Made(event=event, notice=notice, mail=fresh)


def news_of(event: Event, told: Told, thing: Document, roster: Roster) -> Iterator[Made]:
    """Returns what a fact of the register makes us tell a post; `thing` is what it is about."""
    if not is_history(event.time, utc_now()):
        for notice, pieces in _told(event, told, thing, {}, roster, event.time):
            yield Made(event=event, notice=notice, mail=tuple(pieces))


def _told(
    event: Event, told: Told, case: Document, cases: Mapping[str, Document], roster: Roster, happened_at: datetime
) -> Iterator[tuple[Notice, list[Piece]]]:
    if told.post is not None:
        duties = roster.on_duty(told.post, area_code=case["area_code"], at=event.time)
        notice = _to_post(event, told, told.post, case, duties, happened_at)
        yield notice, list(_to_duties(notice, duties))
        return
    followers = followed(case) if told.followed else []
    for one in (case, *(cases[id] for id in followers if id in cases)):
        notice = _to_reporter(event, told, one, happened_at)
        yield notice, list(_to_phone(notice, one))


def _to_post(event: Event, told: Told, post: Post, case: Document, duties: Sequence[Duty], happened_at: datetime) -> Notice:
    recipient = f"{','.join(sorted(post.roles))}:{post.department}"
    return msgspec.structs.replace(
        _notice(event, told, case, recipient, happened_at),
        roles=tuple(sorted(post.roles)),
        post_department=post.department,
        subjects=tuple(dict.fromkeys(duty.subject for duty in duties if _may_know(duty, case))),
    )


def _to_reporter(event: Event, told: Told, case: Document, happened_at: datetime) -> Notice:
    # Each case has one reporter, whatever its followers are.
    notice = _notice(event, told, case, f"reporter:{case['_id']}", happened_at)
    return msgspec.structs.replace(notice, subjects=(case["reporter"]["subject"],))


def _notice(event: Event, told: Told, case: Document, recipient: str, happened_at: datetime) -> Notice:
    return Notice(
        notice_id=str(uuid.uuid5(_NAMESPACE, f"{event.id}:{told.task_id}:{recipient}")),
        kind=told.kind,
        case_id=case["_id"],
        number=case["number"],
        category=case["category"],
        severity=Severity(case["severity"]),
        area_code=case["area_code"],
        happened_at=happened_at,
        created_at=event.time,
        keep_until=event.time + KEPT,
        task_id=told.task_id,
        department=told.department,
        clock=told.clock,
        due_at=told.due_at,
        positive=told.positive,
        reason=told.reason,
        about_id=told.about_id,
    )


def _to_duties(notice: Notice, duties: Sequence[Duty]) -> Iterator[Piece]:
    for duty in duties:
        if duty.channels and duty.subject in notice.subjects:
            urgent = notice.severity is Severity.S1 or duty.at_night
            contact = Contact(duty_id=duty.duty_id)
            entry = Entry(notice_id=notice.notice_id, contact=contact, at=notice.created_at, urgent=urgent)
            yield Piece(recipient=duty.subject, entry=entry)


def _to_phone(notice: Notice, case: Document) -> Iterator[Piece]:
    """Reporters who gave a number; but never where somebody at home might read it over their shoulder."""
    if case["reporter"].get("phone") and notice.category != PROTECTED_CATEGORY:
        contact = Contact(case_id=notice.case_id)
        urgent = notice.severity is Severity.S1
        entry = Entry(notice_id=notice.notice_id, contact=contact, at=notice.created_at, urgent=urgent)
        yield Piece(recipient=case["reporter"]["subject"], entry=entry)


def _may_know(duty: Duty, case: Document) -> bool:
    """Tells whether somebody on duty may know of the case: suspected domestic violence is hidden from ordinary roles."""
    departments = {task["department"] for task in case.get("tasks", ())}
    by = ServiceActor(subject=duty.subject, department=duty.department, roles=frozenset({duty.role}))
    return not hidden_from(case["category"], departments, by)


# ---------------------------------------------------------------------------------------------------------------- deliveries


class _Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way to somebody."""

    channel: NoticeChannel
    address: str
    language: Language
    area_code: str


class Writer:
    """Looks up what messages need: notices, the roster's addresses, reporters' numbers."""

    def __init__(self, *, notices: Any, duties: Any, duty_form: Form[Duty], cases: Any) -> None:
        self._notices = notices
        self._duties = duties
        self._form = duty_form
        self._cases = cases

    def notices(self, ids: Iterable[str]) -> dict[str, Document]:
        """Returns stored notices by id."""
        return {row["_id"]: row for row in self._notices.find({"_id": {"$in": list(ids)}}, _HIDDEN)}

    def ways(self, contacts: Iterable[Contact]) -> dict[Contact, list[_Way]]:
        """Returns the ways to each contact; none for who left the roster meanwhile."""
        known = list(contacts)
        duties = [one.duty_id for one in known if one.duty_id]
        cases = [one.case_id for one in known if one.case_id]
        found: dict[Contact, list[_Way]] = {}
        for row in self._duties.find({"_id": {"$in": duties}, "removed_at": None}, _HIDDEN) if duties else ():
            found[Contact(duty_id=row["_id"])] = _ways_to(self._form.state(row))
        wanted = {"reporter.phone": True, "area_code": True}
        for row in self._cases.find({"_id": {"$in": cases}}, wanted) if cases else ():
            found[Contact(case_id=row["_id"])] = _ways_to_reporter(row)
        return found

    def address(self, delivery: Delivery) -> str:
        """Returns where a delivery goes now, "" when that is not known any more."""
        ways = self.ways([delivery.contact]).get(delivery.contact, [])
        return next((way.address for way in ways if way.channel is delivery.channel), "")

    def data(self, delivery: Delivery) -> dict[str, Any]:
        """Returns what a system gets beside the text: the notices in proto3 JSON."""
        found = self.notices(delivery.notice_ids)
        rows = [{**found[id], "notice_id": id} for id in delivery.notice_ids if id in found]
        told = [json.loads(message_json(notice_pb2.Notice.DESCRIPTOR, row)) for row in rows]
        return {"deliveryId": delivery.delivery_id, "noticeCount": delivery.notice_count, "notices": told}


def _ways_to(duty: Duty) -> list[_Way]:
    addresses = {
        NoticeChannel.SMS: duty.phone,
        NoticeChannel.MAIL: duty.email,
        NoticeChannel.WEBHOOK: duty.webhook_url,
    }
    return [
        _Way(channel=channel, address=addresses[channel], language=duty.language, area_code=duty.area_code)
        for channel in duty.channels
    ]


def _ways_to_reporter(case: Document) -> list[_Way]:
    phone = case.get("reporter", {}).get("phone", "")
    return [_Way(channel=NoticeChannel.SMS, address=phone, language=Language.ZH, area_code=case["area_code"])] if phone else []


def letters_of(mailboxes: Sequence[Mailbox], *, writer: Writer, now: datetime) -> list[Delivery]:
    """Returns the deliveries of all open letters: one for each address."""
    letters = [(box.recipient, box.letter) for box in mailboxes if box.letter]
    ways = writer.ways({entry.contact for _, letter in letters for entry in letter.entries})
    notices = writer.notices({entry.notice_id for _, letter in letters for entry in letter.entries})
    return [one for recipient, letter in letters for one in _deliveries(recipient, letter, ways, notices, now)]


def _deliveries(
    recipient: str, letter: Letter, ways: Mapping[Contact, list[_Way]], notices: Mapping[str, Document], now: datetime
) -> Iterator[Delivery]:
    # Several duties of one person may share a number; different reports of one counter do not.
    groups: dict[tuple[NoticeChannel, str], list[tuple[Entry, _Way]]] = {}
    for entry in letter.entries:
        for way in ways.get(entry.contact, ()):
            if entry.notice_id in notices:
                groups.setdefault((way.channel, way.address), []).append((entry, way))
    for (channel, _), members in groups.items():
        first, way = members[0]
        ids = tuple(dict.fromkeys(entry.notice_id for entry, _ in members))
        count = len(ids) + letter.more
        told = [notices[id] for id in ids[:MOST_NAMED]]
        where = first.contact.duty_id or first.contact.case_id
        yield Delivery(
            delivery_id=str(uuid.uuid5(_NAMESPACE, f"{letter.letter_id}:{channel}:{where}")),
            channel=channel,
            state=DeliveryState.PENDING,
            recipient=recipient,
            contact=first.contact,
            area_code=way.area_code,
            notice_ids=ids[:MOST_NAMED],
            notice_count=count,
            text=message_text(told, count=count, language=way.language),
            urgent=any(entry.urgent for entry, _ in members),
            created_at=now,
            keep_until=now + KEPT,
            next_at=now,
        )
