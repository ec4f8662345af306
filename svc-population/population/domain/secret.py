"""Sealed values: what is stored of numbers that must not be read."""

from __future__ import annotations

import msgspec


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it is stored: `cipher` can be opened with the field key only, `index` is equal for equal values."""

    cipher: bytes
    index: bytes
