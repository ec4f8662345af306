"""What people are told (Notice), who is on duty (Duty), and how messages to one person are gathered (Mailbox) and sent (Delivery).

A notice is what the pages show to a post or a person, at once. Whoever is on duty for that post is told by message as well: the notice
is posted to the person's mailbox, the mailbox cuts a letter at most once a minute, and each letter becomes one delivery per channel.
Addresses are in the roster (and in the case, for its reporter) and nowhere else: mailboxes and deliveries only name where to look.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from mediation.domain.states import ClockKind, Severity


class NoticeKind(StrEnum):
    """What a notice is about."""

    UNSPECIFIED = "unspecified"
    ASSIGNED = "assigned"
    YELLOW = "yellow"
    RED = "red"
    OBJECTED = "objected"
    RULED = "ruled"
    RETURNED = "returned"
    HANDLED = "handled"
    VERIFIED = "verified"
    CLOSED = "closed"
    REJECTED = "rejected"
    REQUESTED = "requested"
    DECIDED = "decided"
    REMOVED = "removed"
    LEADS = "leads"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    INCOMPLETE = "incomplete"
    MERGED = "merged"
    TRANSFERRED = "transferred"
    SUPERVISED = "supervised"
    REPLIED = "replied"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    MEDIATION = "mediation"
    WELFARE = "welfare"
    LIFE_EVENT = "life_event"
    FIELD_CHECK = "field_check"
    CONFLICT = "conflict"
    AUDIT = "audit"


class NoticeChannel(StrEnum):
    """A way to people outside of the pages."""

    SMS = "sms"
    MAIL = "mail"
    WEBHOOK = "webhook"


class Language(StrEnum):
    """Languages of messages."""

    UNSPECIFIED = "unspecified"
    ZH = "zh"
    EN = "en"


class DeliveryState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


_PENDING, _SENDING, _SENT, _DEAD = DeliveryState
DELIVERY_TRANSITIONS: dict[str, tuple[frozenset[DeliveryState | None], DeliveryState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "write": (frozenset({None}), _PENDING),
    # A worker that died in the middle left its claim behind: when the lease is over, another takes the message.
    "claim": (frozenset({_PENDING, _SENDING}), _SENDING),
    "confirm": (frozenset({_SENDING}), _SENT),
    "postpone": (frozenset({_SENDING}), _PENDING),
    "give_up": (frozenset({_SENDING}), _DEAD),
    "replay": (frozenset({_SENT, _DEAD}), _PENDING),
}


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever holds one of `roles`, in `department` if it names one, for an area that contains the case."""

    roles: frozenset[str]
    department: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something a post (`roles`, `department`) or a person (`subject`) is told. `subjects` are those on duty for the post just then.

    What the population register tells has no case: `about_id` is the alert, life event or check it is about. `read_by` holds the
    subjects that have read it. `keep_until` is when the database may forget it.
    """

    notice_id: str
    kind: NoticeKind
    case_id: str
    number: str
    category: str
    severity: Severity
    area_code: str
    happened_at: datetime
    created_at: datetime
    keep_until: datetime
    task_id: str = ""
    department: str = ""
    clock: ClockKind | None = None
    due_at: datetime | None = None
    positive: bool = False
    reason: str = ""
    roles: tuple[str, ...] = ()
    post_department: str = ""
    about_id: str = ""
    subjects: tuple[str, ...] = ()
    read_by: tuple[str, ...] = ()


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on duty. Minutes are those after midnight in Shanghai; 0 to 0 is around the clock."""

    duty_id: str
    subject: str
    name: str
    role: str
    area_code: str
    created_at: datetime
    changed_at: datetime
    department: str = ""
    phone: str = ""
    email: str = ""
    webhook_url: str = ""
    channels: tuple[NoticeChannel, ...] = ()
    language: Language = Language.ZH
    weekdays: tuple[int, ...] = ()
    from_minute: int = 0
    until_minute: int = 0
    at_night: bool = False
    removed_at: datetime | None = None
    revision: int = 0


class DutyDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on duty, as entered."""

    subject: str = ""
    name: str = ""
    role: str = ""
    department: str = ""
    area_code: str = ""
    phone: str = ""
    email: str = ""
    webhook_url: str = ""
    channels: tuple[NoticeChannel, ...] = ()
    language: Language = Language.ZH
    weekdays: tuple[int, ...] = ()
    from_minute: int = 0
    until_minute: int = 0
    at_night: bool = False


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the address of somebody is found: a duty, or the reporter of a case."""

    duty_id: str = ""
    case_id: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One notice in a mailbox. `urgent`: it does not wait for the end of quiet hours."""

    notice_id: str
    contact: Contact
    at: datetime
    urgent: bool = False


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to one person at once, oldest first; `more` notices are only counted."""

    letter_id: str
    cut_at: datetime
    entries: tuple[Entry, ...]
    more: int = 0


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """What one person is still to be told by message.

    `letter` is cut and not yet turned into deliveries. `next_at` is when something has to happen; None: nothing waits. `cut_at` is when
    the last letter was cut. `more` counts notices beyond those the mailbox holds by name.
    """

    recipient: str
    waiting: tuple[Entry, ...] = ()
    more: int = 0
    letter: Letter | None = None
    cut_at: datetime | None = None
    next_at: datetime | None = None


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that failed, and why (no addresses)."""

    at: datetime
    reason: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person by one channel.

    `claimed_by` is the claim under which it is being sent. `next_at` is the time of the next attempt, or the end of the claim.
    """

    delivery_id: str
    channel: NoticeChannel
    state: DeliveryState
    recipient: str
    contact: Contact
    area_code: str
    notice_ids: tuple[str, ...]
    notice_count: int
    text: str
    urgent: bool
    created_at: datetime
    keep_until: datetime
    next_at: datetime | None = None
    claimed_by: str = ""
    sent_at: datetime | None = None
    tries: int = 0
    failures: tuple[DeliveryAttempt, ...] = ()
    logged_only: bool = False
