"""Replays a file of real service requests as cases of a second city."""

import argparse
import asyncio
import csv
import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

import grpc
import httpx
from binglian.assessment.v1 import assessment_service_pb2
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deploy.client import Session
from deploy.demo.accounts import edge_url, user_session
from deploy.local.layout import Layout, SetupProblem
from deploy.local.stack import stack
from deploy.replay.areas import import_areas
from deploy.replay.play import Journal, Player
from deploy.replay.report import print_assessment, print_problems, print_tally
from deploy.replay.rows import FileMapping, MappingError, Problem, Request, load_mapping, mapping_for, read_rows
from deploy.replay.watch import print_watch, watch
from deploy.terminal import wide_console

MAPPINGS = Path(__file__).parent / "mappings"
NO_FILE = (
    "Name a file of service requests, for example `make replay FILE=MyLA311_2020_10k.csv LIMIT=200` "
    "(Los Angeles open data, with nc_boundaries.geojson beside it)."
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.replay", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="CSV file with one request a row, its areas' outlines beside it")
    parser.add_argument("--mapping", type=Path, help="mapping file; default: the shipped one whose columns fit")
    parser.add_argument("--speed", type=float, help="times the pace of the file; default: as fast as it goes")
    parser.add_argument("--limit", type=int, help="only the first rows")
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="forget what an earlier replay of this file has done (the suite still refuses duplicates)",
    )
    return parser.parse_args()


async def replay(args: argparse.Namespace, mapping: FileMapping, console: Console) -> int:
    """Runs the replay and returns the exit code: 1 when a row was neither played nor reported."""
    rows = list(read_rows(args.file, mapping))
    if args.limit:
        rows = [row for row in rows if row.row <= args.limit]
    home = Layout.from_env().home / "replay"
    worker, checker = (user_session(name) for name in ("la-importer", "la-checker"))
    console.print(f"areas of {mapping.city['name']} from {mapping.areas['file']} …")
    communities = await import_areas(worker, mapping, args.file.parent)
    total = len({row.row for row in rows})
    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with closing(Journal.open(home / f"{args.file.stem}.jsonl", fresh=args.fresh)) as journal:
        player = Player(mapping=mapping, worker=worker, checker=checker, journal=journal, communities=communities)
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("cases", total=total)
            tally = await player.play(rows, speed=args.speed, advance=lambda: progress.advance(bar))
    print_problems(console, tally.problems)
    print_tally(console, tally)
    problems = home / f"{args.file.stem}.problems.json"
    problems.write_text(json.dumps([asdict(problem) for problem in tally.problems], ensure_ascii=False, indent=1))
    console.print(f"every dirty row with its reason: {problems}")
    await _settle(worker, mapping, tally.outcomes.total() + tally.resumed)
    await print_assessment(console, worker, mapping.city["code"], _periods(rows))
    print_watch(console, await watch(worker, mapping.city["code"]))
    await asyncio.gather(worker.close(), checker.close())
    refused = {problem.row for problem in tally.problems if problem.refused}
    return 0 if tally.played + tally.resumed + len(refused) == total else 1


async def _settle(session: Session, mapping: FileMapping, cases: int, *, patience: float = 120.0) -> None:
    """Waits until svc-assessment has taken the facts of all cases, or two minutes."""
    stub, seen = AssessmentServiceStub(session.channel), -1
    request = assessment_service_pb2.GetComparisonRequest(area_prefix=mapping.city["code"])
    for _ in range(int(patience / 2)):
        now = (await session.call(stub.GetComparison, request)).total.cases
        if now == seen or now >= cases:
            return
        seen = now
        await asyncio.sleep(2)


def _periods(rows: list[Request | Problem]) -> list[str]:
    """Months (Asia/Shanghai, as svc-assessment counts) in which requests were created."""
    shanghai = ZoneInfo("Asia/Shanghai")
    return sorted({row.created.astimezone(shanghai).strftime("%Y-%m") for row in rows if isinstance(row, Request)})


def main() -> int:
    """Reads the arguments and says in one sentence what is wrong with them."""
    args, console = _arguments(), wide_console()
    if args.file is None:
        print(NO_FILE, file=sys.stderr)
        return 2
    try:
        with args.file.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            header = set(next(csv.reader(file), ()))
        mapping = load_mapping(args.mapping or mapping_for(header, MAPPINGS))
    except (MappingError, OSError) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    try:
        with stack(Layout.from_env()):
            return _replayed(args, mapping, console)
    except SetupProblem as problem:
        console.print(f"[red]{problem}[/red]")
        return 1


def _replayed(args: argparse.Namespace, mapping: FileMapping, console: Console) -> int:
    try:
        return asyncio.run(replay(args, mapping, console))
    except* (grpc.aio.AioRpcError, httpx.HTTPError) as group:
        console.print(
            f"[red]{edge_url()} does not answer or refused: {group.exceptions[0]}[/red]. The replay goes on where it stopped."
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
