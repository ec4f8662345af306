"""Opaque cursors of lists and streams: a time in milliseconds and an id, which together order everything that changes. Pure."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

import msgspec

from svckit.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cursor(msgspec.Struct, frozen=True, order=True):
    """A place in the order of changes. `key` is an id, or several joined by "/"."""

    at: datetime
    key: str = ""

    def __str__(self) -> str:
        milliseconds = (self.at - _EPOCH) // timedelta(milliseconds=1)
        return base64.urlsafe_b64encode(f"{milliseconds}:{self.key}".encode()).decode().rstrip("=")


def parse(text: str, *, field: str) -> Cursor | None:
    """Reads a cursor that `str` wrote; None for "". Raises InvalidArgument (INVALID_CURSOR) naming `field`."""
    if not text:
        return None
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        milliseconds, _, key = plain.partition(":")
        return Cursor(at=_EPOCH + timedelta(milliseconds=int(milliseconds)), key=key)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise InvalidArgument("This is no cursor of ours.", field=field, reason="INVALID_CURSOR") from error
