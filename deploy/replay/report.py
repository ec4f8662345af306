"""What a replay ends with: how fast, how many on time, how long cases took against one department after another, who was slowest."""

from collections import Counter, defaultdict

from binglian.assessment.v1 import assessment_service_pb2
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
        figures = await session.call(
            stub.ListDepartmentFigures,
            assessment_service_pb2.ListDepartmentFiguresRequest(period=period, area_prefix=area_prefix),
        )
        comparison = await session.call(
            stub.GetComparison, assessment_service_pb2.GetComparisonRequest(period=period, area_prefix=area_prefix)
        )
        _print_period(console, period, figures, comparison.total)


def _print_period(
    console: Console,
    period: str,
    figures: assessment_service_pb2.ListDepartmentFiguresResponse,
    total: assessment_service_pb2.CategoryComparison,
) -> None:
    table = Table(
        "department",
        "tasks",
        "done",
        "on time",
        "median working h",
        "on the critical path",
        title=f"{period} 部门 Departments, slowest first",
    )
    for row in sorted(figures.figures, key=lambda row: -row.median_working_minutes):
        share = f"{row.done_on_time / row.done:.1%}" if row.done else "-"
        table.add_row(
            row.department, str(row.tasks), str(row.done), share, f"{row.median_working_minutes / 60:.1f}", str(row.critical)
        )
    done, on_time = sum(row.done for row in figures.figures), sum(row.done_on_time for row in figures.figures)
    console.print(table)
    console.print(f"tasks done on time: {on_time} of {done}" + (f" ({on_time / done:.1%})" if done else ""))
    console.print(
        f"median actual {total.median_actual_minutes / 60:.1f} h against serial (modelled) {total.median_serial_minutes / 60:.1f} h "
        f"over {total.cases} handled cases, {total.parallel_cases} of them with more than one department"
    )
