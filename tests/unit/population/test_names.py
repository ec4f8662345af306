"""Names as people look for them: pinyin in every reading, initials, Latin letters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.names import MOST_KEYS, latin_words, name_keys, plain_name, sought
from svckit.errors import InvalidArgument


def finds(typed: str, name: str, *, latin: str = "") -> bool:
    wanted = sought(typed, field="name")
    patterns = [*wanted.keys, *([wanted.wider] if wanted.wider else [])]
    return any(re.search(pattern, key) for pattern in patterns for key in name_keys(name, latin=latin))


def test_a_name_is_kept_by_initials_and_pinyin() -> None:
    assert name_keys("王小明") == ("wxm wangxiaoming",)


@pytest.mark.parametrize(
    ("name", "readings"),
    [
        ("单雄信", ["shanxiongxin", "danxiongxin", "chanxiongxin"]),
        ("曾国藩", ["zengguofan", "cengguofan"]),
        ("仇英", ["qiuying", "chouying"]),
        ("尉迟恭", ["yuchigong", "weichigong"]),
        ("欧阳修", ["ouyangxiu"]),
        ("区小茜", ["ouxiaoqian", "ouxiaoxi", "quxiaoqian", "quxiaoxi"]),
    ],
)
def test_surnames_have_all_their_readings_the_usual_one_first(name: str, readings: list[str]) -> None:
    assert [key.split()[1] for key in name_keys(name)] == readings


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *(("sxx", "单雄信"), ("dxx", "单雄信"), ("shan xiong xin", "单雄信"), ("danxiongxin", "单雄信"), ("shanx", "单雄信")),
        *(("wangxiaoming", "王小明"), ("wang xiaoming", "王小明"), ("Wang Xiao-Ming", "王小明"), ("wangxiaom", "王小明")),
        *(("lvbu", "吕布"), ("lyubu", "吕布"), ("lü bu", "吕布"), ("LYU BU", "吕布")),
        *(("fangan", "方安"), ("fangang", "范刚"), ("ouyangxiu", "欧阳修"), ("maimaiti", "买买提·吐尔逊")),
        *(("smith", "John Smith"), ("john smi", "John Smith"), ("SMITH, JOHN", "John Smith"), ("js", "John Smith")),
        *(("muller", "Müller-José O'Neil"), ("王小", "王小明"), ("单", "单雄信")),
    ],
)
def test_people_are_found_as_others_type_their_names(typed: str, name: str) -> None:
    assert finds(typed, name)


@pytest.mark.parametrize(
    ("typed", "name"), [("wxh", "王小明"), ("danxiong", "王小明"), ("smithe", "John Smith"), ("lubu", "吕布")]
)
def test_others_are_not(typed: str, name: str) -> None:
    assert not finds(typed, name)


def test_a_latin_name_beside_the_chinese_one_is_found_too() -> None:
    assert finds("smith", "史密斯", latin="SMITH, JOHN")
    assert finds("smsi", "史密斯", latin="") is False


def test_names_are_kept_in_one_form() -> None:
    assert plain_name(" 买买提•吐尔逊 ") == "买买提·吐尔逊"
    assert plain_name("Ｊｏｈｎ   Smith") == "John Smith"
    assert latin_words("Groß, José") == ("gross", "jose")


@pytest.mark.parametrize("text", ["", "  ", "··", "***"])
def test_nothing_is_not_looked_for(text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        sought(text, field="name")
    assert (refusal.value.reason, refusal.value.field) == ("NO_WORDS", "name")


HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)


@given(HAN)
def test_every_chinese_name_is_found_by_its_keys(name: str) -> None:
    keys = name_keys(name)
    assert 0 < len(keys) <= MOST_KEYS
    for key in keys:
        initials, reading = key.split()
        assert finds(initials, name)
        assert finds(reading, name)


@given(st.text(max_size=30))
def test_anything_can_be_a_name(text: str) -> None:
    assert all(re.fullmatch(r"[a-z0-9]+ [a-z0-9]+", key) for key in name_keys(plain_name(text)))


@given(st.text(st.characters(categories=["L", "N", "Z", "P"]), min_size=1, max_size=30))
def test_anything_can_be_looked_for(text: str) -> None:
    try:
        wanted = sought(text, field="name")
    except InvalidArgument:
        return
    for pattern in (*wanted.keys, wanted.wider):
        re.compile(pattern)
    assert len(wanted.keys) <= 9
