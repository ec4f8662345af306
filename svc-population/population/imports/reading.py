"""Rows of CSV, XLSX and Parquet files as texts, a batch at a time: a file of four million rows needs no more memory than a small one.

Only the columns that are asked for are read; the others never leave the file. Rows are numbered as people see them: the first row after
the heading is 1.
"""

from __future__ import annotations

import datetime as dt
import itertools
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import openpyxl
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from openpyxl.utils.exceptions import InvalidFileException

from population.domain.job import FileFormat
from svckit.errors import InvalidArgument

BATCH = 2_000
_BLOCK_BYTES = 1 << 20
_EXACT_DIGITS = 15
"""Spreadsheets keep no more digits of a number; an identity number in such a cell is not what was typed."""
ROUNDED = "\0rounded"
"""Stands for a number that a spreadsheet has rounded."""


class Batch(msgspec.Struct, frozen=True):
    """Rows: `numbers` as people count them, one list of texts per column ("" for nothing); `broken` are rows of another shape."""

    numbers: Sequence[int]
    columns: dict[str, list[str]]
    broken: Sequence[int] = ()

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Returns the rows one by one."""
        names = list(self.columns)
        for number, values in zip(self.numbers, zip(*self.columns.values(), strict=True), strict=True):
            yield number, dict(zip(names, values, strict=True))


def read(*, file: BinaryIO, format: FileFormat, columns: Sequence[str]) -> Iterator[Batch]:
    """Returns the batches of a file. Raises InvalidArgument (FILE_UNREADABLE, COLUMN_MISSING, COLUMN_TWICE)."""
    readers = {FileFormat.CSV: _csv, FileFormat.XLSX: _xlsx, FileFormat.PARQUET: _parquet}
    try:
        yield from readers[format](file, list(columns))
    except (
        pyarrow.ArrowInvalid,
        pyarrow.ArrowKeyError,
        InvalidFileException,
        zipfile.BadZipFile,
        UnicodeError,
        KeyError,
    ) as error:
        raise InvalidArgument(
            f"The file cannot be read as {format.upper()}.", reason="FILE_UNREADABLE", field="source"
        ) from error


def heading(*, file: BinaryIO, format: FileFormat) -> list[str]:
    """Returns the names of the columns, and leaves the file at its beginning. Raises InvalidArgument (FILE_UNREADABLE)."""
    try:
        if format is FileFormat.PARQUET:
            names = list(pyarrow.parquet.ParquetFile(file).schema_arrow.names)
        elif format is FileFormat.XLSX:
            names = next(_sheet_rows(file), [])
        else:
            names = list(_open_csv(file, None, []).schema.names)
    except (pyarrow.ArrowInvalid, InvalidFileException, zipfile.BadZipFile, UnicodeError, KeyError) as error:
        raise InvalidArgument(
            f"The file cannot be read as {format.upper()}.", reason="FILE_UNREADABLE", field="source"
        ) from error
    file.seek(0)
    return [name.strip() for name in names]


# ------------------------------------------------------------------------------------------------- CSV


def _csv(file: BinaryIO, columns: list[str]) -> Iterator[Batch]:
    names = heading(file=file, format=FileFormat.CSV)
    wanted = [names[place] for place in _places(names, columns)]
    broken: list[int] = []
    reader = _open_csv(file, names, broken, wanted)
    numbers = itertools.count(1)
    known = 0
    for block in reader:
        missing, known = broken[known:], len(broken)
        gaps = set(broken)
        rows = list(itertools.islice((number for number in numbers if number not in gaps), block.num_rows))
        yield from _in_pieces(rows, block, wanted, missing)
    if len(broken) > known:
        yield Batch([], {name: [] for name in wanted}, broken[known:])


def _open_csv(file: BinaryIO, names: list[str] | None, broken: list[int], wanted: Sequence[str] = ()) -> Any:
    def skip(row: Any) -> str:
        # The heading counts as a row here.
        broken.append((row.number or 0) - 1)
        return "skip"

    read_options = pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=_encoding(file))
    types = {name: pyarrow.string() for name in names or ()}
    convert = pyarrow.csv.ConvertOptions(column_types=types, include_columns=list(wanted), strings_can_be_null=False)
    parse = pyarrow.csv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True)
    return pyarrow.csv.open_csv(file, read_options=read_options, parse_options=parse, convert_options=convert)


def _encoding(file: BinaryIO) -> str:
    """UTF-8, or what offices in China save: GB 18030."""
    head = file.read(_BLOCK_BYTES)
    file.seek(0)
    try:
        head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A character may be cut in two at the end of the sample.
        return "utf-8" if error.start > len(head) - 4 and len(head) == _BLOCK_BYTES else "gb18030"
    return "utf-8"


# ------------------------------------------------------------------------------------------------- XLSX


def _xlsx(file: BinaryIO, columns: list[str]) -> Iterator[Batch]:
    rows = _sheet_rows(file)
    names = [name.strip() for name in next(rows, [])]
    places = _places(names, columns)
    wanted = [names[place] for place in places]
    numbered = enumerate(rows, start=1)
    while batch := list(itertools.islice(numbered, BATCH)):
        filled = [(number, row) for number, row in batch if any(row)]
        values = {
            name: [row[place] if place < len(row) else "" for _, row in filled]
            for name, place in zip(wanted, places, strict=True)
        }
        yield Batch([number for number, _ in filled], values)


def _sheet_rows(file: BinaryIO) -> Iterator[list[str]]:
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    # What writers claim about the size of a sheet is often wrong.
    sheet.reset_dimensions()
    for row in sheet.iter_rows(values_only=True):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()[:10]
    if isinstance(value, float):
        return ROUNDED if abs(value) >= 10**_EXACT_DIGITS else f"{value:.15g}"
    if isinstance(value, int) and not isinstance(value, bool) and len(str(abs(value))) > _EXACT_DIGITS:
        return ROUNDED
    return str(value).strip()


# ------------------------------------------------------------------------------------------------- Parquet


def _parquet(file: BinaryIO, columns: list[str]) -> Iterator[Batch]:
    source = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
    names = list(source.schema_arrow.names)
    wanted = [names[place] for place in _places(names, columns)]
    start = 1
    for block in source.iter_batches(batch_size=BATCH * 8, columns=wanted, use_threads=False):
        yield from _in_pieces(range(start, start + block.num_rows), block, wanted, ())
        start += block.num_rows


def _in_pieces(numbers: Sequence[int], block: Any, names: Sequence[str], broken: Sequence[int]) -> Iterator[Batch]:
    """Cuts an Arrow batch into ours, every value as text."""
    texts = {name: _texts(block.column(block.schema.get_field_index(name))) for name in names}
    for at in range(0, len(numbers), BATCH):
        piece = {name.strip(): values[at : at + BATCH] for name, values in texts.items()}
        yield Batch(numbers[at : at + BATCH], piece, broken if at == 0 else ())
    if not len(numbers) and broken:
        yield Batch([], {name.strip(): [] for name in names}, broken)


def _texts(column: Any) -> list[str]:
    if not pyarrow.types.is_string(column.type):
        column = column.cast(pyarrow.string())
    return [value.strip() if value else "" for value in column.to_pylist()]


def _places(names: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Returns where the columns stand. Raises InvalidArgument (COLUMN_MISSING, COLUMN_TWICE)."""
    plain = [name.strip().removeprefix("\ufeff") for name in names]
    for column in columns:
        if column not in plain:
            raise InvalidArgument(f"The file has no column {column!r}.", reason="COLUMN_MISSING", field="mapping")
        if plain.count(column) > 1:
            raise InvalidArgument(f"The file has two columns {column!r}.", reason="COLUMN_TWICE", field="mapping")
    return [plain.index(column) for column in columns]
