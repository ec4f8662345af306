"""The end report: per case its tasks with their clocks, actual time, critical path, the serial counterfactual, the trace."""

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from binglian.assessment.v1 import ledger_pb2
from binglian.mediation.v1 import case_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

from deploy.demo.accounts import edge_url
from deploy.demo.play import Played
from deploy.local.parts import demo_sign_in

_SHANGHAI = ZoneInfo("Asia/Shanghai")


def print_case(console: Console, played: Played, ledger: ledger_pb2.CaseLedger, speed: float) -> None:
    """One case; durations are scaled back to reality by `speed`."""
    case = played.case
    path = {step.task_id for step in ledger.critical_path}
    table = Table(
        "department",
        "",
        "assigned",
        "accepted",
        "done",
        "due",
        "waited",
        "worked",
        "critical",
        title=f"{case.number}  {played.story.title}",
    )
    records = {record.task_id: record for record in ledger.tasks}
    for task in case.tasks:
        record = records[task.task_id]
        table.add_row(
            task.department,
            "lead" if task.role == case_pb2.TASK_ROLE_LEAD else "joint",
            *(_clock(moment) for moment in (task.assigned_at, task.accepted_at, task.done_at)),
            next((_clock(clock.due_at, day=True) for clock in task.clocks if clock.kind == case_pb2.CLOCK_KIND_RESOLVE), "-"),
            *(_minutes(minutes, speed) for minutes in (record.waiting_minutes, record.working_minutes)),
            "◆" if task.task_id in path else "",
        )
    console.print(table)
    chain = " → ".join(f"{step.department or 'dispatch'} {_minutes(step.minutes, speed)}" for step in ledger.critical_path)
    console.print(f"  critical path: {chain}")
    console.print(
        f"  actual {_minutes(ledger.actual_minutes, speed)}, "
        f"one department after another (modelled) {_minutes(ledger.serial_minutes, speed)}: "
        f"[bold]{ledger.serial_minutes / ledger.actual_minutes:.1f} times faster in parallel[/bold]"
    )
    console.print(f"  case {edge_url()}/cases/{case.case_id}   trace {edge_url()}/traces/{played.trace_id}\n")


def print_summary(console: Console, ledgers: Iterable[ledger_pb2.CaseLedger], wrong: list[str]) -> None:
    """Totals and the verdict."""
    known = [ledger for ledger in ledgers if ledger.actual_minutes]
    if known:
        faster = sum(ledger.serial_minutes for ledger in known) / sum(ledger.actual_minutes for ledger in known)
        console.print(
            f"{len(known)} cases; all together {faster:.1f} times faster than one department after another (modelled)"
        )
    for sentence in wrong:
        console.print(f"[red]✗ {sentence}[/red]")
    console.print("[red]INVARIANTS BROKEN[/red]" if wrong else "[green]✓ every invariant holds[/green]")


def print_places(console: Console, closed: Sequence[Played]) -> None:
    """Where the closed cases are: the board shows open ones only. They are there while the suite runs."""
    if closed:
        console.print(
            f"The live board shows open cases only; {len(closed)} were closed. With the suite up (`make run`) they are here:\n"
            f"  all of them   {edge_url()}/cases?state=CASE_STATE_CLOSED\n"
            f"  the last      {edge_url()}/cases/{closed[-1].case_id}\n"
            f"  the ledger    {edge_url()}/ledger\n"
            f"  sign in       {demo_sign_in(os.environ)}",
            soft_wrap=True,
        )


def _clock(moment: Timestamp, *, day: bool = False) -> str:
    if not moment.seconds:
        return "-"
    local = moment.ToDatetime().replace(tzinfo=dt.UTC).astimezone(_SHANGHAI)
    return local.strftime("%m-%d %H:%M" if day else "%H:%M:%S")


def _minutes(minutes: float, speed: float) -> str:
    real = round(minutes * speed)
    return f"{real // 60} h {real % 60:02d} min" if real >= 60 else f"{real} min"
