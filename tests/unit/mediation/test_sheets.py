"""Files people take away: harmless in a spreadsheet, whole when read again, every code named."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from binglian.mediation.v1 import case_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from mediation import exporting, naming
from mediation.domain import CaseState, Light, Severity
from mediation.sheets import CsvSheet, Sheet, XlsxSheet, harmless
from svckit.messages import to_message

from .builders import dispatched, done

CELL = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
TABLE = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8)


def written(sheet: Sheet, table: list[list[str]]) -> bytes:
    """The file of a table that arrives row by row."""
    return b"".join(sheet.rows([row]) for row in table) + sheet.end()


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-1", "@x", "\t=1", " =1", "|calc", "＝1", "\r=1"])
def test_what_a_spreadsheet_would_run_becomes_text(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "1", "路灯", "a=b", "'x"])
def test_the_rest_stays(cell: str) -> None:
    assert harmless(cell) == cell


@given(table=TABLE)
def test_csv_reads_back(table: list[list[str]]) -> None:
    text = written(CsvSheet(), table).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[harmless(cell) for cell in row] for row in table]


@given(table=TABLE)
@settings(max_examples=25, deadline=None)
def test_workbooks_read_back_and_hold_nothing_but_text(table: list[list[str]]) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(written(XlsxSheet(), table))).active
    assert sheet is not None
    cells = [[sheet.cell(row, column) for column in (1, 2, 3)] for row in range(1, len(table) + 1)]
    assert [[str(cell.value or "") for cell in row] for row in cells] == table
    assert {cell.data_type for row in cells for cell in row if cell.value} <= {"s", "inlineStr"}


def test_what_xml_cannot_hold_is_left_out() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(written(XlsxSheet(), [["a\x00b\x1f\ud800", "x" * 40_000]]))).active
    assert sheet is not None
    assert (sheet.cell(1, 1).value, len(str(sheet.cell(1, 2).value))) == ("ab", 32_767)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_has_a_name(language: str) -> None:
    assert all(naming.state(state, language) != state for state in CaseState)
    assert all(naming.severity(severity, language) != severity for severity in Severity)
    assert all(naming.light(light, language) != light for light in Light)
    assert naming.light(Light.UNSPECIFIED, language) == ""


def test_codes_of_all_tables_are_named() -> None:
    assert naming.category("A0204", "zh") == "公共部位占用堆物"
    assert naming.category("C0101", "zh") == "上水井盖"
    assert naming.category("B", "en") == "Fire and safety hazard"
    assert naming.category("A9999", "zh") == "矛盾纠纷"
    assert naming.department("NEWER", "zh") == "NEWER"
    assert naming.source("05", "zh") == "来信"


def test_a_row_has_a_cell_for_every_heading() -> None:
    for case in (dispatched("PMC", "FIRE"), done(dispatched("PMC"), "PMC")):
        row = exporting.row(to_message(case_pb2.Case, case), language="zh")
        assert len(row) == len(exporting.headings("zh")) == len(exporting.headings("en"))
        named = dict(zip(exporting.headings("en"), row, strict=True))
        assert named["Lead department"] == naming.department("PMC", "zh")
        assert named["Source"] == "网格员巡查发现"
        assert bool(named["Next due"]) == (case.state is not CaseState.HANDLED)
