"""The history of a case as a chain: each entry carries a digest of itself and of everything before it.

An entry says who (`by`), when (`at`), from where (`origin`), what (`verb`, `task_id`, `state`, `content`) and why (`remark`). Its digest
is SHA-256 over the digest before it and all of these; the first entry follows the case's id. The case keeps how many entries there are
and the digest of the last, so neither an entry in the middle nor one at the end can be altered, removed, added or moved unseen. What
was said at length (a result, a reply, photographs) lies where it is used; the entry holds its digest, `content`. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec.structs import replace

from mediation.domain import Actor, Case, History, Step, Task, TaskState
from svckit.errors import FailedPrecondition

# The newest entries stay in the case; the archive takes older ones once there are so many more.
KEPT, ARCHIVED_AT_ONCE = 100, 100
# Nobody may fill a case faster than the archive empties it: a document holds 16 MB, an entry at most 2.5 KB.
MOST_IN_CASE = 2_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_GONE = "-"
_FIELDS = frozenset(Step.__struct_fields__)
_SAID = {"report_case": "case", "submit_case": "case", "resubmit_case": "case", "verify_case": "check", "report_result": "grid"}


class Flaw(msgspec.Struct, frozen=True):
    """The first entry that is not what it was: its place (0 is the oldest) and what is wrong with it."""

    entry: int
    why: str


class BrokenChain(ValueError):
    """A stored entry is none."""


def append(case: Case, step: Step) -> tuple[tuple[Step, ...], History]:
    """Returns the entries of a case with one more, and where the chain then stands.

    Raises FailedPrecondition (HISTORY_FULL) when the archive has not kept up.
    """
    if len(case.steps) >= MOST_IN_CASE:
        raise FailedPrecondition("The history of this case is being archived: try again shortly.", reason="HISTORY_FULL")
    sealed = replace(step, digest=seal(case.history.head or case.case_id, step))
    history = replace(case.history, count=case.history.count + 1, head=sealed.digest)
    return (*case.steps, sealed), history


def archive_at(case: Case) -> datetime | None:
    """Returns since when the oldest entries wait for the archive; None while a case holds few."""
    if len(case.steps) < KEPT + ARCHIVED_AT_ONCE:
        return None
    return case.archive_at or case.steps[-1].at


def oldest(case: Case) -> tuple[Step, ...]:
    """Returns the entries the archive takes next."""
    return case.steps[:ARCHIVED_AT_ONCE]


def trimmed(case: Case, *, archived: int) -> Case:
    """Returns the case without entries that lie in the archive, where `archived` are now; it forgets none that is not there."""
    over = archived - case.history.archived
    if not 0 < over <= len(case.steps) - KEPT:
        return case
    shorter = replace(case, steps=case.steps[over:], history=replace(case.history, archived=archived))
    return replace(shorter, archive_at=archive_at(shorter))


def seal(previous: str, step: Step) -> str:
    """Returns the digest of an entry that follows `previous` (64 lower-case hexadecimal digits)."""
    at = (step.at - _EPOCH) // _MILLISECOND
    fields = (previous, at, step.by, step.origin, step.verb, step.task_id, step.state, step.remark, step.content)
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


def content_of(*said: Any) -> str:
    """Returns the digest of what was said or shown (32 hexadecimal digits), "" for nothing at all."""
    if not any(said):
        return ""
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=16).hexdigest()


def origin_of(by: Actor) -> str:
    """Returns from where somebody acts: the department, or the area, or "*" for everywhere."""
    return by.department or by.area or "*"


def reported(case: Case) -> str:
    """Returns the digest of what the reporter said."""
    return content_of(case.category, case.description, case.address, case.point, case.photos)


def done(task: Task, reply: str) -> str:
    """Returns the digest of a department's result; `reply` is the unified reply if this task gave one."""
    return content_of(task.result, task.evidence, reply)


# ------------------------------------------------------------------------------------------------------------------ checking


def verify(case_id: str, entries: Iterable[Mapping[str, Any]], history: Mapping[str, Any]) -> Flaw | None:
    """Returns the first flaw of a stored history, oldest entry first (archive, then case); None when it is whole.

    `history` is the case's own field: how many entries there are, and the digest of the last.
    """
    previous, count = case_id, 0
    for count, entry in enumerate(entries, 1):
        try:
            step = _step(entry)
        except BrokenChain as error:
            return Flaw(count - 1, str(error))
        if step.digest != seal(previous, step):
            return Flaw(count - 1, "this entry was altered, or what stood before it was removed or moved")
        previous = step.digest
    return _end(count, previous if count else "", history)


