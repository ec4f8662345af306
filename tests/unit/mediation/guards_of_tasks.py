"""Every guard of the work on tasks and in the workspace, as rows."""

from __future__ import annotations

from msgspec.structs import replace

from mediation import operations, policies
from mediation.domain import (
    CaseState,
    Severity,
    Visibility,
)

from .builders import (
    DISPATCHER,
    START,
    accepted,
    department,
    dispatched,
    done,
    photo,
    task_of,
    when,
)
from .case_steps import (
    CENTRE,
    SAME_AS_FIRE,
    SAY,
    answered,
    both_done,
    completed,
    completed_alone,
    entries,
    exempted,
    more_time,
    noted,
    objected,
    result_of,
    ruled,
    taken_in,
    task_verb,
    two,
    with_notes,
    written,
)
from .guarding import Guard

WORKING = (
    Guard(
        "a case accepted twice",
        "WRONG_STATE",
        "A case that is accepted allows no accept_case.",
        lambda: operations.accept_case(taken_in(), by=DISPATCHER, **when()),
    ),
    Guard(
        "a task that waits",
        "TASK_WAITING",
        "This task waits for other tasks.",
        lambda: accepted(dispatched("PMC", "FIRE", after={"FIRE": ["PMC"]}), "FIRE"),
    ),
    Guard(
        "a task accepted twice",
        "WRONG_STATE",
        "A task that is accepted allows no accept_task.",
        lambda: accepted(accepted(two(), "FIRE"), "FIRE"),
    ),
    Guard(
        "work on what is over",
        "WRONG_STATE",
        "Nobody works on a case that is rejected.",
        lambda: exempted(replace(two(), state=CaseState.REJECTED)),
    ),
    Guard(
        "a ruling by a street",
        "ROLE_REQUIRED",
        "This is for DISPATCHER.",
        lambda: answered("rule_extension", more_time(two()), CENTRE),
    ),
    Guard(
        "a result without words",
        "RESULT_REQUIRED",
        SAY,
        lambda: completed(result=" ", unified_reply="已清理", parties_informed="当面"),
        "result",
    ),
    Guard(
        "the result of the only department without a photograph",
        "PHOTO_REQUIRED",
        "The result is shown by a photograph.",
        lambda: completed_alone(evidence=()),
        "evidence",
    ),
    Guard(
        "an objection without a reason",
        "REASON_REQUIRED",
        SAY,
        lambda: task_verb("object_task", two(), "FIRE", department("FIRE"), reason=" "),
        "reason",
    ),
    Guard(
        "a ruling without a reason",
        "REASON_REQUIRED",
        SAY,
        lambda: ruled(objected(two()), reason=" "),
        "reason",
    ),
    Guard(
        "sent back to work without a reason",
        "REASON_REQUIRED",
        SAY,
        lambda: task_verb("return_task", both_done(), "FIRE", DISPATCHER, reason=" "),
        "reason",
    ),
    Guard(
        "a second objection",
        "OBJECTION_USED",
        "A department may object to a task once.",
        lambda: objected(ruled(objected(two()), upheld=False)),
    ),
    Guard(
        "an objection to what waits",
        "TASK_WAITING",
        "This task waits for other tasks.",
        lambda: policies.check_objection(two(), replace(task_of(two(), "FIRE"), assigned_at=None), at=START),
    ),
    Guard(
        "an objection after a working day",
        "OBJECTION_LATE",
        "Objections are heard within 1 working day.",
        lambda: objected(two(), days=2),
    ),
    Guard(
        "an objection to a petition after a week",
        "OBJECTION_LATE",
        "Objections are heard within 5 working days.",
        lambda: objected(dispatched("PMC", "FIRE", category="J"), days=8),
    ),
    Guard(
        "an overruled objection that moves a task",
        "NOT_UPHELD",
        "An overruled objection moves nothing.",
        lambda: ruled(objected(two()), upheld=False, reassign_to="UMD"),
        "reassign_to",
    ),
    Guard(
        "a task moved to who has one",
        "DUPLICATE_DEPARTMENT",
        "PMC has a task in this case, or was let off by a ruling.",
        lambda: ruled(objected(two()), reassign_to="PMC"),
        "reassign_to",
    ),
    Guard(
        "a ruling on one's own objection",
        "OWN_REQUEST",
        "Nobody rules on their own request.",
        lambda: ruled(objected(two()), by=SAME_AS_FIRE),
    ),
    Guard(
        "a parallel case without its one answer",
        "UNIFIED_REPLY_REQUIRED",
        "The lead department of a parallel case gives the unified reply.",
        lambda: completed(parties_informed="当面"),
        "unified_reply",
    ),
    Guard(
        "parties nobody told",
        "PARTIES_NOT_INFORMED",
        "The lead department of a parallel case tells the parties the unified reply: say how it did.",
        lambda: completed(unified_reply="已清理"),
        "parties_informed",
    ),
    Guard(
        "too many notes",
        "TOO_MANY_NOTES",
        "A task holds at most 200 notes of progress, a case 400.",
        lambda: noted(with_notes(200)),
    ),
    Guard(
        "too many attachments to notes",
        "TOO_MANY_ATTACHMENTS",
        "The notes of a case hold at most 500 attachments.",
        lambda: noted(with_notes(1, 500), attachments=(photo(),)),
    ),
    Guard(
        "more time, twice",
        "EXTENSION_USED",
        "More time is asked for once.",
        lambda: more_time(more_time(two())),
    ),
    Guard(
        "more time than a statute gives",
        "STATUTORY_LIMIT",
        "A statutory limit is extended by its statute alone.",
        lambda: more_time(dispatched("PMC", "FIRE", severity=Severity.S1)),
    ),
    Guard(
        "more time after the limit",
        "EXTENSION_LATE",
        "The limit has passed.",
        lambda: more_time(two(), **when(days=100)),
    ),
    Guard(
        "more time than half of the limit",
        "EXTENSION_TOO_LONG",
        "At most 900 minutes: half of the limit.",
        lambda: more_time(two(), minutes=100_000),
        "minutes",
    ),
    Guard(
        "more time for what is done",
        "WRONG_STATE",
        "A task that is done has no limit that could move.",
        lambda: more_time(done(two(), "FIRE")),
    ),
    Guard(
        "more time nobody asked for",
        "NO_EXTENSION",
        "No request for more time waits for a ruling.",
        lambda: answered("rule_extension", two()),
    ),
    Guard(
        "the workspace of others",
        "NOT_INVOLVED",
        "The workspace of a case is for those who work on it.",
        lambda: written(two(), department("UMD")),
    ),
    Guard(
        "the workspace of what is over",
        "WRONG_STATE",
        "Nobody works on a case that is rejected.",
        lambda: written(replace(two(), state=CaseState.REJECTED)),
    ),
    Guard(
        "for a department one has not",
        "NO_DEPARTMENT",
        "You belong to no department.",
        lambda: written(two(), visibility=Visibility.DEPARTMENT),
        "visibility",
    ),
    Guard(
        "an entry without words",
        "TEXT_REQUIRED",
        SAY,
        lambda: written(two(), text=" "),
        "text",
    ),
    Guard(
        "too many entries",
        "TOO_MANY_ENTRIES",
        "A workspace holds at most 200 entries.",
        lambda: written(entries(200)),
    ),
    Guard(
        "too many attachments to entries",
        "TOO_MANY_ATTACHMENTS",
        "A workspace holds at most 500 attachments.",
        lambda: written(entries(1, 500), attachments=(photo(),)),
    ),
    Guard(
        "the grid's result without words",
        "RESULT_REQUIRED",
        SAY,
        lambda: result_of(result=""),
        "result",
    ),
    Guard(
        "the grid's result without a photograph",
        "PHOTO_REQUIRED",
        "The result is shown by a photograph.",
        lambda: result_of(evidence=()),
        "evidence",
    ),
)

GUARDS = WORKING
