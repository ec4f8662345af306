"""The rules of the care register (care_category.csv) and of visits (visit_rule.csv)."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

import msgspec

from population.codes import rows_of
from population.domain.care import CareEntry, CareState, VisitPlan, VisitPlanState
from population.domain.life_event import Consent
from population.policies.life_events import check_consent
from population.policies.requests import CHINA_TIME, local_day, read_day
from svckit.errors import FailedPrecondition, InvalidArgument

CARE_TRANSITIONS: dict[str, tuple[frozenset[CareState | None], CareState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "enter": (frozenset({None}), CareState.ACTIVE),
    "renew": (frozenset({CareState.ACTIVE, CareState.EXPIRED}), CareState.ACTIVE),
    "end": (frozenset({CareState.ACTIVE}), CareState.ENDED),
    "expire": (frozenset({CareState.ACTIVE}), CareState.EXPIRED),
    "withdraw": (frozenset({CareState.ACTIVE, CareState.EXPIRED}), CareState.WITHDRAWN),
    "take_up": (frozenset({CareState.ENDED}), CareState.ACTIVE),
}
VISIT_PLAN_TRANSITIONS: dict[str, tuple[frozenset[VisitPlanState | None], VisitPlanState]] = {
    "start": (frozenset({None}), VisitPlanState.ACTIVE),
    "resume": (frozenset({VisitPlanState.ENDED}), VisitPlanState.ACTIVE),
    "end": (frozenset({VisitPlanState.ACTIVE}), VisitPlanState.ENDED),
}
HOLDS_FOR = timedelta(days=365)
"""How long an entry holds when nothing else is said; each consent is asked for again."""
LONGEST = timedelta(days=3 * 366)
VISITS_KEPT = 20
DEPARTMENT_ONLY = frozenset({"2003", "8001", "8002", "8003", "8004"})
"""Categories of level L4: kept by the department alone, unknown to grid and community (PIPL 28, 精神卫生法 4, 社区矫正法 54)."""
_SEEN_BY: Mapping[str, frozenset[str]] = {
    "GRID": frozenset({"GRID_WORKER", "GRID_LEADER", "GRID_SOCIAL"}),
    "COMMUNITY": frozenset({"COMM_CLERK", "GRID_SUPERVISOR", "STATION_HEAD", "DPO"}),
    "STREET_SPECIAL": frozenset({"STREET_CENTER", "DPO"}),
    "PUBLIC": frozenset({"GRID_WORKER", "GRID_LEADER", "GRID_SOCIAL", "COMM_CLERK", "GRID_SUPERVISOR", "STATION_HEAD", "DPO"}),
}
_STREET = frozenset({"STREET_CENTER"})
_STATISTICS = frozenset({"DATA_STEWARD", "ASSESSOR", "SUPERVISION"})


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A row of care_category.csv."""

    code: str
    sensitivity: str
    cadence_days: int
    owner_dept: str
    consent: str
    responsible_role: str
    visit_rule: str
    seen_by: frozenset[str]


class VisitRule(msgspec.Struct, frozen=True, kw_only=True):
    """A row of visit_rule.csv; `target` is care, resident or area."""

    code: str
    target: str
    cadence_days: int


@functools.cache
def _categories() -> Mapping[str, Category]:
    return {row["code"]: _category(row) for row in rows_of("care_category")}


def _category(row: Mapping[str, str]) -> Category:
    seen_by = frozenset().union(*(_SEEN_BY[name] for name in row["visible_to"].split("|")))
    return Category(
        code=row["code"],
        sensitivity=row["sensitivity"],
        cadence_days=int(row["cadence_days"]),
        owner_dept=row["owner_dept"],
        consent=row["consent"],
        responsible_role=row["responsible_role"],
        visit_rule=row["visit_rule"],
        seen_by=seen_by | _STREET,
    )


@functools.cache
def _visit_rules() -> Mapping[str, VisitRule]:
    return {
        row["code"]: VisitRule(code=row["code"], target=row["target"], cadence_days=int(row["cadence_days"]))
        for row in rows_of("visit_rule")
    }


