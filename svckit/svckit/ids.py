"""Identifiers: UUIDv7 strings, which sort by time and so keep index inserts at the right-hand edge."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Returns a new UUIDv7 (RFC 9562) as 36 lower-case characters. Ids made by one process are strictly increasing."""
    return str(uuid.UUID(int=_next()))


def _next() -> int:
    global _last
    fresh = _layout(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))
    with _lock:
        # Within one millisecond (or after the clock stepped back) the next random tail above the last id is taken.
        _last = fresh if fresh > _last else _succeed(_last)
        return _last


def _layout(millis: int, random: int) -> int:
    high = (random >> 64) & 0x0FFF
    # Top bit of the random tail stays clear so that there is room to count upwards.
    low = random & 0x1FFF_FFFF_FFFF_FFFF
    return (millis << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low


def _succeed(last: int) -> int:
    low = (last & 0x3FFF_FFFF_FFFF_FFFF) + 1 + int.from_bytes(os.urandom(3), "big")
    if low <= 0x3FFF_FFFF_FFFF_FFFF:
        return (last >> 62 << 62) | low
    return _layout((last >> 80) + 1, int.from_bytes(os.urandom(10), "big"))
