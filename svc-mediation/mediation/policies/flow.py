"""What must hold before a case takes one of the rarer ways: back to its reporter, into another case, to the courts, open again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mediation import calendar
from mediation.domain import Actor, Attachment, Case, CaseState, Clock, ClockKind, Objection, Ruled
from mediation.domain.states import FINAL_STATES
from mediation.domain.workflow import PROXIES
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

# workflow.yaml, handling → suspended: at most 50 % of the time to resolve; the same bound holds for extensions.
LONGEST_SHARE = 0.5
# workflow.yaml, closed → evaluated: auto_after_days.
EVALUATION_DAYS = timedelta(days=7)
# workflow.yaml, evaluated → accepted: limit 1; ratings up to this one say that somebody is dissatisfied.
MOST_REOPENINGS, DISSATISFIED = 1, 2
MOST_PHOTOS = 60
_UNDECIDED = frozenset({CaseState.REPORTED, CaseState.RETURNED})


class NotReporter(PermissionDenied):
    """Only whoever reported a case may do this."""

    default_reason = "NOT_REPORTER"


class OwnRequest(PermissionDenied):
    """Nobody rules on what they asked for themselves."""

    default_reason = "OWN_REQUEST"


def check_text(text: str, *, field: str, reason: str = "REASON_REQUIRED") -> None:
    """Raises InvalidArgument for a text that says nothing."""
    if not text.strip():
        raise InvalidArgument("This has to be said in words.", field=field, reason=reason)


def check_reporter(case: Case, by: Actor) -> None:
    """Raises NotReporter unless the case is the actor's own. Imports repeat what reporters did."""
    if case.reporter.subject != by.subject and by.roles.isdisjoint(PROXIES):
        raise NotReporter("Only whoever reported this case may do this.")


def check_photos_fit(case: Case, photos: Sequence[Attachment]) -> None:
    """Raises InvalidArgument when a report would have more photographs than a case holds."""
    if len(case.photos) + len(photos) > MOST_PHOTOS:
        raise InvalidArgument(f"A case holds at most {MOST_PHOTOS} photographs.", field="photos", reason="TOO_MANY_PHOTOS")


def check_parent(case: Case, parent: Case) -> None:
    """Raises unless `case` may be merged into `parent`.

    The parent is another case of the same city somebody works on, accepted or reported earlier: so no circle of mergers can arise,
    not even from two mergers at once.
    """
    if parent.case_id == case.case_id:
        raise InvalidArgument("A case is not merged into itself.", field="into", reason="SAME_CASE")
    if not case.city or parent.city != case.city:
        raise InvalidArgument("The cases lie in different cities.", field="into", reason="OTHER_CITY")
    if parent.state in FINAL_STATES or parent.state is CaseState.DRAFT:
        raise FailedPrecondition(f"Nobody works on a case that is {parent.state}.", reason="PARENT_NOT_OPEN")
    if parent.state in _UNDECIDED and _age(parent) > _age(case):
        raise FailedPrecondition("The later report is merged into the earlier one.", reason="PARENT_YOUNGER")


def _age(case: Case) -> tuple[datetime, str]:
    return case.reported_at, case.case_id


def check_suspension(case: Case, *, until: datetime, at: datetime) -> None:
    """Raises for a second suspension, or one that ends before it begins or later than half of the time to resolve."""
    if case.suspension is not None:
        raise FailedPrecondition("A case is suspended once.", reason="SUSPENSION_USED")
    if until <= at:
        raise InvalidArgument("A suspension ends after it begins.", field="until", reason="UNTIL_PAST")
    clock = next((clock for clock in case.clocks if clock.kind is ClockKind.RESOLVE), None)
    if clock and until > calendar.add_minutes(at, longest(clock), calendar=clock.calendar):
        message = "A suspension lasts at most half of the time to resolve."
        raise InvalidArgument(message, field="until", reason="SUSPENSION_TOO_LONG")


def longest(clock: Clock) -> int:
    """Returns how many minutes of its calendar a limit may be put off at most."""
    return int(clock.limit_minutes * LONGEST_SHARE)


def check_lapsed(case: Case, *, now: datetime) -> None:
    """Raises FailedPrecondition unless a closed case has waited 7 days for its evaluation."""
    if case.ends_by_itself_at is None or now < case.ends_by_itself_at:
        raise FailedPrecondition("The reporter may still evaluate this case.", reason="EVALUATION_OPEN")


def ends_by_itself_at(case: Case) -> datetime | None:
    """Returns when the state a case has just come to ends by itself; None where the case waits for people alone.

    A suspension ends as was said; the days to evaluate begin when the closing is recorded, for nobody evaluates what nobody knows.
    """
    if case.state is CaseState.SUSPENDED and case.suspension:
        return case.suspension.until
    if case.state is CaseState.CLOSED:
        return case.changed_at + EVALUATION_DAYS
    return None


def check_reopening(case: Case) -> None:
    """Raises FailedPrecondition unless the reporter is dissatisfied and the case was never reopened before."""
    if case.reopenings >= MOST_REOPENINGS:
        raise FailedPrecondition("A case is reopened once.", reason="REOPENED_BEFORE")
    rating = case.evaluation.rating if case.evaluation else 0
    if not 0 < rating <= DISSATISFIED:
        raise FailedPrecondition("Only a dissatisfied reporter is a reason to reopen.", reason="NOT_DISSATISFIED")


def check_notice(*, text: str, authority: str, remedies: Sequence[str]) -> None:
    """Raises InvalidArgument unless the written notice says where the case goes and which remedies there are (人民调解法 26)."""
    check_text(text, field="notice", reason="NOTICE_REQUIRED")
    check_text(authority, field="authority", reason="NOTICE_REQUIRED")
    if not any(remedy.strip() for remedy in remedies):
        raise InvalidArgument("The notice names the remedies.", field="remedies", reason="REMEDIES_REQUIRED")


def check_result(result: str, evidence: Sequence[Attachment], by: Actor) -> None:
    """Raises InvalidArgument unless a result of the grid has words and a photograph (needs: result_text_and_photo)."""
    check_text(result, field="result", reason="RESULT_REQUIRED")
    if "IMPORTER" not in by.roles:
        check_shown(evidence)


def check_shown(evidence: Sequence[Attachment]) -> None:
    """Raises InvalidArgument for a result nothing shows."""
    if not evidence:
        raise InvalidArgument("The result is shown by a photograph.", field="evidence", reason="PHOTO_REQUIRED")


def check_not_own(asked: Ruled | Objection, by: Actor) -> None:
    """Raises OwnRequest when somebody rules on what they asked for themselves."""
    if asked.by == by.subject:
        raise OwnRequest("Nobody rules on their own request.")


def check_rating(rating: int) -> None:
    """Raises InvalidArgument unless a rating is 1 (very dissatisfied) to 5."""
    if not 1 <= rating <= 5:
        raise InvalidArgument("A rating is 1 to 5.", field="rating", reason="RATING_RANGE")
