"""What a replay ends with: how fast, how many on time, how long cases took against one department after another, who was slowest."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from statistics import median

from binglian.assessment.v1 import assessment_service_pb2, ledger_pb2
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from rich.console import Console
from rich.table import Table

from deploy.client import Session
from deploy.replay.play import Tally
from deploy.replay.rows import Problem

SHOWN_ROWS = 12
"""Row numbers printed per kind of problem; the problem file has all of them."""


def print_problems(console: Console, problems: list[Problem]) -> None:
    """Counts problems by kind, with the first row numbers of each."""
    kinds: dict[tuple[str, bool], list[Problem]] = defaultdict(list)
    for problem in problems:
        kinds[problem.kind, problem.refused].append(problem)
    table = Table("dirty rows", "count", "what became of them", "rows", title="脏数据 Dirty rows")
    for (kind, refused), found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        rows = ", ".join(str(problem.row) for problem in found[:SHOWN_ROWS]) + (" …" if len(found) > SHOWN_ROWS else "")
        table.add_row(kind, str(len(found)), "refused, no case" if refused else "taken, with this remark", rows)
    console.print(table if kinds else "脏数据 Dirty rows: none")


def print_tally(console: Console, tally: Tally) -> None:
    """Speed and outcomes of this run."""
    rate = tally.played / tally.seconds if tally.seconds else 0.0
    outcomes = ", ".join(f"{count} {state}" for state, count in Counter(tally.outcomes).most_common())
    console.print(
        f"cases {tally.played} in {tally.seconds:.1f} s = [bold]{rate:.1f} cases a second[/bold]; skipped as done before: {tally.resumed}"
    )
    console.print(f"outcomes: {outcomes or '-'}")


async def print_assessment(console: Console, session: Session, area_prefix: str, periods: list[str]) -> None:
    """Figures of svc-assessment for the replayed city, over the months the file covers."""
    stub = AssessmentServiceStub(session.channel)
    for period in periods:
        request = assessment_service_pb2.ListDepartmentFiguresRequest(period=period, area_prefix=area_prefix)
        _print_departments(console, (await session.call(stub.ListDepartmentFigures, request, timeout=60)).figures, period)
    _print_durations(console, [ledger async for ledger in _handled(session, stub, area_prefix)])


async def _handled(session: Session, stub: AssessmentServiceStub, area_prefix: str) -> AsyncIterator[ledger_pb2.CaseLedger]:
    request = assessment_service_pb2.ListCaseLedgersRequest(page_size=200, area_prefix=area_prefix, handled_only=True)
    while True:
        page = await session.call(stub.ListCaseLedgers, request, timeout=60)
        for ledger in page.ledgers:
            yield ledger
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _print_departments(console: Console, figures: Iterable[assessment_service_pb2.DepartmentFigures], period: str) -> None:
    table = Table(
        "department", "tasks", "done", "on time", "median working h", title=f"{period} 部门 Departments, slowest first"
    )
    rows = sorted(figures, key=lambda row: -row.median_working_minutes)
    for row in rows:
        share = f"{row.done_on_time / row.done:.1%}" if row.done else "-"
        table.add_row(row.department, str(row.tasks), str(row.done), share, f"{row.median_working_minutes / 60:.1f}")
    console.print(table)
    done, on_time = sum(row.done for row in rows), sum(row.done_on_time for row in rows)
    console.print(f"tasks done on time: {on_time} of {done}" + (f" ({on_time / done:.1%})" if done else ""))


def _print_durations(console: Console, ledgers: list[ledger_pb2.CaseLedger]) -> None:
    """Actual against serial; where one department acts alone both are the same, so those with several stand by themselves."""
    several = [ledger for ledger in ledgers if len({task.department for task in ledger.tasks}) > 1]
    for name, group in (("all handled cases", ledgers), ("those with several departments", several)):
        if group:
            actual, serial = (
                median(getattr(one, field) for one in group) / 60 for field in ("actual_minutes", "serial_minutes")
            )
            console.print(f"{name}: {len(group)}, median actual {actual:.1f} h against {serial:.1f} h serial (modelled)")
    if ledgers and not several:
        console.print("in this file one department acts on every case, so serial and actual are the same")
