"""Writing into the shared workspace of a case."""

from __future__ import annotations

from datetime import datetime

from mediation import history, policies
from mediation.domain import Actor, Attachment, Case, Entry, EntryKind, Visibility
from mediation.domain.facts import EntryAdded
from mediation.operations import flow
from mediation.operations.flow import Outcome


def add_entry(
    case: Case,
    *,
    entry_id: str,
    kind: EntryKind,
    text: str,
    visibility: Visibility,
    by: Actor,
    at: datetime,
    now: datetime,
    attachments: tuple[Attachment, ...] = (),
) -> Outcome:
    """Adds a note, minutes or evidence for those `visibility` names.

    Raises NotInvolved, WrongState, InvalidArgument (text, visibility), FailedPrecondition (TOO_MANY_ENTRIES, TOO_MANY_ATTACHMENTS).
    """
    policies.check_entry(case, visibility=visibility, attachments=len(attachments), by=by)
    policies.check_text(text or ("x" if attachments else ""), field="text", reason="TEXT_REQUIRED")
    at = flow.moment(case, at)
    entry = Entry(
        entry_id=entry_id,
        kind=kind,
        at=at,
        by=by.subject,
        text=text,
        visibility=visibility,
        department=by.department,
        attachments=attachments,
    )
    changed = flow.record(
        case,
        verb="add_entry",
        by=by,
        at=at,
        now=now,
        remark=entry_id,
        content=history.content_of(kind, text, visibility, attachments),
        workspace=(*case.workspace, entry),
    )
    fact = EntryAdded(
        case_id=case.case_id, entry_id=entry_id, kind=kind, visibility=visibility, department=by.department, added_at=at
    )
    return changed, (fact,)
