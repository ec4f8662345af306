"""Reads JSON text strictly: no duplicate keys, bounded depth, errors with their position."""

from __future__ import annotations

import json
from typing import Any

import orjson

from gateway.transcode.failure import DecodeError

MAX_DEPTH = 100  # protobuf itself refuses to parse deeper messages
_SPACED_COLONS = (b" :", b"\t:", b"\n:", b"\r:")


class JsonError(DecodeError):
    """Text that is not JSON. `line` and `column` count from 1; 0 when the parser cannot tell."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def read_json(text: bytes) -> Any:
    """Returns the parsed document. Raises JsonError (malformed) or DecodeError (duplicate key, nested too deeply)."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = f"at line {error.lineno}, column {error.colno}"
        raise JsonError(f"{error.msg} {place}", line=error.lineno, column=error.colno) from error
    keys = _count_keys(document)
    if text.count(b":") != keys and not _surely_unique(text, keys):
        _check_duplicates(text)
    return document


def _surely_unique(text: bytes, keys: int) -> bool:
    """Tells cheaply whether a document that parsed to `keys` keys had no more than those in its text.

    As many colons as keys, and the parser has swallowed no duplicate: that the caller has checked. Where strings hold colons
    too (times, addresses), colons that follow a quote are counted instead, unless one could be spaced away from its quote.
    """
    return text.count(b'":') == keys and not any(spaced in text for spaced in _SPACED_COLONS)


def _count_keys(document: Any) -> int:
    keys = 0
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if item.__class__ is dict:
                keys += len(item)
                below += [value for value in item.values() if value.__class__ is dict or value.__class__ is list]
            elif item.__class__ is list:
                below += [value for value in item if value.__class__ is dict or value.__class__ is list]
        if not below:
            return keys
        level = below
    raise DecodeError(f"is nested more than {MAX_DEPTH} levels deep")


def _check_duplicates(text: bytes) -> None:
    json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise DecodeError("is given twice").inside(key)
        seen.add(key)
