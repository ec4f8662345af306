"""Page tokens of lists in the order of area and id: the same for documents and for the replica."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from population.questions.asking import Found
from svckit import paging
from svckit.errors import InvalidArgument

KEYS = ("area_code", "_id")
_AREA = re.compile(r"[0-9]{4,17}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def token_of(last: Found) -> str:
    """Returns the token of the page behind somebody."""
    return paging.token_of({"area_code": last.area_code, "_id": last.resident_id}, KEYS)


def token_after(token: str) -> Found | None:
    """Returns who the page comes behind, None for the first. Raises InvalidArgument (PAGE_TOKEN_INVALID)."""
    if not token:
        return None
    _, exactly = paging.after(token, KEYS)["$or"]
    area, id = _text(exactly["area_code"], _AREA), _text(exactly["_id"]["$gt"], _ID)
    return Found(area, id)


def _text(value: Any, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise InvalidArgument("This page token was not given out here.", reason="PAGE_TOKEN_INVALID", field="page_token")
    return value


def behind(after: Found | None) -> Mapping[str, Any]:
    """Returns the filter of documents behind somebody, {} for all."""
    if after is None:
        return {}
    return {"$or": [{"area_code": {"$gt": after.area_code}}, {"area_code": after.area_code, "_id": {"$gt": after.resident_id}}]}
