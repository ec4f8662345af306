"""The parts of a file: 1 MiB each, sealed with the vault and bound to their place, so that nothing readable lies in the database.

`SealedFile` reads such a file like one on a disk: columns of a Parquet file are found by their place, rows of a CSV file come as they
are read. What jobs make of them may lie on a disk in clear for a while: see `tidying`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

from population.policies.jobs import PART_BYTES


class Sealer(Protocol):
    """Seals bytes; `population.vault.Vault` is one."""

    def seal_bytes(self, data: bytes, *, owner: str) -> bytes:
        """Returns them unreadable, bound to `owner`."""

    def open_bytes(self, cipher: bytes, *, owner: str) -> bytes:
        """Returns what `seal_bytes` was given for the same owner."""


def part_id(file_id: str, number: int) -> str:
    """Returns the id of a part of a file, counted from 0."""
    return f"{file_id}:{number}"


def part_document(sealer: Sealer, *, file_id: str, number: int, data: bytes, expires_at: datetime) -> dict[str, Any]:
    """Returns a part as it is stored."""
    id = part_id(file_id, number)
    return {"_id": id, "data": sealer.seal_bytes(data, owner=id), "expires_at": expires_at}


def parts_of(data: Iterator[bytes]) -> Iterator[bytes]:
    """Cuts a stream of bytes into parts."""
    waiting = bytearray()
    for piece in data:
        waiting += piece
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    yield bytes(waiting)


class SealedFile(io.RawIOBase):
    """A file in sealed parts. `fetch` returns the sealed bytes of a part by its id, None when it is gone."""

    def __init__(self, *, file_id: str, size: int, sealer: Sealer, fetch: Callable[[str], bytes | None]) -> None:
        self._file_id = file_id
        self._size = size
        self._sealer = sealer
        self._fetch = fetch
        self._at = 0
        self._part = (-1, b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Returns where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes somewhere else."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Reads up to the end of a part. Raises FileNotFoundError when the file has expired."""
        target = memoryview(buffer).cast("B")
        number, within = divmod(self._at, PART_BYTES)
        if self._at >= self._size or not target:
            return 0
        piece = self._opened(number)[within : within + len(target)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _opened(self, number: int) -> bytes:
        if self._part[0] != number:
            id = part_id(self._file_id, number)
            sealed = self._fetch(id)
            if sealed is None:
                raise FileNotFoundError(f"part {number} of the file is gone")
            self._part = (number, self._sealer.open_bytes(bytes(sealed), owner=id))
        return self._part[1]
