"""The collection forms are valid for the tools of the ODK family, and ask for nothing but what the contract takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyxform.xls2xform import convert

from population.exports import xlsform


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
