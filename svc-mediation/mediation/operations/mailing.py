"""Verbs on mailboxes: one letter per person and minute, with everything that fell together; at night only what cannot wait.

Pure. A mailbox has at most one letter cut and not yet sealed, so a process that dies in between leaves a letter for the next one to
finish, and every entry ends in exactly one letter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from mediation.domain.notice import Entry, Letter, Mailbox
from mediation.quiet import Shift

# One worker may cut a letter with a clock 2 s behind, the next look for one with a clock 2 s ahead.
CLOCKS_APART = timedelta(seconds=4)
# The rule: a person hears from us once a minute at most.
BETWEEN_LETTERS = timedelta(minutes=1) + CLOCKS_APART
# A dispatch, its lights and its rulings come in one burst: what follows within this time goes into the same letter.
GATHER = timedelta(seconds=5)
# Entries a mailbox holds by name; a night in which more happened is told by its number (the pages have them all).
MOST_WAITING = 1_000


def post(mailbox: Mailbox | None, *, recipient: str, entry: Entry, quiet: Shift) -> Mailbox:
    """Returns the mailbox with one more entry; a notice that is in it already changes nothing."""
    mailbox = mailbox or Mailbox(recipient=recipient)
    letter = mailbox.letter.entries if mailbox.letter else ()
    if any(known.notice_id == entry.notice_id for known in (*mailbox.waiting, *letter)):
        return mailbox
    if len(mailbox.waiting) >= MOST_WAITING and not entry.urgent:
        return replace(mailbox, more=mailbox.more + 1)
    return _scheduled(replace(mailbox, waiting=(*mailbox.waiting, entry)), quiet)


def cut(mailbox: Mailbox, *, new_id: Callable[[], str], quiet: Shift, now: datetime) -> Mailbox:
    """Returns the mailbox with a letter cut from all that may go now; before its time, or with a letter still open, as it is."""
    if mailbox.letter is not None or mailbox.next_at is None or mailbox.next_at > now:
        return mailbox
    night = quiet.covers(now)
    going = tuple(entry for entry in mailbox.waiting if entry.urgent or not night)
    if not going:
        return _scheduled(mailbox, quiet, floor=now)
    letter = Letter(letter_id=new_id(), cut_at=now, entries=going, more=0 if night else mailbox.more)
    left = tuple(entry for entry in mailbox.waiting if night and not entry.urgent)
    # `next_at` stays in the past: whoever looks next finishes this letter.
    return replace(mailbox, letter=letter, waiting=left, more=mailbox.more - letter.more, cut_at=now, next_at=now)


def seal(mailbox: Mailbox, *, letter_id: str, quiet: Shift) -> Mailbox:
    """Returns the mailbox without its letter, which has become deliveries; another letter stays."""
    if mailbox.letter is None or mailbox.letter.letter_id != letter_id:
        return mailbox
    return _scheduled(replace(mailbox, letter=None), quiet)


def _scheduled(mailbox: Mailbox, quiet: Shift, *, floor: datetime | None = None) -> Mailbox:
    """Sets when the next letter may be cut: the first time that is right for any entry."""
    if mailbox.letter is not None:
        return mailbox
    if mailbox.cut_at is not None:
        gate = mailbox.cut_at + BETWEEN_LETTERS
        floor = gate if floor is None else max(floor, gate)
    times = (_ready(entry, quiet, floor) for entry in mailbox.waiting)
    return replace(mailbox, next_at=min(times, default=None))


def _ready(entry: Entry, quiet: Shift, floor: datetime | None) -> datetime:
    at = entry.at if entry.urgent else entry.at + GATHER
    if floor is not None:
        at = max(at, floor)
    return at if entry.urgent else quiet.over(at)
