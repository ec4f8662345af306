"""Area `population`: svc-population with four million residents (RESIDENTS=… for another number), seeded once for all rows."""

from __future__ import annotations

import importlib
import os

from tests.load.harness import Row, failed, limited, progress
from tests.load.population.register import Register, register

ROWS = (
    "lookup_id",
    "condition_community",
    "condition_district",
    "pyramid",
    "statistics",
    "care_count",
    "replica_lag",
    "voter_roll",
    "crosscheck",
    "linkage",
    "importing",
)
"""The rows in the order of the table; `run(register) -> list[Row]` of the module of that name in this package measures them."""
MINUTES = 15
RESIDENTS = 4_000_000


def run(*, only: set[str]) -> list[Row]:
    """Measures the rows (all of them when `only` is empty) on one seeded register; one that fails is in the table, not the end."""
    residents = int(os.environ.get("RESIDENTS") or RESIDENTS)
    rows: list[Row] = []
    with register(residents) as here:
        rows += here.rows
        for name in ROWS:
            if not only or name in only:
                rows += _measured(name, here)
    return rows


def _measured(name: str, here: Register) -> list[Row]:
    try:
        with limited(minutes=MINUTES):
            found: list[Row] = importlib.import_module(f"tests.load.population.{name}").run(here)
            return found
    except Exception as error:
        progress(f"{name} FAILED: {type(error).__name__}: {error}\n{here.stack.complaints()}")
        return [failed(name, error)]
