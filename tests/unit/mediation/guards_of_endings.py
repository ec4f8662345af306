"""Every guard of checks, suspension, evaluation and other routes, as rows."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from mediation import operations
from mediation.domain import (
    JoinPolicy,
)
from svckit.access import Caller

from .builders import (
    CHECKER,
    DISPATCHER,
    RESIDENT,
    START,
    after_start,
    dispatched,
    done,
    photo,
    task_of,
    when,
)
from .case_steps import (
    AWAY,
    SAY,
    both_done,
    checked,
    closed,
    reopened,
    resumed,
    suspended,
    transferred,
)
from .guarding import Guard

ENDING = (
    Guard(
        "checked by who handled it",
        "VERIFIER_HANDLED_IT",
        "Whoever worked on a case may not check it.",
        lambda: checked(both_done(), by=Caller("fire-1", roles=CHECKER.roles, area="4205")),
    ),
    Guard(
        "passed without a photograph",
        "PHOTO_REQUIRED",
        "A passed check needs a located photograph.",
        lambda: checked(both_done(), photos=()),
        "photos",
    ),
    Guard(
        "a photograph from elsewhere",
        "PHOTO_TOO_FAR",
        "This photograph was taken 111 m away; at most 50 m are allowed.",
        lambda: checked(both_done(), photos=(photo(AWAY),)),
        "photos[0].point",
    ),
    Guard(
        "passed and failed at once",
        "FAILED_TASKS",
        "A passed check has no failed tasks.",
        lambda: checked(both_done(), failed_task_ids=["x"]),
        "failed_task_ids",
    ),
    Guard(
        "failed without saying what",
        "FAILED_TASKS",
        "A failed check names the tasks that failed.",
        lambda: checked(both_done(), passed=False),
        "failed_task_ids",
    ),
    Guard(
        "failed without a reason",
        "REASON_REQUIRED",
        SAY,
        lambda: checked(both_done(), passed=False, text=" ", failed_task_ids=[task_of(both_done(), "FIRE").task_id]),
        "text",
    ),
    Guard(
        "a failed task that is none",
        "FAILED_TASKS",
        "No done task of the case has this id.",
        lambda: checked(both_done(), passed=False, failed_task_ids=["x"]),
        "failed_task_ids[0]",
    ),
    Guard("suspended without a reason", "REASON_REQUIRED", SAY, lambda: suspended(reason=""), "reason"),
    Guard("suspended twice", "SUSPENSION_USED", "A case is suspended once.", lambda: suspended(resumed())),
    Guard(
        "suspended until before now",
        "UNTIL_PAST",
        "A suspension ends after it begins.",
        lambda: suspended(until=START),
        "until",
    ),
    Guard(
        "suspended for too long",
        "SUSPENSION_TOO_LONG",
        "A suspension lasts at most half of the time to resolve.",
        lambda: suspended(until=after_start(days=400)),
        "until",
    ),
    Guard(
        "an evaluation the system makes too early",
        "EVALUATION_OPEN",
        "The reporter may still evaluate this case.",
        lambda: operations.lapse_evaluation(closed(), now=after_start(days=7) - timedelta(seconds=1)),
    ),
    Guard(
        "rated by somebody else",
        "NOT_REPORTER",
        "Only whoever reported this case may do this.",
        lambda: operations.evaluate_case(
            closed(), rating=3, by=Caller("r2", roles=RESIDENT.roles, area=RESIDENT.area), **when()
        ),
    ),
    Guard(
        "a rating out of range",
        "RATING_RANGE",
        "A rating is 1 to 5.",
        lambda: operations.evaluate_case(closed(), rating=6, by=RESIDENT, **when()),
        "rating",
    ),
    Guard(
        "reopened twice",
        "REOPENED_BEFORE",
        "A case is reopened once.",
        lambda: reopened(replace(closed(1), reopenings=1)),
    ),
    Guard(
        "reopened though content",
        "NOT_DISSATISFIED",
        "Only a dissatisfied reporter is a reason to reopen.",
        lambda: reopened(closed(3)),
    ),
    Guard("reopened without a reason", "REASON_REQUIRED", SAY, lambda: reopened(closed(1), reason=""), "reason"),
    Guard(
        "handed over without a notice",
        "NOTICE_REQUIRED",
        SAY,
        lambda: transferred(notice=""),
        "notice",
    ),
    Guard(
        "handed over to nobody",
        "NOTICE_REQUIRED",
        SAY,
        lambda: transferred(authority=" "),
        "authority",
    ),
    Guard(
        "handed over without remedies",
        "REMEDIES_REQUIRED",
        "The notice names the remedies.",
        lambda: transferred(remedies=[]),
        "remedies",
    ),
    Guard(
        "a check that is not a checker's",
        "ROLE_REQUIRED",
        "verify_case is for GRID_SUPERVISOR, GRID_WORKER.",
        lambda: checked(done(dispatched("PMC", "FIRE", join_policy=JoinPolicy.LEAD_ONLY), "PMC"), by=DISPATCHER),
    ),
)

GUARDS = ENDING
