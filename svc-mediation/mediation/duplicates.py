"""How likely two reports are about the same thing: by place, kind, time and words. Pure; a person decides.

Weights and bounds are ours: what lies on the same corner and is told in the same words counts most.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from mediation.domain import Point
from mediation.policies import distance_m

WEIGHTS = {"place": 0.4, "text": 0.3, "category": 0.2, "time": 0.1}
# Below this likeness nobody is bothered.
LIKELY = 0.45
FAR_M = 250.0
APART = timedelta(days=7)
_GRID_DIGITS, _COMMUNITY_DIGITS = 17, 12
_SAME_GRID, _SAME_COMMUNITY = 0.5, 0.2


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """How alike two cases are, each part and the whole from 0 to 1."""

    score: float
    place: float
    category: float
    time: float
    text: float


def likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> Likeness:
    """Compares two cases, given as documents (point, area_code, category, reported_at, description, address). Symmetric."""
    parts = {
        "place": _place(one, other),
        "category": _category(one["category"], other["category"]),
        "time": max(0.0, 1 - abs(one["reported_at"] - other["reported_at"]) / APART),
        "text": text_likeness(_words(one), _words(other)),
    }
    return Likeness(score=round(sum(parts[name] * weight for name, weight in WEIGHTS.items()), 4), **parts)


def likeliest(
    case: Mapping[str, Any], candidates: Iterable[Mapping[str, Any]], *, most: int
) -> list[tuple[Mapping[str, Any], Likeness]]:
    """Returns the candidates that may be the same, likeliest first, older ones first where they are equally likely."""
    compared = ((other, likeness(case, other)) for other in candidates if other["case_id"] != case["case_id"])
    found = [(other, alike) for other, alike in compared if alike.score >= LIKELY]
    return sorted(found, key=lambda pair: (-pair[1].score, pair[0]["reported_at"], pair[0]["case_id"]))[:most]


def text_likeness(one: str, other: str) -> float:
    """Returns the share of neighbouring pairs of characters two texts have in common (Dice), which needs no word boundaries."""
    first, second = _pairs(one), _pairs(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


def _pairs(text: str) -> Counter[str]:
    plain = "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum())
    return Counter(plain[place : place + 2] for place in range(len(plain) - 1))


def _words(case: Mapping[str, Any]) -> str:
    return f"{case.get('description', '')} {case.get('address', '')}"


def _place(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    here, there = one.get("point"), other.get("point")
    if here and there:
        return max(0.0, 1 - distance_m(Point(**here), Point(**there)) / FAR_M)
    areas = one["area_code"], other["area_code"]
    if areas[0] == areas[1] and len(areas[0]) == _GRID_DIGITS:
        return _SAME_GRID
    community = {area[:_COMMUNITY_DIGITS] for area in areas}
    return _SAME_COMMUNITY if len(community) == 1 and len(community.pop()) == _COMMUNITY_DIGITS else 0.0


def _category(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if one[:3] == other[:3]:
        return 0.6
    return 0.3 if one[:1] == other[:1] else 0.0
