"""Area `mediation`: what svc-mediation does with many cases and with hot ones."""

import importlib

from tests.load.harness import Row, failed, limited, progress
from tests.load.stack import Stack, stack

ROWS = (
    "inbox_list",
    "timers",
    "hot_case_40_departments",
    "growth",
)  # fmt: skip
"""The rows in the order of the table; `run(stack) -> Row` of the module of that name in this package measures one."""
MINUTES = 10


def run(*, only: set[str]) -> list[Row]:
    """Measures the rows (all of them when `only` is empty), each on a fresh stack; one that fails is in the table, not the end."""
    return [_measured(name) for name in ROWS if not only or name in only]


def _measured(name: str) -> Row:
    with stack() as here:
        try:
            with limited(minutes=MINUTES):
                row: Row = importlib.import_module(f"tests.load.mediation.{name}").run(here)
                return row
        except Exception as error:
            return _failed(name, error, here)


def _failed(name: str, error: Exception, here: Stack) -> Row:
    progress(f"{name} FAILED: {type(error).__name__}: {error}\n{here.complaints()}")
    return failed(name, error)
