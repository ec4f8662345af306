"""Every refusal of policies and operations is a row that triggers it and asserts its reason, its words and its field.

The places that refuse are collected from the sources; a row counts for the line its refusal came from. So a new guard without a row
fails here, and so does a row whose guard is gone. Refusals by table (wrong state, wrong role) are tried for every pair there is.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

import mediation
from mediation import policies
from mediation.domain import CaseState, TaskState
from mediation.domain.dispute import AgreementStatus, DisputeState
from mediation.domain.dispute_workflow import AGREEMENT_MOVES, DISPUTE_MOVES
from mediation.domain.supervision import ORDER_MOVES, OrderState
from mediation.domain.workflow import CASE_MOVES, PROXIES, TASK_MOVES, Transition
from mediation.policies.agreements import check_agreement_move
from mediation.policies.disputes import check_dispute_move
from mediation.policies.supervision import check_order_move
from svckit.access import Caller

from . import (
    guards_of_agreements,
    guards_of_cases,
    guards_of_dispatch,
    guards_of_disputes,
    guards_of_endings,
    guards_of_offices,
    guards_of_supervision,
    guards_of_tasks,
)
from .builders import dispatched, task_of
from .dispute_builders import opened, signed
from .guarding import Guard, refusal_of
from .orders import ordered

HOME = Path(mediation.__file__).parent
SOURCES = (*sorted(HOME.glob("policies/*.py")), *sorted(HOME.glob("operations/*.py")), HOME / "history.py", HOME / "routing.py")
TABLES = (
    guards_of_cases,
    guards_of_dispatch,
    guards_of_tasks,
    guards_of_endings,
    guards_of_disputes,
    guards_of_agreements,
    guards_of_supervision,
    guards_of_offices,
)
GUARDS: tuple[Guard, ...] = tuple(guard for table in TABLES for guard in table.GUARDS)
# These say that the program is wrong, or a stored chain broken: no refusals to a caller.
INVARIANTS = {"AssertionError", "ValueError", "BrokenChain"}
# Stand in the record of a message; nobody is refused with them.
RECORDED = {"WORKER_LOST"}
CODE = re.compile(r"[A-Z]{2,}(_[A-Z]+)*")


class Site(NamedTuple):
    """A statement that refuses."""

    file: Path
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.file.relative_to(HOME)}:{self.first}"


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def name_of(call: ast.expr | None) -> str:
    """The name that is called, "" for what is no call."""
    if not isinstance(call, ast.Call):
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def raises() -> list[tuple[Path, ast.Raise]]:
    found = [(file, node) for file in SOURCES for node in ast.walk(tree_of(file)) if isinstance(node, ast.Raise)]
    return [(file, node) for file, node in found if name_of(node.exc) not in INVARIANTS]


def sites() -> set[Site]:
    return {Site(file, node.lineno, node.end_lineno or node.lineno) for file, node in raises()}


def constants(node: ast.AST) -> set[str]:
    """The codes written out somewhere in an expression."""
    texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))
    return {text for text in texts if CODE.fullmatch(text)}


def reasoning() -> set[str]:
    """The functions of the sources that take the reason of a refusal as an argument."""
    functions = [node for file in SOURCES for node in ast.walk(tree_of(file)) if isinstance(node, ast.FunctionDef)]
    return {each.name for each in functions if "reason" in {arg.arg for arg in (*each.args.args, *each.args.kwonlyargs)}}


def codes() -> set[str]:
    """Every reason the sources may refuse with."""
    takers = reasoning()
    found: set[str] = set()
    for node in (node for file in SOURCES for node in ast.walk(tree_of(file))):
        if isinstance(node, ast.keyword) and node.arg == "reason":
            found |= constants(node.value)
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and name_of(node) in takers):
            found |= constants(node)
        elif isinstance(node, ast.FunctionDef):
            found |= {
                code for default in (*node.args.defaults, *node.args.kw_defaults) if default for code in constants(default)
            }
        elif isinstance(node, ast.Assign) and {"reason", "default_reason"} & set(
            re.findall(r"\w+", ast.unparse(node.targets[0]))
        ):
            found |= constants(node.value)
    return found - RECORDED


@cache
def reached() -> dict[str, Site | None]:
    """By the name of the row, the statement its refusal came from."""
    known = sites()
    found: dict[str, Site | None] = {}
    for guard in GUARDS:
        how = refusal_of(guard.call)
        found[guard.name] = next(
            (site for site in known if site.file == how.file and site.first <= how.line <= site.last), None
        )
    return found


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_says_why(guard: Guard) -> None:
    how = refusal_of(guard.call)
    assert (how.reason, how.text, how.field) == (guard.reason, guard.text, guard.field)


def test_names_differ() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


def test_every_refusal_is_tried() -> None:
    untried = sites() - set(reached().values())
    assert sorted(map(str, untried)) == [], "add a row to one of the tables of guards"


def test_every_row_tries_a_refusal() -> None:
    assert [name for name, site in reached().items() if site is None] == []


def test_every_reason_is_tried() -> None:
    assert sorted(codes() - {guard.reason for guard in GUARDS}) == []


def test_every_refusal_has_a_reason_of_its_own() -> None:
    """None falls back on the reason of its kind: clients act on reasons."""
    kinds = {"NOT_FOUND", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "PERMISSION_DENIED", "CONFLICT", "UNAVAILABLE", "UNKNOWN"}
    assert {guard.reason for guard in GUARDS} & kinds == set()


# ------------------------------------------------------------------------------------------------------------ by table

ROWS: list[Transition] = [
    *(row for rows in CASE_MOVES.values() for row in rows),
    *(row for rows in TASK_MOVES.values() for row in rows),
    *(row for rows in DISPUTE_MOVES.values() for row in rows.values()),
    *ORDER_MOVES.values(),
]
ROLES = frozenset(role for row in ROWS for role in row.by) | {"AUDITOR", "SUPERVISION"}
ANYBODY = Caller("anybody", roles=ROLES - PROXIES, area="420502")


def somebody(role: str) -> Caller:
    return Caller("somebody", roles=frozenset({role}), area="420502")


def told(*arguments: Any) -> tuple[str, str]:
    how = refusal_of(lambda: arguments[0](*arguments[1:]))
    return how.reason, how.text


def case_in(state: CaseState) -> Any:
    return replace(dispatched("PMC", "FIRE"), state=state)


def task_in(state: TaskState) -> Any:
    return replace(task_of(dispatched("PMC", "FIRE"), "FIRE"), state=state)


def order_in(state: OrderState) -> Any:
    return replace(ordered(), state=state)


def dispute_in(state: DisputeState) -> Any:
    return replace(opened(), state=state)


def pairs(moves: Any, states: Any) -> list[tuple[str, Any]]:
    """Every verb of a table with every state it has no row for."""
    return [pair for pair in product(sorted({verb for verb, _ in moves}), states) if pair not in moves]


def test_no_verb_on_a_case_from_another_state() -> None:
    for verb, state in pairs(CASE_MOVES, CaseState):
        words = f"A case that is {state} allows no {verb}."
        assert told(policies.check_case_move, case_in(state), verb, ANYBODY) == ("WRONG_STATE", words)


def test_no_verb_on_a_task_from_another_state() -> None:
    case = dispatched("PMC", "FIRE")
    for verb, state in pairs(TASK_MOVES, TaskState):
        words = ("WRONG_STATE", f"A task that is {state} allows no {verb}.")
        if state is TaskState.WAITING:
            words = ("TASK_WAITING", "This task waits for other tasks.")
        assert told(policies.check_task_move, case, task_in(state), verb, ANYBODY) == words


def test_no_verb_on_an_order_from_another_state() -> None:
    for verb, state in pairs(ORDER_MOVES, OrderState):
        words = f"An order that is {state} allows no {verb}."
        assert told(check_order_move, order_in(state), verb, ANYBODY) == ("WRONG_STATE", words)


def test_no_verb_on_a_dispute_from_another_state() -> None:
    for verb, state in pairs(DISPUTE_MOVES, DisputeState):
        words = f"A dispute that is {state} allows no {verb}."
        assert told(check_dispute_move, dispute_in(state), verb, ANYBODY) == ("WRONG_STATE", words)


def test_no_agreement_becomes_what_the_table_does_not_lead_to() -> None:
    verbs = sorted({verb for verb, _ in AGREEMENT_MOVES})
    agreement = signed().agreement
    assert agreement
    for verb, status, target in product(verbs, AgreementStatus, AgreementStatus):
        if target not in AGREEMENT_MOVES.get((verb, status), {}):
            words = f"An agreement that is {status} cannot become {target} by {verb}."
            assert told(check_agreement_move, replace(agreement, status=status), verb, target) == ("AGREEMENT_STATUS", words)


def by_role(check: Any, row: Transition, *arguments: Any) -> None:
    """Every role the row does not name is refused with the roles it names."""
    words = f"{row.verb} is for {', '.join(sorted(row.by))}."
    for role in ROLES - row.by - PROXIES:
        assert told(check, *arguments, row.verb, somebody(role)) == ("ROLE_REQUIRED", words)


def test_no_verb_by_a_role_its_row_does_not_name() -> None:
    case = dispatched("PMC", "FIRE")
    for (_, state), rows in CASE_MOVES.items():
        by_role(policies.check_case_move, rows[0], case_in(CaseState(state)))
    for (_, state), rows in TASK_MOVES.items():
        by_role(policies.check_task_move, rows[0], case, task_in(TaskState(state)))
    for (_, state), row in ORDER_MOVES.items():
        by_role(check_order_move, row, order_in(OrderState(state)))
    for (_, state), targets in DISPUTE_MOVES.items():
        by_role(check_dispute_move, next(iter(targets.values())), dispute_in(DisputeState(state)))


def test_rows_of_one_verb_and_state_name_the_same_roles() -> None:
    """The policies look at the first of them."""
    for rows in (*CASE_MOVES.values(), *TASK_MOVES.values(), *(tuple(each.values()) for each in DISPUTE_MOVES.values())):
        assert len({row.by for row in rows}) == 1
