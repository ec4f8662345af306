"""Measures ours against a floor in the same run, alternating, and keeps the table.

A row says how much of the floor's speed is left to us: `ratio` is always "higher is better", whatever the unit.
"""

import contextlib
import json
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROUNDS = 3
"""Alternating rounds per row; an odd number, so that the median is a run that happened."""


@dataclass(frozen=True)
class Row:
    """One line of the table; `target` is what `ratio` (or, without a floor, `value`) has to reach."""

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    target: float | None
    ok: bool
    note: str = ""
    runs: dict[str, list[float]] = field(default_factory=dict)


def compare(
    name: str,
    *,
    ours: Callable[[], float],
    floor: Callable[[], float],
    unit: str,
    target: float,
    lower_is_better: bool = False,
    rounds: int = ROUNDS,
    note: str = "",
) -> Row:
    """Runs floor and ours in turn and compares the medians; each callable returns one figure in `unit`."""
    measured: dict[str, list[float]] = {"floor": [], "ours": []}
    for number in range(1, rounds + 1):
        for label, run in (("floor", floor), ("ours", ours)):
            started = time.monotonic()
            figure = run()
            measured[label].append(round(figure, 3))
            progress(f"{name} round {number}/{rounds} {label}: {figure:,.1f} {unit} ({time.monotonic() - started:.0f} s)")
    value, base = (statistics.median(measured[label]) for label in ("ours", "floor"))
    ratio = base / value if lower_is_better else value / base
    return Row(name, value, unit, base, round(ratio, 3), target, ratio >= target, note, measured)


def against(
    name: str,
    *,
    ours: Sequence[float],
    floor: Callable[[], float],
    unit: str,
    target: float | None,
    rounds: int = ROUNDS,
    note: str = "",
) -> Row:
    """Compares figures of ours that were already measured in this run with another floor; without a target just for information."""
    measured = {"ours": list(ours), "floor": []}
    for number in range(1, rounds + 1):
        figure = floor()
        measured["floor"].append(round(figure, 3))
        progress(f"{name} round {number}/{rounds} floor: {figure:,.1f} {unit}")
    value, base = statistics.median(ours), statistics.median(measured["floor"])
    ratio = value / base
    return Row(name, value, unit, base, round(ratio, 3), target, target is None or ratio >= target, note, measured)


def below(name: str, *, value: float, unit: str, limit: float, note: str = "", runs: Sequence[float] = ()) -> Row:
    """A row with an absolute limit instead of a floor; its ratio is limit / value."""
    return Row(name, round(value, 2), unit, limit, round(limit / value, 3), 1.0, value < limit, note, {"ours": list(runs)})


def failed(name: str, error: Exception) -> Row:
    """A row that could not be measured: it misses its target."""
    return Row(name, 0.0, "-", None, None, 1.0, False, f"{type(error).__name__}: {error}".splitlines()[0][:120])


@contextlib.contextmanager
def limited(*, minutes: float) -> Iterator[None]:
    """Raises TimeoutError in the main thread, wherever it waits, when the block takes longer: no row hangs."""

    def end(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"not done after {minutes:g} minutes")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample below which `share` (0 to 1) of all samples lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def progress(text: str) -> None:
    """Says on the terminal what is going on; the table is printed at the end."""
    print(f"  {text}", file=sys.stderr, flush=True)


def print_table(rows: Sequence[Row]) -> None:
    """Prints the rows as people read them."""
    print(f"{'name':<28}{'ours':>12}{'floor':>12}  {'unit':<14}{'ratio':>8}{'target':>8}  ok")
    for row in rows:
        places = 4 if row.unit == "share" else 1
        floor = f"{row.floor:,.{places}f}" if row.floor is not None else "-"
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "-"
        target = f"{row.target:.2f}" if row.target is not None else "-"
        verdict = "-" if row.target is None else ("yes" if row.ok else "NO")
        print(
            f"{row.name:<28}{row.value:>12,.{places}f}{floor:>12}  {row.unit:<14}{ratio:>8}{target:>8}  {verdict}  {row.note}".rstrip()
        )


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Writes the rows as `.binglian/bench/<area>.json`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n")
