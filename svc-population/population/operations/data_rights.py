"""The verbs of requests about one's own data. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from population.domain.data_request import (
    DataDecision,
    DataRequest,
    DataRequestCompleted,
    DataRequestDecided,
    DataRequestDraft,
    DataRequestOverdue,
    DataRequestState,
    DataRequestSubmitted,
    PrivacyMarks,
    ResidentErased,
    RetentionDuty,
)
from population.domain.resident import Resident
from population.policies.data_rights import (
    CORRECT,
    ERASE,
    OBJECT,
    RESTRICTING,
    allowance,
    check_draft,
    check_may_extend,
    check_other_eyes,
    check_transition,
)
from population.policies.requests import check_revision
from svckit.errors import FailedPrecondition

Events = tuple[object, ...]


def submit(
    *, draft: DataRequestDraft, resident: Resident, data_request_id: str, deceased: bool, by: str, online: bool, now: datetime
) -> tuple[DataRequest, Events]:
    """Enters a request. Raises InvalidArgument (see check_draft)."""
    check_draft(draft, deceased=deceased)
    due_at = now + allowance(draft.kind)
    request = DataRequest(
        data_request_id=data_request_id,
        city=resident.city,
        area_code=resident.area_code,
        resident_id=resident.resident_id,
        kind=draft.kind,
        requester=draft.requester,
        state=DataRequestState.SUBMITTED,
        submitted_at=now,
        submitted_by=by,
        due_at=due_at,
        changed_at=now,
        details=draft.details,
        fields=draft.fields,
        online=online,
        remind_at=due_at,
    )
    event = DataRequestSubmitted(
        data_request_id=data_request_id,
        resident_id=resident.resident_id,
        area_code=resident.area_code,
        kind=draft.kind,
        due_at=due_at,
        at=now,
    )
    return request, (event,)


def decide(
    request: DataRequest, *, decision: DataDecision, reason: str, revision: int, by: str, now: datetime
) -> tuple[DataRequest, Events]:
    """Grants or refuses. Raises FailedPrecondition (WRONG_STATE, REVISION_CHANGED) or PermissionDenied (OWN_REQUEST)."""
    check_revision(revision, request.revision)
    state = check_transition(request, "refuse" if decision is DataDecision.REFUSED else "grant")
    check_other_eyes(request, by=by)
    decided = replace(
        request,
        state=state,
        decision=decision,
        reason=reason,
        decided_at=now,
        decided_by=by,
        changed_at=now,
        # What was granted is answered when it is carried out; a refusal is the answer.
        remind_at=None if state is DataRequestState.REFUSED else request.remind_at,
    )
    event = DataRequestDecided(
        data_request_id=request.data_request_id,
        resident_id=request.resident_id,
        area_code=request.area_code,
        kind=request.kind,
        decision=decision.value,
        at=now,
    )
    return decided, (event,)


def extend(request: DataRequest, *, reason: str, revision: int, now: datetime) -> tuple[DataRequest, Events]:
    """Gives as many days again, once. Raises FailedPrecondition (see check_may_extend)."""
    check_revision(revision, request.revision)
    check_may_extend(request, now=now)
    due_at = request.due_at + allowance(request.kind)
    return replace(request, due_at=due_at, remind_at=due_at, extended=True, reason=reason, changed_at=now), ()


def carry_out(
    request: DataRequest, *, duties: Sequence[RetentionDuty], done: str, revision: int, now: datetime
) -> tuple[DataRequest, Events]:
    """Ends what was granted; an erasure that duties forbid is recorded as a restriction. Raises FailedPrecondition."""
    check_revision(revision, request.revision)
    state = check_transition(request, "carry_out")
    kept = tuple(duties) if request.kind == ERASE else ()
    completed = replace(request, state=state, done=done, duties=kept, completed_at=now, changed_at=now, remind_at=None)
    event = DataRequestCompleted(
        data_request_id=request.data_request_id,
        resident_id=request.resident_id,
        area_code=request.area_code,
        kind=request.kind,
        restricted=request.kind in RESTRICTING or bool(kept),
        erased=request.kind == ERASE and not kept,
        at=now,
    )
    return completed, (event,)


def withdraw(request: DataRequest, *, revision: int, now: datetime) -> tuple[DataRequest, Events]:
    """Takes a request back. Raises FailedPrecondition (WRONG_STATE)."""
    check_revision(revision, request.revision)
    return replace(request, state=check_transition(request, "withdraw"), changed_at=now, remind_at=None), ()


def remind(request: DataRequest | None, *, now: datetime) -> tuple[DataRequest | None, Events]:
    """Says once that a deadline has passed. For the timer."""
    if request is None or request.remind_at is None or request.remind_at > now:
        return request, ()
    event = DataRequestOverdue(
        data_request_id=request.data_request_id,
        resident_id=request.resident_id,
        area_code=request.area_code,
        kind=request.kind,
        due_at=request.due_at,
        at=now,
    )
    return replace(request, remind_at=None), (event,)


def unmarked(request: DataRequest, *, now: datetime) -> PrivacyMarks:
    """Returns the marks of a person for whom nothing special holds."""
    return PrivacyMarks(resident_id=request.resident_id, area_code=request.area_code, changed_at=now)


def marked(marks: PrivacyMarks | None, *, request: DataRequest, now: datetime) -> PrivacyMarks:
    """Returns what holds for the person's data after a request was submitted or carried out."""
    marks = marks or unmarked(request, now=now)
    if request.kind == CORRECT:
        still = set(marks.disputed).difference(request.fields)
        in_dispute = request.state in (DataRequestState.SUBMITTED, DataRequestState.GRANTED)
        disputed = tuple(sorted(still.union(request.fields) if in_dispute else still))
        return replace(marks, disputed=disputed, changed_at=now)
    if request.state is not DataRequestState.COMPLETED:
        return marks
    if request.kind == ERASE and not request.duties:
        return replace(marks, restricted=False, disputed=(), reason="", erased_at=now, changed_at=now)
    if request.kind in RESTRICTING or request.kind == ERASE:
        return restrict(marks, reason=request.kind, now=now)
    return marks