def archived_of(document: Mapping[str, Any]) -> int:
    """Returns how many of the oldest entries of a case's document lie in the archive."""
    return int((document.get("history") or {}).get("archived", 0))


def flaw_of(document: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Flaw | None:
    """Returns the first flaw of a case: in the chain of its entries, else in what was said in them; None when it is whole.

    `document` is the case as it is stored, `entries` its whole history, oldest first.
    """
    if not entries:
        return Flaw(0, "its history is gone: a case has at least the step that made it")
    if flaw := verify(document["_id"], entries, document.get("history") or {}):
        return flaw
    try:
        case = msgspec.convert({**document, "case_id": document["_id"]}, Case, builtin_types=(datetime,))
    except msgspec.ValidationError as error:
        return Flaw(len(entries) - 1, f"the case is none any more: {error}")
    if case.state != entries[-1]["state"]:
        return Flaw(len(entries) - 1, f"the case says {case.state}, its last entry {entries[-1]['state']}")
    return verify_contents(case, [_step(entry) for entry in entries])


def _end(count: int, head: str, history: Mapping[str, Any]) -> Flaw | None:
    expected = history.get("count", 0)
    if count < expected:
        return Flaw(count, f"{expected - count} entries are missing at the end")
    if count > expected or head != history.get("head", ""):
        return Flaw(max(count - 1, 0), "the chain ends otherwise than the case says")
    return None


def _step(entry: Mapping[str, Any]) -> Step:
    if unknown := set(entry) - _FIELDS:
        raise BrokenChain(f"this entry has a field it never had: {min(map(str, unknown))}")
    if any(type(value) not in (str, datetime) for value in entry.values()):
        raise BrokenChain("this entry holds something else than texts and a time")
    try:
        return msgspec.convert(entry, Step, builtin_types=(datetime,))
    except msgspec.ValidationError as error:
        raise BrokenChain(f"this entry is none: {error}") from error


def verify_contents(case: Case, entries: Sequence[Step]) -> Flaw | None:
    """Returns the first entry whose words are no longer those that lie in the case (results, notes, photographs); None for none.

    `entries` is the whole history. What was replaced since (the result of a task that was sent back) has no words left to compare.
    """
    for place, words in _contents(case, entries):
        if entries[place].content != words:
            return Flaw(place, "what was said in this step was altered afterwards")
    return _workspace_flaw(case, entries)


def _workspace_flaw(case: Case, entries: Sequence[Step]) -> Flaw | None:
    """The first entry of the workspace that is not what its step recorded; nothing is ever taken out of a workspace."""
    left = {entry.entry_id: entry for entry in case.workspace}
    for place, step in enumerate(entries):
        if step.verb != "add_entry":
            continue
        entry = left.pop(step.remark, None)
        if entry is None:
            return Flaw(place, "what was written into the workspace in this step was removed")
        said = content_of(entry.kind, entry.text, entry.visibility, entry.attachments)
        if (entry.by, entry.at, said) != (step.by, step.at, step.content):
            return Flaw(place, "what was written into the workspace in this step was altered afterwards")
    if left:
        return Flaw(len(entries) - 1, "the workspace holds an entry that no step wrote")
    return None


def _contents(case: Case, entries: Sequence[Step]) -> Iterator[tuple[int, str]]:
    last = {(step.verb, step.task_id): place for place, step in enumerate(entries)}
    newest = {_SAID[verb]: place for (verb, _), place in sorted(last.items(), key=lambda item: item[1]) if verb in _SAID}
    if "case" in newest:
        yield newest["case"], reported(case)
    if "check" in newest and case.verification:
        yield newest["check"], content_of(case.verification.text, case.verification.photos)
    if "grid" in newest and case.self_handling:
        yield newest["grid"], content_of(case.self_handling.result, case.self_handling.evidence)
    # The reply of an earlier round made room for that of the last one.
    for task in (*(task for task in case.earlier_tasks if not task.is_lead), *case.tasks):
        yield from _contents_of_task(task, case.unified_reply, last, entries)


def _contents_of_task(
    task: Task, reply: str, last: Mapping[tuple[str, str], int], entries: Sequence[Step]
) -> Iterator[tuple[int, str]]:
    notes = [place for place, step in enumerate(entries) if (step.verb, step.task_id) == ("report_progress", task.task_id)]
    end = len(entries) - 1
    for place, note in zip_longest(notes, task.progress, fillvalue=None):
        # Of a note that is gone, or that no step wrote, the words are none that were ever said.
        words = _GONE if note is None or place is None else content_of(note.text, note.attachments)
        yield end if place is None else place, words
    place = last.get(("complete_task", task.task_id))
    if place is not None and task.state is TaskState.DONE:
        yield place, done(task, reply if task.is_lead else "")
