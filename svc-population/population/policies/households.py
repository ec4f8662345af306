"""The rules of households: codes, who can be head, and what relations become when the head changes.

Relations are codes of household_relation.csv (GB/T 4761): the first digit is the group (1 spouse, 2 son, 3 daughter, 4 grandchild,
5 parent, 6 grandparent, 7 sibling, 8 and 9 other), the second the exact one.
"""

from __future__ import annotations

from population.domain.household import Household, HouseholdDraft
from population.domain.resident import Resident
from population.policies.codes import check_code
from svckit.errors import FailedPrecondition

HEAD, SELF, NOT_RELATED, OTHER_RELATIVE = "02", "01", "99", "97"
_HEADS = frozenset({HEAD, SELF, ""})
MALE = "1"
_CHILD = frozenset("23")


def check_household_draft(draft: HouseholdDraft) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for a match flag no table has."""
    if draft.match_flag:
        check_code(draft.match_flag, table="household_match_flag", field="match_flag")


def check_relations(relations: dict[str, str]) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for a relation no table has."""
    for member, relation in sorted(relations.items()):
        check_code(relation, table="household_relation", field=f"relations[{member}]")


def check_member(head_id: str, members: set[str]) -> None:
    """Raises FailedPrecondition (NOT_A_MEMBER): a head is a member who lives here."""
    if head_id not in members:
        raise FailedPrecondition("The head of a household is one of its members.", reason="NOT_A_MEMBER")


def check_same_household(household: Household, draft: HouseholdDraft) -> None:
    """Raises FailedPrecondition (HOUSEHOLD_DIFFERS) where a file says otherwise than the register of a household that is there."""
    for field in ("area_code", "house_id", "match_flag"):
        if getattr(draft, field) not in ("", getattr(household, field)):
            raise FailedPrecondition("The register says otherwise.", reason="HOUSEHOLD_DIFFERS", field=field)


def check_headless(household: Household) -> None:
    """Raises FailedPrecondition (HEAD_TWICE): another head is made by `SetHouseholdHead`, with all relations anew."""
    if household.head_id:
        raise FailedPrecondition("The household has a head.", reason="HEAD_TWICE", field="household_relation")


def check_joins(resident: Resident, *, household_id: str, relation: str) -> None:
    """Raises FailedPrecondition (OTHER_HOUSEHOLD, RELATION_DIFFERS) where the register knows otherwise of somebody who is to join."""
    if resident.household_id not in ("", household_id):
        message = "The register has this person in another household."
        raise FailedPrecondition(message, reason="OTHER_HOUSEHOLD", field="household")
    if resident.household_relation not in ("", relation):
        message = "The register has another relation to the head."
        raise FailedPrecondition(message, reason="RELATION_DIFFERS", field="household_relation")


def relation_to(*, new_head: str, new_head_sex: str, member: str, member_sex: str) -> str:
    """Returns the relation of a member to the new head, given what both were to the old one; "" where it does not follow.

    A member with relation 01 or 02 is the old head.
    """
    if NOT_RELATED in (new_head, member):
        return NOT_RELATED
    if member in (HEAD, SELF):
        return _old_head_to(new_head, sex=member_sex)
    if not new_head or not member:
        return ""
    rules = {"1": _to_spouse, "2": _to_child, "3": _to_child, "5": _to_parent}
    rule = rules.get(new_head[0])
    return rule(new_head, new_head_sex, member, member_sex) if rule else ""


def _old_head_to(relation: str, *, sex: str) -> str:
    """What the old head is to a new one who was `relation` to the old head."""
    exact = {
        "28": ("55", "56"),
        "38": ("53", "54"),
        "41": ("61", "62"),
        "42": ("61", "62"),
        "43": ("63", "64"),
        "44": ("63", "64"),
        "53": ("", "38"),
        "54": ("", "38"),
        "55": ("28", ""),
        "56": ("28", ""),
    }
    group = {"1": ("11", "12"), "2": ("51", "52"), "3": ("51", "52"), "5": ("20", "30"), "6": ("40", "40"), "7": ("70", "70")}
    return _by_sex(exact.get(relation) or group.get(relation[:1]) or ("", ""), sex)


def _to_spouse(new_head: str, new_head_sex: str, member: str, member_sex: str) -> str:
    """Children and grandchildren stay what they are; parents become those of the spouse."""
    if member[0] in "234":
        return member
    in_law = {
        "51": ("55", "53"),
        "52": ("56", "54"),
        "53": ("51", "51"),
        "54": ("52", "52"),
        "55": ("51", "51"),
        "56": ("52", "52"),
    }
    return _by_sex(in_law.get(member, (OTHER_RELATIVE, OTHER_RELATIVE)), new_head_sex)


def _to_child(new_head: str, new_head_sex: str, member: str, member_sex: str) -> str:
    """The other parent, brothers and sisters, grandparents; nothing follows for a child by marriage (28, 38)."""
    if new_head in ("28", "38"):
        return ""
    if member[0] == "1":
        return _by_sex(("51", "52"), member_sex)
    if member[0] in _CHILD and member not in ("28", "38"):
        return "70"
    return "60" if member in ("51", "52") else ""


def _to_parent(new_head: str, new_head_sex: str, member: str, member_sex: str) -> str:
    """The head's own parents only: the head's spouse, children, brothers and sisters, the other parent."""
    if new_head not in ("51", "52"):
        return ""
    if member in ("51", "52"):
        return _by_sex(("11", "12"), member_sex)
    found = {"1": ("28", "38"), "2": ("40", "40"), "3": ("40", "40"), "7": ("20", "30")}
    return _by_sex(found.get(member[0], ("", "")), member_sex)


def _by_sex(pair: tuple[str, str], sex: str) -> str:
    """The first for men, the second for women; only what is the same for both when the sex is not known."""
    male, female = pair
    if male == female:
        return male
    return {MALE: male, "2": female}.get(sex, "")
