"""Sets a sheet as DOCX, A4, to be edited before it is printed (python-docx). Fonts are named, not embedded: 宋体, 黑体 for titles."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from mediation.papers.sheet import Block, Form, Grid, Heading, NewPage, Paragraph, Sheet, Signatures

_SONG, _HEI, _LATIN = "宋体", "黑体", "Times New Roman"
_MARGIN, _WIDTH = 25, 160  # mm
_TITLE, _HEAD, _BODY, _SMALL = 22, 14, 12, 10.5  # points


def set_sheet(sheet: Sheet) -> bytes:
    """Returns the DOCX of a sheet."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(_MARGIN)
    section.top_margin = section.bottom_margin = Mm(22)
    document.core_properties.title = f"{sheet.title} {sheet.number}"
    document.core_properties.author = sheet.foot
    document.core_properties.language = "zh-CN"
    _style(document)
    _foot(section.footer.paragraphs[0], sheet.foot)
    _text(document.add_paragraph(), sheet.title, size=_TITLE, bold=True, face=_HEI, align=WD_ALIGN_PARAGRAPH.CENTER)
    _text(document.add_paragraph(), sheet.number, size=_SMALL, align=WD_ALIGN_PARAGRAPH.RIGHT)
    for block in sheet.blocks:
        _SETTERS[type(block)](document, block)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _style(document: Any) -> None:
    style = document.styles["Normal"]
    style.font.name, style.font.size = _LATIN, Pt(_BODY)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _SONG)
    style.paragraph_format.space_after = Pt(4)
    style.paragraph_format.line_spacing = 1.5


def _text(paragraph: Any, text: str, *, size: float = _BODY, bold: bool = False, face: str = _SONG, align: Any = None) -> None:
    lines = text.split("\n")
    run = paragraph.add_run(lines[0])
    for line in lines[1:]:
        run.add_break()
        run.add_text(line)
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, _LATIN
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
    if align is not None:
        paragraph.alignment = align


def _foot(paragraph: Any, foot: str) -> None:
    _text(paragraph, f"{foot}    第", size=9)
    _field(paragraph, "PAGE")
    _text(paragraph, "页 共", size=9)
    _field(paragraph, "NUMPAGES")
    _text(paragraph, "页", size=9)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _field(paragraph: Any, code: str) -> None:
    """Adds a field that the reader fills in: python-docx has no call for it."""
    run = paragraph.add_run()
    run.font.size = Pt(9)
    for kind, text in (("begin", ""), ("", code), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._element.append(element)


def _heading(document: Any, block: Heading) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = Pt(8)
    _text(paragraph, block.text, size=_HEAD, bold=True, face=_HEI)


def _paragraph(document: Any, block: Paragraph) -> None:
    for line in block.text.split("\n"):
        paragraph = document.add_paragraph()
        if block.first_line:
            paragraph.paragraph_format.first_line_indent = Pt(2 * _BODY)
        _text(paragraph, line)


def _form(document: Any, block: Form) -> None:
    if block.title:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        _text(paragraph, block.title, size=_SMALL, bold=True)
    _table(document, [[label, value] for label, value in block.rows], (18, 82), labels=True)


def _grid(document: Any, block: Grid) -> None:
    _table(document, [list(block.header), *map(list, block.rows)], block.widths, headed=True)


def _signatures(document: Any, block: Signatures) -> None:
    _table(document, block.slots, (40, 60), labels=True, height=Mm(22))


def _new_page(document: Any, block: NewPage) -> None:
    document.add_page_break()


def _table(
    document: Any,
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    *,
    labels: bool = False,
    headed: bool = False,
    height: Any = None,
) -> None:
    table = document.add_table(rows=0, cols=len(widths), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for number, row in enumerate(rows):
        made = table.add_row()
        made.height = height
        cells = made.cells
        for column, (cell, text) in enumerate(zip(cells, row, strict=True)):
            cell.width = Mm(_WIDTH * widths[column] / sum(widths))
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing = 1.25
            _text(paragraph, text, size=_SMALL, bold=(headed and not number) or (labels and not column))
    if headed:
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


_SETTERS: dict[type[Block], Any] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Form: _form,
    Grid: _grid,
    Signatures: _signatures,
    NewPage: _new_page,
}
