"""`python -m mediation reindex`: makes anew what searches need of cases and disputes of an earlier version or a restored backup.

Harmless beside running processes: words are read from the case as it is; a mark of an inbox, or the time of a result, is only written where
there is none.
"""

from __future__ import annotations

import itertools
from typing import Any

from pymongo import MongoClient, UpdateOne
from pymongo.collection import Collection

from mediation import dispute_codes, inbox
from mediation.config import MediationSettings
from mediation.domain import Case
from mediation.texts import WordingKeeper
from svckit.commit import DURABLE
from svckit.documents import LOADED, Form

DATABASE = "binglian_mediation"
AT_ONCE = 500
_FORM = Form(Case, id_field="case_id")


def reindex(settings: MediationSettings) -> int:
    """Goes through all cases, oldest report first; returns how many there are. Raises PyMongoError."""
    with MongoClient[dict[str, Any]](settings.mongo_uri, tz_aware=True) as client:
        database = client[settings.mongo_database or DATABASE]
        _date_results(database["disputes"].with_options(**DURABLE))
        cases = database["cases"].with_options(**DURABLE)
        ids = (case["_id"] for case in cases.find({}, {"_id": True}).sort("_id", 1))
        seen = 0
        while batch := tuple(itertools.islice(ids, AT_ONCE)):
            WordingKeeper(cases).keep(batch)
            _mark(cases, batch)
            seen += len(batch)
        return seen


def _mark(cases: Collection[dict[str, Any]], case_ids: tuple[str, ...]) -> None:
    """Writes the marks of cases that were stored before there were any."""
    unmarked = {"_id": {"$in": list(case_ids)}, "inbox": {"$exists": False}}
    writes = [
        UpdateOne({"_id": found["_id"], "inbox": {"$exists": False}}, {"$set": {"inbox": _marks(found)}})
        for found in cases.find(unmarked, LOADED)
    ]
    if writes:
        cases.bulk_write(writes, ordered=False)


def _date_results(disputes: Collection[dict[str, Any]]) -> None:
    """Writes when disputes got their result that were stored before that was kept: it follows from what they keep."""
    undated = {"result": {"$gt": ""}, "result_at": None}
    stopped = {"$ifNull": ["$notice.at", "$ended_at", "$changed_at"]}
    agreed = {"$in": ["$result", [dispute_codes.WRITTEN, dispute_codes.ORAL]]}
    disputes.update_many(undated, [{"$set": {"result_at": {"$cond": [agreed, "$agreement.effective_at", stopped]}}}])


def _marks(found: dict[str, Any]) -> dict[str, str]:
    case = _FORM.state(found)
    return inbox.marks(case.tasks, case_id=case.case_id)
