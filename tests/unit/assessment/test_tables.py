"""The CSV of the time ledger: headings that say what is modelled, Chinese names, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from assessment import tables
from assessment.domain import CategoryComparison, CriticalMinutes, StepKind
from assessment.names import category_name, department_name
from tests.unit.assessment.histories import suspended
from tests.unit.assessment.test_ledgers import taken, three_departments


def read(table: tables.Table, *sources: object) -> list[dict[str, str]]:
    lines, count = tables.body(table, sources)
    text = tables.head(table) + lines
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == count
    return rows


def raw(history):
    """A ledger as the database gives it."""
    ledger = taken(history)
    return {"_id": ledger.case_id, **msgspec.to_builtins(ledger, builtin_types=(type(ledger.reported_at),))}


def test_a_case_is_one_row_with_both_ways_and_who_decided_its_time():
    (row,) = read(tables.CASES, raw([*three_departments(), *suspended(80, 90)]))
    assert row["实际用时(分钟) Actual minutes"] == "200"
    assert row["串联用时(分钟, 推演值) Serial minutes (modelled)"] == "310"
    assert row["节省(分钟, 推演值) Saved minutes (modelled)"] == "110"
    assert row["挂起(分钟) Standstill minutes"] == "10"
    assert row["关键路径(分钟) Critical path (minutes)"].startswith("待派遣 10; 消防救援大队 60; ")
    assert row["上报时间 Reported"] == "2026-03-02 09:00:00"
    assert row["类别 Category"] == category_name("A0204") != "A0204"


def test_a_case_that_is_not_handled_has_no_minutes_of_either_way():
    (row,) = read(tables.CASES, raw(three_departments()[:3]))
    assert row["实际用时(分钟) Actual minutes"] == row["串联用时(分钟, 推演值) Serial minutes (modelled)"] == ""
    assert row["办结时间 Handled"] == row["节省(分钟, 推演值) Saved minutes (modelled)"] == ""


def test_every_task_and_every_step_is_a_row():
    ledger = raw(three_departments())
    tasks = read(tables.TASKS, ledger)
    assert [row["部门代码 Department code"] for row in tasks] == ["FIRE", "UMD", "PSB"]
    assert [row["按时办结 Done in time"] for row in tasks] == ["是", "是", "否"]
    steps = read(tables.STEPS, ledger)
    assert [(row["步骤 Step"], row["性质 Kind"], row["用时(分钟) Minutes"]) for row in steps] == [
        ("1", "待派遣", "10"),
        ("2", "部门办理", "60"),
        ("3", "部门办理", "130"),
    ]


def test_every_modelled_column_says_so():
    for table in (tables.CASES, tables.CATEGORIES):
        headings = [column.heading for column in table.columns]
        about_the_model = [text for text in headings if "串联" in text or "节省" in text]
        assert about_the_model
        assert all("推演值" in text and "modelled" in text for text in about_the_model)


def test_tables_of_categories_name_them_and_the_total():
    category, total = read(tables.CATEGORIES, CategoryComparison(category="B01", cases=3), CategoryComparison(category=""))
    assert (category["类别代码 Category code"], total["类别 Category"]) == ("B01", "合计")
    row = CriticalMinutes(category="A0204", kind=StepKind.TASK, department="FIRE", cases=2, minutes=10.5, share=0.25)
    (attributed,) = read(tables.CRITICAL_MINUTES, row)
    assert (attributed["占比(%) Share (%)"], attributed["关键路径(分钟) Critical minutes"]) == ("25", "10.5")
    assert attributed["部门 Department"] == department_name("FIRE")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_no_text_becomes_a_formula(text):
    (row,) = read(tables.CASES, {**raw(three_departments()), "number": text})
    assert row["事件编号 Number"] == f"'{text}"


def test_unknown_codes_stand_for_themselves():
    assert (department_name("OCB"), category_name("Z9")) == ("OCB", "Z9")
