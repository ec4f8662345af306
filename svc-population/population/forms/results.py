"""What became of each submission, beside the file it came from: whoever begins again goes on, and sees what was refused.

    row,key,digest,outcome,field,reason,message

Never an answer of anybody: a key is an id of the ODK server, a digest tells whether a submission was edited there since.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any, TextIO

import msgspec

SENT, REFUSED = "sent", "refused"
COLUMNS = ("row", "key", "digest", "outcome", "field", "reason", "message")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one submission; `outcome` is SENT or REFUSED."""

    row: int
    key: str
    digest: str
    outcome: str
    field: str = ""
    reason: str = ""
    message: str = ""


class Results:
    """The file of results; what was refused is tried again, and stands there anew."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, ValueError for a file that is something else."""
        sent = [one for one in _read(path) if one.outcome == SENT]
        self._sent = {(one.key, one.digest) for one in sent}
        fresh = path.with_name(f"{path.name}.new")
        self._file: TextIO = fresh.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)
        for one in sent:
            self._write(one)
        fresh.replace(path)

    def has_sent(self, key: str, digest: str) -> bool:
        """Tells whether this very submission was taken before."""
        return (key, digest) in self._sent

    def add(self, result: Result) -> None:
        """Writes a result down, at once."""
        self._write(result)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, result: Result) -> None:
        self._writer.writerow(msgspec.structs.astuple(result))
        self._file.flush()


def digest_of(request: Any) -> str:
    """Returns a text that differs for submissions that say something else."""
    return hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).hexdigest()


def _read(path: Path) -> list[Result]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        if tuple(next(rows, ())) != COLUMNS:
            raise ValueError(f"{path.name} is no file of results")
        # The last line may have been cut off when somebody pulled the plug.
        return [
            Result(row=int(row[0]), **dict(zip(COLUMNS[1:], row[1:], strict=True))) for row in rows if len(row) == len(COLUMNS)
        ]
