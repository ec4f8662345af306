"""Raw rows: what a search returns, and the condition every search begins with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from svckit.paging import code_range, narrowed

Raw = dict[str, Any]


Rows = AsyncCollection[Raw]


OWNED_BY_STORE = {"outbox": False, "commands": False, "created_by": False}


def in_area(*, own: str, wanted: str) -> dict[str, Any] | None:
    """Returns the condition on `area_code` for what lies in both areas, None when nothing can."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return None
    return {"area_code": code_range(prefix)} if prefix else {}


async def known(rows: Rows, ids: Collection[str], *, own_area: str) -> frozenset[str]:
    """Returns those of the ids that exist in the caller's area."""
    found = rows.find({"_id": {"$in": list(ids)}}, {"area_code": True})
    return frozenset([row["_id"] async for row in found if row["area_code"].startswith(own_area)])
