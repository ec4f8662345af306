"""The tables of the time ledger as rows of CSV: a table is its columns, each a heading and what stands under it. Pure.

A table of cases, tasks or steps takes ledgers as the database holds them (`case_id` under `_id`); the tables of categories take
the structs of `domain`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from assessment.names import category_name, department_name
from assessment.policies import SHANGHAI

Raw = Mapping[str, Any]
Cell = str | int | float | bool | dt.datetime | None

MARK = "\ufeff"
"""Byte order mark: without it spreadsheets take the Chinese for another encoding."""

_KINDS = {"dispatch": "待派遣", "task": "部门办理", "coordination": "协调核查"}
_LIGHTS = {"green": "绿", "yellow": "黄", "red": "红"}
# What a spreadsheet takes for the start of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(msgspec.Struct, frozen=True):
    """One column: heading in Chinese and English, and its cell in a row."""

    zh: str
    en: str
    cell: Callable[[Any], Cell]

    @property
    def heading(self) -> str:
        """The heading as it stands in the file."""
        return f"{self.zh} {self.en}"


class Table(msgspec.Struct, frozen=True):
    """Columns, and what becomes rows of them: `rows` of one ledger, or of one struct."""

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Any], Iterable[Any]]


def head(table: Table) -> str:
    """Returns the first line of the file."""
    return MARK + _lines([[column.heading for column in table.columns]])


def body(table: Table, sources: Iterable[Any]) -> tuple[str, int]:
    """Returns the lines of some ledgers or structs, and how many there are."""
    rows = [row for source in sources for row in table.rows(source)]
    return _lines([_text(column.cell(row)) for column in table.columns] for row in rows), len(rows)


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, dt.datetime):
        return cell.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, float):
        return f"{cell:.2f}".rstrip("0").rstrip(".")
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(cell, int) else text


# ---------------------------------------------------------------------------------------------------- columns


def _field(name: str) -> Callable[[Any], Cell]:
    return lambda row: row.get(name)


def _attribute(name: str) -> Callable[[Any], Cell]:
    return lambda row: getattr(row, name)


def _when(instant: str, field: str) -> Callable[[Any], Cell]:
    """A field that means nothing until the instant is set."""
    return lambda row: row.get(field) if row.get(instant) else None


def _on_path(row: Raw) -> str:
    """Who was on the critical path, for instance "消防救援机构 60; 公安机关 130"."""
    shares = row.get("critical_shares", ())
    told = (
        f"{department_name(share['department']) or _KINDS[share['kind']]} {_text(float(share['minutes']))}" for share in shares
    )
    return "; ".join(told)


def _saved(row: Raw) -> Cell:
    return row["serial_minutes"] - row["actual_minutes"] if row.get("handled_at") else None


_CASE = (
    Column("事件编号", "Number", _field("number")),
    Column("区域", "Area", _field("area_code")),
    Column("类别", "Category", lambda row: category_name(row.get("category", ""))),
    Column("类别代码", "Category code", _field("category")),
)

CASES = Table(
    "cases",
    (
        *_CASE,
        Column("等级", "Severity", lambda row: row.get("severity", "").upper()),
        Column("上报时间", "Reported", _field("reported_at")),
        Column("派遣时间", "Dispatched", _field("dispatched_at")),
        Column("办结时间", "Handled", _field("handled_at")),
        Column("结案时间", "Closed", _field("closed_at")),
        Column("任务数", "Tasks", lambda row: sum(not task["removed"] for task in row["tasks"])),
        Column("多部门并联", "Parallel", _field("parallel")),
        Column("实际用时(分钟)", "Actual minutes", _when("handled_at", "actual_minutes")),
        Column("串联用时(分钟, 推演值)", "Serial minutes (modelled)", _when("handled_at", "serial_minutes")),
        Column("节省(分钟, 推演值)", "Saved minutes (modelled)", _saved),
        Column("等待(分钟)", "Waiting minutes", _field("waiting_minutes")),
        Column("办理(分钟)", "Working minutes", _field("working_minutes")),
        Column("挂起(分钟)", "Standstill minutes", _field("suspended_minutes")),
        Column("关键路径(分钟)", "Critical path (minutes)", _on_path),
        Column("最差亮灯", "Worst light", lambda row: _LIGHTS.get(row.get("light", ""), "")),
        Column("升级次数", "Escalations", _field("escalations")),
        Column("督办次数", "Supervision orders", lambda row: len(row.get("orders", ()))),
    ),
    lambda ledger: (ledger,),
)

TASKS = Table(
    "tasks",
    (
        *_CASE,
        Column("部门", "Department", lambda row: department_name(row["department"])),
        Column("部门代码", "Department code", _field("department")),
        Column("牵头", "Lead", _field("lead")),
        Column("可开始", "Could start", _field("assigned_at")),
        Column("接收", "Accepted", _field("accepted_at")),
        Column("按时接收", "Accepted in time", _when("accepted_at", "accepted_on_time")),
        Column("应办结", "Due", _field("due_at")),
        Column("办结", "Done", _field("done_at")),
        Column("按时办结", "Done in time", _when("done_at", "done_on_time")),
        Column("等待(分钟)", "Waiting minutes", _field("waiting_minutes")),
        Column("办理(分钟)", "Working minutes", _field("working_minutes")),
        Column("挂起(分钟)", "Standstill minutes", _field("suspended_minutes")),
        Column("返工次数", "Returns", _field("returns")),
        Column("异议次数", "Objections", _field("objections")),
        Column("延期次数", "Extensions", _field("extensions")),
        Column("最差亮灯", "Worst light", lambda row: _LIGHTS.get(row.get("light", ""), "")),
        Column("关键路径", "On the critical path", _field("critical")),
        Column("已移出", "Removed", _field("removed")),
    ),
    lambda ledger: ({**_head(ledger), **task} for task in ledger["tasks"]),
)

STEPS = Table(
    "steps",
    (
        *_CASE,
        Column("步骤", "Step", _field("place")),
        Column("性质", "Kind", lambda row: _KINDS[row["kind"]]),
        Column("部门", "Department", lambda row: department_name(row["department"])),
        Column("部门代码", "Department code", _field("department")),
        Column("开始", "From", _field("started_at")),
        Column("结束", "To", _field("ended_at")),
        Column("用时(分钟)", "Minutes", _field("minutes")),
        Column("等待(分钟)", "Waiting minutes", _field("waiting_minutes")),
        Column("办理(分钟)", "Working minutes", _field("working_minutes")),
        Column("挂起(分钟)", "Standstill minutes", _field("suspended_minutes")),
    ),
    lambda ledger: (
        {**_head(ledger), **step, "place": place} for place, step in enumerate(ledger.get("critical_path", ()), start=1)
    ),
)


def _head(ledger: Raw) -> dict[str, Any]:
    return {name: ledger.get(name, "") for name in ("number", "area_code", "category")}


_CATEGORY = (
    Column("类别", "Category", lambda row: category_name(row.category) or "合计"),
    Column("类别代码", "Category code", _attribute("category")),
)

CATEGORIES = Table(
    "categories",
    (
        *_CATEGORY,
        Column("已办结", "Handled cases", _attribute("cases")),
        Column("其中多部门并联", "Parallel cases", _attribute("parallel_cases")),
        Column("实际用时中位数(分钟)", "Median actual minutes", _attribute("median_actual_minutes")),
        Column("串联用时中位数(分钟, 推演值)", "Median serial minutes (modelled)", _attribute("median_serial_minutes")),
        Column("节省中位数(分钟, 推演值)", "Median saved minutes (modelled)", _attribute("median_saved_minutes")),
        Column("等待中位数(分钟)", "Median waiting minutes", _attribute("median_waiting_minutes")),
        Column("办理中位数(分钟)", "Median working minutes", _attribute("median_working_minutes")),
        Column("挂起中位数(分钟)", "Median standstill minutes", _attribute("median_suspended_minutes")),
    ),
    lambda row: (row,),
)
"""Of `CategoryComparison`."""

CRITICAL_MINUTES = Table(
    "critical-minutes",
    (
        *_CATEGORY,
        Column("性质", "Kind", lambda row: _KINDS[row.kind]),
        Column("部门", "Department", lambda row: department_name(row.department)),
        Column("部门代码", "Department code", _attribute("department")),
        Column("事件数", "Cases", _attribute("cases")),
        Column("关键路径(分钟)", "Critical minutes", _attribute("minutes")),
        Column("其中等待(分钟)", "Waiting minutes", _attribute("waiting_minutes")),
        Column("其中办理(分钟)", "Working minutes", _attribute("working_minutes")),
        Column("其中挂起(分钟)", "Standstill minutes", _attribute("suspended_minutes")),
        Column("每件中位数(分钟)", "Median minutes a case", _attribute("median_minutes")),
        Column("占比(%)", "Share (%)", lambda row: row.share * 100),
    ),
    lambda row: (row,),
)
"""Of `CriticalMinutes`."""
