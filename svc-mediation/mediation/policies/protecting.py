"""What ordinary roles never see, and what nobody may write down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mediation.domain import Actor
from mediation.domain.discretion import PROTECTED_CATEGORY as PROTECTED_CATEGORY
from mediation.policies.free_text import check_link, check_words

# Those who protect, send help, or answer for the data; the community's head has to report it (反家庭暴力法 14). IMPORTER and SERVICE act
# for them.
PROTECTED_READERS = frozenset({"GRID_POLICE", "GRID_SUPERVISOR", "DISPATCHER", "AUDITOR", "DPO", "IMPORTER", "SERVICE"})
PROTECTING_DEPARTMENTS = frozenset({"PSB"})


def sees_protected(by: Actor) -> bool:
    """Tells whether the caller may know of suspected domestic violence."""
    return not by.roles.isdisjoint(PROTECTED_READERS) or by.department in PROTECTING_DEPARTMENTS


def hidden_from(category: str, departments: Iterable[str], by: Actor) -> bool:
    """Tells whether a case of this category, with tasks of these departments, is hidden from the caller."""
    if category != PROTECTED_CATEGORY or sees_protected(by):
        return False
    return not by.department or by.department not in departments


def check_texts(fields: Mapping[str, Any]) -> None:
    """Raises InvalidArgument naming the first field of a request, however deep, that says what must never be stored.

    RESTRICTED_CONTENT: a word of restricted_terms.yaml. RECORDING_NOT_ALLOWED: a link to a recording of voices.
    """
    for path, text in _texts(fields, ""):
        check_words(text, field=path)
        if path.endswith(".uri"):
            check_link(text, field=path)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _texts(part, f"{path}[{index}]")
