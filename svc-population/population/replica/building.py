"""Builds the replica from scratch: several processes read the residents and write Parquet files, DuckDB takes them in.

Changes that happen meanwhile are not lost: where they begin is noted before the first document is read, and the replica follows them
from there.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
from bson import json_util
from pymongo import MongoClient, ReadPreference
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from population.replica.database import Database, current, hand_over, sweep
from population.replica.rows import READ, Batch
from svckit.embedded import end_with_parent
from svckit.ids import new_id

Told = Callable[[int, int, float], None]
"""Gets the documents read so far, how many there are in all (an estimate) and the seconds since the beginning."""

COLLECTION = "residents"
_AT_ONCE = 20_000
_SAMPLE = 1_000
_SMALL = 20_000
"""So few documents are read by this process alone."""


class Source(msgspec.Struct, frozen=True):
    """Where the residents are."""

    uri: str
    database: str

    def open(self) -> MongoClient[dict[str, Any]]:
        """Returns a client; the caller closes it."""
        return MongoClient(self.uri, tz_aware=True, appname="binglian-population-replica", serverSelectionTimeoutMS=5_000)

    def rows(self, client: MongoClient[dict[str, Any]]) -> Collection[dict[str, Any]]:
        """Returns the collection as it is read: what a majority has, and nothing that may be taken back."""
        return client[self.database].get_collection(
            COLLECTION, read_concern=ReadConcern("majority"), read_preference=ReadPreference.PRIMARY
        )


def own_folder(folder: Path) -> None:
    """Makes the folder of the replica, for the process alone: who lives where lies in it in clear. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A volume that was mounted belongs to whoever mounted it, and so does its mode.
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)


def build(source: Source, folder: Path, *, memory: str, processes: int, told: Told) -> Path:
    """Builds a new file in `folder`, makes it the one in use and returns it.

    Raises pymongo errors when the database does not answer and OSError when the disk is full; the file in use stays as it is then.
    """
    own_folder(folder)
    file = folder / f"replica-{new_id()}.duckdb"
    work = Path(tempfile.mkdtemp(prefix="build-", dir=folder))
    try:
        begun = _present_time(source)
        parts = _export(source, work, processes=processes, told=told)
        _take_in(file, work, parts=parts, memory=memory, processes=processes, begun=begun)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    hand_over(file)
    return file


def _present_time(source: Source) -> str:
    """Returns the operation time of the database, from which changes can be followed, as JSON."""
    with source.open() as client:
        answer = client.admin.command("hello")
        return json_util.dumps({"operation_time": answer["operationTime"]})


def _take_in(file: Path, work: Path, *, parts: int, memory: str, processes: int, begun: str) -> None:
    database = Database(file, memory=memory, threads=processes)
    try:
        database.create()
        if parts:
            database.load({table: str(work / f"{table}-*.parquet") for table in ("people", "stays")})
        # Until the changes made meanwhile are in, people may be there who are changed by them: nothing counts as new before.
        database.note(token=begun, built=json.dumps({"at": time.time()}))
    finally:
        database.close()


def _export(source: Source, work: Path, *, processes: int, told: Told) -> int:
    """Reads everything into Parquet files; returns how many of each table there are."""
    began = time.monotonic()
    with source.open() as client:
        rows = source.rows(client)
        total = rows.estimated_document_count()
        ranges = _ranges(rows, total, parts=processes * 4)
    context = multiprocessing.get_context("spawn")  # a fork would take over the sockets and threads of this process
    with context.Manager() as manager:
        news: Any = manager.Queue()
        with futures.ProcessPoolExecutor(processes, mp_context=context, initializer=end_with_parent) as pool:
            jobs = [
                pool.submit(_export_range, source, str(work), number, low, high, news)
                for number, (low, high) in enumerate(ranges)
            ]
            _tell(jobs, news, told=told, total=total, began=began)
            return sum(job.result() for job in jobs)


def _tell(jobs: Sequence[futures.Future[int]], news: Queue[int], *, told: Told, total: int, began: float) -> None:
    done = 0
    while True:
        finished, waiting = futures.wait(jobs, timeout=0.5, return_when=futures.FIRST_EXCEPTION)
        while not news.empty():
            done += news.get()
        told(done, max(total, done), time.monotonic() - began)
        if not waiting or any(job.exception() for job in finished):
            return


def _ranges(rows: Collection[dict[str, Any]], total: int, *, parts: int) -> list[tuple[str, str]]:
    """Returns ranges of ids of about the same size, "" for open ends."""
    if total <= _SMALL:
        return [("", "")]
    sample = sorted(row["_id"] for row in rows.aggregate([{"$sample": {"size": _SAMPLE}}, {"$project": {"_id": True}}]))
    limits = ["", *(sample[len(sample) * part // parts] for part in range(1, parts)), ""]
    return list(itertools.pairwise(limits))


def _export_range(source: Source, work: str, number: int, low: str, high: str, news: Queue[int]) -> int:
    """Reads one range; runs in a process of its own. Returns how many files of each table it wrote."""
    files = 0
    with source.open() as client:
        for files, batch in enumerate(_batches(source.rows(client), low, high, news), 1):
            for table, arrow in (("people", batch.people()), ("stays", batch.stays())):
                pq.write_table(arrow, Path(work) / f"{table}-{number:04}-{files:04}.parquet", compression="lz4")
    return files


def _batches(rows: Collection[dict[str, Any]], low: str, high: str, news: Queue[int]) -> Iterator[Batch]:
    limits = {name: value for name, value in (("$gte", low), ("$lt", high)) if value}
    cursor = rows.find({"_id": limits} if limits else {}, dict.fromkeys(READ, True), batch_size=5_000)
    batch, read = Batch(), 0
    for document in cursor:
        batch.add(document)
        read += 1
        if read == _AT_ONCE:
            yield batch
            news.put(read)
            batch, read = Batch(), 0
    if read:
        yield batch
        news.put(read)


def tidy(folder: Path) -> None:
    """Removes what earlier replicas and broken builds left."""
    for leftover in folder.glob("build-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if file := current(folder):
        sweep(folder, keep=file)
