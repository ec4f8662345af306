"""Names of people, and the keys by which they are found: pinyin, initials, Latin letters. Pure.

A key is "initials reading", as in "wxm wangxiaoming" for 王小明: one text, so that one index entry serves who types the initials, the full
pinyin or the Chinese name. A surname that is read in several ways (单: shan, dan, chan; name_reading.csv) has a key for every reading, the
usual one first. Latin names have a key for every order of their words that begins with another one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice, product

import msgspec

from population.codes import name_readings
from svckit.errors import InvalidArgument

MOST_KEYS = 6
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_DOTS = re.compile(r"[·•‧・．∙⋅]")
_WORD = re.compile(r"[a-z0-9]+")
# What people type for ü, which pypinyin writes v; passports write YU.
_UMLAUT = re.compile(r"[ln](?:ü|u:)|lyu|(?:^|(?<=\s))nyu")
_SYLLABLE = re.compile(
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ang|eng|ing|ong|uai|uan|iao|ian|van|ai|ei|ao|ou|an|en|in|un|vn|ia|ie|iu|"
    r"ua|uo|ui|ue|ve|er|a|o|e|i|u|v)"
)
Syllables = tuple[str, ...]


class Sought(msgspec.Struct, frozen=True):
    """How a name is looked for: patterns of its keys, of which one must match, narrow enough for an index of millions.

    `wider` finds the rest (Latin names that read like pinyin) at the price of one letter of the index. `name`: how the Chinese name
    begins, "" when Latin letters were typed.
    """

    keys: tuple[str, ...]
    wider: str = ""
    name: str = ""


def plain_name(text: str) -> str:
    """Returns a name as it is kept: full and half width alike, one kind of middle dot (买买提·吐尔逊), single spaces."""
    return " ".join(_DOTS.sub("·", unicodedata.normalize("NFKC", text)).split()) if text else ""


def name_keys(name: str, *, latin: str = "") -> tuple[str, ...]:
    """Returns the keys of a name and its Latin form, the usual reading first, at most six."""
    return _keys(name, latin)


@lru_cache(maxsize=65536)
def _keys(name: str, latin: str) -> tuple[str, ...]:
    readings = [_key(syllables) for text in (name, latin) if text for syllables in readings_of(text)]
    return tuple(dict.fromkeys(readings))[:MOST_KEYS]


def readings_of(text: str) -> list[Syllables]:
    """Returns the ways to read a name, the usual one first; of a Latin name its words, each order that begins with another one."""
    if _HAN.search(text):
        return _chinese(text)
    words = latin_words(text)
    return [(*words[at:], *words[:at]) for at in range(min(len(words), 4))]


def latin_words(text: str) -> Syllables:
    """Returns the words of a Latin name in plain small letters: "Müller, José" becomes muller, jose."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    joined = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter not in "'’`")
    return tuple(_WORD.findall(joined))


def sought(text: str, *, field: str) -> Sought:
    """Returns how to look for a name as people type it. Raises InvalidArgument (NO_WORDS) naming `field` for a text without letters."""
    plain = plain_name(text)
    if _HAN.search(plain):
        reading = readings_of(plain)[0]
        return Sought((_pattern("".join(part[0] for part in reading), "".join(reading)),), name=plain.replace(" ", ""))
    words = latin_words(_UMLAUT.sub(lambda found: f"{found[0].strip()[0]}v", plain.casefold()))
    if not words:
        raise InvalidArgument("There is nothing to look for in this text.", field=field, reason="NO_WORDS")
    return _typed(words)


def _typed(words: Syllables) -> Sought:
    """Words may be syllables (shan xiong xin), runs of them (shan xiongxin), initials (sxx) or a Latin name."""
    text = "".join(words)
    options = [[*islice(_splits(word, 6), 4), (word,)] for word in words]
    patterns = [f"^{text}[a-z0-9]* "] if len(words) == 1 else []
    for choice in islice(product(*options), 8):
        parts = [part for group in choice for part in group]
        if len(parts) > 1:
            patterns.append(_pattern("".join(part[0] for part in parts), text))
    return Sought(tuple(dict.fromkeys(patterns)), wider=_pattern(text[0], text))


def _pattern(initials: str, reading: str) -> str:
    return f"^{initials}[a-z0-9]* {reading}"


def _splits(text: str, most: int) -> Iterator[Syllables]:
    """Yields the ways to divide a run of letters into at most `most` syllables of pinyin, long ones first; the last may be unfinished."""
    if not text:
        yield ()
        return
    if most == 0:
        return
    found = False
    for size in range(min(6, len(text)), 0, -1):
        if _SYLLABLE.fullmatch(text[:size]):
            for rest in _splits(text[size:], most - 1):
                found = True
                yield (text[:size], *rest)
    if not found and len(text) <= 2 and text[0] not in "iuv":
        yield (text,)


def _key(syllables: Iterable[str]) -> str:
    parts = tuple(syllables)
    return f"{''.join(part[0] for part in parts)} {''.join(parts)}"


def _chinese(text: str) -> list[Syllables]:
    surname, rest = _divided(list(_characters(text)))
    options = [_surname_readings(surname), *(_given_readings(part) for part in rest)]
    found = [tuple(syllable for group in choice for syllable in group) for choice in islice(product(*options), 64)]
    return sorted(found, key=lambda reading: _rarity(reading, options))[:MOST_KEYS]


def _rarity(reading: Syllables, options: list[list[Syllables]]) -> int:
    """Usual readings come first: the number of the choice, summed over the parts."""
    at, total = 0, 0
    for choices in options:
        size = len(choices[0])
        total += choices.index(reading[at : at + size])
        at += size
    return total


def _characters(text: str) -> Iterator[str]:
    """The Chinese characters one by one, Latin words whole."""
    for part in re.findall(rf"{_HAN.pattern}|[A-Za-z0-9]+", text):
        yield part if _HAN.match(part) else part.casefold()


def _divided(parts: list[str]) -> tuple[str, list[str]]:
    if len(parts) > 2 and "".join(parts[:2]) in _surnames():
        return "".join(parts[:2]), parts[2:]
    return parts[0], parts[1:]


def _surname_readings(surname: str) -> list[Syllables]:
    return _surnames().get(surname) or [_usual(surname)]


def _given_readings(part: str) -> list[Syllables]:
    return _given().get(part) or [_usual(part)]


@cache
def _surnames() -> dict[str, list[Syllables]]:
    return {text: [tuple(reading.split()) for reading in readings] for text, readings in name_readings("surname").items()}


@cache
def _given() -> dict[str, list[Syllables]]:
    return {text: [tuple(reading.split()) for reading in readings] for text, readings in name_readings("given").items()}


@lru_cache(maxsize=32768)
def _usual(part: str) -> Syllables:
    # Only processes that enter or look for people need these tables, and they are large.
    from pypinyin import lazy_pinyin

    if not _HAN.match(part):
        return (part,)
    syllable = lazy_pinyin(part)[0]
    return (syllable if _WORD.fullmatch(syllable) else "x",)
