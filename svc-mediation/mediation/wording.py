"""The words of a case, so that people find it by any part of them: Chinese, Latin, or the initials of the pinyin. Pure.

A text is cut into terms, each position of a run beginning exactly one: two characters of Chinese, three of Latin letters and digits, and
what is left at the end of a run. So any part of a run of at least that length is made of whole terms, and a shorter part is the
beginning of one. Terms only narrow the search: whoever has them all is then looked through for the words themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from svckit.errors import InvalidArgument

_RUN = re.compile(r"([\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+)|([a-z0-9]+)")
# Every number of a county and year begins alike: only the running number tells cases apart.
_NUMBER = re.compile(r"(?:\d{6}-)?\d{4}-(\d+)")
_CHINESE, _LATIN = 2, 3
# More terms than these narrow nothing further; the words are compared anyway.
MOST_TERMS = 8


class Wording(msgspec.Struct, frozen=True):
    """What is kept of a case's words: the plain text they are compared with, and its terms."""

    text: str
    terms: tuple[str, ...]


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for: plain words that must all occur, terms they imply, or else how a term begins."""

    words: tuple[str, ...]
    terms: tuple[str, ...] = ()
    beginning: str = ""


def wording(*, description: str, address: str, number: str) -> Wording:
    """Returns the wording of a case. Reads the pinyin tables, a second's work, at the first call of a process."""
    parts = [plain(description), plain(address)]
    initials = [initials_of(part) for part in parts]
    lines = [line for line in (*parts, plain(number), *initials) if line]
    terms = {term for line in (*parts, *initials, number.rpartition("-")[2]) for term in _terms(line)}
    return Wording(text="\n".join(lines), terms=tuple(sorted(terms)))


def plain(text: str) -> str:
    """Returns a text as it is compared: full and half width alike, small letters, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def initials_of(text: str) -> str:
    """Returns the first letters of the pinyin of all Chinese characters, as people type them: "sgpl" for 水管破裂."""
    # Only the process that keeps the wordings needs these tables, and they are large.
    from pypinyin.seg import mmseg

    return "".join(_initials(word) for run, size in _runs(text) if size == _CHINESE for word in mmseg.seg.cut(run))


# The words of a city's cases are the same few thousand: looked up once, they cost a tenth.
@lru_cache(maxsize=50_000)
def _initials(word: str) -> str:
    from pypinyin import Style, lazy_pinyin

    return "".join(letter for letter in lazy_pinyin(word, style=Style.FIRST_LETTER, errors="ignore") if letter.isascii())


def wanted(text: str, *, field: str) -> Wanted:
    """Returns what a search text asks for. Raises InvalidArgument (NO_WORDS) naming `field` when it has no letter at all."""
    words = tuple(plain(text).split())
    whole = [term for word in words for term in _whole_terms(word)]
    beginnings = [run for word in words for run, _ in _runs(word)]
    if not beginnings:
        raise InvalidArgument("There is nothing to look for in this text.", field=field, reason="NO_WORDS")
    if whole:
        return Wanted(words, tuple(dict.fromkeys(whole))[:MOST_TERMS])
    return Wanted(words, beginning=max(beginnings, key=len))


def overlap(one: str, other: str) -> float:
    """Returns how much the terms of two kept texts have in common, 0 to 1 (Jaccard)."""
    mine, theirs = _terms_of(one), _terms_of(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def _terms_of(text: str) -> set[str]:
    """The terms of a kept text; what all numbers of a county and year have in common is nothing two cases share."""
    lines = (_NUMBER.sub(r"\1", line) for line in text.split("\n"))
    return {term for line in lines for term in _terms(line)}


def _runs(text: str) -> Iterator[tuple[str, int]]:
    for match in _RUN.finditer(text):
        yield match[0], _CHINESE if match[1] else _LATIN


def _terms(text: str) -> Iterator[str]:
    for run, size in _runs(text):
        yield from (run[at : at + size] for at in range(len(run)))


def _whole_terms(word: str) -> Iterator[str]:
    number = _NUMBER.fullmatch(word)
    for run, size in _runs(number[1] if number else word):
        yield from (run[at : at + size] for at in range(len(run) - size + 1))
