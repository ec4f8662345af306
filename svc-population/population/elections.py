"""The election that is announced, from BINGLIAN_ELECTION_DAY (YYYY-MM-DD; empty: none). Read by the api and by the worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from typing import Any

from population.questions.conditions import latest_birth
from svckit.config import ConfigError

VOTING_AGE = 18
"""Completed years on election day (选举法 art. 4)."""
OVERSEAS = "05"
"""Kind of resident (resident_type.csv) who has no vote: it is for citizens."""


def voting(day: date) -> dict[str, Any]:
    """Returns the condition on residents for who may vote on a day."""
    return {
        "birth_date": {"$gt": "", "$lte": latest_birth(VOTING_AGE, today=day).isoformat()},
        "resident_type": {"$ne": OVERSEAS},
    }


def election_day_from_env(environ: Mapping[str, str] = os.environ) -> date | None:
    """Returns election day, None when none is announced. Raises ConfigError for what is no day."""
    text = environ.get("BINGLIAN_ELECTION_DAY", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ConfigError("BINGLIAN_ELECTION_DAY is a day, YYYY-MM-DD") from error
