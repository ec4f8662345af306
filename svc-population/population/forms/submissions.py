"""Submissions of a form, out of what an ODK server exports: one row each, the answers of repeat groups in files or sheets of their own.

ODK Central gives a ZIP file with `<form>.csv`, `<form>-<repeat>.csv` and `media/`, or the
CSV files alone: `KEY` names a submission, `PARENT_KEY` the one an answer is part of. KoBoToolbox gives a workbook with a sheet per repeat
group: `_uuid`, `_submission__uuid`. Columns of groups and the server's own columns are left alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from svckit.errors import InvalidArgument

_KEYS = ("KEY", "meta-instanceID", "meta/instanceID", "instanceID", "_uuid")
_PARENTS = ("PARENT_KEY", "_submission__uuid", "_parent_uuid")
_LARGEST_MEMBER = 256 << 20
"""Bytes of one table inside a ZIP file; what is larger was not filled in by hand."""
Table = Sequence[tuple[int, Mapping[str, str]]]
"""Rows with the number people count them by: the first after the heading is 1."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A filled form: the answers, and of each repeat group its answers one after the other. `key` is its id on the server."""

    row: int
    key: str
    answers: Mapping[str, str]
    repeats: Mapping[str, Sequence[Mapping[str, str]]]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What was read; `digest` gives the SHA-256 of a photograph that came along, "" for one that did not."""

    submissions: Sequence[Submission]
    digest: Callable[[str], str]


def read_export(path: Path, *, repeats: Sequence[str]) -> Export:
    """Reads a ZIP, CSV or XLSX file; `repeats` are the repeat groups of the form.

    Raises InvalidArgument (FILE_UNREADABLE, FORMAT_UNKNOWN, COLUMN_MISSING, TABLE_MISSING, SUBMISSION_UNKNOWN) naming the place.
    """
    readers = {".zip": _read_zip, ".csv": _read_folder, ".xlsx": _read_workbook}
    if path.suffix.lower() not in readers:
        raise InvalidArgument("The file is a ZIP, CSV or XLSX file.", reason="FORMAT_UNKNOWN", field=path.name)
    try:
        tables, digest = readers[path.suffix.lower()](path, repeats)
    except (OSError, UnicodeError, csv.Error, zipfile.BadZipFile, InvalidFileException, KeyError) as error:
        message = f"The file cannot be read: {type(error).__name__}."
        raise InvalidArgument(message, reason="FILE_UNREADABLE", field=path.name) from error
    return Export(submissions=_joined(tables, repeats), digest=digest)


Read = tuple[Mapping[str, Table], Callable[[str], str]]
MAIN = ""
"""Name of the table of the submissions themselves."""


def _read_zip(path: Path, repeats: Sequence[str]) -> Read:
    with zipfile.ZipFile(path) as file:
        names = [name for name in file.namelist() if name.lower().endswith(".csv") and "/" not in name]
        mains = [name for name in names if not any(name[:-4].endswith(f"-{repeat}") for repeat in repeats)]
        if len(mains) != 1:
            message = "One file of submissions is needed, and those of its repeat groups beside it."
            raise InvalidArgument(message, reason="TABLE_MISSING", field=path.name)
        tables = {MAIN: _rows_of(_member(file, mains[0]))}
        for repeat in repeats:
            name = f"{mains[0][:-4]}-{repeat}.csv"
            if name not in names:
                raise _no_table(name)
            tables[repeat] = _rows_of(_member(file, name))
        photos = {PurePosixPath(name).name: name for name in file.namelist() if name.startswith("media/")}
        digests = {short: _digest(file.open(name)) for short, name in photos.items() if short}
    return tables, lambda name: digests.get(name, "")


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > _LARGEST_MEMBER:
        raise InvalidArgument("The file is too large.", reason="FILE_TOO_LARGE", field=name)
    return file.read(name)


def _read_folder(path: Path, repeats: Sequence[str]) -> Read:
    tables = {MAIN: _rows_of(path.read_bytes())}
    for repeat in repeats:
        beside = path.with_name(f"{path.stem}-{repeat}.csv")
        if not beside.exists():
            raise _no_table(beside.name)
        tables[repeat] = _rows_of(beside.read_bytes())

    def digest(name: str) -> str:
        photo = path.parent / "media" / PurePosixPath(name).name
        return _digest(photo.open("rb")) if photo.is_file() else ""

    return tables, digest


def _read_workbook(path: Path, repeats: Sequence[str]) -> Read:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        tables = {MAIN: _sheet(book.worksheets[0])}
        for repeat in repeats:
            if repeat not in book.sheetnames:
                raise _no_table(repeat)
            tables[repeat] = _sheet(book[repeat])
    finally:
        book.close()
    return tables, lambda name: ""


def _no_table(name: str) -> InvalidArgument:
    return InvalidArgument("The answers of this repeat group are missing.", reason="TABLE_MISSING", field=name)


def _rows_of(data: bytes) -> Table:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return [(at, {name: value or "" for name, value in row.items() if name}) for at, row in enumerate(rows, start=1)]


def _sheet(sheet: Any) -> Table:
    rows = sheet.iter_rows(values_only=True)
    names = [str(name or "") for name in next(rows, ())]
    return [
        (at, {name: _text(cell) for name, cell in zip(names, row, strict=False) if name})
        for at, row in enumerate(rows, start=1)
    ]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, dt.date | dt.datetime) else "" if cell is None else str(cell)


def _digest(file: Any) -> str:
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _joined(tables: Mapping[str, Table], repeats: Sequence[str]) -> list[Submission]:
    parts: dict[str, dict[str, list[Mapping[str, str]]]] = {}
    keys = [_key(row, _KEYS) for _, row in tables[MAIN]]
    for key in keys:
        parts[key] = {repeat: [] for repeat in repeats}
    for repeat in repeats:
        for at, row in tables[repeat]:
            parent = _key(row, _PARENTS)
            if parent not in parts:
                message = f"Row {at} is part of no submission of the file."
                raise InvalidArgument(message, reason="SUBMISSION_UNKNOWN", field=repeat)
            parts[parent][repeat].append(_plain(row))
    return [
        Submission(row=at, key=key, answers=_plain(row), repeats=parts[key])
        for key, (at, row) in zip(keys, tables[MAIN], strict=True)
    ]


def _key(row: Mapping[str, str], names: Iterable[str]) -> str:
    """The id of a submission, as servers that write `uuid:` before it and those that do not both mean it; "" where none is written."""
    for name in names:
        if name in row:
            # An answer of a repeat group inside of another names the outer one behind a slash.
            return row[name].strip().split("/")[0].removeprefix("uuid:")
    raise InvalidArgument(f"One of the columns {', '.join(names)} is needed.", reason="COLUMN_MISSING", field=next(iter(names)))


def _plain(row: Mapping[str, str]) -> dict[str, str]:
    """Answers by the name of their question: KoBoToolbox writes the group before it."""
    return {name.rsplit("/", 1)[-1]: value.strip() for name, value in row.items()}
