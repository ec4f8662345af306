"""Citizen identity numbers as GB 11643 builds them: area 6, birth date 8, sequence 3 (odd for men), check digit. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from operator import mul

import msgspec

_MARKS = re.compile(r"[\s\-()]")
_OLD_CITIZEN = re.compile(r"[1-9][0-9]{14}", re.ASCII)
_REISSUED_PERMIT = re.compile(r"[HM][0-9]{10}", re.ASCII)
_FORM = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
# Digits are taken as bytes: what the code of "0" adds with each weight is taken off once.
_ZEROS = ord("0") * sum(WEIGHTS)
MALE, FEMALE = "1", "2"


class WrongIdNumber(ValueError):
    """The number cannot be an identity number; the text says why, without repeating it."""


class Identity(msgspec.Struct, frozen=True):
    """What an identity number says: birth date YYYY-MM-DD and sex (sex.csv)."""

    birth_date: str
    sex: str


def normal_form(number: str) -> str:
    """Returns a number as it is stored and compared when its kind is not said: in `plain_form`; a citizen's of 15 digits in its form of 18;
    of a Home Return Permit (港澳居民来往内地通行证) the 9 characters that stay with the person for life, without the count of issues.
    """
    plain = plain_form(number)
    if len(plain) == 15 and _OLD_CITIZEN.fullmatch(plain):
        body = f"{plain[:6]}19{plain[6:]}"
        return body + check_digit(body)
    return plain[:9] if len(plain) == 11 and _REISSUED_PERMIT.fullmatch(plain) else plain


def plain_form(number: str) -> str:
    """Returns a number in upper case, half width, without spaces, hyphens and brackets."""
    if number.isascii() and number.isalnum():
        return number.upper()
    return _MARKS.sub("", unicodedata.normalize("NFKC", number)).upper()


def check_digit(first_digits: str) -> str:
    """Returns the 18th character that belongs to 17 digits (ISO 7064 MOD 11-2)."""
    if len(first_digits) != len(WEIGHTS):
        raise ValueError("17 digits are needed")
    return _CHECK_DIGITS[(sum(map(mul, WEIGHTS, first_digits.encode())) - _ZEROS) % len(_CHECK_DIGITS)]


def read_id_number(number: str, *, today: date) -> Identity:
    """Reads a number in normal form. Raises WrongIdNumber for a wrong length, character, date or check digit."""
    if not _FORM.fullmatch(number):
        raise WrongIdNumber("it has 17 digits and a check digit")
    born = _birth_date(number)
    if born > today:
        raise WrongIdNumber("its birth date lies in the future")
    if check_digit(number[:17]) != number[17]:
        raise WrongIdNumber("its check digit is wrong")
    return Identity(birth_date=born.isoformat(), sex=MALE if int(number[16]) % 2 else FEMALE)


def _birth_date(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise WrongIdNumber("its birth date does not exist") from error
