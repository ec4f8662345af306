"""What the verbs on disputes share: the diary, the clock, and the list of what has to be done when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from msgspec.structs import replace

from mediation import calendar, clocks, dispute_codes
from mediation.domain import Actor, ClockKind
from mediation.domain.dispute import Agreement, AgreementStatus, Dispute, DisputeState, DisputeStep, Reminder, ReminderKind
from mediation.domain.dispute_facts import DisputeFact, MediationEnded, MediationLightTurned, MediationReminderDue
from mediation.policies import disputes
from mediation.policies.agreements import confirmable, due_day, is_reminded

Outcome = tuple[Dispute, tuple[DisputeFact, ...]]

_SHANGHAI = timedelta(hours=8)
_MILLISECOND = timedelta(milliseconds=1)
# parallel_policy.yaml, follow_up_visits; 人民调解法 33; the last two are ours: a week to act, three days to tell.
FIRST_VISIT, SECOND_VISIT, CONFIRMATION_DAYS = timedelta(days=7), timedelta(days=30), 30
LAST_CALL, TELL_WITHIN = timedelta(days=7), timedelta(days=3)


def record(dispute: Dispute, *, verb: str, by: Actor, now: datetime, remark: str = "", **changes: Any) -> Dispute:
    """Returns the dispute with `changes`, one more step in its diary, and the time the timer looks at it next."""
    at = max(now, dispute.steps[-1].at) if dispute.steps else now
    step = DisputeStep(at=at, by=by.subject, verb=verb, state=changes.get("state", dispute.state), remark=remark)
    changed_at = max(now, dispute.changed_at + _MILLISECOND) if dispute.steps else now
    return settle(replace(dispute, steps=(*dispute.steps, step), changed_at=changed_at, **changes))


def settle(dispute: Dispute) -> Dispute:
    """Returns the dispute with the earliest time at which a light turns or a reminder is due; None: never."""
    times = [each.remind_at for each in dispute.reminders if each.fired_at is None and each.done_at is None]
    if dispute.clock:
        turns_at = clocks.outlook([dispute.clock])[1]
        times += [turns_at] if turns_at else []
    return replace(dispute, next_due_at=min(times, default=None))


def started_clock(dispute: Dispute, *, now: datetime) -> dict[str, Any]:
    """Returns the changes that start the clock of a mediation; it counts from the application where the law says so."""
    limit = dispute_codes.limit_of(dispute.category)
    at = dispute.opened_at if limit.from_application else now
    return {"clock": clocks.start(ClockKind.RESOLVE, limit.limit, at=at), "clock_basis": limit.basis}


def stopped_clock(dispute: Dispute, *, now: datetime) -> dict[str, Any]:
    """Returns the changes that stop the clock where one runs."""
    if dispute.clock is None or dispute.clock.met_at:
        return {}
    return {"clock": clocks.meet((dispute.clock,), ClockKind.RESOLVE, at=max(now, dispute.clock.started_at))[0]}


def ended(dispute: Dispute, *, result: str, verb: str, by: Actor, now: datetime, text: str = "", **changes: Any) -> Outcome:
    """Ends a mediation without an agreement. Where it failed, the parties have to be told their remedies before it is over."""
    owes_notice = result in dispute_codes.REMEDIES_NEEDED and changes.get("category") != dispute_codes.VIOLENCE
    state = DisputeState.STOPPED if owes_notice else DisputeState.ENDED
    disputes.check_target(dispute, verb, state)
    reminders: tuple[Reminder, ...] = ()
    if owes_notice:
        reminders = (Reminder(kind=ReminderKind.REMEDIES, remind_at=now, due_at=now + TELL_WITHIN),)
    changed = record(
        dispute,
        verb=verb,
        by=by,
        now=now,
        remark=text,
        state=state,
        result=result,
        result_text=text,
        result_at=now,
        reminders=reminders,
        ended_at=None if owes_notice else now,
        **stopped_clock(dispute, now=now),
        **changes,
    )
    resolved = dispute_codes.results()[result]["counts_as_resolved"] == "Y"
    fact = MediationEnded(
        case_id=dispute.case_id, dispute_id=dispute.dispute_id, result=result, resolved=resolved, ended_at=now
    )
    return changed, (fact,)


# ------------------------------------------------------------------------------------------------------------ what is due


def reminders_of(dispute: Dispute, agreement: Agreement, *, at: datetime) -> tuple[Reminder, ...]:
    """Returns what follows an agreement that took effect `at`: visits, the joint application, the days of performance."""
    found = [Reminder(kind=ReminderKind.FIRST_VISIT, remind_at=at + FIRST_VISIT, due_at=at + FIRST_VISIT)]
    if not agreement.oral:
        found.append(Reminder(kind=ReminderKind.SECOND_VISIT, remind_at=at + SECOND_VISIT, due_at=at + SECOND_VISIT))
    if confirmable(dispute, agreement):
        until = confirm_until(at)
        found.append(Reminder(kind=ReminderKind.CONFIRMATION, remind_at=at, due_at=until))
        found.append(Reminder(kind=ReminderKind.CONFIRMATION_LAST, remind_at=until - LAST_CALL, due_at=until))
    for day in sorted({due_day(term) for term in agreement.terms if term.due_on}):
        end = end_of_day(day)
        found.append(Reminder(kind=ReminderKind.PERFORMANCE, remind_at=max(at, end - timedelta(days=1)), due_at=end))
    return tuple(sorted(found, key=lambda reminder: reminder.due_at))


def confirm_until(effective_at: datetime) -> datetime:
    """Returns the end of the 30 days for the joint application: the day itself does not count, and a last day on which courts are
    closed moves to the end of the next on which they are open (人民调解法 33, 民法典 201, 203).
    """
    day = (effective_at.astimezone(UTC) + _SHANGHAI).date() + timedelta(days=CONFIRMATION_DAYS)
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return end_of_day(day)


def end_of_day(day: date) -> datetime:
    """Returns the midnight in Shanghai that ends a day, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC) - _SHANGHAI


