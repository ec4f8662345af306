"""Sets a sheet as PDF, A4, with the glyphs it uses embedded (fpdf2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fpdf import FPDF, XPos, YPos

from mediation.papers.fonts import SIMPLIFIED, Fonts
from mediation.papers.lines import broken
from mediation.papers.sheet import Block, Form, Grid, Heading, NewPage, Paragraph, Sheet, Signatures

_FACE = "serif"
_LEFT, _TOP, _BOTTOM = 25, 22, 24  # mm
_WIDTH = 210 - 2 * _LEFT
_TITLE, _HEAD, _BODY, _SMALL = 22, 14, 12, 10.5  # points
_LINE, _ROW_LINE, _PAD = 7.6, 6.0, 1.6  # mm
_LABEL = 24  # width of a form's labels
_SIGN_HEIGHT = 24


class _Page(FPDF):
    """A4 with the committee's name and the page number at the foot."""

    foot = ""

    def footer(self) -> None:
        self.set_y(-16)
        self.set_font(_FACE, size=9)
        self.set_text_color(90)
        self.cell(_WIDTH / 2, 6, self.foot)
        self.cell(_WIDTH / 2, 6, f"第{self.page_no()}页 共{{nb}}页", align="R")
        self.set_text_color(0)


def set_sheet(sheet: Sheet, *, fonts: Fonts) -> bytes:
    """Returns the PDF of a sheet. Raises Unavailable (FONT_MISSING)."""
    regular, bold = fonts.files()
    page = _Page(format="A4")
    page.foot = sheet.foot
    page.set_title(f"{sheet.title} {sheet.number}")
    page.set_creator("Binglian")
    page.set_lang("zh-CN")
    page.set_margins(_LEFT, _TOP, _LEFT)
    page.set_auto_page_break(True, margin=_BOTTOM)
    page.add_font(_FACE, "", regular, collection_font_number=SIMPLIFIED)
    page.add_font(_FACE, "B", bold, collection_font_number=SIMPLIFIED)
    page.add_page()
    _title(page, sheet)
    for block in sheet.blocks:
        _SETTERS[type(block)](page, block)
    return bytes(page.output())


