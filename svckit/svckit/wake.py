"""The message by which whoever commits tells the active relay of its service where new events are."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Wake(msgspec.Struct, frozen=True, array_like=True):
    """Hint for the active relay: these documents have events. Without a collection: sweep."""

    collection: str = ""
    ids: Sequence[str] = ()
