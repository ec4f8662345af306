"""A sheet as a file."""

from __future__ import annotations

import msgspec

from mediation.domain.committee import MediationCommittee
from mediation.papers.fonts import Fonts
from mediation.papers.sheet import Sheet

PDF_TYPE = "application/pdf"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class File(msgspec.Struct, frozen=True):
    """A file to hand out."""

    name: str
    content_type: str
    data: bytes


def print_cards(committee: MediationCommittee, *, fonts: Fonts) -> File:
    """Returns the mediation card of a committee as PDF, four to a page. Takes a third of a second; raises Unavailable (FONT_MISSING)."""
    from mediation.papers import card

    return File(f"人民调解卡-{committee.name}.pdf", PDF_TYPE, card.set_cards(card.card_of(committee), fonts=fonts))


def render(sheet: Sheet, *, format: str, fonts: Fonts) -> File:
    """Returns the sheet as "pdf" or "docx". Takes a third of a second; raises Unavailable (FONT_MISSING) for a PDF without fonts."""
    if format == "docx":
        from mediation.papers import word

        return File(f"{sheet.name}.docx", DOCX_TYPE, word.set_sheet(sheet))
    from mediation.papers import pdf

    return File(f"{sheet.name}.pdf", PDF_TYPE, pdf.set_sheet(sheet, fonts=fonts))
