"""The rules of requests about one's own data (PIPL 44 to 50, dsr_type.csv)."""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Mapping
from datetime import datetime, timedelta

from population.domain.data_request import DataRequest, DataRequestDraft, DataRequestState, Requester
from population.domain.resident import Resident
from population.domain.standing import ResidentStatus
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

CORRECT, ERASE, WITHDRAW_CONSENT, OBJECT, OF_DECEASED = "R2", "R3", "R4", "R5", "R8"
RESTRICTING = frozenset({WITHDRAW_CONSENT, OBJECT})
"""Requests that stop the use of data when they are carried out."""
DATA_REQUEST_TRANSITIONS: dict[str, tuple[frozenset[DataRequestState | None], DataRequestState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "submit": (frozenset({None}), DataRequestState.SUBMITTED),
    "grant": (frozenset({DataRequestState.SUBMITTED}), DataRequestState.GRANTED),
    "refuse": (frozenset({DataRequestState.SUBMITTED}), DataRequestState.REFUSED),
    "carry_out": (frozenset({DataRequestState.GRANTED}), DataRequestState.COMPLETED),
    "withdraw": (frozenset({DataRequestState.SUBMITTED, DataRequestState.GRANTED}), DataRequestState.WITHDRAWN),
}


@functools.cache
def kinds() -> Mapping[str, int]:
    """Returns the days a request has to be answered in, by its kind (dsr_type.csv)."""
    text = importlib.resources.files("population").joinpath("codes", "dsr_type.csv").read_text(encoding="utf-8")
    return {row["code"]: int(row["default_days"]) for row in csv.DictReader(text.splitlines())}


def allowance(kind: str) -> timedelta:
    """Returns how long a request may take: calendar days, the clock never stops."""
    return timedelta(days=kinds()[kind])


def marks_data(request: DataRequest) -> bool:
    """Tells whether what holds for the person's data follows from the request as it stands: disputed, restricted or erased."""
    if request.kind == CORRECT:
        return True
    return request.state is DataRequestState.COMPLETED and request.kind in RESTRICTING | {ERASE}


def check_draft(draft: DataRequestDraft, *, deceased: bool) -> None:
    """Raises InvalidArgument: CODE_UNKNOWN, FIELDS_MISSING (a correction names its fields), NOT_DECEASED (R8, and relatives at all)."""
    if draft.kind not in kinds():
        raise InvalidArgument(f"{draft.kind!r} is not a code of dsr_type.", reason="CODE_UNKNOWN", field="kind")
    if draft.kind == CORRECT and not draft.fields:
        raise InvalidArgument("Say which fields are wrong.", reason="FIELDS_MISSING", field="fields")
    if not deceased and (draft.kind == OF_DECEASED or draft.requester is Requester.RELATIVE):
        raise InvalidArgument(
            "Relatives may ask for somebody who has died (PIPL 49).", reason="NOT_DECEASED", field="requester"
        )


def check_transition(request: DataRequest, verb: str) -> DataRequestState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE)."""
    sources, target = DATA_REQUEST_TRANSITIONS[verb]
    if request.state not in sources:
        raise FailedPrecondition(
            f"A request that is {request.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": request.state}
        )
    return target


def check_other_eyes(request: DataRequest, *, by: str) -> None:
    """Raises PermissionDenied (OWN_REQUEST): nobody decides what they entered themselves."""
    if request.submitted_by == by:
        raise PermissionDenied("Somebody else has to decide this.", reason="OWN_REQUEST")


def check_may_extend(request: DataRequest, *, now: datetime) -> None:
    """Raises FailedPrecondition: WRONG_STATE, EXTENDED_ALREADY, TOO_LATE (after the deadline)."""
    check_transition(request, "grant")
    if request.extended:
        raise FailedPrecondition("The deadline can be extended once.", reason="EXTENDED_ALREADY")
    if now > request.due_at:
        raise FailedPrecondition("The deadline has passed already.", reason="TOO_LATE")


def check_not_own_account(account: str, *, by: str) -> None:
    """Raises PermissionDenied (OWN_ACCOUNT): nobody checks their own identity."""
    if account == by:
        raise PermissionDenied("A colleague has to link your own account.", reason="OWN_ACCOUNT")


def holds_link(resident: Resident) -> bool:
    """Tells whether an account can act for an entry: not for the dead, nor for what was merged, void or erased. Who moved away may ask."""
    standing = resident.standing
    return bool(resident.name) and (standing is None or standing.status is ResidentStatus.MOVED_OUT)
