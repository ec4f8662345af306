"""What a job has to work with: its inputs, its outputs, the register, and a way to say how far it is and to hear that it shall stop."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from pymongo.database import Database

from population.domain.job import FileFormat, Job, JobCount, JobFile, JobOutput, JobSource
from population.jobs.parts import SealedFile, part_document, parts_of
from population.policies.jobs import FILE_KEPT
from population.privacy.job_trail import JobTrail
from population.vault import Vault
from svckit.documents import Form, utc_now
from svckit.errors import InvalidArgument, NotFound
from svckit.ids import new_id

TOLD_EVERY_SECONDS = 0.5
FILES = Form(JobFile, id_field="file_id")
Raw = dict[str, Any]


class Stopped(Exception):
    """The job shall stop: somebody cancelled it, or this worker ends."""


class Desk:
    """Where one job is worked on. `tell` saves progress, `workspace` is a folder of its own that only we may read."""

    def __init__(
        self,
        *,
        job: Job,
        database: Database[Raw],
        vault: Vault,
        trail: JobTrail,
        workspace: Path,
        files: Path | None,
        stop: threading.Event,
        tell: Callable[..., None],
    ) -> None:
        self.job = job
        self.database = database
        self.vault = vault
        self.trail = trail
        self.workspace = workspace
        self.counts: dict[str, int] = {count.name: count.value for count in job.counts}
        self._files = files
        self._stop = stop
        self._tell = tell
        self._told = 0.0
        self._interrupts: list[Callable[[], None]] = []
        self._place: dict[str, Any] = {"stage": job.stage, "done": job.done, "total": job.total}
        self._checkpoint: dict[str, Any] = json.loads(job.checkpoint or "{}")
        self.outputs = [JobOutput(**fields) for fields in self._checkpoint.get("outputs", ())]

    @property
    def checkpoint(self) -> Mapping[str, Any]:
        """What an earlier worker wrote down with `keep`."""
        return self._checkpoint

    @property
    def stopped(self) -> bool:
        """Tells whether the job shall stop."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raises Stopped when the job shall stop."""
        if self._stop.is_set():
            raise Stopped

    def interrupt(self) -> None:
        """Breaks off long calls of others (a query of DuckDB); from another thread."""
        for call in self._interrupts:
            call()

    def on_stop(self, call: Callable[[], None]) -> None:
        """Has `call` called when the job shall stop."""
        self._interrupts.append(call)

    def say(self, stage: str, *, done: int = 0, total: int = 0, at_once: bool = False) -> None:
        """Tells how far it is, at most every half second unless the stage is new. Raises Stopped when the job shall stop."""
        self.check()
        is_new = stage != self._place["stage"] or at_once
        self._place = {"stage": stage, "done": done, "total": total}
        if is_new or time.monotonic() - self._told > TOLD_EVERY_SECONDS:
            self.save()

    def count(self, name: str, more: int = 1) -> None:
        """Adds to a count."""
        self.counts[name] = self.counts.get(name, 0) + more

    def keep(self, **values: Any) -> None:
        """Writes down how to go on from here; what it stands for must be saved already."""
        self._checkpoint.update(values)
        self.save()

    def save(self) -> None:
        """Writes progress, counts and checkpoint."""
        self._told = time.monotonic()
        self._tell(**self._place, counts=self.final_counts(), checkpoint=json.dumps(self._checkpoint))

    def final_counts(self) -> tuple[JobCount, ...]:
        """Returns the counts in the order in which they came up."""
        return tuple(JobCount(name, value) for name, value in self.counts.items())

    # ------------------------------------------------------------------------------------------- files

    def open(self, source: JobSource) -> tuple[BinaryIO, FileFormat, int]:
        """Opens an input; returns it with its form and its bytes.

        Raises NotFound (FILE_NOT_FOUND) and InvalidArgument (FORMAT_UNKNOWN).
        """
        if source.file_id:
            file = self._stored(source.file_id)
            raw = SealedFile(file_id=file.file_id, size=file.size, sealer=self.vault, fetch=self._part)
            return io.BufferedReader(raw, 1 << 18), format_of(source, file.name), file.size
        path = self._in_folder(source.name)
        return path.open("rb"), format_of(source, path.name), path.stat().st_size

    def write(self, name: str, data: Iterable[bytes], *, rows: int | Callable[[], int]) -> JobOutput:
        """Keeps an output as a sealed file, in place of one of that name an earlier attempt left; `rows` may be known at its end only."""
        now, file_id = utc_now(), new_id()
        size = 0
        for number, piece in enumerate(parts_of(self._checked(data))):
            size += len(piece)
            document = part_document(self.vault, file_id=file_id, number=number, data=piece, expires_at=now + FILE_KEPT)
            self.database["job_parts"].insert_one(document)
        file = JobFile(
            file_id=file_id,
            name=name,
            area_code=self.job.area_code,
            owner=self.job.started_by,
            created_at=now,
            changed_at=now,
            expires_at=now + FILE_KEPT,
            size=size,
            complete=True,
        )
        self.database["job_files"].insert_one({"_id": file_id, **FILES.changed(None, file), "revision": 1})
        output = JobOutput(file_id=file_id, name=name, rows=rows() if callable(rows) else rows, size=size)
        self.outputs = [*(one for one in self.outputs if one.name != name), output]
        self.keep(outputs=[msgspec.structs.asdict(one) for one in self.outputs])
        return output

    def _checked(self, data: Iterable[bytes]) -> Iterator[bytes]:
        for piece in data:
            self.check()
            yield piece

    def _stored(self, file_id: str) -> JobFile:
        document = self.database["job_files"].find_one({"_id": file_id}, {"outbox": False, "commands": False})
        if document is None or not document.get("complete"):
            raise NotFound("The file is not there any more, or not complete.", reason="FILE_NOT_FOUND")
        return FILES.state(document)

    def _part(self, id: str) -> bytes | None:
        part = self.database["job_parts"].find_one({"_id": id}, {"data": True})
        return part["data"] if part else None

    def _in_folder(self, name: str) -> Path:
        path = self._files / name if self._files else None
        # The rule on names lets no separator through; a link could still lead elsewhere.
        if path is None or not path.is_file() or path.resolve().parent != (self._files or path).resolve():
            raise NotFound("There is no such file in the service's folder.", reason="FILE_NOT_FOUND")
        return path


def format_of(source: JobSource, name: str) -> FileFormat:
    """Returns the form that is named, or that of the name's ending. Raises InvalidArgument (FORMAT_UNKNOWN)."""
    if source.format:
        return source.format
    ending = Path(name).suffix.lower().removeprefix(".")
    try:
        return FileFormat(ending)
    except ValueError:
        raise InvalidArgument(
            "Say whether it is CSV, XLSX or Parquet.", reason="FORMAT_UNKNOWN", field="source.format"
        ) from None
