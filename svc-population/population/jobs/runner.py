"""The process that works on jobs: `python -m population jobs`. Several may run; a lease gives each job to one of them.

Threads, no event loop: DuckDB, Arrow and Splink do the work outside Python. What a job has done is in its checkpoint, so whoever takes
it next (after a crash, a cancel, an update) goes on from there. It opens no port and listens to no broker; the facts of what it
writes are published by the relay of an api process, like all others.
"""

from __future__ import annotations

import gc
import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from population import store
from population.config import JobSettings
from population.domain.job import Job, JobKind, JobState
from population.jobs.desk import Desk
from population.jobs.tidying import tidy
from population.operations import jobs as operations
from population.privacy.job_trail import JobTrail
from population.vault import Vault
from svckit import logs, telemetry
from svckit.batch import BatchRepository
from svckit.commit import is_passing
from svckit.documents import Change, Decide, Form, utc_now
from svckit.errors import ServiceError, Unavailable
from svckit.lease import Lease
from svckit.logs import redact
from svckit.schema import ensure_schema_patiently

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.2
BEAT_SECONDS = 2.0
LEASE_SECONDS = 15.0
TIDY_SECONDS = 600.0
LOOKED_AT = 20
"""Jobs looked at in one round: most of them are in other hands."""
Raw = dict[str, Any]
Work = Callable[[Desk], None]


class Runner:
    """Takes one job after the other."""

    def __init__(
        self,
        *,
        database: Database[Raw],
        vault: Callable[[], Vault],
        audit_key: Callable[[], bytes],
        settings: JobSettings,
        works: Mapping[JobKind, Work],
    ) -> None:
        self._database = database
        self._vault = vault
        self._audit_key = audit_key
        self._settings = settings
        self._works = works
        self.jobs: BatchRepository[Job] = BatchRepository(database["jobs"], form=Form(Job, id_field="job_id"))
        self.stopping = threading.Event()

    def run(self) -> None:
        """Works until `stopping` is set."""
        threading.Thread(target=self._tidy_regularly, name="tidy", daemon=True).start()
        while not self.stopping.is_set():
            try:
                if not self.work_once():
                    self.stopping.wait(POLL_SECONDS)
            except (Unavailable, PyMongoError) as error:
                _log.warning("jobs wait: %s", type(error).__name__)
                self.stopping.wait(POLL_SECONDS * 4)

    def _tidy_regularly(self) -> None:
        while True:
            try:
                tidy(Path(self._settings.work_dir), database=self._database, now=utc_now())
            except (OSError, PyMongoError) as error:
                _log.warning("what jobs left is not removed now: %s", type(error).__name__)
            if self.stopping.wait(TIDY_SECONDS):
                return

    def work_once(self) -> bool:
        """Works on the oldest job nobody else has; False when there is none."""
        states = [JobState.QUEUED.value, JobState.RUNNING.value, JobState.CANCELLING.value]
        rows = self._database["jobs"].find({"state": {"$in": states}}, {"_id": True}).sort("created_at").limit(LOOKED_AT)
        for row in rows.to_list():
            lease = self._lease(row["_id"])
            if lease.hold():
                self._work_on(row["_id"], lease)
                return True
        return False

    def _lease(self, job_id: str) -> Lease:
        return Lease(self._database["leases"], f"job.{job_id}", seconds=LEASE_SECONDS)

    def _work_on(self, job_id: str, lease: Lease) -> None:
        job = self._change(job_id, partial(operations.begin_job, now=utc_now()))
        if job is None or job.state is not JobState.RUNNING:
            return
        stop, done = threading.Event(), threading.Event()
        workspace = self._workspace(job)
        desk = Desk(
            job=job,
            database=self._database,
            vault=self._vault(),
            trail=JobTrail(self._database, key=self._audit_key(), job=job),
            workspace=workspace,
            files=Path(self._settings.files_dir) if self._settings.files_dir else None,
            stop=stop,
            tell=partial(self._tell, job_id),
        )
        beat = threading.Thread(target=self._beat, args=(desk, lease, stop, done), name=f"beat {job_id}", daemon=True)
        beat.start()
        try:
            ended = self._carry_out(desk)
        finally:
            done.set()
            beat.join()
        # Only cross-checks go on from what lies there; everything else begins with what the database knows.
        if ended or job.kind is not JobKind.CROSS_CHECK:
            shutil.rmtree(workspace, ignore_errors=True)

    def _carry_out(self, desk: Desk) -> bool:
        """Runs the job; tells whether it is over, and nothing of it is needed any more."""
        job_id, now = desk.job.job_id, utc_now
        _log.info("job %s (%s) begins, attempt %d", job_id, desk.job.kind, desk.job.attempts)
        try:
            self._works[desk.job.kind](desk)
        except Exception as error:
            return self._broken_off(desk, error)
        finish = partial(operations.finish_job, counts=desk.final_counts(), outputs=tuple(desk.outputs), now=now())
        self._change(job_id, finish)
        _log.info("job %s is finished", job_id)
        return True

    def _broken_off(self, desk: Desk, error: Exception) -> bool:
        job_id = desk.job.job_id
        if desk.stopped:
            if self.stopping.is_set():
                self._change(job_id, partial(operations.hand_over_job, now=utc_now()))
                _log.info("job %s is left to others", job_id)
            else:
                self._change(job_id, _if_cancelling)
                _log.info("job %s stops", job_id)
            return False
        if isinstance(error, Unavailable) or (isinstance(error, PyMongoError) and is_passing(error)):
            # Nothing is wrong with the job: it is taken again as soon as the database answers.
            raise error
        reason, text = _told(error)
        _log.error("job %s fails: %s", job_id, redact(str(error)) if reason == "DEFECT" else reason)
        self._change(job_id, partial(operations.fail_job, reason=reason, failure=text, now=utc_now()))
        return False

    def _beat(self, desk: Desk, lease: Lease, stop: threading.Event, done: threading.Event) -> None:
        """Keeps the lease, and hears that the job shall stop."""
        held = time.monotonic()
        while not done.wait(min(BEAT_SECONDS, 0.5)):
            if self.stopping.is_set() or self._is_cancelled(desk.job.job_id):
                stop.set()
            if time.monotonic() - held > BEAT_SECONDS:
                held = self._held(lease, held)
            if time.monotonic() - held > LEASE_SECONDS:
                stop.set()
            if stop.is_set():
                desk.interrupt()

    def _held(self, lease: Lease, before: float) -> float:
        try:
            return time.monotonic() if lease.hold() else before
        except PyMongoError:
            return before

    def _is_cancelled(self, job_id: str) -> bool:
        try:
            row = self._database["jobs"].find_one({"_id": job_id}, {"state": True})
        except PyMongoError:
            return False
        return row is None or row["state"] not in (JobState.RUNNING.value, JobState.QUEUED.value)

    def _tell(self, job_id: str, **told: Any) -> None:
        self._change(job_id, partial(operations.report_progress, **told, now=utc_now()))

    def _change(self, job_id: str, decide: Decide) -> Job | None:
        outcome = self.jobs.apply([Change(job_id, decide)])[0]
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    def _workspace(self, job: Job) -> Path:
        path = Path(self._settings.work_dir) / job.job_id
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def _if_cancelling(job: Job) -> Any:
    return operations.stop_job(job, now=utc_now()) if job.state is JobState.CANCELLING else (job, ())


