"""Watches the audit trail: who did more of something than audit_event.csv lets pass without a look. In the worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pymongo.database import Database

from population.domain.audit_alert import AuditAlert
from population.operations.audit_alerts import alert_id, raise_alert
from population.policies.audit_alerts import Threshold, thresholds
from population.privacy.trail import ENTRIES
from svckit.batch import BatchRepository, all_saved
from svckit.documents import Change

PROGRESS = "audit_alerts"
# An entry may become visible after one that was made later, and clocks of machines differ.
_OVERLAP = timedelta(minutes=1)
_AT_FIRST = timedelta(days=1)
Raw = dict[str, Any]


def watch(alerts: BatchRepository[AuditAlert], *, now: datetime) -> int:
    """Looks at what was recorded since the last look; returns how many alerts there are because of it. Raises PyMongoError, Unavailable.

    Looking twice at the same entries changes nothing: an alert is one of its event, person and window.
    """
    database: Database[Raw] = alerts.collection.database
    done = database["progress"].find_one({"_id": PROGRESS})
    since = (done["through"] if done else now - _AT_FIRST) - _OVERLAP
    changes = [change for row in _active(database, since) if (change := _change(database, row, now)) is not None]
    all_saved(alerts.apply(changes))
    database["progress"].update_one({"_id": PROGRESS}, {"$set": {"through": now}}, upsert=True)
    return len(changes)


def _active(database: Database[Raw], since: datetime) -> list[Raw]:
    """Who did what is watched since a moment, with the last entry of each."""
    stages: list[Raw] = [
        {"$match": {"at": {"$gte": since}, "event": {"$in": sorted(thresholds())}}},
        {"$sort": {"at": 1}},
        {"$group": {"_id": {"event": "$event", "subject": "$subject"}, "last": {"$last": "$$ROOT"}}},
    ]
    return [row["last"] for row in database[ENTRIES].aggregate(stages)]


def _change(database: Database[Raw], last: Raw, now: datetime) -> Change | None:
    threshold, subject = thresholds()[last["event"]], last["subject"]
    count = _count(database, threshold, subject=subject, last_at=last["at"])
    if count <= threshold.most:
        return None
    decide = partial(
        raise_alert,
        threshold=threshold,
        subject=subject,
        name=last.get("name", ""),
        department=last.get("department", ""),
        area_code=last.get("area", ""),
        count=count,
        last_at=last["at"],
        now=now,
    )
    return Change(alert_id(threshold, subject=subject, last_at=last["at"]), decide)


def _count(database: Database[Raw], threshold: Threshold, *, subject: str, last_at: datetime) -> int:
    begin = last_at - timedelta(seconds=threshold.window_seconds)
    mine = {"subject": subject, "event": threshold.event, "at": {"$gt": begin, "$lte": last_at}}
    if not threshold.people:
        return database[ENTRIES].count_documents(mine)
    rows = list(database[ENTRIES].aggregate([{"$match": mine}, {"$group": {"_id": None, "people": {"$sum": "$count"}}}]))
    return int(rows[0]["people"]) if rows else 0
