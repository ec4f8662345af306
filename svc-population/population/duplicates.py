"""How likely two entries are one person, field by field, after Fellegi and Sunter: every field weighs as many bits as it is more often seen
like that of one person than of two. Pure.

The shares below are estimates for a register of some millions (P: to be checked against merges people confirm); they are chosen by the kind
of field, not by any data set. The prior says how rare two entries of one person are among all pairs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import combinations

from population.domain.merge import Agreement, DuplicateScore, FieldScore
from population.domain.residence import ResidenceKind
from population.domain.resident import Resident
from population.policies.residences import lasting_residences

SUGGESTED_FROM = 0.5
"""Probability from which a pair is shown to people."""
PRIOR_BITS = -28.5
"""One entry in 200 is double among 4 million: 20,000 pairs of 8 × 10¹²."""
# Groups larger than this say little (a street where nobody's house is known): they are not paired.
_LARGEST_GROUP = 60

# Field → how it compares → (share seen of one person, share seen of two).
_SHARES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "id_number": {"same": (0.98, 1e-8), "different": (0.001, 1.0)},
    "name": {"same": (0.90, 0.0001), "sound": (0.06, 0.0005), "near": (0.02, 0.01), "different": (0.02, 0.989)},
    "birth_date": {"same": (0.95, 0.00004), "near": (0.03, 0.005), "different": (0.02, 0.995)},
    "sex": {"same": (0.99, 0.5), "different": (0.01, 0.5)},
    "phone": {"same": (0.5, 0.0006), "different": (0.5, 0.9994)},
    "home": {"same": (0.5, 0.0004), "different": (0.5, 0.9996)},
    "area_code": {"same": (0.7, 0.003), "near": (0.2, 0.1), "different": (0.1, 0.897)},
}
_SAID = {
    ("id_number", "same"): "有相同的证件号码",
    ("id_number", "different"): "同类证件的号码不同",
    ("name", "same"): "姓名相同",
    ("name", "sound"): "姓名同音",
    ("name", "near"): "姓名相近",
    ("name", "different"): "姓名不同",
    ("birth_date", "same"): "出生日期相同",
    ("birth_date", "near"): "出生日期仅差一位，或月日对调",
    ("birth_date", "different"): "出生日期不同",
    ("sex", "same"): "性别相同",
    ("sex", "different"): "性别不同",
    ("phone", "same"): "联系电话相同",
    ("phone", "different"): "联系电话不同",
    ("home", "same"): "现住同一房屋或同属一户",
    ("home", "different"): "现住房屋不同",
    ("area_code", "same"): "在同一社区",
    ("area_code", "near"): "在同一区县",
    ("area_code", "different"): "在不同区县",
}
_AGREEMENTS = {
    "same": Agreement.SAME,
    "sound": Agreement.NEAR,
    "near": Agreement.NEAR,
    "different": Agreement.DIFFERENT,
    "": Agreement.MISSING,
}


def score(one: Resident, other: Resident) -> DuplicateScore:
    """Returns how likely two entries are one person, and why."""
    fields = tuple(_scored(field, compare(one, other)) for field, compare in _COMPARED.items())
    total = PRIOR_BITS + sum(field.bits for field in fields)
    return DuplicateScore(
        fields=fields, prior_bits=PRIOR_BITS, total_bits=round(total, 2), probability=round(1 / (1 + 2**-total), 4)
    )


def likely_pairs(
    residents: Collection[Resident], *, dismissed: Collection[frozenset[str]] = ()
) -> list[tuple[Resident, Resident, DuplicateScore]]:
    """Returns the pairs of these people that may be one person, most likely first; without those people said are two."""
    found = []
    for one, other in _candidate_pairs(residents):
        if frozenset((one.resident_id, other.resident_id)) not in dismissed:
            scored = score(one, other)
            if scored.probability >= SUGGESTED_FROM:
                found.append((one, other, scored))
    return sorted(found, key=lambda pair: -pair[2].total_bits)


def _scored(field: str, level: str) -> FieldScore:
    if not level:
        return FieldScore(field=field, agreement=Agreement.MISSING, bits=0.0, said="缺少，无法比较")
    of_one, of_two = _SHARES[field][level]
    return FieldScore(
        field=field, agreement=_AGREEMENTS[level], bits=round(math.log2(of_one / of_two), 2), said=_SAID[field, level]
    )


def _candidate_pairs(residents: Collection[Resident]) -> Iterator[tuple[Resident, Resident]]:
    """Pairs that share something: comparing everybody with everybody would take hours."""
    groups: dict[tuple[str, object], list[Resident]] = defaultdict(list)
    for resident in residents:
        for key in _shared_keys(resident):
            groups[key].append(resident)
    seen: set[tuple[str, str]] = set()
    for group in groups.values():
        if len(group) > _LARGEST_GROUP:
            continue
        for one, other in combinations(group, 2):
            pair = (min(one.resident_id, other.resident_id), max(one.resident_id, other.resident_id))
            if pair[0] != pair[1] and pair not in seen:
                seen.add(pair)
                yield one, other


def _shared_keys(resident: Resident) -> Iterator[tuple[str, object]]:
    for key in resident.name_keys:
        yield "name", key
    for index in _numbers(resident):
        yield "number", index
    if resident.phone:
        yield "phone", resident.phone.index
    if resident.birth_date:
        yield "born", resident.birth_date


def _of_number(one: Resident, other: Resident) -> str:
    if _numbers(one) & _numbers(other):
        return "same"
    return "different" if _kinds(one) & _kinds(other) else ""


def _numbers(resident: Resident) -> set[bytes]:
    numbers = (resident.id_number, *(document.number for document in resident.documents))
    return {number.index for number in numbers if number}


def _kinds(resident: Resident) -> set[str]:
    kinds = {document.id_doc_type for document in resident.documents}
    return kinds | {resident.id_doc_type} if resident.id_number else kinds


def _of_name(one: Resident, other: Resident) -> str:
    if one.name == other.name:
        return "same"
    if set(one.name_keys) & set(other.name_keys):
        return "sound"
    return "near" if _is_near(one.name, other.name) else "different"


def _is_near(one: str, other: str) -> bool:
    """One character of three differs, or few letters of many."""
    if len(one) == len(other) <= 4:
        return len(one) >= 3 and _differences(one, other) == 1
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= 0.85


def _of_birth_date(one: Resident, other: Resident) -> str:
    mine, theirs = one.birth_date, other.birth_date
    if not mine or not theirs:
        return ""
    if mine == theirs:
        return "same"
    exchanged = mine[:5] + mine[8:] + "-" + mine[5:7]
    return "near" if exchanged == theirs or _differences(mine, theirs) == 1 else "different"


def _of_sex(one: Resident, other: Resident) -> str:
    known = {"1", "2"}
    if one.sex not in known or other.sex not in known:
        return ""
    return "same" if one.sex == other.sex else "different"


def _of_phone(one: Resident, other: Resident) -> str:
    if not one.phone or not other.phone:
        return ""
    return "same" if one.phone.index == other.phone.index else "different"


def _of_home(one: Resident, other: Resident) -> str:
    if one.household_id and one.household_id == other.household_id:
        return "same"
    mine, theirs = _homes(one), _homes(other)
    if not mine or not theirs:
        return ""
    return "same" if mine & theirs else "different"


def _homes(resident: Resident) -> set[str]:
    return {home.house_id for home in lasting_residences(resident.residences, ResidenceKind.ACTUAL) if home.house_id}


def _of_area(one: Resident, other: Resident) -> str:
    if one.area_code[:12] == other.area_code[:12]:
        return "same"
    return "near" if one.area_code[:6] == other.area_code[:6] else "different"


def _differences(one: Iterable[str], other: Iterable[str]) -> int:
    return sum(mine != theirs for mine, theirs in zip(one, other, strict=True))


_COMPARED = {
    "id_number": _of_number,
    "name": _of_name,
    "birth_date": _of_birth_date,
    "sex": _of_sex,
    "phone": _of_phone,
    "home": _of_home,
    "area_code": _of_area,
}
