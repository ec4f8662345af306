"""Kinds of identity documents (id_doc_type.csv) and what their numbers must look like. Pure; refusals never repeat the number.

Sources: GB 11643 (citizens), the announcements on residence permits for Hong Kong, Macao and Taiwan residents (same form, area 81, 82, 83)
and on the foreign permanent resident's card of 2023 (18 characters, begins with 9; the card before it: 3 letters and 12 digits), ICAO 9303
(passports).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from population.identity import FEMALE, MALE, Identity, WrongIdNumber, normal_form, plain_form, read_id_number

CITIZEN = frozenset({"111", "112"})
OVERSEAS = frozenset({"511", "516", "553", "830", "831"})
"""Documents of people from Hong Kong, Macao, Taiwan and abroad."""

NOTHING_SAID = Identity(birth_date="", sex="")
# GB/T 2260. 99 is no place: numbers that begin with it are made up, for trials and demonstrations.
_RANGES = ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 83), (99, 100))
_PROVINCES = frozenset(str(code) for first, end in _RANGES for code in range(first, end))
_RENUMBERED = CITIZEN | {"516"}
_OLD_FOREIGN = re.compile(r"[A-Z]{3}\d{12}", re.ASCII)


def normal_number(kind: str, number: str) -> str:
    """Returns the number as it is kept and compared.

    Upper case, half width, no spaces, hyphens or brackets; a citizen's number of 15 digits in its form of 18; of a Home Return Permit the
    number that stays with the person for life, without the count of issues.
    """
    return normal_form(number) if kind in _RENUMBERED else plain_form(number)


def forms_of(number: str) -> tuple[str, ...]:
    """Returns the forms in which a number may be kept, for who looks for it without saying its kind."""
    return tuple(dict.fromkeys((normal_form(number), plain_form(number))))


def read_document(kind: str, number: str, *, today: date) -> Identity:
    """Reads a number in normal form: what it says about birth date and sex, empty where it says nothing. Raises WrongIdNumber."""
    return _KINDS.get(kind, _other)(number, today)


def _citizen(number: str, today: date) -> Identity:
    identity = read_id_number(number, today=today)
    _check_place(number)
    _check_age(identity, today)
    return identity


def _check_place(number: str) -> None:
    if number[:2] not in _PROVINCES:
        raise WrongIdNumber("its first two digits are no province")
    if number[2:6] == "0000" and number[:2] not in ("99", "81", "82"):
        raise WrongIdNumber("its first six digits are a province, not a county")


def _check_age(identity: Identity, today: date) -> None:
    if int(identity.birth_date[:4]) < today.year - 130:
        raise WrongIdNumber("its birth date lies more than 130 years back")


def _permit(*areas: str) -> Callable[[str, date], Identity]:
    def read(number: str, today: date) -> Identity:
        identity = read_id_number(number, today=today)
        if number[:6] not in areas and number[:2] != "99":
            raise WrongIdNumber(f"it begins with {' or '.join(areas)}")
        _check_age(identity, today)
        return identity

    return read


def _foreign_resident(number: str, today: date) -> Identity:
    """2023 on: 9, place of application 2, country 3, birth date 8, sequence 3, check digit; before: country 3, place 4, birth 6, 2 more."""
    if _OLD_FOREIGN.fullmatch(number):
        _check_short_date(number[7:13])
        return NOTHING_SAID
    identity = read_id_number(number, today=today)
    if number[0] != "9":
        raise WrongIdNumber("it begins with 9")
    if number[1:3] not in _PROVINCES and number[:2] != "99":
        raise WrongIdNumber("its second and third digits are no province")
    return identity


def _check_short_date(digits: str) -> None:
    """A date without its century: one of 1900 or 2000 will do."""
    try:
        date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError as error:
        raise WrongIdNumber("its birth date does not exist") from error


def _shaped(pattern: str, said: str) -> Callable[[str, date], Identity]:
    shape = re.compile(pattern, re.ASCII)

    def read(number: str, today: date) -> Identity:
        if not shape.fullmatch(number):
            raise WrongIdNumber(said)
        return NOTHING_SAID

    return read


_other = _shaped(r"[0-9A-Z\u4e00-\u9fff]{4,30}", "it has 4 to 30 letters and digits")
_KINDS: dict[str, Callable[[str, date], Identity]] = {
    "111": _citizen,
    "112": _citizen,
    "113": _shaped(r"[0-9A-Z]{6,20}", "it has 6 to 20 letters and digits"),
    "114": _shaped(r"(?:[\u4e00-\u9fff]字第)?\d{6,8}号?", "it is like 军字第1234567号"),
    "117": _shaped(r"[A-Z]\d{9}", "it has a letter and 9 digits"),
    "414": _shaped(r"(?=.*\d)[0-9A-Z]{5,9}", "it has 5 to 9 letters and digits"),
    "511": _shaped(r"\d{8}|\d{10}[A-Z]?", "it has 8 digits, or 10 and a letter"),
    "516": _shaped(r"[HM]\d{8}", "it has H or M and 8 digits (10 with the count of issues)"),
    "553": _foreign_resident,
    "830": _permit("810000", "820000"),
    "831": _permit("830000"),
}

__all__ = [
    "CITIZEN",
    "FEMALE",
    "MALE",
    "NOTHING_SAID",
    "OVERSEAS",
    "Identity",
    "WrongIdNumber",
    "forms_of",
    "normal_number",
    "read_document",
]
