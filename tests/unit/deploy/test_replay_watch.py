"""What a replay says of lights, the ladder and supervision orders."""

from __future__ import annotations

import io

from binglian.mediation.v1 import case_pb2, supervision_pb2
from rich.console import Console

from deploy.replay.watch import Watch, print_watch


def case(*clocks: case_pb2.Clock, rungs: int = 1, level: int = case_pb2.CASE_LEVEL_L2) -> case_pb2.Case:
    return case_pb2.Case(tasks=[case_pb2.Task(clocks=clocks)], rungs=[case_pb2.Rung()] * rungs, level=level)


def clock(kind: int, light: int, *, met: bool = False) -> case_pb2.Clock:
    made = case_pb2.Clock(kind=kind, light=light)
    if met:
        made.met_at.GetCurrentTime()
    return made


def printed(counted: Watch) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_watch(console, counted)
    return console.file.getvalue()


def test_lights_are_counted_by_clock_and_whether_it_was_met():
    counted = Watch()
    counted.add_case(
        case(
            clock(case_pb2.CLOCK_KIND_ACCEPT, case_pb2.LIGHT_GREEN, met=True),
            clock(case_pb2.CLOCK_KIND_RESOLVE, case_pb2.LIGHT_RED, met=True),
        )
    )
    counted.add_case(case(clock(case_pb2.CLOCK_KIND_RESOLVE, case_pb2.LIGHT_RED), rungs=3, level=case_pb2.CASE_LEVEL_L4))
    assert counted.lights[case_pb2.CLOCK_KIND_RESOLVE, True, case_pb2.LIGHT_RED] == 1
    assert counted.lights[case_pb2.CLOCK_KIND_RESOLVE, False, case_pb2.LIGHT_RED] == 1
    text = printed(counted)
    assert "1 cases climbed; levels now: 1 l2, 1 l4" in text
    rows = [[cell.strip() for cell in line.split("│")[2:-1]] for line in text.splitlines() if "resolve" in line]
    assert rows == [["met", "0", "0", "1"], ["running", "0", "0", "1"]]


def test_orders_are_counted_by_state_and_cause():
    counted = Watch()
    late = supervision_pb2.SupervisionOrder(
        state=supervision_pb2.ORDER_STATE_ISSUED, cause=supervision_pb2.ORDER_CAUSE_ESCALATION
    )
    late.overdue_at.GetCurrentTime()
    answered = supervision_pb2.SupervisionOrder(
        state=supervision_pb2.ORDER_STATE_REPLIED,
        cause=supervision_pb2.ORDER_CAUSE_MANUAL,
        replies=[supervision_pb2.OrderReply()],
    )
    for order in (late, answered):
        counted.add_order(order)
    text = " ".join(printed(counted).split())
    assert "orders: 2 (1 manual, 1 escalation)" in text
    assert "1 issued" in text
    assert "replied 1, overdue 1" in text


def test_without_orders_it_says_so():
    assert "orders: 0 (none)" in printed(Watch())
