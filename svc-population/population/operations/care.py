"""The verbs on the care register and on visit plans."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from msgspec.structs import replace

from population.domain.care import (
    CareEntered,
    CareEntry,
    CareLeft,
    CareState,
    Visit,
    VisitMade,
    VisitMissed,
    VisitPlan,
    VisitPlanned,
    VisitPlanState,
)
from population.domain.life_event import Consent
from population.domain.verification import Attachment
from population.policies.care import (
    VISITS_KEPT,
    category_of,
    check_care,
    check_entering,
    check_plan,
    check_withdrawable,
    end_of,
    expiry,
    free_rule,
)
from population.policies.requests import CITY_DIGITS, Actor, check_revision, when
from svckit.errors import InvalidArgument

CareDone = tuple[CareEntry, tuple[CareEntered | CareLeft, ...]]
PlanDone = tuple[VisitPlan, tuple[VisitPlanned | VisitMade | VisitMissed, ...]]


def enter_care(
    *,
    care_id: str,
    resident_id: str,
    area_code: str,
    category: str,
    consent: Consent,
    basis: str,
    expires_on: str,
    by: Actor,
    now: datetime,
) -> CareDone:
    """Puts a resident on the register. Raises FailedPrecondition (CARE_CATEGORY_RESTRICTED, CONSENT_MISSING), InvalidArgument."""
    kind = category_of(category)
    check_entering(kind, consent)
    until = expiry(expires_on, now=now)
    entry = CareEntry(
        care_id=care_id,
        resident_id=resident_id,
        category=category,
        state=CareState.ACTIVE,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        consent=consent,
        basis=basis,
        responsible_role=kind.responsible_role,
        cadence_days=kind.cadence_days,
        expires_on=until.isoformat(),
        expires_at=end_of(until),
        entered_by=by.subject,
        entered_at=now,
        changed_at=now,
    )
    return entry, (CareEntered(care_id=care_id, area_code=area_code, at=now),)


def renew_care(entry: CareEntry, *, expires_on: str, revision: int, now: datetime) -> CareDone:
    """Lets an entry hold longer; one that expired holds again. Raises FailedPrecondition, InvalidArgument (date)."""
    check_revision(revision, entry.revision)
    state = check_care(entry, "renew")
    until: date = expiry(expires_on, now=now)
    renewed = replace(entry, state=state, expires_on=until.isoformat(), expires_at=end_of(until), ended_at=None, changed_at=now)
    again = entry.state is CareState.EXPIRED
    told = (CareEntered(care_id=entry.care_id, area_code=entry.area_code, at=now),) if again else ()
    return renewed, told


def end_care(entry: CareEntry, *, reason: str, withdrawn: bool, now: datetime) -> CareDone:
    """Ends an entry; withdrawn, what it rested on is removed. Raises FailedPrecondition (WRONG_STATE, STATUTORY)."""
    if withdrawn:
        check_withdrawable(entry)
    state = check_care(entry, "withdraw" if withdrawn else "end")
    left = replace(entry, state=state, ended_at=now, end_reason="" if withdrawn else reason, expires_at=None, changed_at=now)
    return (replace(left, basis="") if withdrawn else left), (_left(left, now),)


def expire_care(entry: CareEntry, *, now: datetime) -> CareDone:
    """Lets an entry expire whose time ran out; nothing before."""
    if entry.expires_at is None or now < entry.expires_at:
        return entry, ()
    left = replace(entry, state=check_care(entry, "expire"), ended_at=now, expires_at=None, changed_at=now)
    return left, (_left(left, now),)


def plan_for_care(plan: VisitPlan | None, *, entry: CareEntry, now: datetime) -> PlanDone:
    """Plans the visits an entry asks for; told twice, it changes nothing. The entry has to have a cadence."""
    if plan is not None:
        if plan.state is not VisitPlanState.ENDED:
            return plan, ()
        # The person may live elsewhere by now, or be another entry of the register.
        whom = {name: getattr(entry, name) for name in ("resident_id", "entered_for", "area_code")}
        return resume_plan(replace(plan, **whom), now=now)
    return _planned(
        plan_id=entry.care_id,
        rule=category_of(entry.category).visit_rule,
        area_code=entry.area_code,
        resident_id=entry.resident_id,
        responsible_role=entry.responsible_role,
        cadence_days=entry.cadence_days,
        now=now,
    )


def start_plan(*, plan_id: str, rule: str, area_code: str, resident_id: str, now: datetime) -> PlanDone:
    """Plans rounds through a grid, or visits to a floating resident. Raises InvalidArgument (RULE_UNKNOWN, RESIDENT_MISSING …)."""
    found = free_rule(rule, resident_id=resident_id)
    return _planned(
        plan_id=plan_id,
        rule=rule,
        area_code=area_code,
        resident_id=resident_id,
        responsible_role="GRID_WORKER",
        cadence_days=found.cadence_days,
        now=now,
    )


def resume_plan(plan: VisitPlan, *, now: datetime) -> PlanDone:
    """Plans visits again, from now on."""
    resumed = replace(plan, state=check_plan(plan, "resume"), set_aside=None, changed_at=now)
    return new_period(resumed, start=now)


def end_plan(plan: VisitPlan, *, now: datetime) -> PlanDone:
    """Plans no more visits; the present period counts for nothing. Raises FailedPrecondition (WRONG_STATE)."""
    return replace(plan, state=check_plan(plan, "end"), next_turn_at=None, changed_at=now), ()


def record_visit(
    plan: VisitPlan,
    *,
    notes: str,
    nothing_to_report: bool,
    evidence: tuple[Attachment, ...],
    by: Actor,
    happened_at: datetime | None,
    now: datetime,
) -> PlanDone:
    """Records a visit. One that was made before the period began counts for nothing but stays visible.

    Raises FailedPrecondition (WRONG_STATE), InvalidArgument (EVIDENCE_MISSING, time).
    """
    check_plan(plan, "end")
    if not (notes or evidence or nothing_to_report):
        raise InvalidArgument("Say what you saw, or that there is nothing to report.", reason="EVIDENCE_MISSING", field="notes")
    at = when(happened_at=happened_at, opened_at=datetime.min.replace(tzinfo=now.tzinfo), by=by, now=now)
    counts = at >= plan.period_start
    visit = Visit(at=at, by=by.subject, on_time=counts, notes=notes, nothing_to_report=nothing_to_report, evidence=evidence)
    made = visit_made(plan, visit, first=counts and not plan.visited)
    visits = (*plan.visits, visit)[-VISITS_KEPT:]
    return replace(plan, visits=visits, visited=plan.visited or counts, changed_at=now), (made,)


def turn_period(plan: VisitPlan, *, now: datetime) -> PlanDone:
    """Closes the periods that ended, also several after a downtime, and begins the present one."""
    events: list[VisitMissed | VisitPlanned] = []
    while plan.next_turn_at is not None and plan.next_turn_at <= now:
        if not plan.visited:
            events.append(_missed(plan))
        plan = replace(plan, kept=plan.kept + plan.visited, missed=plan.missed + (not plan.visited), changed_at=now)
        plan, began = new_period(plan, start=plan.due_at)
        events += began
    return plan, tuple(events)


def _planned(
    *, plan_id: str, rule: str, area_code: str, resident_id: str, responsible_role: str, cadence_days: int, now: datetime
) -> PlanDone:
    plan = VisitPlan(
        plan_id=plan_id,
        rule=rule,
        state=VisitPlanState.ACTIVE,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        resident_id=resident_id,
        responsible_role=responsible_role,
        cadence_days=cadence_days,
        period_start=now,
        due_at=now,
        changed_at=now,
    )
    return new_period(plan, start=now)


def new_period(plan: VisitPlan, *, start: datetime) -> tuple[VisitPlan, tuple[VisitPlanned]]:
    """Begins a period of visits; the present one counts for nothing."""
    due_at = start + timedelta(days=plan.cadence_days)
    begun = replace(plan, period_start=start, due_at=due_at, next_turn_at=due_at, visited=False)
    return begun, (visit_planned(begun),)


def visit_planned(plan: VisitPlan) -> VisitPlanned:
    """Returns the fact that the present period of a plan began."""
    return VisitPlanned(
        plan_id=plan.plan_id,
        rule=plan.rule,
        area_code=plan.area_code,
        responsible_role=plan.responsible_role,
        period_start=plan.period_start,
        due_at=plan.due_at,
    )


def visit_made(plan: VisitPlan, visit: Visit, *, first: bool) -> VisitMade:
    """Returns the fact of a visit in the present period; `first`: it is the one that counts."""
    return VisitMade(
        plan_id=plan.plan_id,
        rule=plan.rule,
        area_code=plan.area_code,
        by=visit.by,
        at=visit.at,
        first=first,
        period_start=plan.period_start,
    )


def _missed(plan: VisitPlan) -> VisitMissed:
    return VisitMissed(
        plan_id=plan.plan_id,
        rule=plan.rule,
        area_code=plan.area_code,
        responsible_role=plan.responsible_role,
        period_start=plan.period_start,
        due_at=plan.due_at,
    )


def _left(entry: CareEntry, now: datetime) -> CareLeft:
    return CareLeft(care_id=entry.care_id, area_code=entry.area_code, state=entry.state, at=now)
