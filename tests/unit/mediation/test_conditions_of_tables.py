"""Every condition the tables put on a step is one that is refused: each names the rows of the guards that hold it.

Read from the tables themselves: a condition that is added there, or worded anew, fails here until somebody says what holds it.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml

from mediation.domain import Case, JoinPolicy, TaskState
from mediation.domain.dispute import Agreement, Dispute, Term

from .builders import DEPARTMENTS, dispatched, done
from .test_every_guard import GUARDS

NAMES = {guard.name for guard in GUARDS}


def table(name: str) -> Any:
    return yaml.safe_load(resources.files("mediation").joinpath(f"codes/{name}.yaml").read_text("utf-8"))


STEPS: dict[tuple[str, str], tuple[str, ...]] = {
    ("reported", "returned"): ("sent back without a reason",),
    ("returned", "reported"): ("more facts from somebody else", "nothing new was added"),
    ("reported", "rejected"): ("rejected without a reason",),
    ("reported", "merged"): (
        "merged into itself",
        "merged across cities",
        "merged into what is over",
        "merged into the later report",
    ),
    ("accepted", "dispatched"): ("nobody leads",),
    ("accepted", "parallel"): ("nobody leads", "a department twice", "tasks in a circle"),
    ("dispatched", "accepted"): (
        "an objection without a reason",
        "a second objection",
        "an objection after a working day",
        "a ruling on one's own objection",
        "an overruled objection that moves a task",
    ),
    ("parallel", "handled"): ("a parallel case without its one answer", "parties nobody told"),
    ("handling", "handled"): ("a result without words", "the result of the only department without a photograph"),
    ("self_handled", "handled"): ("the grid's result without words", "the grid's result without a photograph"),
    ("handling", "suspended"): ("suspended without a reason", "suspended twice", "suspended for too long"),
    ("handled", "verified"): ("checked by who handled it", "passed without a photograph", "a photograph from elsewhere"),
    ("handled", "rework"): (
        "failed without a reason",
        "failed without saying what",
        "a failed task that is none",
        "sent back to work without a reason",
    ),
    ("closed", "evaluated"): ("an evaluation the system makes too early",),
    ("evaluated", "accepted"): ("reopened twice", "reopened though content", "reopened without a reason"),
    ("handling", "transferred"): (
        "handed over without a notice",
        "handed over to nobody",
        "handed over without remedies",
    ),
}

COOPERATION: dict[str, tuple[str, ...]] = {
    "objection": ("a second objection", "an objection after a working day", "an objection to a petition after a week"),
    "fact_base": ("the workspace of others",),
    "change_of_lead": ("a second change of lead",),
    "exempt": (
        "an exemption by a joint department",
        "an exemption nobody proposed",
        "an exemption the grid centre alone may grant",
    ),
    "parallel_join_ok": ("a parallel case without its one answer", "parties nobody told"),
}

MEDIATION: dict[str, tuple[str, ...]] = {
    "no mediation when one party clearly refuses (art 17)": ("begun without everybody's consent",),
    "parties choose or accept the mediator (art 19, 23)": ("a mediator nobody accepted", "begun without a mediator"),
    "never blocks arbitration, administrative or court routes (art 3, 26); notice of remedies is mandatory on failure": (
        "remedies one party was not told",
    ),
    "free of charge (art 4)": (),
    "risk of public-order or criminal case -> report to police at once (art 25)": ("violence at home",),
    "file: registration, record, agreement (art 27)": ("drafted before anybody met", "signed before it is drafted"),
    "judicial confirmation: joint application within 30 days after the agreement takes effect (art 33; 民诉法 205); "
    "not available for marriage/adoption status matters (法释〔2011〕5号 art 4)": (
        "a court after 30 days",
        "a court asked by one party",
        "a court for what was said",
    ),
    "default mediation period 30 days, extendable by agreement (深圳条例25 V, used as default)": (
        "an extension not all agree to",
        "an extension out of bounds",
    ),
}

PEOPLE: dict[str, tuple[str, ...]] = {
    "recuse_if": ("a mediator with ties", "a party as mediator", "a mediator who stepped back"),
    "substitute": ("no chair to stand in",),
    "members": ("a committee of two",),
    "term_years": ("a term that begins on no day",),
    "must_include": ("a committee without a woman",),
}

ORDERS: dict[str, tuple[str, ...]] = {
    "start_level": ("a case that left one's level",),
    "skips_levels": ("past a level without need",),
    "reply": ("a limit too short",),
    "reply_minutes": ("a limit too short", "a limit too long"),
    "extension_share": ("an order extended too far", "an order extended twice", "an order extended too late"),
    "raise_again": ("a decision below the order's level",),
}

# What a row says beside who goes where, by which clock: a condition.
PLAIN = {"from", "to", "by", "sla", "notify_resident"}


def has_condition(row: dict[str, Any]) -> bool:
    return bool(row.keys() - PLAIN) or row["by"] == "reporter"


def worded(line: str | dict[str, str]) -> str:
    """A line of a list as it is written: YAML takes what stands before a colon for a key."""
    return line if isinstance(line, str) else ": ".join(next(iter(line.items())))


@pytest.mark.parametrize("held", [STEPS, COOPERATION, MEDIATION, PEOPLE, ORDERS])
def test_what_holds_a_condition_is_a_row_of_the_guards(held: dict[Any, tuple[str, ...]]) -> None:
    assert {name for names in held.values() for name in names} <= NAMES


def test_every_condition_of_a_step_is_held() -> None:
    assert {(row["from"], row["to"]) for row in table("workflow")["transitions"] if has_condition(row)} == set(STEPS)


def test_every_guard_of_mediation_is_held() -> None:
    policy = table("parallel_policy")
    assert set(map(worded, policy["mediation_guards"])) == set(MEDIATION)
    assert policy["mediator_conflict"].keys() | policy["committee"].keys() == set(PEOPLE)


def test_every_guard_of_cooperation_is_held() -> None:
    policy = table("parallel_policy")
    assert set(COOPERATION) <= policy["tasks"].keys() | policy["lead_rule"].keys() | policy["join_policy"].keys()


def test_every_bound_of_supervision_is_held() -> None:
    assert set(table("supervision")) == set(ORDERS)


def test_mediation_is_free_of_charge() -> None:
    """人民调解法 4: nothing about a dispute can hold a fee; what a term owes is owed between the parties."""
    fields = {name for kind in (Dispute, Agreement) for name in kind.__struct_fields__}
    assert not {name for name in fields if any(word in name for word in ("fee", "price", "charge", "cost", "cents"))}
    assert "amount_cents" in Term.__struct_fields__


def test_every_join_policy_of_the_table_is_one() -> None:
    assert {each.name for each in JoinPolicy} - {"UNSPECIFIED"} == set(table("parallel_policy")["join_policy"]["options"])


def join(case: Case, codes: tuple[str, ...]) -> bool:
    return done(case, *codes).state.value == "handled"


@pytest.mark.parametrize(
    ("policy", "enough", "short"),
    [
        (JoinPolicy.ALL, DEPARTMENTS[1:5] + DEPARTMENTS[:1], DEPARTMENTS[2:5] + DEPARTMENTS[:1]),
        (JoinPolicy.LEAD_PLUS_MAJORITY, DEPARTMENTS[1:4] + DEPARTMENTS[:1], DEPARTMENTS[1:3] + DEPARTMENTS[:1]),
        (JoinPolicy.LEAD_ONLY, DEPARTMENTS[:1], DEPARTMENTS[1:5]),
    ],
)
def test_a_join_policy_holds_with_just_so_many_and_not_with_one_less(
    policy: JoinPolicy, enough: tuple[str, ...], short: tuple[str, ...]
) -> None:
    case = dispatched(*DEPARTMENTS[:5], join_policy=policy)
    assert join(case, enough)
    assert not join(case, short)
    assert all(task.state is not TaskState.REMOVED for task in done(case, *short).tasks)
