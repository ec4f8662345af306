"""What a cross-check says: per record the result, who they are on either side by reference, which fields differ; never a value.

Three files: `results.parquet` has every record, `report.csv` those somebody should look at, `summary.json` the counts, what the job
rests on and what its result must not be used for. No consequence follows from any of them by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from population.crosscheck.rules import Rule
from population.domain.job import Job
from population.jobs.desk import Desk

_PIECE = 1 << 20
HEADINGS = {
    "result": "结果 result",
    "left_reference": "左侧编号 left_reference",
    "right_reference": "右侧编号 right_reference",
    "differing_fields": "不一致字段 differing_fields",
    "match_probability": "匹配概率 match_probability",
}
_COLUMNS = {
    "result": "result",
    "left_reference": "x.reference",
    "right_reference": "y.reference",
    "differing_fields": "differing",
    "match_probability": "round(probability, 4)",
}
HARMLESS = r"regexp_replace({}, '^([=+@\t\r-])', '''\1')"
"""Spreadsheets run what begins like a formula; the references are those of a department's file."""
LOOKED_AT = ("differing", "possible", "left_only")
"""Results that are listed for people; everybody who matches and everybody the file does not have are in results.parquet."""
FINDING = {"MR03": ("matched", "differing", "possible")}
"""Rules whose finding is the match itself: who is in both lists."""


def write(*, desk: Desk, connection: duckdb.DuckDBPyConnection, rule: Rule, counts: Mapping[str, int]) -> None:
    """Writes the three files."""
    right = "a" if rule.finds_duplicates else "b"
    shown = ", ".join(f"{_COLUMNS[name]} AS {name}" for name in rule.output)
    rows = f"SELECT {shown} FROM decided LEFT JOIN a AS x ON x.record = a_record LEFT JOIN {right} AS y ON y.record = b_record"
    everything = desk.workspace / "results.parquet"
    connection.execute(f"COPY ({rows}) TO '{everything}' (FORMAT parquet)")
    desk.write("results.parquet", _pieces(everything), rows=sum(counts.values()))
    listed = FINDING.get(rule.code, LOOKED_AT)
    columns = {name: HARMLESS.format(sql) if name.endswith("_reference") else sql for name, sql in _COLUMNS.items()}
    named = ", ".join(f'{columns[name]} AS "{HEADINGS[name]}"' for name in rule.output)
    of_these = ", ".join(f"'{result}'" for result in listed)
    report = desk.workspace / "report.csv"
    order = f"{rows.replace(shown, named, 1)} WHERE result IN ({of_these}) ORDER BY ALL"
    connection.execute(f"COPY ({order}) TO '{report}' (HEADER, DELIMITER ',')")
    desk.write("report.csv", _with_mark(report), rows=sum(counts[result] for result in listed))
    desk.write("summary.json", [summary(desk.job, rule, counts)], rows=1)


def summary(job: Job, rule: Rule, counts: Mapping[str, int]) -> bytes:
    """Returns what the job was about, for the files of those who ordered it."""
    told: dict[str, Any] = {
        "job_id": job.job_id,
        "rule": rule.code,
        "name": rule.zh,
        "left": rule.left_source,
        "right": rule.right_source,
        "purpose": job.purpose,
        "legal_basis": job.legal_basis,
        "started_by": job.started_by,
        "area_code": job.area_code,
        "counts": dict(counts),
        "use": rule.result_use,
        "prohibited_use": rule.prohibited_use,
        "verify_step": rule.verify_step,
        "columns": list(rule.output),
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _with_mark(path: Path) -> Iterator[bytes]:
    """With the mark that makes spreadsheets read it as UTF-8."""
    yield b"\xef\xbb\xbf"
    yield from _pieces(path)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
