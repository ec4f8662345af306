"""What people type where they may type anything: what must not be kept is refused, numbers of people are masked. One pass.

restricted_category.csv says what no text may hold (words in restricted_terms.yaml), sensitivity_level.csv of the same (LX) that free text
is refused for it. Identity and mobile numbers are L3 and L2 with a mask (sensitive_field.csv): a report must not be lost because
somebody typed one, so they are masked before anything is stored; where a number is needed it has a field of its own, which is masked for
those it does not concern. Land lines stay: they are those of offices, which replies name.
"""

from __future__ import annotations

import re
from functools import cache

from mediation import dispute_codes
from svckit.errors import InvalidArgument

# restricted_category.csv 9018: no recordings of voices. By the ending of the file, whatever the store is called.
_RECORDING = r"\.(?:[Mm][Pp]3|[Ww][Aa][Vv]|[Mm]4[Aa]|[Aa][Aa][Cc]|[Aa][Mm][Rr]|[Oo][Gg][Gg]|[Oo][Pp][Uu][Ss]|[Ff][Ll][Aa][Cc]|[Ww][Mm][Aa])"

# Each begins with a character and looks back from there: an expression that begins by looking back is tried at every place.
# Identity numbers of 18 or (older) 15 digits with a day of birth that exists, and mobile numbers, also with spaces between.
_DAY = r"(?:0[1-9]|1[0-2])[ -]?(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}"
_ID_NUMBER = rf"[1-9](?<!\d\d)\d{{5}}[ -]?(?:(?:18|19|20)\d\d[ -]?{_DAY}[ -]?[\dXx]|\d\d{_DAY})(?![\dXx])"
_MOBILE = r"1(?<!\d1)[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
_SHOWN_OF_ID, _SHOWN_OF_MOBILE = 6, (3, 4)


def tidy(text: str, *, field: str) -> str:
    """Returns a text as it may be kept. Raises InvalidArgument (RESTRICTED_CONTENT) naming `field` and the line of the table."""
    check_words(text, field=field)
    return _pattern().sub(_kept, text)


def is_harmless(text: str) -> bool:
    """Tells whether `tidy` would return the text as it is and no link in it is one to a recording.

    Texts may be asked about together, joined by what stands in no word and no number.
    """
    return _pattern().search(text) is None


def check_words(text: str, *, field: str) -> None:
    """Raises InvalidArgument (RESTRICTED_CONTENT) for a text that says about a person what must never be stored."""
    found = next((match for match in _pattern().finditer(text) if match["word"]), None)
    if found:
        code = _code_of(found["word"])
        message = "This says about a person what must not be kept: leave it out."
        raise InvalidArgument(message, field=field, reason="RESTRICTED_CONTENT", metadata={"category": code})


def check_link(uri: str, *, field: str) -> None:
    """Raises InvalidArgument (RECORDING_NOT_ALLOWED) for a link to a recording of voices."""
    if re.search(rf"{_RECORDING}\Z", uri.partition("?")[0]):
        raise InvalidArgument("Voices are not recorded.", field=field, reason="RECORDING_NOT_ALLOWED")


def _kept(found: re.Match[str]) -> str:
    if found["voice"]:
        # The name of a file in a text records nobody.
        return found[0]
    number = re.sub("[ -]", "", found[0])
    if found["identity"]:
        return number[:_SHOWN_OF_ID] + "*" * (len(number) - _SHOWN_OF_ID)
    head, tail = _SHOWN_OF_MOBILE
    return f"{number[:head]}****{number[-tail:]}"


@cache
def _pattern() -> re.Pattern[str]:
    words = "|".join(_of_word(word) for words in dispute_codes.restricted_terms().values() for word in words)
    return re.compile(f"(?P<word>{words})|(?P<identity>{_ID_NUMBER})|(?P<mobile>{_MOBILE})|(?P<voice>{_RECORDING})")


def _of_word(word: str) -> str:
    """A word of the table; Latin ones in any case, but not inside another word ("HIV" is not in "archive")."""
    if not word.isascii():
        return re.escape(word)
    first, rest = word[0], "".join(f"[{letter.upper()}{letter.lower()}]" for letter in word[1:])
    return f"[{first.upper()}{first.lower()}](?<![A-Za-z].){rest}(?![A-Za-z])"


def _code_of(found: str) -> str:
    return next(code for code, words in dispute_codes.restricted_terms().items() if found.upper() in map(str.upper, words))
