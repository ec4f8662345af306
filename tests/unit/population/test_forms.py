"""The collection forms are valid for the tools of the ODK family, and ask for nothing but what the contract takes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from google.protobuf.descriptor import Descriptor
from pyxform.xls2xform import convert

from population.exports import xlsform
from population.policies.collection import COLLECTED
from population.privacy.screening import screen_columns

REQUESTS = ("collection", "field_check", "care_visit")


@pytest.mark.parametrize("name", xlsform.FORMS)
def test_pyxform_takes_the_form(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.xlsx"
    file.write_bytes(xlsform.workbook(name))
    made = convert(str(file))
    assert made.warnings == []
    assert f'id="binglian_{name}"' in made.xform


def test_the_form_asks_for_what_a_draft_has() -> None:
    names = {field.name for field in xlsform.asked(xlsform.FORMS["resident"].message)}
    assert {"name", "id_number", "birth_date", "phone", "area_code", "residence"} <= names


def test_choices_are_the_code_tables(tmp_path: Path) -> None:
    file = tmp_path / "resident.xlsx"
    file.write_bytes(xlsform.workbook("resident"))
    xform = convert(str(file)).xform
    assert "户籍人口" in xform
    assert "10X98765432" in xform, "the check digit of identity numbers is checked on the spot"


def test_the_version_changes_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    before = xlsform.version("resident")
    assert before != xlsform.version("household")
    changed = {**xlsform.ENUMS, "tenure": {**xlsform.ENUMS["tenure"], "other": ("借住", "Lodger")}}
    monkeypatch.setattr(xlsform, "ENUMS", changed)
    xlsform.version.cache_clear()
    assert xlsform.version("resident") != before
    monkeypatch.undo()
    xlsform.version.cache_clear()
    assert xlsform.version("resident") == before


def _rows(name: str, sheet: str = "survey") -> list[dict[str, str]]:
    head, *rows = openpyxl.load_workbook(BytesIO(xlsform.workbook(name)))[sheet].iter_rows(values_only=True)
    return [dict(zip(head, [cell or "" for cell in row], strict=True)) for row in rows]


@pytest.mark.parametrize("name", REQUESTS)
def test_questions_of_a_request_are_its_fields(name: str) -> None:
    inside: list[Descriptor] = [xlsform.FORMS[name].message]
    for row in _rows(name):
        if row["type"] == "end_repeat":
            inside.pop()
        elif not row["name"].startswith("value_"):
            field = inside[-1].fields_by_name[row["name"]]
            assert field.is_repeated == (row["type"].startswith(("begin_repeat", "select_multiple"))), row["name"]
            if row["type"] == "begin_repeat":
                inside.append(field.message_type)
    assert len(inside) == 1


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_asks_for_nothing_restricted(name: str) -> None:
    said = [row[key] for row in _rows(name) for key in ("name", xlsform.ZH) if row.get(key)]
    said += [
        row[key] for row in _rows(name, "choices") if row["list_name"] == "collected_field" for key in ("name", xlsform.ZH)
    ]
    assert screen_columns(said) == []
    assert not {"category", "rule"} & set(said)


@pytest.mark.parametrize("name", ["collection", "field_check"])
def test_every_collected_field_has_a_value_to_fill(name: str) -> None:
    rows = {row["name"]: row for row in _rows(name) if row["name"]}
    assert {row["name"] for row in _rows(name, "choices") if row["list_name"] == "collected_field"} == set(COLLECTED)
    for field in COLLECTED:
        assert rows[f"value_{field}"]["relevant"] == f"${{field}} = '{field}'"
        assert f"${{value_{field}}}" in rows["value"]["calculation"]
    assert rows["value_sex"]["type"] == "select_one sex"
    assert rows["value_birth_date"]["type"] == "date"


def test_evidence_is_needed_to_verify_and_notes_unless_nothing_is_reported() -> None:
    check = {row["name"]: row for row in _rows("field_check")}
    visit = {row["name"]: row for row in _rows("care_visit")}
    assert check["uri"]["required"] == "yes"
    assert visit["notes"]["required"] == "${nothing_to_report} = 'false'"
    assert visit["uri"]["required"] == ""
