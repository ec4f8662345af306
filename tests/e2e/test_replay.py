"""`make replay`: a file becomes cases once, however often it is replayed and wherever that broke off; no dirty row is lost."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.local.layout import ROOT, Layout
from tests.services import eventually
from tests.suite import environment_of, run_program

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

HEADER = (
    "srnumber", "requesttype", "status", "createddate", "closeddate", "requestsource", "owner", "latitude", "longitude",
    "address", "ncname",
)  # fmt: skip
NEIGHBOURHOODS = {"EAST NC": (-118.30, 34.05), "WEST NC": (-118.40, 34.05)}
SIDE = 0.04
Row = dict[str, str]


def row(number: str, **changes: str) -> Row:
    """A clean row, unless it is changed."""
    cells = (
        number,
        "Graffiti Removal",
        "Closed",
        "1/2/20 8:00",
        "1/3/20 9:30",
        "Call",
        "OCB",
        "34.05",
        "-118.30",
        "1 Main St",
        "EAST NC",
    )
    return {**dict(zip(HEADER, cells, strict=True)), **changes}


CLEAN = [row(f"A-{number}", createddate=f"1/2/20 {8 + number % 10}:{number:02d}") for number in range(20)]
OTHER = [
    row("B-1", status="Cancelled"),
    row("B-2", status="Open", closeddate=""),
    row("B-3", ncname="WEST NC", latitude="", longitude=""),
    row("B-4", closeddate=""),
    row("B-5", latitude="51.5", longitude="-0.1"),
]
DIRTY = {
    "no id": row(""),
    "repeated id": row("A-0"),
    "bad created time": row("C-1", createddate="yesterday"),
    "unknown type": row("C-2", requesttype="Dragons"),
    "unknown owner": row("C-3", owner="NASA"),
    "closed before created": row("C-4", closeddate="1/1/20 8:00"),
}
REMARKED = {"no position": 23, "closed without a time": 24, "position in no area": 25}
"""Rows that become cases with a remark: where they stand in the file."""


def write(folder: Path, name: str, rows: list[Row]) -> Path:
    """The file, with the outlines of its neighbourhoods beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nc_boundaries.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": list(map(feature, NEIGHBOURHOODS))})
    )
    path = folder / name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)
    return path


def feature(name: str) -> dict[str, Any]:
    x, y = NEIGHBOURHOODS[name]
    ring = [[x + dx * SIDE, y + dy * SIDE] for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
    properties = {"name": name, "service_re": "REGION 1"}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def external_ids(suite: Layout, prefix: str) -> list[str]:
    """Numbers of the replayed cases, sorted; one that is there twice was replayed twice."""
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{suite.ports.mongo}/?replicaSet=binglian") as client:
        found = client["binglian_mediation"]["cases"].find({"external_id": {"$regex": f"^{prefix}"}}, {"external_id": 1})
        return sorted(case["external_id"] for case in found)


def problems(suite: Layout, path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((suite.home / "replay" / f"{path.stem}.problems.json").read_text())
    return found


def test_a_file_becomes_cases_once(suite: Layout, tmp_path: Path) -> None:
    path = write(tmp_path, "once.csv", [*CLEAN, *OTHER, *DIRTY.values()])
    wanted = sorted(row["srnumber"] for row in (*CLEAN, *OTHER))
    first = run_program(suite, "deploy.replay", str(path))
    assert first.returncode == 0, first.stdout + first.stderr
    assert external_ids(suite, "[AB]-") == wanted
    assert "cases a second" in first.stdout
    assert "tasks done on time:" in first.stdout
    # B-2 is still open, years after it was due.
    assert re.search(r"办结 resolve\s+│ running\s+│ 0\s+│ 0\s+│ [1-9]", first.stdout)
    assert "升级 ladder:" in first.stdout
    assert "督办 supervision orders:" in first.stdout
    told = problems(suite, path)
    assert {found["kind"]: found["row"] for found in told if found["refused"]} == dict(zip(DIRTY, range(26, 32), strict=True))
    assert {found["kind"]: found["row"] for found in told if not found["refused"]} == REMARKED
    # The journal skips what was done; without it the suite itself refuses to do it again.
    for option, sentence in ((), "skipped as done before: 25"), (("--fresh",), "skipped as done before: 0"):
        again = run_program(suite, "deploy.replay", str(path), *option)
        assert again.returncode == 0, again.stdout + again.stderr
        assert sentence in again.stdout
        assert external_ids(suite, "[AB]-") == wanted


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_what_broke_off_goes_on_without_duplicates(suite: Layout, tmp_path: Path, blow: signal.Signals) -> None:
    rows = [row(f"{blow.name}-{number:02d}", createddate=f"1/2/20 8:{number:02d}") for number in range(40)]
    path = write(tmp_path, f"broken-{blow.name}.csv", rows)
    # Forty minutes of the file in about eight seconds: time enough to end it in the middle.
    command = [sys.executable, "-m", "deploy.replay", str(path), "--speed", "300"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment_of(suite), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    journal = suite.home / "replay" / f"{path.stem}.jsonl"
    eventually(lambda: journal.exists() and len(journal.read_text().splitlines()) > 5, seconds=60)
    process.send_signal(blow)
    assert process.wait(timeout=30) != 0
    done = len(external_ids(suite, blow.name))
    assert 5 < done < 40
    again = run_program(suite, "deploy.replay", str(path))
    assert again.returncode == 0, again.stdout + again.stderr
    assert external_ids(suite, blow.name) == [row["srnumber"] for row in rows]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "no mapping"), ("name,colour\na,red\n", "no mapping")],
    ids=["empty file", "other columns"],
)
def test_a_file_nobody_can_read_is_told_in_one_sentence(suite: Layout, tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "strange.csv"
    path.write_text(text)
    done = run_program(suite, "deploy.replay", str(path))
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
