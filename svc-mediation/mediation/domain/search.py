"""Searches people keep under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class SavedSearch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An inbox or a list under a name; `cases` or `tasks` hold the fields of its filter as the message has them, the other is None.

    `department`: everybody of it sees the search; "" for the owner alone. `forgotten_at`: nobody sees it any more.
    """

    search_id: str
    name: str
    owner: str
    saved_at: datetime
    revision: int = 0
    department: str = ""
    cases: dict[str, Any] | None = None
    tasks: dict[str, Any] | None = None
    forgotten_at: datetime | None = None
