"""Electronic supervision (电子监察) of the replayed cases as the suite sees it now: lights of clocks, the ladder, supervision orders."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from binglian.mediation.v1 import case_pb2, case_service_pb2, supervision_pb2, supervision_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub
from binglian.mediation.v1.supervision_service_pb2_grpc import SupervisionServiceStub
from rich.console import Console
from rich.table import Table

from deploy.client import Session

LIGHTS = (case_pb2.LIGHT_GREEN, case_pb2.LIGHT_YELLOW, case_pb2.LIGHT_RED)
_CLOCKS = {
    case_pb2.CLOCK_KIND_ACCEPT: "接收 accept",
    case_pb2.CLOCK_KIND_RESPOND: "答复 respond",
    case_pb2.CLOCK_KIND_RESOLVE: "办结 resolve",
    case_pb2.CLOCK_KIND_RULING: "裁决 ruling",
}
_PAGE = 200


@dataclass
class Watch:
    """What was counted. Lights are those of task clocks, by kind of clock and whether it was met; a met clock keeps its light."""

    lights: Counter[tuple[int, bool, int]] = field(default_factory=Counter)
    levels: Counter[int] = field(default_factory=Counter)
    climbed: int = 0
    orders: Counter[int] = field(default_factory=Counter)
    causes: Counter[int] = field(default_factory=Counter)
    overdue: int = 0
    replied: int = 0

    def add_case(self, case: case_pb2.Case) -> None:
        """Counts the clocks of a case's tasks and the level that answers for it."""
        for task in case.tasks:
            for clock in task.clocks:
                self.lights[clock.kind, clock.HasField("met_at"), clock.light] += 1
        self.levels[case.level] += 1
        self.climbed += len(case.rungs) > 1

    def add_order(self, order: supervision_pb2.SupervisionOrder) -> None:
        """Counts a supervision order."""
        self.orders[order.state] += 1
        self.causes[order.cause] += 1
        self.overdue += order.HasField("overdue_at")
        self.replied += bool(order.replies)


async def watch(session: Session, area_prefix: str) -> Watch:
    """Counts all cases and orders of an area, page by page."""
    counted = Watch()
    async for case in _cases(session, area_prefix):
        counted.add_case(case)
    async for order in _orders(session, area_prefix):
        counted.add_order(order)
    return counted


async def _cases(session: Session, area_prefix: str) -> AsyncIterator[case_pb2.Case]:
    stub = CaseServiceStub(session.channel)
    request = case_service_pb2.ListCasesRequest(page_size=_PAGE, area_prefix=area_prefix)
    while True:
        page = await session.call(stub.ListCases, request, timeout=60)
        for case in page.cases:
            yield case
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def _orders(session: Session, area_prefix: str) -> AsyncIterator[supervision_pb2.SupervisionOrder]:
    stub = SupervisionServiceStub(session.channel)
    request = supervision_service_pb2.ListOrdersRequest(page_size=_PAGE, area_prefix=area_prefix)
    while True:
        page = await session.call(stub.ListOrders, request, timeout=60)
        for order in page.orders:
            yield order
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def print_watch(console: Console, counted: Watch) -> None:
    """Prints the lights by clock, how far cases climbed, and what became of supervision orders."""
    table = Table("clock", "state", "green", "yellow", "red", title="亮灯 Lights of the tasks' clocks")
    for kind, name in _CLOCKS.items():
        for met, state in ((True, "met"), (False, "running")):
            row = [counted.lights[kind, met, light] for light in LIGHTS]
            if any(row):
                table.add_row(name, state, *map(str, row))
    console.print(table)
    console.print(f"升级 ladder: {counted.climbed} cases climbed; levels now: {_named(counted.levels, case_pb2.CaseLevel)}")
    console.print(
        f"督办 supervision orders: {counted.orders.total()} ({_named(counted.causes, supervision_pb2.OrderCause)}); "
        f"now {_named(counted.orders, supervision_pb2.OrderState)}; replied {counted.replied}, overdue {counted.overdue}"
    )


def _named(counts: Counter[int], names: Any) -> str:
    """ "3 issued, 1 accepted": counts under the short names of an enum, in its order."""
    prefix = _prefix(names)
    told = (
        f"{counts[number]} {names.Name(number).removeprefix(prefix).lower()}" for number in sorted(counts) if counts[number]
    )
    return ", ".join(told) or "none"


def _prefix(names: Any) -> str:
    first: str = names.Name(0)
    return first.removesuffix("UNSPECIFIED")
