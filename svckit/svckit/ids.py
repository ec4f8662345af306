"""Identifiers: UUIDv7 strings, which sort by time and so keep index inserts at the right-hand edge."""

from __future__ import annotations

import uuid_utils


def new_id() -> str:
    """Returns a new UUIDv7 (RFC 9562) as 36 lower-case characters. Ids made by one process are strictly increasing."""
    return str(uuid_utils.uuid7())
