"""The mediation card (调解卡, agreement_form.yaml F10): what grid workers leave with people on their rounds, four to a sheet of A4.

It holds what is public of a committee: its name, the telephone of its office, who mediates (人民调解法 10, 21). Who hands it out writes
the own name and number on it by hand, so that nobody's private number is printed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from fpdf import FPDF

from mediation.domain.committee import MediationCommittee
from mediation.papers.fonts import SIMPLIFIED, Fonts
from mediation.papers.lines import broken

_FACE = "serif"
_WIDTH, _HEIGHT, _PAD = 105.0, 148.5, 9.0  # mm
_TEXT = _WIDTH - 2 * _PAD
_PLACES = ((0.0, 0.0), (_WIDTH, 0.0), (0.0, _HEIGHT), (_WIDTH, _HEIGHT))
_TITLE, _NAME, _HEAD, _BODY = 17.0, 10.5, 10.5, 9.2  # points
# Characters of names that leave room for the rest; whoever is not named answers the telephone too.
LONGEST_NAMES = 60
_BLANKS = ("网格员：＿＿＿＿＿＿　电话：＿＿＿＿＿＿＿",)
# 人民调解法 4 (free), 15 (secrets), 23 (rights of the parties), 31 and 33 (agreement, court), 3 and 26 (other ways); 反家庭暴力法 13, 15.
FACTS = (
    "调解不收费。邻里、婚姻家庭、物业、损害赔偿、合同等民间纠纷都可以申请。",
    "调解靠自愿。调解员由您选择或者接受，您可以随时要求终止调解。",
    "个人隐私和商业秘密受保护。",
    "调解协议具有法律约束力；生效之日起三十日内，双方可以共同申请法院司法确认。",
    "调解不成，仍可依法通过仲裁、行政、司法等途径维权。",
    "遇到家庭暴力不调解：请立即拨打110。",
)
_LINES_OF_HELP = "报警 110　法律援助 12348　政务服务 12345"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on a card: the committee, how to reach it, and what people should know."""

    committee: str
    contact: tuple[str, ...]
    facts: tuple[str, ...] = FACTS


def card_of(committee: MediationCommittee) -> Card:
    """Returns the card of a committee: its chair first among those who mediate."""
    others = [each.name for each in committee.everybody if each.subject != committee.chair.subject]
    phone = (f"电话：{committee.phone}",) if committee.phone else ()
    return Card(committee=committee.name, contact=(*phone, f"调解员：{_named([committee.chair.name, *others])}", *_BLANKS))


def _named(names: Sequence[str]) -> str:
    """The names as far as there is room for them, always the first."""
    text = names[0][:LONGEST_NAMES]
    for name in names[1:]:
        if len(text) + 1 + len(name) > LONGEST_NAMES:
            return f"{text}等"
        text = f"{text}、{name}"
    return text


def set_cards(card: Card, *, fonts: Fonts) -> bytes:
    """Returns a page of A4 as PDF with the card four times, to be cut along the dashed lines. Raises Unavailable (FONT_MISSING)."""
    regular, bold = fonts.files()
    page = FPDF(format="A4")
    page.set_title(f"人民调解卡 {card.committee}")
    page.set_creator("Binglian")
    page.set_lang("zh-CN")
    page.set_auto_page_break(False)
    page.add_font(_FACE, "", regular, collection_font_number=SIMPLIFIED)
    page.add_font(_FACE, "B", bold, collection_font_number=SIMPLIFIED)
    page.add_page()
    _cutting_lines(page)
    for left, top in _PLACES:
        _set(page, card, left + _PAD, top + _PAD)
    return bytes(page.output())


def _cutting_lines(page: FPDF) -> None:
    page.set_draw_color(160)
    page.set_dash_pattern(dash=1.2, gap=1.2)
    page.line(_WIDTH, 0, _WIDTH, 2 * _HEIGHT)
    page.line(0, _HEIGHT, 2 * _WIDTH, _HEIGHT)
    page.set_dash_pattern()
    page.set_draw_color(0)


def _set(page: FPDF, card: Card, left: float, top: float) -> float:
    """Sets one card with its upper left corner there; returns where it ends (mm)."""
    y = _lines(page, ["人民调解卡"], left, top, size=_TITLE, bold=True, centred=True)
    y = _lines(page, _broken(page, card.committee, size=_NAME), left, y + 1, size=_NAME, centred=True)
    page.line(left, y + 2, left + _TEXT, y + 2)
    y = _lines(page, ["有矛盾，找调解"], left, y + 4, size=_HEAD, bold=True)
    for text in card.contact:
        y = _lines(page, _broken(page, text, size=_HEAD), left, y + 0.8, size=_HEAD)
    y = _lines(page, ["调解常识"], left, y + 3, size=_HEAD, bold=True)
    for number, fact in enumerate(card.facts, start=1):
        y = _lines(page, _broken(page, f"{number}. {fact}", size=_BODY), left, y + 0.6, size=_BODY)
    return _lines(page, [_LINES_OF_HELP], left, max(y + 3, top + _HEIGHT - 2 * _PAD - 6), size=_BODY, bold=True, centred=True)


def _broken(page: FPDF, text: str, *, size: float) -> list[str]:
    page.set_font(_FACE, size=size)
    return broken(text, width=_TEXT, measure=page.get_string_width)


def _lines(
    page: FPDF, texts: Sequence[str], left: float, y: float, *, size: float, bold: bool = False, centred: bool = False
) -> float:
    """Sets lines one below the other; returns where the next may stand (mm)."""
    page.set_font(_FACE, "B" if bold else "", size)
    height = size * 0.5
    for text in texts:
        page.set_xy(left - page.c_margin, y)
        page.cell(_TEXT + 2 * page.c_margin, height, text, align="C" if centred else "L")
        y += height
    return y
