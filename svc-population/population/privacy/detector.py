"""Finds in texts and names of columns what must not be kept about people (restricted_category.csv, restricted_terms.yaml). Pure.

Words are found through blanks, marks, full-width and traditional characters; numbers through the separators people type. A number
counts when it can be nothing else: an identity number with its check digit, a mobile number, a bank card with its Luhn digit. Grid codes,
component numbers, case numbers, ids and office telephones are none of these.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date

import msgspec
import yaml

from population.identity import WrongIdNumber, read_id_number

ID_NUMBER, PHONE, BANK_CARD = "id_number", "phone", "bank_card"
HEALTH = "health"
EXCLUDE, RESTRICT = "EXCLUDE", "RESTRICT"

_TRADITIONAL = str.maketrans(
    "現紀況點員羣釋勞監緩進報復險評估識別聲紋軌跡錄獄竊罪記錄緝計節育檢撫養費問題輪國穌會徒穆資產級訪鬧戶對象愛貧癥癌腫結療診斷號銀碼證護電話聯繫無業傾嚴戀淫賣執"
    "軍機關區應屆歸檔",
    "现纪况点员群释劳监缓进报复险评估识别声纹轨迹录狱窃罪记录缉计节育检抚养费问题轮国稣会徒穆资产级访闹户对象爱贫症癌肿结疗诊断号银码证护电话联系无业倾严恋淫卖执"
    "军机关区应届归档",
)
_CJK = "\u3400-\u9fff"
# What somebody puts between the characters of a word: blanks, marks, invisible characters.
_BETWEEN = re.compile(rf"[\s\u200b-\u200f\u2060\ufeff.,*·•\-_/|~、，。]+(?=[{_CJK}])")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
_SEPARATED = re.compile(r"(?<=[0-9])[ \-.·]+(?=[0-9xX])")
_ID_18 = re.compile(r"(?<![0-9a-z])[1-9][0-9]{16}[0-9x](?![0-9a-z])")
_ID_15 = re.compile(r"(?<![0-9a-z])(?:[1-6][0-9]|71|8[123])[0-9]{4}([0-9]{6})[0-9]{3}(?![0-9a-z])")
_MOBILE = re.compile(r"(?<![0-9a-z])(?:(?:\+|00)?86)?1[3-9][0-9]{9}(?![0-9a-z])")
_CARD = re.compile(r"(?<![0-9a-z])(?:62[0-9]{14,17}|4[0-9]{15}|5[1-5][0-9]{14}|35[0-9]{14})(?![0-9a-z])")
_SPEAKS_OF_CARDS = re.compile(r"卡|银行|账号|帐号|账户|帐户|bank|card|account")
_DIGIT = re.compile("[0-9]")
_ONLY_CHINESE = re.compile(f"[{_CJK}]+")
_NEAR = 12
_UNAMBIGUOUS_CARD = 19
_OWN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Term(msgspec.Struct, frozen=True):
    """One line of restricted_terms.yaml."""

    handling: str
    words: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """What was found: the category (code of restricted_category.csv, HEALTH, ID_NUMBER, PHONE, BANK_CARD) and how it is handled."""

    category: str
    handling: str


@functools.cache
def terms() -> Mapping[str, Term]:
    """Returns the words and columns per category."""
    text = importlib.resources.files("population").joinpath("codes", "restricted_terms.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, Term])


def in_text(text: str) -> list[Finding]:
    """Returns what a text says that must not be kept, each category once; [] for nearly every text."""
    if not text or text.isspace():
        return []
    if _ONLY_CHINESE.fullmatch(text) and not _patterns()[0].search(text.translate(_TRADITIONAL)):
        return []  # nearly all names, of which imports have millions: nothing in them needs to be made plain
    plain = normal(text)
    found = [Finding(code, handling) for code, handling in _words_in(plain)]
    if _DIGIT.search(plain):
        found += [Finding(kind, RESTRICT if kind != BANK_CARD else EXCLUDE) for kind in _numbers_in(plain)]
    return list(dict.fromkeys(found))


def in_column(name: str) -> list[Finding]:
    """Returns what the name of a column, field or question would collect that must not be kept."""
    plain = re.sub(r"[\s_\-.]+", "", normal(name))
    return [Finding(code, term.handling) for code, term in terms().items() if any(word in plain for word in term.columns)]


def normal(text: str) -> str:
    """Returns a text as words are looked for in it."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).lower()).translate(_TRADITIONAL)
    return _BETWEEN.sub("", plain)


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Chinese words, and Latin ones, which stand alone: no category is part of another word. Apart, because the first are fast so."""
    words = sorted({word for term in terms().values() for word in term.words}, key=len, reverse=True)
    latin = "|".join(word for word in words if word.isascii())
    return re.compile("|".join(re.escape(word) for word in words if not word.isascii())), re.compile(
        rf"(?<![a-z])(?:{latin})(?![a-z])"
    )


@functools.cache
def _categories_of(word: str) -> tuple[tuple[str, str], ...]:
    return tuple((code, term.handling) for code, term in terms().items() if any(each in word for each in term.words))


def _words_in(plain: str) -> Iterator[tuple[str, str]]:
    for pattern in _patterns():
        for match in pattern.finditer(plain):
            yield from _categories_of(match.group())


def _numbers_in(plain: str) -> Iterator[str]:
    joined = _SEPARATED.sub("", _OWN_ID.sub(" ", plain))
    for text in {plain, joined}:
        if any(_is_id_number(match.group()) for match in _ID_18.finditer(text)):
            yield ID_NUMBER
        if any(_is_day(match.group(1)) for match in _ID_15.finditer(text)):
            yield ID_NUMBER
        if _MOBILE.search(text):
            yield PHONE
        if any(_is_card(text, match) for match in _CARD.finditer(text)):
            yield BANK_CARD


def _is_id_number(number: str) -> bool:
    try:
        read_id_number(number.upper(), today=date.max)
    except WrongIdNumber:
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        date(1900 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return False
    return True


def _is_card(text: str, match: re.Match[str]) -> bool:
    number = match.group()
    if not _luhn(number) or _is_id_number(number):
        return False
    # Shorter ones may be the number of a component or a place: 16 digits that begin with the code of a province.
    around = text[max(match.start() - _NEAR, 0) : match.end() + _NEAR]
    return len(number) == _UNAMBIGUOUS_CARD or bool(_SPEAKS_OF_CARDS.search(around))


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
