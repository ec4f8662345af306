"""Verbs on kept searches. Nobody else has to hear of them: they leave no facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from mediation.domain import Actor
from mediation.domain.search import SavedSearch
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound

MOST_KEPT = 100

Kept = tuple[SavedSearch, tuple[()]]


class SearchNotFound(NotFound):
    """No such search, or somebody else's."""

    default_reason = "SEARCH_NOT_FOUND"


def save_search(
    *,
    search_id: str,
    name: str,
    shared: bool,
    kept: int,
    by: Actor,
    now: datetime,
    cases: dict[str, Any] | None = None,
    tasks: dict[str, Any] | None = None,
) -> SavedSearch:
    """Returns a search kept by the caller, who keeps `kept` others already; `cases` or `tasks` are the fields of its filter.

    Raises FailedPrecondition (TOO_MANY_SEARCHES) and InvalidArgument (NO_DEPARTMENT: nobody to share it with; NAME_EMPTY).
    """
    if kept >= MOST_KEPT:
        raise FailedPrecondition(f"Nobody keeps more than {MOST_KEPT} searches.", reason="TOO_MANY_SEARCHES")
    if shared and not by.department:
        raise InvalidArgument("You act for no department to share it with.", field="shared", reason="NO_DEPARTMENT")
    if not name.strip():
        raise InvalidArgument("A search needs a name.", field="name", reason="NAME_EMPTY")
    department = by.department if shared else ""
    return SavedSearch(
        search_id=search_id, name=name.strip(), owner=by.subject, saved_at=now, department=department, cases=cases, tasks=tasks
    )


def forget_search(search: SavedSearch, *, by: Actor, now: datetime) -> Kept:
    """Takes a search out of all lists; a shared one only its owner forgets. Raises SearchNotFound."""
    if search.owner != by.subject or search.forgotten_at:
        raise SearchNotFound(f"Search {search.search_id} does not exist.")
    return replace(search, forgotten_at=now), ()
