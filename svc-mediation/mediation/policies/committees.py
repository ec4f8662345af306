"""The rules of the register: what a committee consists of, who enters it, and who may mediate for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mediation.domain import Actor
from mediation.domain.committee import CommitteeDraft, CommitteeKind, CommitteePost, MediationCommittee
from mediation.domain.dispute import Dispute
from mediation.domain.workflow import DEPARTMENT
from mediation.policies.access import OtherDepartment
from svckit.errors import FailedPrecondition, InvalidArgument

# parallel_policy.yaml, committee (人民调解法 8, 9): 3 to 9 members, a woman among them, a term of 3 years.
FEWEST_MEMBERS, MOST_MEMBERS, TERM_YEARS = 3, 9, 3
WOMAN = "2"
# 人民调解法 10: the judicial bureau keeps the register of its county.
REGISTRAR = "JUST"
_NEEDED = ("code", "name", "area_code", "term_begins_on")


class MediatorNotRegistered(InvalidArgument):
    """Only who stands in the register of the committee mediates for it."""

    default_reason = "MEDIATOR_NOT_REGISTERED"


def check_committee(committee: CommitteeDraft) -> None:
    """Raises InvalidArgument, naming the field, unless a committee can stand in the register like this.

    Reasons: COMMITTEE_FIELD_MISSING, COMMITTEE_SIZE, CHAIR_COUNT, WOMAN_REQUIRED, DUPLICATE_MEDIATOR, TERM_DATE.
    """
    for name in _NEEDED:
        if not getattr(committee, name):
            raise _refused(f"A committee needs a {name}.", name, "COMMITTEE_FIELD_MISSING")
    if committee.kind is CommitteeKind.UNSPECIFIED:
        raise _refused("Say who set the committee up.", "kind", "COMMITTEE_FIELD_MISSING")
    if not FEWEST_MEMBERS <= len(committee.members) <= MOST_MEMBERS:
        raise _refused(f"A committee has {FEWEST_MEMBERS} to {MOST_MEMBERS} members.", "members", "COMMITTEE_SIZE")
    if sum(member.post is CommitteePost.CHAIR for member in committee.members) != 1:
        raise _refused("A committee has one chair.", "members", "CHAIR_COUNT")
    if all(member.sex != WOMAN for member in committee.members):
        raise _refused("At least one member is a woman.", "members", "WOMAN_REQUIRED")
    _check_people(committee)
    term_end(committee.term_begins_on)


def _check_people(committee: CommitteeDraft) -> None:
    seen: set[str] = set()
    for name in ("members", "mediators"):
        for index, each in enumerate(getattr(committee, name)):
            if each.subject in seen:
                raise _refused("Everybody stands in a committee once.", f"{name}[{index}].subject", "DUPLICATE_MEDIATOR")
            seen.add(each.subject)


def term_end(begins_on: str) -> str:
    """Returns the last day of the term that begins on a day. Raises InvalidArgument (TERM_DATE) for a day that is none."""
    try:
        first = date.fromisoformat(begins_on)
        # Of a 29 February the term of three years ends with the February of its last year, too.
        last = date(first.year + TERM_YEARS, first.month, min(first.day, 28) if first.month == 2 else first.day)
    except ValueError as error:
        raise _refused("This day does not exist.", "term_begins_on", "TERM_DATE") from error
    return date.fromordinal(last.toordinal() - 1).isoformat()


def check_registrar(by: Actor) -> None:
    """Raises OtherDepartment when somebody of a department other than the judicial bureau touches the register."""
    if by.roles <= DEPARTMENT and by.department != REGISTRAR:
        raise OtherDepartment("The register is kept by the judicial bureau.", metadata={"department": REGISTRAR})


def check_works(committee: MediationCommittee) -> None:
    """Raises FailedPrecondition for a dissolved committee."""
    if committee.dissolved_at is not None:
        raise FailedPrecondition("This committee was dissolved.", reason="COMMITTEE_DISSOLVED")


def check_changeable(committee: MediationCommittee, *, revision: int) -> None:
    """Raises FailedPrecondition for a dissolved committee, or when the caller has seen another revision (0: does not care)."""
    check_works(committee)
    if revision and revision != committee.revision:
        message = f"The committee is at revision {committee.revision}, not {revision}: read it again."
        raise FailedPrecondition(message, reason="STALE_REVISION")


def known_fields(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names of fields that can be changed. Raises InvalidArgument (UNKNOWN_FIELD; none at all: MASK_EMPTY)."""
    wanted = tuple(names)
    if not wanted:
        raise InvalidArgument("Name the fields to change.", field="update_mask", reason="MASK_EMPTY")
    for name in wanted:
        if name not in CommitteeDraft.__struct_fields__:
            raise InvalidArgument(f"A committee has no field {name!r}.", field="update_mask", reason="UNKNOWN_FIELD")
    return wanted


def check_registered(committee: MediationCommittee | None, *, area_code: str) -> MediationCommittee:
    """Returns the committee an application names. Raises InvalidArgument for one the register of the city has not."""
    if committee is None or committee.area_code[:4] != area_code[:4]:
        message = "The register of this city has no such committee."
        raise InvalidArgument(message, field="committee.code", reason="UNKNOWN_COMMITTEE")
    return committee


def check_mediator_of(dispute: Dispute, committee: MediationCommittee | None, *, subject: str, field: str) -> str:
    """Returns the name under which somebody stands in the register of the dispute's committee (art. 13, 19).

    `committee` is the one the person belongs to. Raises MediatorNotRegistered naming `field`.
    """
    if committee is None:
        raise MediatorNotRegistered("This person stands in the register of no committee.", field=field)
    if committee.code != dispute.committee.code:
        message = "This person mediates for another committee."
        raise MediatorNotRegistered(message, field=field, reason="OTHER_COMMITTEE", metadata={"committee": committee.code})
    return committee.name_of(subject)


def _refused(message: str, name: str, reason: str) -> InvalidArgument:
    return InvalidArgument(message, field=f"committee.{name}", reason=reason)
