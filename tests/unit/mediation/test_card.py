"""The mediation card: what is public of a committee, what people should know, and nothing over the edge."""

from __future__ import annotations

import pytest
from fpdf import FPDF
from msgspec.structs import replace

from mediation.domain.committee import CommitteeMember, CommitteePost, EngagedMediator, MediationCommittee
from mediation.papers import Fonts, card, print_cards
from mediation.policies.committees import check_works
from svckit.errors import Unavailable

from .builders import START, refused

CHAIR = CommitteeMember(subject="chair", name="刘建国", sex="1", post=CommitteePost.CHAIR)
WOMAN = CommitteeMember(subject="woman", name="赵敏", sex="2", post=CommitteePost.MEMBER)


def committee(*engaged: str, name: str = "石板溪社区人民调解委员会") -> MediationCommittee:
    return MediationCommittee(
        committee_id="c",
        name=name,
        phone="0717-6440001",
        members=(WOMAN, CHAIR),
        mediators=tuple(EngagedMediator(subject=each, name=each) for each in engaged),
        created_at=START,
        changed_at=START,
    )


def test_a_card_says_whom_to_call_the_chair_first() -> None:
    made = card.card_of(committee("周凯"))
    assert made.contact[:2] == ("电话：0717-6440001", "调解员：刘建国、赵敏、周凯")
    assert "网格员" in made.contact[2], "a line to write on"
    assert not any("电话" in line for line in card.card_of(replace(committee(), phone="")).contact[:-1])
    everything = "".join(made.facts)
    for needed in ("不收费", "自愿", "三十日内", "司法确认", "仲裁、行政、司法", "110"):
        assert needed in everything


def test_the_longest_names_stay_on_the_card() -> None:
    long = committee(*("欧阳" + "长" * 48,) * 100, *("张三",) * 100, name="人" * 80)
    long = replace(long, members=(replace(CHAIR, name="刘" * 50), WOMAN))
    page = FPDF(format="A4")
    regular, bold = Fonts().files()
    page.add_font("serif", "", regular, collection_font_number=2)
    page.add_font("serif", "B", bold, collection_font_number=2)
    page.add_page()
    made = card.card_of(long)
    assert made.contact[1].endswith("等")
    assert card._set(page, made, 9, 9) <= 148.5 - 5
    assert page.output()


def test_four_of_them_are_one_page() -> None:
    file = print_cards(committee(), fonts=Fonts())
    assert (file.name, file.content_type) == ("人民调解卡-石板溪社区人民调解委员会.pdf", "application/pdf")
    assert file.data.startswith(b"%PDF-")
    assert file.data.count(b"/Type /Page\n") == 1


def test_without_fonts_the_caller_hears_what_is_missing() -> None:
    with pytest.raises(Unavailable) as refusal:
        print_cards(committee(), fonts=Fonts("/nowhere"))
    assert refusal.value.reason == "FONT_MISSING"


def test_who_was_dissolved_has_no_card() -> None:
    refused("COMMITTEE_DISSOLVED", check_works, replace(committee(), dissolved_at=START))
