"""What the process that works on jobs is made of: which work belongs to which kind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from population.config import JobSettings
from population.crosscheck.extracts import drop_idle
from population.crosscheck.linking import Score
from population.crosscheck.work import CrossCheck
from population.domain.job import JobKind
from population.elections import election_day_from_env
from population.exports.work import Export
from population.feeds.work import Feed
from population.imports.work import import_rows
from population.jobs.desk import Desk
from population.jobs.runner import Work, run_jobs
from population.names import name_keys
from population.privacy.detector import in_text
from svckit.config import ConfigError

_HOUR = 3_600.0
_log = logging.getLogger(__name__)


def works_of(settings: JobSettings) -> Mapping[JobKind, Work]:
    """Returns the work of every kind of job."""
    return {
        JobKind.IMPORT: import_rows,
        JobKind.EXPORT: lambda desk: Export(desk).run(),
        JobKind.CROSS_CHECK: lambda desk: CrossCheck(
            desk,
            register_folder=Path(settings.work_dir) / "register",
            memory_gb=settings.job_memory_gb,
            threads=settings.job_threads,
            score=_scorer(settings, desk),
            election_day=election_day_from_env(),
        ).run(),
        JobKind.FEED: lambda desk: Feed(desk, election_day=election_day_from_env()).run(),
    }


def _scorer(settings: JobSettings, desk: Desk) -> Score | None:
    """Returns what scores elsewhere than here; None for DuckDB. Raises ConfigError."""
    if settings.link_backend == "duckdb":
        return None
    if settings.link_backend != "spark" or not settings.spark_master:
        raise ConfigError("BINGLIAN_LINK_BACKEND is duckdb, or spark with BINGLIAN_SPARK_MASTER")
    from population.crosscheck.spark import scorer

    return scorer(master=settings.spark_master, folder=desk.workspace)


def serve(settings: JobSettings) -> None:
    """Works on jobs until SIGTERM or SIGINT."""
    warm_up()
    threading.Thread(target=drop_idle_extracts, args=(Path(settings.work_dir) / "register",), daemon=True).start()
    run_jobs(settings=settings, works=works_of(settings))


def drop_idle_extracts(folder: Path) -> None:
    """Removes what cross-checks left of the register and no job used for a day, for ever: once an hour, beginning now."""
    while True:
        try:
            drop_idle(folder, now=time.time())
        except OSError as error:
            _log.warning("an extract could not be removed yet: %s", type(error).__name__)
        time.sleep(_HOUR)


def warm_up() -> None:
    """Reads the tables of readings and of words nobody may keep: the first job begins at once, not after them."""
    name_keys("单小明")
    in_text("单小明")
