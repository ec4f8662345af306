"""Facts about many people, waiting together for the broker."""

from __future__ import annotations

from datetime import datetime

import msgspec


class FactBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A document that only carries facts (its outbox) of people who were written with it in one transaction; empty once they are out."""

    bundle_id: str
    created_at: datetime
