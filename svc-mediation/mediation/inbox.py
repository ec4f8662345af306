"""What stands in the inboxes of departments: for each department of a case the mark of its first open task. Pure.

A mark is the due time and the case id as one text, so that marks sort as the inbox does, are unique, and one wildcard index on
`Case.inbox` keeps the inboxes of all departments in order: it changes only when a task opens, ends or gets another limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from mediation.domain.case import Task

# Key of the first open task of any department. Codes of departments are written in capitals.
ANY = "any"
# Tasks that wait for others are due at no time yet: they stand last.
FAR = datetime(9999, 1, 1, tzinfo=UTC)
_TIME_LENGTH = len("2026-11-22T10:30:00.000")


def marks(tasks: Iterable[Task], *, case_id: str) -> dict[str, str]:
    """Returns the mark of every department that has an open task, and that of the first of them all."""
    due: dict[str, datetime] = {}
    for task in tasks:
        if task.is_open:
            at, first = task.due_at or FAR, due.get(task.department)
            due[task.department] = at if first is None else min(at, first)
    found = {department: mark(at, case_id) for department, at in due.items()}
    if found:
        # Marks sort as their times do.
        found[ANY] = min(found.values())
    return found


# Every verb marks the open tasks of its case, which mostly are due when they were.
@lru_cache(maxsize=4096)
def mark(at: datetime, case_id: str = "") -> str:
    """Returns the mark of a due time; without a case id the one before all marks of that time."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:_TIME_LENGTH]}/{case_id}"


def due_of(text: str) -> datetime:
    """Returns the due time of a mark."""
    return datetime.fromisoformat(text[:_TIME_LENGTH]).replace(tzinfo=UTC)
