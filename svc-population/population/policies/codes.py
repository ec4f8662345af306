"""Codes that tables must have."""

from __future__ import annotations

from population.codes import codes_of
from svckit.errors import InvalidArgument


def check_code(code: str, *, table: str, field: str) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) unless the table has the code."""
    if code not in codes_of(table):
        raise InvalidArgument(f"{code!r} is not a code of {table}.", reason="CODE_UNKNOWN", field=field)
