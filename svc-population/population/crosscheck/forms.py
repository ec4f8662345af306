"""The forms in which values of two sources are compared: what does not tell two people apart is left out. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from population.identity import normal_form
from population.phones import normal_phone
from svckit.errors import InvalidArgument


def comparable(name: str) -> str:
    """Returns a name as it is compared: full-width letters as ordinary ones, no blanks or middle dots, lower case."""
    if name.isalpha() and not name.isascii():
        return name
    plain = unicodedata.normalize("NFKC", name)
    return "".join(letter for letter in plain if letter.isalnum()).lower()


def sealed_form(field: str) -> Callable[[str], str]:
    """Returns how a value of a sealed field is written before its blind index is computed; "" for what is no such value."""
    return {"id_number": _number, "phone": _phone}[field]


def _number(text: str) -> str:
    return normal_form(text.strip())


def _phone(text: str) -> str:
    try:
        return normal_phone(text)
    except InvalidArgument:
        return ""