def _told(error: Exception) -> tuple[str, str]:
    """Returns reason and sentence for people; what is not a refusal is a defect, and its text may hold somebody's data."""
    if isinstance(error, ServiceError):
        return error.reason, f"{error.message} ({error.field})" if error.field else error.message
    if isinstance(error, MemoryError):
        return "TOO_LARGE", "There is not enough memory for it."
    return "DEFECT", f"It ended with {type(error).__name__}; the log says more."


def run_jobs(*, settings: JobSettings, works: Mapping[JobKind, Work], service: str = "population") -> None:
    """Runs the process until SIGTERM or SIGINT; waits for its database as long as it takes."""
    from population.privacy.keyring import open_ring, open_vault

    logs.setup(service=service, level=settings.log_level, show_values=settings.log_values)
    stop_telemetry = telemetry.setup(service=service, endpoint=settings.otlp_endpoint)
    name = settings.mongo_database or f"binglian_{service}"
    ensure_schema_patiently(uri=settings.mongo_uri, database=name, documents=store.DOCUMENTS)
    with MongoClient[Raw](settings.mongo_uri, tz_aware=True, appname=f"binglian-{service}-jobs") as client:
        database = client[name]
        runner = Runner(
            database=database,
            vault=lambda: open_vault(settings, database),
            audit_key=cache(open_ring(settings, database).audit_key),
            settings=settings,
            works=works,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: runner.stopping.set())
        _log.info("working")
        # Rows become thousands of short-lived objects; the collector looks less often, and not at what lives as long as the process.
        gc.set_threshold(50_000, 20, 20)
        gc.freeze()
        try:
            runner.run()
        finally:
            stop_telemetry()
