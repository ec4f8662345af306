"""How a person lives now, as far as help and planning need to know it."""

from __future__ import annotations

import msgspec


class Living(msgspec.Struct, frozen=True, kw_only=True):
    """Known of the house (svc-housing), else told by the resident or seen by the grid worker; None: not known.

    It belongs to the present home and is forgotten with it.

    `floor` counts storeys from 1 (below ground: negative), `lift` says whether the home can be reached by one, `alone` whether nobody
    else lives there. `longitude` and `latitude` are those of the house (WGS 84, degrees).
    """

    floor: int | None = None
    lift: bool | None = None
    alone: bool | None = None
    longitude: float | None = None
    latitude: float | None = None
