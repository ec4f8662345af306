"""What facts say of suspected domestic violence, which everybody who listens to the broker hears: that something goes on, not what.

反家庭暴力法 5: the privacy of those concerned is kept; sensitive_field.csv: dv_flag is L4. A fact of such a case names ids, states,
departments and times, which departments and the assessment need; instead of its category the one above it (A01, family), instead of its
place the district, and no words, no reporter, no point. Departments with a task read the case itself, which knows who asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

PROTECTED_CATEGORY = "A0105"
"""Cases of suspected domestic violence (dispute_category.csv 0105): hidden from everybody who has no part in the protection."""
_TOLD_CATEGORY = "A01"
_DISTRICT_DIGITS, _GRID_DIGITS = 6, 17
# Free text and people: what is said in these stands in the case.
_WORDS = frozenset({"address", "authority", "demand", "description", "instruction", "reason", "reported_by"})
_PLACES = frozenset({"area_code", "level_area"})

F = TypeVar("F", bound=msgspec.Struct)


def discreet(facts: Sequence[F]) -> tuple[F, ...]:
    """Returns facts of a protected case as they may be published."""
    return tuple(_discreet(fact) for fact in facts)


def _discreet(fact: F) -> F:
    changes = {name: _told(fact, name) for name in fact.__struct_fields__}
    return replace(fact, **{name: told for name, told in changes.items() if told is not getattr(fact, name)})


def _told(fact: msgspec.Struct, name: str) -> Any:
    value = getattr(fact, name)
    if name in _WORDS:
        return ""
    if name == "category":
        return _TOLD_CATEGORY
    if name in _PLACES:
        return value[:_DISTRICT_DIGITS]
    if name == "point":
        # Housing has to find the grid of a report that has none yet: without it nobody would come.
        unlocated = hasattr(fact, "reported_by") and len(getattr(fact, "area_code", "")) < _GRID_DIGITS
        return value if unlocated else None
    if isinstance(value, msgspec.Struct):
        return _discreet(value)
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return discreet(value)
    return value
