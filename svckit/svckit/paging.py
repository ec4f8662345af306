"""Pages of a list: the page token carries the sort key of the last row, so that pages stay right while rows come and go."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from svckit.errors import InvalidArgument

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OWNED_BY_STORE = ("outbox", "commands", "created_by")
_MILLISECOND = dt.timedelta(milliseconds=1)
_LONGEST_BITS = 63  # of a number in BSON, beside its sign


def token_of(document: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Returns the token of the page after `document`.

    `keys` are the fields the list is sorted by, the last unique: ascending, or descending for those written "-field".
    """
    values = [_packed(document.get(_name(key))) for key in keys]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def after(token: str, keys: Sequence[str]) -> dict[str, Any]:
    """Returns the MongoDB filter for the rows behind a token, {} for an empty one. Raises InvalidArgument (PAGE_TOKEN_INVALID)."""
    if not token:
        return {}
    values = _unpacked(token)
    if len(values) != len(keys):
        raise _invalid()
    names = [_name(key) for key in keys]
    steps: list[dict[str, Any]] = [
        {**dict(zip(names[:at], values[:at], strict=True)), names[at]: {_behind(key): values[at]}}
        for at, key in enumerate(keys)
    ]
    return {"$or": steps} if len(steps) > 1 else steps[0]


def sort_by(keys: Sequence[str]) -> list[tuple[str, int]]:
    """Returns the sort that `after` and `token_of` rely on."""
    return [(_name(key), -1 if key.startswith("-") else 1) for key in keys]


async def page_of(
    rows: Any, *, query: Mapping[str, Any], keys: Sequence[str], token: str, size: int, hidden: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], str]:
    """Returns a page of raw documents of the async collection `rows` and the token of the next page ("" on the last).

    What the store owns and the fields in `hidden` stay out. Raises InvalidArgument (PAGE_TOKEN_INVALID).
    """
    condition = {"$and": [query, after(token, keys)]} if token else query
    cursor = rows.find(condition, dict.fromkeys((*_OWNED_BY_STORE, *hidden), False))
    found = await cursor.sort(sort_by(keys)).limit(size + 1).to_list()
    return found[:size], token_of(found[size - 1], keys) if len(found) > size else ""


def code_range(prefix: str) -> dict[str, str]:
    """Returns the condition that a code of digits starts with `prefix`; a range, so that an index serves it."""
    return {"$gte": prefix, "$lt": prefix + ":"}  # ":" follows "9"


def narrowed(*, own: str, wanted: str) -> str | None:
    """Returns the longer of two area prefixes when they nest, None when nothing can lie in both."""
    longer, shorter = (wanted, own) if len(wanted) >= len(own) else (own, wanted)
    return longer if longer.startswith(shorter) else None


def _name(key: str) -> str:
    return key.removeprefix("-")


def _behind(key: str) -> str:
    return "$lt" if key.startswith("-") else "$gt"


def _packed(value: object) -> object:
    if isinstance(value, dt.datetime):
        return {"ms": (value - _EPOCH) // _MILLISECOND}
    return value


def _unpacked(token: str) -> list[Any]:
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return [_value(value) for value in values]
    except (ValueError, TypeError, KeyError, OverflowError, msgspec.DecodeError) as error:
        raise _invalid() from error


def _value(packed: object) -> object:
    if isinstance(packed, dict):
        return _EPOCH + packed["ms"] * _MILLISECOND
    if isinstance(packed, int) and packed.bit_length() > _LONGEST_BITS:
        raise ValueError(packed)
    if packed is None or isinstance(packed, str | int | float):
        return packed
    raise TypeError(packed)


def _invalid() -> InvalidArgument:
    return InvalidArgument("This page token was not given out here.", reason="PAGE_TOKEN_INVALID", field="page_token")
