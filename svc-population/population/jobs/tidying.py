"""Removes what ended jobs left in `work_dir`: rows of people in clear, which nobody needs once the job is not resumed.

Cross-checks leave what their stages made, so that a job that failed or was cancelled goes on where it stopped; after a day it begins anew.
Also what other processes left here counts: of jobs that ended elsewhere, or are not in the database any more.
"""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pymongo.database import Database

from population.domain.job import JobState
from population.policies.jobs import WORK_KEPT
from svckit.ids import new_id
from svckit.lease import Lease

ENDED = frozenset({JobState.FINISHED.value, JobState.FAILED.value, JobState.CANCELLED.value})
_HELD_SECONDS = 5.0
Raw = dict[str, Any]
_log = logging.getLogger(__name__)


def tidy(folder: Path, *, database: Database[Raw], now: datetime) -> list[str]:
    """Removes the folders of jobs that ended WORK_KEPT ago; returns the ids of the jobs. Raises OSError, PyMongoError."""
    left = {path.name: path for path in folder.iterdir() if path.is_dir() and _is_job(path.name)} if folder.is_dir() else {}
    found = {row["_id"]: row for row in database["jobs"].find({"_id": {"$in": list(left)}}, {"state": True, "ended_at": True})}
    return [id for id, path in left.items() if _is_over(found.get(id), path, now) and _removed(path, database)]


def _is_over(job: Raw | None, path: Path, now: datetime) -> bool:
    if job is None:
        # Another database's job may lie here, too, where several share the folder.
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - WORK_KEPT
    return job["state"] in ENDED and job.get("ended_at") is not None and job["ended_at"] < now - WORK_KEPT


def _removed(path: Path, database: Database[Raw]) -> bool:
    """Under the lease of the job: somebody may be resuming it at this moment."""
    if not Lease(database["leases"], f"job.{path.name}", seconds=_HELD_SECONDS, owner=new_id()).hold():
        return False
    shutil.rmtree(path, ignore_errors=True)
    _log.info("what job %s left is removed", path.name)
    return True


def _is_job(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
