"""What the terminal shows while the stack starts: each part with its state and seconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.local.parts import Part

console = Console(highlight=False)
_LIGHTS = {"ready": "green", "waiting": "yellow", "failed": "red"}


class Progress:
    """A live table on a terminal; one line per part that became ready where output goes to a file."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._started = time.monotonic()
        self._seconds: dict[str, float] = {}
        self._states = {part.name: "waiting" for part in parts}
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=5) if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def mark(self, name: str, state: str) -> None:
        """Notes that a part is now `ready` or `failed`."""
        self._states[name] = state
        self._seconds[name] = self.seconds
        if not self._live:
            console.print(f"{name:<20} {state:<8} {self.seconds:5.1f} s")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, state in self._states.items():
            seconds = self._seconds.get(name, self.seconds)
            table.add_row(f"[{_LIGHTS[state]}]●[/]", name, state, f"{seconds:5.1f} s")
        return table
