"""The route tables: every category leads somewhere, and the rows that carry a rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediation import policies, routing
from mediation.domain import Calendar, Limit, Severity, TaskRole
from svckit.errors import InvalidArgument

categories = st.sampled_from(routing.categories())
severities = st.sampled_from(Severity)


@given(category=categories, severity=severities)
def test_every_plan_can_be_dispatched(category: str, severity: Severity) -> None:
    policies.check_plans(routing.plan(category, severity).tasks)
    assert routing.plan(category, severity).basis


@given(category=categories, severity=severities)
def test_limits_fit_into_one_another(category: str, severity: Severity) -> None:
    whole = routing.case_limits(category, severity)
    joint = routing.task_limits(category, severity, TaskRole.JOINT)
    assert routing.task_limits(category, severity, TaskRole.LEAD) == whole
    # Joint departments keep office hours also where the lead has a counter.
    office = routing.task_limits(category, severity, TaskRole.LEAD, "another").resolve
    assert joint.resolve.minutes == -(-office.minutes * 4 // 5)
    assert office.calendar in (whole.resolve.calendar, Calendar.WORK)
    for limits in (whole, joint):
        assert 0 < limits.accept.minutes <= limits.resolve.minutes
        assert 0 < limits.respond.minutes <= limits.resolve.minutes


@given(category=categories)
def test_emergencies_count_every_hour(category: str) -> None:
    limits = routing.case_limits(category, Severity.S1)
    assert {limits.accept.calendar, limits.respond.calendar, limits.resolve.calendar} == {Calendar.STATUTORY}
    assert limits.accept.minutes <= 5


@given(category=categories, severity=st.sampled_from([Severity.S1, Severity.S2, Severity.S3]))
def test_serious_cases_go_to_all_departments_at_once(category: str, severity: Severity) -> None:
    plan = routing.plan(category, severity)
    assert plan.parallel_by_default == (len(plan.tasks) > 1)


@pytest.mark.parametrize(
    ("category", "lead", "joints", "parallel"),
    [
        ("A0204", "PMC", ["FIRE", "UMD", "PROP"], True),
        ("A0203", "PMC", ["PSB", "HOUSING"], False),  # inherits from 02
        ("A07", "HEALTH", ["JUST", "MEDINS", "PSB"], True),  # level L4: the escalated department leads
        ("B01", "FIRE", ["HOUSING", "PROP", "UMD"], True),
        ("C0101", "UTIL_WATER", [], False),
        ("D0402", "UTIL_WATER", ["UMD", "PROP", "COMM", "PSB"], True),
        ("E01", "COMM", ["PSB"], True),  # temporary residence is proven in the community
        ("J", "PETITION", ["GRID"], True),
        ("L", "GRID", ["COMM"], False),
    ],
)
def test_routes(category: str, lead: str, joints: list[str], parallel: bool) -> None:
    plan = routing.plan(category, Severity.S4)
    assert [task.department for task in plan.tasks] == [lead, *joints]
    assert plan.parallel_by_default is parallel


def test_a_grave_case_is_led_by_the_higher_department() -> None:
    assert routing.plan("A0204", Severity.S2).tasks[0].department == "HOUSING"


@pytest.mark.parametrize(
    ("category", "resolve"),
    [
        ("A0204", Limit(5 * 450, Calendar.WORK, whole_days=True)),
        ("E01", Limit(15 * 1440, Calendar.STATUTORY)),  # residence permit: 15 days by law
        ("A21", Limit(60 * 1440, Calendar.STATUTORY)),  # petitions: 60 calendar days
        ("D0102", Limit(240, Calendar.WORK)),  # 4 working hours
        ("C0115", Limit(1350, Calendar.WORK, whole_days=True)),  # 22.5 working hours are 3 working days
        ("D0403", Limit(120, Calendar.STATUTORY)),  # a gas leak does not wait for Monday
    ],
)
def test_resolve_limits(category: str, resolve: Limit) -> None:
    assert routing.case_limits(category, Severity.S4).resolve == resolve


@pytest.mark.parametrize("category", ["", "Z", "A0299x", "A9", "C9999", "a0204", "DD"])
def test_unknown_categories_are_refused(category: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        routing.find(category)
    assert (refusal.value.reason, refusal.value.field) == ("UNKNOWN_CATEGORY", "category")


def test_a_dispute_brings_its_own_severity() -> None:
    assert routing.find("A0105").severity is Severity.S1
