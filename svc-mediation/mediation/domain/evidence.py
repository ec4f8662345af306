"""Places and proof: what is attached to a case wherever people say something about it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Point(msgspec.Struct, frozen=True):
    """A place, WGS 84, degrees."""

    longitude: float = 0.0
    latitude: float = 0.0


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A photograph or file; the bytes lie elsewhere."""

    uri: str
    sha256: str = ""
    taken_at: datetime | None = None
    point: Point | None = None
