"""Seeds a district of Yichang and plays cases in it: departments as programs of their own, a live board, a report.

Exits 0 only if every case ended and every invariant holds.
"""

import argparse
import asyncio
import contextlib
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
from binglian.assessment.v1 import assessment_service_pb2, ledger_pb2
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from binglian.mediation.v1 import case_pb2
from rich.console import Console
from rich.live import Live

from deploy.client import Session
from deploy.demo import board, chaos
from deploy.demo.accounts import edge_url, user_session
from deploy.demo.broker import dead_letters
from deploy.demo.district import Size
from deploy.demo.invariants import check_case, check_ledgers
from deploy.demo.play import Play, Played
from deploy.demo.report import print_case, print_places, print_summary
from deploy.demo.seed import seed
from deploy.demo.stories import STORIES
from deploy.local.layout import Layout, SetupProblem
from deploy.local.stack import stack
from deploy.terminal import wide_console

STAGGER_SECONDS = 1.5
"""Between two reports, so that the board is worth watching."""
PATIENCE_SECONDS = 30
STALLED_SECONDS = 180
"""When no case has moved on for so long, something is stuck: the demo ends and says what is open."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--cases", type=int, default=8, help="how many cases to play (the stories in turn)")
    parser.add_argument("--speed", type=float, default=1800, help="times the pace of reality (1800: half an hour a second)")
    parser.add_argument("--chaos", action="store_true", help="kill -9 a random process every 5 seconds")
    parser.add_argument(
        "--victims", default="", help="with --chaos: kill these, in this order, each once (mediation-api,mongod)"
    )
    parser.add_argument("--grids", type=int, default=4, help="grids per community")
    return parser.parse_args()


@contextlib.contextmanager
def department_systems(layout: Layout, speed: float) -> Iterator[None]:
    """Runs every department of the stories as a program of its own while the block runs."""
    codes = sorted({part.department for story in STORIES for part in story.parts})
    command = [sys.executable, "-m", "deploy.demo.departments", "--attached", "--speed", str(speed)]
    path = layout.logs / "departments.log"
    with path.open("w") as log:
        programs = [subprocess.Popen([*command, code], stdout=log, stderr=log) for code in codes]
    try:
        _wait_until_watching(path, len(codes))
        yield
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(timeout=10)


def _wait_until_watching(log: Path, count: int) -> None:
    """Returns when every department holds its stream, or after PATIENCE_SECONDS: a late one catches up."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while log.read_text().count("watching") < count and time.monotonic() < give_up:
        time.sleep(0.1)


async def play(layout: Layout, args: argparse.Namespace, console: Console) -> int:
    """Seeds, plays, reports; returns the exit code."""
    importer, clerk, worker, dispatcher = (user_session(name) for name in ("importer", "clerk", "worker", "dispatcher"))
    district = await seed(importer, clerk, Size(grids=args.grids), lambda text: console.print(f"  seeded {text}"))
    demo = Play(run=secrets.token_hex(4), worker=worker, dispatcher=dispatcher, district=district)
    with department_systems(layout, args.speed):
        await _through(layout, demo, args, console)
    cases = list(demo.cases.values())
    wrong = [sentence for played in cases for sentence in check_case(played)]
    wrong += [sentence async for sentence in check_ledgers(dispatcher, cases)]
    wrong += [
        f"{count} dead letters in {queue}" for queue, count in (await asyncio.to_thread(dead_letters, layout)).items() if count
    ]
    closed = [played for played in cases if played.case.state == case_pb2.CASE_STATE_CLOSED]
    ledgers = [await _ledger(dispatcher, played) for played in closed]
    for played, ledger in zip(closed, ledgers, strict=True):
        print_case(console, played, ledger, args.speed)
    print_summary(console, ledgers, wrong)
    print_places(console, closed)
    for session in (importer, clerk, worker, dispatcher):
        await session.close()
    return 1 if wrong or len(cases) < args.cases else 0


async def _through(layout: Layout, demo: Play, args: argparse.Namespace, console: Console) -> None:
    """Plays all cases under a live board, with chaos if asked for."""
    notes = ["every department acts at the same moment"]

    async def paint(live: Live) -> None:
        while True:
            live.update(board.draw(demo.cases.values(), notes[-1]))
            await asyncio.sleep(0.25)

    with Live(console=console, refresh_per_second=4, transient=not console.is_terminal) as live:
        background = [asyncio.ensure_future(paint(live))]
        if args.chaos:

            def tell(text: str) -> None:
                notes.append(text)
                live.console.print(f"  ⚡ {text}")

            victims = [name for name in args.victims.split(",") if name]
            background.append(asyncio.ensure_future(chaos.rage(layout, tell, victims=victims, seed=args.cases)))
        try:
            ended = await _all_cases(demo, args.cases)
        finally:
            for task in background:
                task.cancel()
        live.update(board.draw(demo.cases.values(), "all cases closed" if ended else "nothing moves any more"))


async def _all_cases(demo: Play, count: int) -> bool:
    """Plays them side by side; False when they got stuck."""

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(demo.one(STORIES[number % len(STORIES)], number))
                await asyncio.sleep(STAGGER_SECONDS)

    cases, stalled = asyncio.ensure_future(every()), asyncio.ensure_future(_stalled(demo))
    try:
        await asyncio.wait((cases, stalled), return_when=asyncio.FIRST_COMPLETED)
        if cases.done():
            cases.result()
        return cases.done()
    finally:
        stalled.cancel()
        cases.cancel()
        await asyncio.gather(cases, stalled, return_exceptions=True)


async def _stalled(demo: Play) -> None:
    """Returns when no case has changed for STALLED_SECONDS."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < STALLED_SECONDS:
        now = sum(played.case.revision for played in demo.cases.values())
        if now != seen:
            seen, since = now, time.monotonic()
        await asyncio.sleep(1)


async def _ledger(session: Session, played: Played) -> ledger_pb2.CaseLedger:
    stub = AssessmentServiceStub(session.channel)
    return (await session.call(stub.GetCaseLedger, assessment_service_pb2.GetCaseLedgerRequest(case_id=played.case_id))).ledger


def main() -> int:
    """Starts the suite if it is not running, and plays."""
    args, console, layout = _arguments(), wide_console(), Layout.from_env()
    try:
        with stack(layout):
            return _played(layout, args, console)
    except SetupProblem as problem:
        console.print(f"[red]{problem}[/red]")
        return 1


def _played(layout: Layout, args: argparse.Namespace, console: Console) -> int:
    try:
        return asyncio.run(play(layout, args, console))
    except* (grpc.aio.AioRpcError, httpx.HTTPError) as group:
        console.print(f"[red]{edge_url()} refused or does not answer: {group.exceptions[0]}[/red]")
    return 1


if __name__ == "__main__":
    sys.exit(main())
