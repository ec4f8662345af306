"""What comes back of the forms of requests: every export of a submission is the same request, and what is wrong is told by its field."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import openpyxl
import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from population.exports import xlsform
from population.forms import command
from population.forms.requests import REQUESTS, Photos, repeats_of, request_of
from population.forms.results import COLUMNS, SENT, Result, Results
from population.forms.sending import Service
from population.forms.submissions import Submission, read_export
from population.imports.mapping import RowError
from population.policies.collection import COLLECTED
from svckit.errors import InvalidArgument, Unavailable

ID = "01a00000-0000-7000-8000-000000000001"
KEY = "0b0d4a8e-0e8f-4f0e-9f52-6a1f3d1c7a10"
LINK = "https://odk.example/v1/projects/1/forms/f/submissions/{key}/attachments/{name}"
PHOTOS = Photos(link=LINK, digest=lambda name: "")
AT = "2026-03-02T09:30:00.000+08:00"

Table = list[dict[str, str]]


def submission(**fields: Any) -> Submission:
    return Submission(**{"row": 1, "key": KEY, "answers": {}, "repeats": {}} | fields)


def check_answers(**answers: str) -> dict[str, str]:
    return {"resident_id": ID, "check_id": ID, "happened_at": AT} | answers


def central(folder: Path, form: str, rows: Sequence[Submission]) -> Path:
    """As ODK Central exports it: CSV files in a ZIP file."""
    tables: dict[str, Table] = {
        f"binglian_{form}.csv": [{"SubmissionDate": AT, **one.answers, "KEY": f"uuid:{one.key}"} for one in rows]
    }
    for repeat in repeats_of(form):
        tables[f"binglian_{form}-{repeat}.csv"] = [
            {**answers, "PARENT_KEY": f"uuid:{one.key}", "KEY": f"uuid:{one.key}/{repeat}[{at}]"}
            for one in rows
            for at, answers in enumerate(one.repeats[repeat], start=1)
        ]
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, table in tables.items():
            file.writestr(name, csv_text(table))
        file.writestr("media/door.jpg", b"a door")
    return path


def unpacked(folder: Path, form: str, rows: Sequence[Submission]) -> Path:
    with zipfile.ZipFile(central(folder, form, rows)) as file:
        file.extractall(folder)
    return folder / f"binglian_{form}.csv"


def kobo(folder: Path, form: str, rows: Sequence[Submission]) -> Path:
    """As KoBoToolbox exports it: a workbook with a sheet per repeat group, questions with their group before them."""
    book = openpyxl.Workbook()
    _fill(book.active, [{**one.answers, "_uuid": one.key} for one in rows])
    for repeat in repeats_of(form):
        answers = [(one.key, row) for one in rows for row in one.repeats[repeat]]
        named = [
            {f"{repeat}/{name}": value for name, value in row.items()} | {"_submission__uuid": key} for key, row in answers
        ]
        _fill(book.create_sheet(repeat), named)
    path = folder / "export.xlsx"
    book.save(path)
    return path


def _fill(sheet: Any, table: Table) -> None:
    names = list(dict.fromkeys(name for row in table for name in row))
    sheet.append(names or ["_uuid"])
    for row in table:
        sheet.append([row.get(name, "") for name in names])


def csv_text(table: Table) -> str:
    names = list(dict.fromkeys(name for row in table for name in row)) or ["PARENT_KEY"]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


TEXT = st.text(alphabet="王小明,;\"'\n 好 abc", max_size=12).map(str.strip)
KEYS = st.uuids().map(str)
FIELDS = st.sampled_from(sorted(COLLECTED))
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31)).map(
    lambda at: f"{at.isoformat(timespec='milliseconds')}+08:00"
)


@st.composite
def proposals(draw: Any) -> Submission:
    edits = draw(st.lists(st.fixed_dictionaries({"field": FIELDS, "value": TEXT, "seen": TEXT}), min_size=1, max_size=4))
    answers = {"resident_id": draw(KEYS), "observed_at": draw(MOMENTS), "request_id": draw(KEYS)}
    return submission(key=draw(KEYS), answers=answers, repeats={"edits": edits})


@st.composite
def checks(draw: Any) -> Submission:
    found = draw(st.lists(st.fixed_dictionaries({"field": FIELDS, "value": TEXT}), max_size=3))
    answers = check_answers(resident_id=draw(KEYS), declined=" ".join(draw(st.lists(FIELDS, max_size=3))))
    return submission(
        key=draw(KEYS), answers=answers, repeats={"found": found, "evidence": [{"uri": "door.jpg", "taken_at": AT}]}
    )


def told(form: str, one: Submission, **photos: Any) -> Any:
    return request_of(form, one, photos=Photos(**{"link": LINK, "digest": lambda name: ""} | photos))


@pytest.mark.parametrize("write", [central, unpacked, kobo])
@settings(max_examples=12, deadline=None)
@given(rows=st.lists(proposals() | checks(), min_size=1, max_size=4, unique_by=lambda one: one.key))
def test_an_export_holds_what_was_filled_in(write: Callable[..., Path], rows: list[Submission]) -> None:
    for form in ("collection", "field_check"):
        mine = [one for one in rows if set(one.repeats) == set(repeats_of(form))]
        with tempfile.TemporaryDirectory() as folder:
            export = read_export(write(Path(folder), form, mine), repeats=repeats_of(form))
        assert [one.key for one in export.submissions] == [one.key for one in mine]
        for found, one in zip(export.submissions, mine, strict=True):
            assert _said(form, found) == _said(form, one)


def _said(form: str, one: Submission) -> Any:
    """The request, or why there is none."""
    try:
        return told(form, one)
    except RowError as error:
        return error.field, error.reason


@pytest.mark.parametrize("form", REQUESTS)
def test_every_question_is_read(form: str) -> None:
    inside, questions = [""], set()
    for row in xlsform._survey(xlsform.FORMS[form]):
        if row["type"].startswith("begin"):
            inside.append(row["name"])
        elif row["type"].startswith("end"):
            inside.pop()
        elif not row["name"].startswith("value_"):
            questions.add((inside[-1], row["name"]))
    read = set()
    for field in REQUESTS[form].DESCRIPTOR.fields:
        if field.name in repeats_of(form):
            read |= {(field.name, inner.name) for inner in field.message_type.fields}
        else:
            read.add(("", field.name))
    assert questions <= read
    assert repeats_of(form) == [row["name"] for row in xlsform._survey(xlsform.FORMS[form]) if row["type"] == "begin_repeat"]


def test_a_check_with_what_was_found_declined_and_seen() -> None:
    repeats = {
        "found": [{"field": "name", "value": "王小明"}, {"field": "", "value": ""}],
        "evidence": [{"uri": "my door.jpg", "taken_at": AT}, {"uri": ""}],
    }
    request = told(
        "field_check", submission(answers=check_answers(declined="phone sex"), repeats=repeats), digest=lambda name: "ab" * 32
    )
    assert request.request_id == KEY
    assert [(one.field, one.value) for one in request.found] == [("name", "王小明")]
    assert list(request.declined) == ["phone", "sex"]
    (photo,) = request.evidence
    assert photo.uri == f"https://odk.example/v1/projects/1/forms/f/submissions/uuid:{KEY}/attachments/my%20door.jpg"
    assert photo.sha256 == "ab" * 32
    assert photo.taken_at.ToDatetime(dt.UTC) == dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC)


def test_times_without_a_zone_are_chinas() -> None:
    visit = submission(
        answers={"plan_id": ID, "nothing_to_report": "true", "happened_at": "2026-03-02T09:30:00"}, repeats={"evidence": []}
    )
    request = told("care_visit", visit)
    assert request.nothing_to_report
    assert request.happened_at.ToDatetime(dt.UTC) == dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("form", "answers", "repeats", "field", "reason"),
    [
        ("care_visit", {"plan_id": "7"}, {"evidence": []}, "plan_id", "VALIDATION_FAILED"),
        ("care_visit", {"plan_id": ID, "nothing_to_report": "perhaps"}, {"evidence": []}, "nothing_to_report", "CODE_UNKNOWN"),
        ("care_visit", {"plan_id": ID, "notes": "他是重点人口"}, {"evidence": []}, "notes", "RESTRICTED_CONTENT"),
        ("care_visit", {"plan_id": ID, "happened_at": "gestern"}, {"evidence": []}, "happened_at", "DATE_INVALID"),
        ("field_check", check_answers(), {"found": [], "evidence": []}, "evidence", "VALIDATION_FAILED"),
        ("collection", {"resident_id": ID}, {"edits": []}, "edits", "VALIDATION_FAILED"),
        ("collection", {"resident_id": ID}, {"edits": [{"value": "王"}]}, "edits[0].field", "VALIDATION_FAILED"),
    ],
)
def test_a_wrong_submission_is_refused_with_its_field(
    form: str, answers: dict[str, str], repeats: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(RowError) as caught:
        told(form, submission(answers=answers, repeats=repeats))
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_photographs_need_a_place_and_submissions_an_id() -> None:
    repeats = {"found": [], "evidence": [{"uri": "door.jpg"}]}
    with pytest.raises(RowError, match="photographs"):
        told("field_check", submission(answers=check_answers(), repeats=repeats), link="")
    with pytest.raises(RowError) as caught:
        told("field_check", submission(key="", answers=check_answers(), repeats=repeats))
    assert caught.value.reason == "KEY_MISSING"


def test_photographs_that_come_along_are_known_by_their_bytes(tmp_path: Path) -> None:
    rows = [submission(answers=check_answers(), repeats={"found": [], "evidence": [{"uri": "door.jpg"}]})]
    for write in (central, unpacked):
        export = read_export(write(tmp_path, "field_check", rows), repeats=repeats_of("field_check"))
        assert export.digest("door.jpg") == hashlib.sha256(b"a door").hexdigest()
        assert export.digest("../door.jpg") in ("", export.digest("door.jpg"))
        assert export.digest("window.jpg") == ""


def _broken(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.zip", "no zip", "FILE_UNREADABLE"),
        ("a.xlsx", "no workbook", "FILE_UNREADABLE"),
        ("a.txt", "", "FORMAT_UNKNOWN"),
        ("a.csv", "KEY,resident_id\nuuid:1,2\n", "TABLE_MISSING"),
        ("b.csv", "resident_id\n2\n", "COLUMN_MISSING"),
        ("c.csv", "KEY\nuuid:1\n", "SUBMISSION_UNKNOWN"),
    ],
)
def test_a_file_that_is_no_export_says_so(tmp_path: Path, name: str, text: str, reason: str) -> None:
    _broken(tmp_path, "b-edits.csv", "PARENT_KEY\n")
    _broken(tmp_path, "c-edits.csv", "PARENT_KEY,field\nuuid:2,name\n")
    with pytest.raises(InvalidArgument) as caught:
        read_export(_broken(tmp_path, name, text), repeats=["edits"])
    assert caught.value.reason == reason


def test_results_go_on_where_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.results.csv"
    results = Results(path)
    results.add(Result(row=1, key="a", digest="1", outcome=SENT))
    results.add(Result(row=2, key="b", digest="2", outcome="refused", field="f", reason="R", message="m"))
    results.close()
    again = Results(path)
    again.close()
    assert again.has_sent("a", "1")
    assert not again.has_sent("a", "2")
    assert not again.has_sent("b", "2")
    assert path.read_text(encoding="utf-8-sig").splitlines() == [",".join(COLUMNS), "1,a,1,sent,,,"]
    path.write_text("something else\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no file of results"):
        Results(path)


def test_the_command_writes_forms_and_says_what_is_wrong(tmp_path: Path) -> None:
    out = io.StringIO()
    assert command.main(["make", "--to", str(tmp_path / "forms")], out=out) == 0
    assert {path.stem for path in (tmp_path / "forms").iterdir()} == {f"binglian_{name}" for name in xlsform.FORMS}
    assert command.main(["make", "census"], out=out) == 2
    missing = command.main(["bring", "care_visit", str(tmp_path / "a.zip"), "--token-file", str(tmp_path / "none")], out=out)
    assert missing == 2
    assert "FORM_UNKNOWN" in out.getvalue()


def test_an_unreachable_service_means_later() -> None:
    visit = submission(answers={"plan_id": ID, "nothing_to_report": "true"}, repeats={"evidence": []})
    with grpc.insecure_channel("127.0.0.1:1") as channel, pytest.raises(Unavailable):
        Service(channel, metadata=list, patience=0).send("care_visit", told("care_visit", visit))


def test_forms_ask_for_no_numbers_the_mapping_could_not_read() -> None:
    for form in REQUESTS:
        asked = {row["name"] for row in xlsform._survey(xlsform.FORMS[form])}
        numbers = [field.name for field in REQUESTS[form].DESCRIPTOR.fields if field.cpp_type == FieldDescriptor.CPPTYPE_INT64]
        assert not asked & set(numbers)
