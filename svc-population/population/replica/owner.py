"""The one owner of the replica's file: opens it, builds it when there is none, follows the changes, goes over to a newer one."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from pathlib import Path

import msgspec

from population.replica.building import Source, build, own_folder, tidy
from population.replica.database import Database, Outdated, current
from population.replica.following import Follower
from svckit.errors import Unavailable

_log = logging.getLogger(__name__)
_LOOK_S = 1.0
_GRACE_S = 60.0
"""How long a file that was replaced stays open: for the questions that are still being answered from it."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the replica may use: `memory` as DuckDB understands it ("2GB"), `threads` for queries, `processes` to build."""

    memory: str
    threads: int
    processes: int


class Owner:
    """Keeps a database open and followed, in threads; `database()` and `as_of()` are for those who answer."""

    def __init__(self, source: Source, folder: Path, limits: Limits) -> None:
        self._source = source
        self._folder = folder
        self._limits = limits
        self._database: Database | None = None
        self._follower: Follower | None = None
        self._stop = threading.Event()
        self._rebuild = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replica-owner", daemon=True)

    def start(self) -> None:
        """Begins; the replica is there as soon as `is_ready`."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; the file stays for the next start."""
        self._stop.set()
        self._thread.join(timeout=60)

    @property
    def is_ready(self) -> bool:
        """Whether questions can be answered: the file is there and was once up to date."""
        return self._follower is not None and self._follower.as_of is not None

    def database(self) -> Database:
        """Returns the database in use. Raises Unavailable (REPLICA_UNAVAILABLE)."""
        if self._database is None or not self.is_ready:
            raise Unavailable("The figures are being prepared; try again in a few minutes.", reason="REPLICA_UNAVAILABLE")
        return self._database

    def as_of(self) -> dt.datetime:
        """Returns the moment before which every change is in the answers. Raises Unavailable (REPLICA_UNAVAILABLE)."""
        self.database()
        assert self._follower
        assert self._follower.as_of
        return self._follower.as_of

    def _run(self) -> None:
        own_folder(self._folder)
        while not self._stop.is_set():
            try:
                self._look()
            except Exception as error:
                _log.warning("the replica cannot be prepared: %s: %s", type(error).__name__, error)
                self._stop.wait(5)
            self._stop.wait(_LOOK_S)
        if self._follower:
            self._follower.stop()
        if self._database:
            self._database.close()

    def _look(self) -> None:
        """Builds what is missing, opens what is new."""
        file = current(self._folder)
        if file is None or self._rebuild.is_set():
            self._build()
            self._rebuild.clear()
        elif self._database is None or file != self._database.file:
            self._open(file)

    def _build(self) -> None:
        _log.info("building the replica from scratch")
        limits = self._limits
        build(self._source, self._folder, memory=limits.memory, processes=limits.processes, told=_log_progress)

    def _open(self, file: Path) -> None:
        try:
            database = self._checked(file)
        except Outdated as reason:
            _log.info("%s: it is built anew, until then nothing is answered from it", reason)
            self._rebuild.set()
            return
        follower = Follower(self._source, database, lost=self._rebuild.set)
        follower.start()
        self._wait_for(follower)
        former, former_follower = self._database, self._follower
        self._database, self._follower = database, follower
        tidy(self._folder)
        _log.info("the replica answers from %s", file.name)
        if former_follower:
            former_follower.stop()
        if former:
            threading.Timer(_GRACE_S, former.close).start()

    def _checked(self, file: Path) -> Database:
        database = Database(file, memory=self._limits.memory, threads=self._limits.threads)
        try:
            database.check()
        except Outdated:
            database.close()
            raise
        return database

    def _wait_for(self, follower: Follower) -> None:
        """While there is an older file to answer from, a new one is taken only when it is up to date."""
        while self._database is not None and follower.as_of is None and not self._stop.wait(0.1):
            if self._rebuild.is_set():
                return


def _log_progress(done: int, total: int, seconds: float) -> None:
    _log.info("built %d of about %d documents in %.0f s", done, total, seconds)