def category_of(code: str) -> Category:
    """Returns a category. Raises FailedPrecondition (CARE_CATEGORY_RESTRICTED), InvalidArgument (CODE_UNKNOWN)."""
    if code in DEPARTMENT_ONLY:
        raise FailedPrecondition(
            "This category is kept by the department it belongs to, and by nobody else.", reason="CARE_CATEGORY_RESTRICTED"
        )
    if code not in _categories():
        raise InvalidArgument("There is no such category.", reason="CODE_UNKNOWN", field="category")
    return _categories()[code]


def categories_seen(*, roles: Collection[str], department: str) -> frozenset[str]:
    """Returns the categories somebody may know of: by role, and those of the own department."""
    return frozenset(
        code
        for code, category in _categories().items()
        if not category.seen_by.isdisjoint(roles) or (department and category.owner_dept == department)
    )


def categories_counted(*, roles: Collection[str]) -> frozenset[str]:
    """Returns the categories somebody may count who may see no entry: all for those who only see statistics, else none.

    The grid, which knows its people by sight, does not learn that a category hidden from it has anybody.
    """
    return frozenset(_categories()) if _STATISTICS & frozenset(roles) else frozenset()


def check_entering(category: Category, consent: Consent) -> None:
    """Raises FailedPrecondition (CONSENT_MISSING); who is "informed" has not agreed to what is sensitive."""
    check_consent(category.consent, consent)


def expiry(text: str, *, now: datetime) -> date:
    """Returns the last day an entry holds. Raises InvalidArgument (DATE_INVALID, EXPIRES_BEFORE_TODAY, TOO_LONG)."""
    today = local_day(now)
    day = read_day(text, field="expires_on") if text else today + HOLDS_FOR
    if day < today:
        raise InvalidArgument("It would hold no day.", reason="EXPIRES_BEFORE_TODAY", field="expires_on")
    if day > today + LONGEST:
        raise InvalidArgument("It holds three years at most; then it is asked again.", reason="TOO_LONG", field="expires_on")
    return day


def end_of(day: date) -> datetime:
    """Returns the moment a day in China is over."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=CHINA_TIME)


def check_care(entry: CareEntry, verb: str) -> CareState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE)."""
    sources, target = CARE_TRANSITIONS[verb]
    if entry.state not in sources:
        raise FailedPrecondition(
            f"An entry that is {entry.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": entry.state}
        )
    return target


def rests_on_law(entry: CareEntry) -> bool:
    """Tells whether an entry is kept because the law asks for it, not because somebody agreed."""
    return category_of(entry.category).consent == "statutory"


def check_withdrawable(entry: CareEntry) -> None:
    """Raises FailedPrecondition (STATUTORY): an allowance is not given and noted by consent."""
    if rests_on_law(entry):
        raise FailedPrecondition("The law asks for this entry; it does not rest on consent.", reason="STATUTORY")


def check_plan(plan: VisitPlan, verb: str) -> VisitPlanState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE)."""
    sources, target = VISIT_PLAN_TRANSITIONS[verb]
    if plan.state not in sources:
        raise FailedPrecondition(
            f"A visit plan that is {plan.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": plan.state}
        )
    return target


def is_free(rule: str) -> bool:
    """Tells whether visits by a rule are planned by people: no care entry brings them."""
    found = _visit_rules().get(rule)
    return found is not None and found.target != "care"


def free_rule(code: str, *, resident_id: str) -> VisitRule:
    """Returns a rule whose visits no care entry brings. Raises InvalidArgument (RULE_UNKNOWN, RESIDENT_MISSING, RESIDENT_UNWANTED)."""
    rule = _visit_rules().get(code)
    if rule is None or rule.target == "care":
        raise InvalidArgument("Visits by this rule come from the care register.", reason="RULE_UNKNOWN", field="rule")
    if rule.target == "resident" and not resident_id:
        raise InvalidArgument("This rule is about a resident: say which.", reason="RESIDENT_MISSING", field="resident_id")
    if rule.target == "area" and resident_id:
        raise InvalidArgument("This rule is about a grid, not a person.", reason="RESIDENT_UNWANTED", field="resident_id")
    return rule
