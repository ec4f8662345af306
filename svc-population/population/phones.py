"""Telephone numbers in the one form in which they are kept and compared. Pure."""

from __future__ import annotations

import re
import unicodedata

from svckit.errors import InvalidArgument

_MARKS = re.compile(r"[\s\-()./]")
_HOME = re.compile(r"^(?:\+|00)86(?=\d)")
_MOBILE = re.compile(r"1\d{10}", re.ASCII)
_SHAPES = (
    _MOBILE,
    re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}"),  # fixed, with its area
    re.compile(r"[2-9]\d{6,7}"),  # fixed, local
    re.compile(r"[48]00\d{7}"),
    re.compile(r"\+[1-9]\d{6,14}"),  # abroad, Hong Kong, Macao, Taiwan: E.164
    re.compile(r"\d{5}"),  # services
)


def normal_phone(text: str, *, field: str = "phone") -> str:
    """Returns a number without marks and without the code of China: "+86 138-0013-8000" becomes "13800138000".

    Numbers abroad keep their country code ("00852…" becomes "+852…"). Raises InvalidArgument (PHONE_INVALID) naming `field`.
    """
    if _MOBILE.fullmatch(text):
        return text  # nearly all are, and imports have millions
    digits = _HOME.sub("", _MARKS.sub("", unicodedata.normalize("NFKC", text)))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not digits.isascii() or not any(shape.fullmatch(digits) for shape in _SHAPES):
        raise InvalidArgument("This is not a telephone number.", reason="PHONE_INVALID", field=field)
    return digits