def _title(page: FPDF, sheet: Sheet) -> None:
    page.set_font(_FACE, "B", _TITLE)
    page.cell(_WIDTH, 14, sheet.title, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_font(_FACE, size=_SMALL)
    page.cell(_WIDTH, 8, sheet.number, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(2)


def _heading(page: FPDF, block: Heading) -> None:
    # A title never stands alone at the foot of a page.
    _make_room(page, 12 + 2 * _LINE)
    page.ln(3)
    page.set_font(_FACE, "B", _HEAD)
    page.set_x(_LEFT - page.c_margin)
    page.cell(_WIDTH, 9, block.text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _paragraph(page: FPDF, block: Paragraph) -> None:
    page.set_font(_FACE, size=_BODY)
    indent = 2 * page.get_string_width("国") if block.first_line else 0
    for paragraph in block.text.split("\n"):
        for number, line in enumerate(broken(paragraph, width=_WIDTH - 0.1, measure=page.get_string_width, indent=indent)):
            page.set_x(_LEFT + (0 if number else indent) - page.c_margin)
            page.cell(_WIDTH, _LINE, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(1)


def _form(page: FPDF, block: Form) -> None:
    rows = list(_form_rows(block))
    page.set_font(_FACE, size=_SMALL)
    titled = 8 if block.title else 0
    whole = titled + sum(_height(page, [text for text, _ in row], [share for _, share in row]) for row in rows)
    # Forms are short and read as one: they are not torn apart unless longer than a page.
    _make_room(page, min(whole, page.eph))
    if block.title:
        page.set_font(_FACE, "B", _SMALL)
        page.set_x(_LEFT - page.c_margin)
        page.cell(_WIDTH, 8, block.title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        page.set_font(_FACE, size=_SMALL)
    for row in rows:
        _row(page, [text for text, _ in row], [width for _, width in row], labels=True)
    page.ln(3)


def _form_rows(block: Form) -> Iterable[list[tuple[str, float]]]:
    """Cells with their widths; what does not fit into half a row, or has no partner, gets a row of its own."""
    half = _WIDTH / 2 - _LABEL
    pending: tuple[str, str] | None = None
    for label, value in block.rows:
        if block.pairs == 2 and len(value) <= 15:
            if pending is None:
                pending = (label, value)
            else:
                yield [(pending[0], _LABEL), (pending[1], half), (label, _LABEL), (value, half)]
                pending = None
            continue
        if pending:
            yield [(pending[0], _LABEL), (pending[1], _WIDTH - _LABEL)]
            pending = None
        yield [(label, _LABEL), (value, _WIDTH - _LABEL)]
    if pending:
        yield [(pending[0], _LABEL), (pending[1], _WIDTH - _LABEL)]


def _grid(page: FPDF, block: Grid) -> None:
    widths = [share * _WIDTH / sum(block.widths) for share in block.widths]
    page.set_font(_FACE, size=_SMALL)
    _make_room(page, 12 + (_height(page, block.rows[0], widths) if block.rows else 0))

    def head() -> None:
        page.set_font(_FACE, "B", _SMALL)
        _row(page, block.header, widths, centred=True, shaded=True)
        page.set_font(_FACE, size=_SMALL)

    head()
    for row in block.rows:
        if page.will_page_break(min(_height(page, row, widths), page.eph - 12)):
            page.add_page()
            head()
        _row(page, row, widths)
    page.ln(3)


def _signatures(page: FPDF, block: Signatures) -> None:
    widths = [_WIDTH * 0.4, _WIDTH * 0.6]
    page.set_font(_FACE, size=_SMALL)
    for slot in block.slots:
        _row(page, slot, widths, labels=True, least=_SIGN_HEIGHT)
    page.ln(3)


def _new_page(page: FPDF, block: NewPage) -> None:
    page.add_page()


# ------------------------------------------------------------------------------------------------------------ rows


def _row(
    page: FPDF,
    texts: Sequence[str],
    widths: Sequence[float],
    *,
    labels: bool = False,
    centred: bool = False,
    shaded: bool = False,
    least: float = 0,
) -> None:
    """Sets one row of boxes, each as high as the highest; with `labels` every other box is a shaded label."""
    height = max(least, _height(page, texts, widths))
    _make_room(page, min(height, page.eph))
    left, top = page.l_margin, page.get_y()
    for index, (text, width) in enumerate(zip(texts, widths, strict=True)):
        is_label = shaded or (labels and index % 2 == 0)
        page.set_fill_color(244)
        page.rect(left, top, width, height, style="DF" if is_label else "D")
        _fill(page, text, (left, top, width, height), centred=centred or (is_label and not least))
        left += width
    page.set_xy(page.l_margin, top + height)


def _fill(page: FPDF, text: str, box: tuple[float, float, float, float], *, centred: bool) -> None:
    left, top, width, height = box
    lines = _lines(page, text, width)
    y = top + (height - len(lines) * _ROW_LINE) / 2
    for number, line in enumerate(lines):
        page.set_xy(left + _PAD - page.c_margin, y + number * _ROW_LINE)
        page.cell(width - 2 * _PAD + 2 * page.c_margin, _ROW_LINE, line, align="C" if centred else "L")


def _lines(page: FPDF, text: str, width: float) -> list[str]:
    return broken(text, width=width - 2 * _PAD, measure=page.get_string_width)


def _height(page: FPDF, texts: Sequence[str], widths: Sequence[float]) -> float:
    deepest = max(len(_lines(page, text, width)) for text, width in zip(texts, widths, strict=True))
    return deepest * _ROW_LINE + 2 * _PAD


def _make_room(page: FPDF, height: float) -> None:
    if page.will_page_break(height):
        page.add_page()


_SETTERS: dict[type[Block], Any] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Form: _form,
    Grid: _grid,
    Signatures: _signatures,
    NewPage: _new_page,
}
