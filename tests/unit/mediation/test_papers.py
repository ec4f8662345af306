"""Papers: what the law wants on them, whole lines, amounts nobody alters, and both file formats."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from docx import Document
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from mediation.domain.dispute import Dispute, PartySide
from mediation.operations import agreements, disputes
from mediation.papers import Fonts, compose, lines, render, words
from mediation.papers.fonts import SIMPLIFIED
from mediation.papers.sheet import Form, Grid, Heading, NewPage, Paragraph, Sheet, Signatures
from svckit.errors import Unavailable

from .builders import START, refused
from .dispute_builders import ANNA, BORIS, BOTH, JUDGE, drafted, mediating, met, opened, party, signed, term

BY: Any = {"by": JUDGE, "now": START}


def said(sheet: Sheet) -> str:
    """Every text of a sheet."""
    parts: list[str] = [sheet.title, sheet.number, sheet.foot]
    for block in sheet.blocks:
        if isinstance(block, Heading | Paragraph):
            parts.append(block.text)
        elif isinstance(block, Form):
            parts += [block.title, *(text for row in block.rows for text in row)]
        elif isinstance(block, Grid):
            parts += [*block.header, *(text for row in block.rows for text in row)]
        elif isinstance(block, Signatures):
            parts += [text for slot in block.slots for text in slot]
    return "\n".join(parts)


def test_a_written_agreement_has_what_article_29_asks_for() -> None:
    text = said(compose(drafted(), paper="agreement"))
    for needed in (
        "人民调解协议书", "2026420502001003调0001",
        "王小明", "李芳", "13812345678", "石板溪路12号2单元501室", "居民身份证 420502***********7",
        "事实清楚。", "赔偿天花板维修费", "¥3,500.00（人民币叁仟伍佰元整）", "银行转账", "2026年12月15日",
        "三十日内共同申请司法确认", "不收取任何费用", "本协议一式3份",
        "人民调解员\n赵敏", "人民调解委员会", "加盖印章",
    ):  # fmt: skip
        assert needed in text
    assert "420502198005120017" not in text
    headings = [block.text[0] for block in compose(drafted(), paper="agreement").blocks if isinstance(block, Heading)]
    assert headings == ["一", "二", "三", "四", "五"]


def test_signatures_stand_on_a_page_of_their_own() -> None:
    blocks = compose(signed(), paper="agreement").blocks
    page = blocks[next(index for index, block in enumerate(blocks) if isinstance(block, NewPage)) + 1 :]
    slots = next(block.slots for block in page if isinstance(block, Signatures))
    assert [who.split("\n")[0] for who, _ in slots] == ["申请人", "被申请人", "人民调解员", "人民调解委员会"]
    assert {mark for _, mark in slots} == {"签名 2026年11月16日"}
    # 30 days, the day itself not counted, to the end of the last.
    assert "司法确认的截止日：2026年12月16日" in said(compose(signed(), paper="agreement"))


@pytest.mark.parametrize("paper", ["agreement", "record", "oral_agreement", "notice", "confirmation", "visits"])
def test_no_paper_without_something_on_it(paper: str) -> None:
    refused("PAPER_NOT_READY", compose, opened(), paper=paper)


def every_paper() -> list[tuple[str, Dispute]]:
    oral = agreements.agree_orally(met(mediating()), number="x", facts="x", terms=(term(),), **BY)[0]
    failed = disputes.end_mediation(mediating(), result="04", text="分歧大", told=BOTH, way="当面", **BY)[0]
    visited = agreements.record_visit(signed(), text="已履行", performed=True, by=JUDGE, now=START + timedelta(days=7))[0]
    return [
        ("agreement", signed()),
        ("registration", opened()),
        ("record", met(mediating())),
        ("oral_agreement", oral),
        ("notice", failed),
        ("confirmation", signed()),
        ("visits", visited),
    ]


@pytest.mark.parametrize(("paper", "dispute"), every_paper(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_paper_is_a_document_of_word(paper: str, dispute: Dispute) -> None:
    sheet = compose(dispute, paper=paper)
    file = render(sheet, format="docx", fonts=Fonts())
    document = Document(io.BytesIO(file.data))
    texts = [each.text for each in document.paragraphs]
    texts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    whole = "".join(texts)
    for line in said(sheet).split("\n"):
        assert line.strip() in whole or line == sheet.foot
    named = {run.font.name for each in document.paragraphs for run in each.runs if run.text}
    assert named == {"Times New Roman"}
    assert {"宋体", "黑体"} == set(re.findall(r'w:eastAsia="([^"]+)"', document.element.xml)) - {"zh-CN"}


def _has_fonts() -> bool:
    try:
        Fonts().files()
    except Unavailable:
        return False
    return True


needs_fonts = pytest.mark.skipif(not _has_fonts(), reason="fonts-noto-cjk is not installed")


@needs_fonts
def test_a_pdf_embeds_its_glyphs_rare_ones_too() -> None:
    parties = (party(ANNA, PartySide.APPLICANT, "王䶮"), party(BORIS, PartySide.RESPONDENT, "㛃𬭎"))
    file = render(compose(opened(parties=parties), paper="registration"), format="pdf", fonts=Fonts())
    assert file.data.startswith(b"%PDF-")
    assert file.name == "调解受理登记表-420502-2026-000001.pdf"
    assert b"/FontFile3" in file.data
    assert len(file.data) < 300_000
    regular, _ = Fonts().files()
    known = TTFont(str(regular), fontNumber=SIMPLIFIED).getBestCmap()
    assert {ord(character) for character in "王䶮㛃𬭎"} <= set(known)


@needs_fonts
def test_a_long_agreement_goes_over_many_pages() -> None:
    facts = "双方对渗水原因、损失范围及责任划分陈述如下。" * 200
    terms = tuple(term(content=f"第{number}期赔偿款" * 12) for number in range(50))
    file = render(compose(drafted(facts=facts, terms=terms), paper="agreement"), format="pdf", fonts=Fonts())
    assert len(re.findall(rb"/Type /Page\b", file.data)) > 6


def test_without_fonts_it_says_what_to_install() -> None:
    sheet = compose(opened(), paper="registration")
    refused("FONT_MISSING", render, sheet, format="pdf", fonts=Fonts("/nowhere"), kind=Unavailable)


def length(text: str) -> float:
    return float(len(text))


@given(st.text("中文，。（）「」《》a1.5%、 ", max_size=80), st.integers(5, 20), st.integers(0, 4))
def test_lines_keep_every_character_and_their_width(text: str, width: int, indent: int) -> None:
    found = lines.broken(text, width=width, measure=length, indent=indent)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    for number, line in enumerate(found):
        assert len(line.rstrip()) <= width - (0 if number else indent)


CLAUSES = st.lists(
    st.sampled_from(["一", "防水层", "（其中", "赔偿5,000.50元", "70%", "《民法典》", "甲方）"]), min_size=1, max_size=9
)


@given(st.lists(CLAUSES.map("".join), max_size=8).map("，".join), st.integers(24, 40))
def test_no_closing_mark_begins_a_line_and_no_opening_one_ends_it(text: str, width: int) -> None:
    for line in lines.broken(f"{text}。", width=width, measure=length)[1:]:
        assert line[0] not in "，。）》%"
    for line in lines.broken(text, width=width, measure=length):
        assert not line.endswith(("（", "《"))
        assert not line.endswith("5,000")


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (500_000, "伍仟元整"),
        (1_000_350, "壹万零叁元伍角整"),
        (5, "伍分"),
        (105, "壹元零伍分"),
        (150_050, "壹仟伍佰元伍角整"),
        (10_000_000_000, "壹亿元整"),
        (10_050_000_00, "壹仟零伍万元整"),
        (1_000_001_00, "壹佰万零壹元整"),
        (0, "零元整"),
        (100_000_100_00, "壹亿零壹佰元整"),
    ],
)
def test_amounts_in_characters(cents: int, text: str) -> None:
    assert words.in_characters(cents) == text


_VALUES = {character: digit for digit, character in enumerate("零壹贰叁肆伍陆柒捌玖")}


def read(text: str) -> int:
    """The whole yuan that characters say, read the way people do."""
    total = group = digit = 0
    for character in text:
        if character in _VALUES:
            digit = _VALUES[character]
        elif character in "拾佰仟":
            group, digit = group + digit * 10 ** ("拾佰仟".index(character) + 1), 0
        elif character == "亿":
            total, group, digit = (total + group + digit) * 10**8, 0, 0
        else:
            total, group, digit = total + (group + digit) * 10**4, 0, 0
    return total + group + digit


@given(st.integers(0, 10**8 - 1))
def test_amounts_are_read_as_written(yuan: int) -> None:
    assert read(words.in_characters(yuan * 100).removesuffix("元整")) == yuan
    assert "零零" not in words.in_characters(yuan * 100)


def test_amounts_and_days_as_people_write_them() -> None:
    assert words.amount(0) == ""
    assert words.amount(123_456_789) == "¥1,234,567.89（人民币壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分）"
    assert words.minute(START) == "2026年11月16日 09:00"
    assert words.month("1980-05") == "1980年5月"
    assert words.day(None) == words.minute(None) == ""