def done(reminders: tuple[Reminder, ...], *kinds: ReminderKind, at: datetime) -> tuple[Reminder, ...]:
    """Returns the reminders with those of `kinds` over."""
    return tuple(replace(each, done_at=at) if is_reminded(each, *kinds) else each for each in reminders)


def done_visit(reminders: tuple[Reminder, ...], visit: Reminder, *, at: datetime) -> tuple[Reminder, ...]:
    """Returns the reminders with one visit made."""
    return tuple(replace(each, done_at=at) if each is visit else each for each in reminders)


# Nothing of this is to be done once an agreement has come so far.
_NEEDLESS = {
    AgreementStatus.PERFORMING: (ReminderKind.CONFIRMATION, ReminderKind.CONFIRMATION_LAST),
    AgreementStatus.CONFIRMATION_APPLIED: (ReminderKind.CONFIRMATION, ReminderKind.CONFIRMATION_LAST),
    AgreementStatus.PERFORMED: (ReminderKind.PERFORMANCE,),
    AgreementStatus.REJECTED: tuple(ReminderKind),
    AgreementStatus.SUED: tuple(ReminderKind),
    AgreementStatus.ENFORCEMENT_APPLIED: tuple(ReminderKind),
}


def needed(reminders: tuple[Reminder, ...], status: AgreementStatus, *, at: datetime) -> tuple[Reminder, ...]:
    """Returns the reminders without those that an agreement of this status makes needless."""
    return done(reminders, *_NEEDLESS.get(status, ()), at=at)


def remind(dispute: Dispute, *, now: datetime) -> Outcome:
    """Turns the light of the clock and fires the reminders whose time has come, each once; nothing due changes nothing."""
    if dispute.next_due_at is None or dispute.next_due_at > now:
        return dispute, ()
    mediator = dispute.mediator.subject if dispute.mediator else ""
    told = {"case_id": dispute.case_id, "dispute_id": dispute.dispute_id, "mediator": mediator}
    facts: list[DisputeFact] = []
    clock = dispute.clock
    if clock:
        (clock, *_), turned = clocks.turn((clock,), now)
        facts += [MediationLightTurned(light=each.light, due_at=each.due_at, **told) for each in turned]
    due = [each for each in dispute.reminders if _fires(each, now)]
    facts += [MediationReminderDue(kind=each.kind, due_at=each.due_at, **told) for each in due]
    reminders = tuple(replace(each, fired_at=now) if _fires(each, now) else each for each in dispute.reminders)
    changed_at = max(now, dispute.changed_at + _MILLISECOND)
    return settle(replace(dispute, clock=clock, reminders=reminders, changed_at=changed_at)), tuple(facts)


def _fires(reminder: Reminder, now: datetime) -> bool:
    return reminder.fired_at is None and reminder.done_at is None and reminder.remind_at <= now
