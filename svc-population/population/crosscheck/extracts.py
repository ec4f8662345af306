"""What lies in the folder of the register's extracts goes when no job used it for a day: nobody who was erased stays in one."""

from __future__ import annotations

from pathlib import Path

import duckdb

IDLE_SECONDS = 86_400.0
"""How long an extract may lie unused."""


def drop_idle(folder: Path, *, now: float, idle: float = IDLE_SECONDS) -> int:
    """Removes extracts no job used for `idle` seconds, judged by `now` (seconds since 1970); returns how many.

    One another process works with stays.
    """
    dropped = 0
    for file in sorted(folder.glob("register-*.duckdb")):
        try:
            if now - file.stat().st_mtime < idle:
                continue
            # Another process that works with it holds its lock; a job of this one needs it for the minutes it is refreshed in.
            duckdb.connect(str(file)).close()
        except (duckdb.Error, FileNotFoundError):
            continue
        file.unlink(missing_ok=True)
        file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
        dropped += 1
    return dropped