def restrict(marks: PrivacyMarks, *, reason: str, now: datetime) -> PrivacyMarks:
    """Restricts a person's data. Of two reasons an objection (R5) gives way: less may go on against the others (R3, R4)."""
    reason = marks.reason if marks.restricted and reason == OBJECT else reason
    if marks.restricted and reason == marks.reason:
        return marks
    return replace(marks, restricted=True, reason=reason, changed_at=now)


def lift(marks: PrivacyMarks, *, now: datetime) -> tuple[PrivacyMarks, Events]:
    """Lifts a restriction. Raises FailedPrecondition (NOT_RESTRICTED)."""
    if not marks.restricted:
        raise FailedPrecondition("The data of this person are not restricted.", reason="NOT_RESTRICTED")
    return replace(marks, restricted=False, reason="", changed_at=now), ()


KEPT_WHEN_ERASED = frozenset(
    {
        *("resident_id", "city", "area_code", "sex", "birth_date", "id_doc_type", "resident_type", "match_flag", "standing"),
        *("created_at", "changed_at", "revision", "household_id", "household_relation", "residences"),
    }
)
"""Fields of Resident that stay, made coarse where needed; all others are emptied, also those that are added later."""


def erase(resident: Resident | None, *, cause: str, now: datetime) -> tuple[Resident | None, Events]:
    """Makes a person anonymous for good: no name, number, telephone or document is left.

    What statistics need stays: community, sex, year of birth and dated residences, without household or house. `cause`: request or
    retention. Doing it again changes nothing.
    """
    if resident is None or is_erased(resident):
        return resident, ()
    emptied = {
        name: () if isinstance(value, tuple) else "" if isinstance(value, str) else None
        for name in resident.__struct_fields__
        if name not in KEPT_WHEN_ERASED and (value := getattr(resident, name)) is not None
    }
    anonymous = replace(
        resident,
        **emptied,
        area_code=resident.area_code[:12],
        birth_date=f"{resident.birth_date[:4]}-01-01" if resident.birth_date else "",
        id_doc_type="999",
        household_id="",
        household_relation="",
        residences=tuple(replace(each, house_id="", area_code=each.area_code[:12]) for each in resident.residences),
        standing=replace(resident.standing, reason="") if resident.standing else None,
        changed_at=now,
    )
    event = ResidentErased(resident_id=resident.resident_id, area_code=anonymous.area_code, cause=cause, at=now)
    return anonymous, (event,)


def is_erased(resident: Resident) -> bool:
    """Tells whether a person was made anonymous: everybody else has a name."""
    return not resident.name
