"""Rows become a file while they are read: CSV, or an Office Open XML workbook. Pure; nothing is kept but the row at hand.

A cell that begins like a formula is what a spreadsheet would run: in CSV it gets an apostrophe before it (OWASP, CSV injection); in
a workbook every cell is declared to be text, which no program evaluates.

The workbook is written here because the libraries do not stream: XlsxWriter (constant_memory) and openpyxl (write-only) gather a sheet in
a temporary file and make the archive when the last row is in, so nothing could be sent before, and every download would need its
size of disk. A sheet of texts is four constant parts and one element per cell; that others read it is tested with openpyxl.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Protocol
from xml.sax.saxutils import escape

_FORMULA = re.compile(r"^\s*[=+\-@|\t\r＝＋－＠]")
# XML 1.0 has no place for these, not even escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONGEST_CELL = 32_767
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


class Sheet(Protocol):
    """A file that grows by rows; each call returns the bytes that are ready."""

    content_type: str
    extension: str

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Adds rows."""

    def end(self) -> bytes:
        """Finishes the file."""


class CsvSheet:
    """CSV as spreadsheets read it: UTF-8 with a byte order mark, lines ended by CR LF."""

    content_type = "text/csv; charset=utf-8"
    extension = "csv"

    def __init__(self) -> None:
        self._mark = "\ufeff"

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Adds rows."""
        text = io.StringIO()
        csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
        mark, self._mark = self._mark, ""
        return (mark + text.getvalue()).encode("utf-8", errors="replace")

    def end(self) -> bytes:
        """Finishes the file."""
        return b""


class XlsxSheet:
    """A workbook of one sheet whose cells are all text, compressed on the way."""

    content_type = f"{_SHEET_TYPE}.sheet"
    extension = "xlsx"

    def __init__(self) -> None:
        self._out = _Growing()
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED)
        for name, xml in _PARTS.items():
            self._zip.writestr(name, _XML + xml)
        self._sheet = self._zip.open("xl/worksheets/sheet1.xml", "w")
        self._sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Adds rows."""
        for row in rows:
            self._sheet.write(f"<row>{''.join(map(_cell, row))}</row>".encode())
        return self._out.taken()

    def end(self) -> bytes:
        """Finishes the file."""
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._zip.close()
        return self._out.taken()


class _Growing(io.RawIOBase):
    """What the archive writes, until it is taken. It cannot go back: `zipfile` then puts sizes behind each part."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def harmless(cell: str) -> str:
    """Returns the text of a CSV cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cell(text: str) -> str:
    plain = escape(_NOT_XML.sub("", text[:_LONGEST_CELL]))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>' if plain else "<c/>"
