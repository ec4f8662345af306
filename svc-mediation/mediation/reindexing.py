"""`python -m mediation reindex`: gives cases that an earlier version stored what searches need of them: terms and inbox marks.

Harmless beside running processes: only what a case has not got is written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from pymongo import MongoClient, UpdateOne
from pymongo.collection import Collection

from mediation import inbox, wording
from mediation.config import MediationSettings
from mediation.domain import Case
from svckit.commit import DURABLE
from svckit.documents import LOADED, Form

DATABASE = "binglian_mediation"
AT_ONCE = 500
_FORM = Form(Case, id_field="case_id")


def reindex(settings: MediationSettings) -> int:
    """Goes through all cases, oldest report first; returns how many there are. Raises PyMongoError."""
    with MongoClient[dict[str, Any]](settings.mongo_uri, tz_aware=True) as client:
        database = client[settings.mongo_database or DATABASE]
        # Words had a collection of their own once.
        database.drop_collection("wordings")
        cases = database["cases"].with_options(**DURABLE)
        ids = (case["_id"] for case in cases.find({}, {"_id": True}).sort("_id", 1))
        seen = 0
        while batch := tuple(itertools.islice(ids, AT_ONCE)):
            _complete(cases, batch)
            seen += len(batch)
        return seen


def _complete(cases: Collection[dict[str, Any]], case_ids: tuple[str, ...]) -> None:
    """Writes the terms and the marks of cases that have none."""
    missing = [{"inbox": {"$exists": False}}, {"terms": {"$exists": False}}]
    found = cases.find({"_id": {"$in": list(case_ids)}, "$or": missing}, LOADED)
    if writes := [write for case in found for write in _writes(case)]:
        cases.bulk_write(writes, ordered=False)


def _writes(found: dict[str, Any]) -> Iterator[UpdateOne]:
    made = {"inbox": _marks, "terms": _terms}
    for field, make in made.items():
        if field not in found:
            # A case that somebody changes meanwhile gets its own: those stay.
            yield UpdateOne({"_id": found["_id"], field: {"$exists": False}}, {"$set": {field: make(found)}})


def _marks(found: dict[str, Any]) -> dict[str, str]:
    case = _FORM.state(found)
    return inbox.marks(case.tasks, case_id=case.case_id)


def _terms(found: dict[str, Any]) -> list[str]:
    terms = wording.terms_of(description=found["description"], address=found.get("address", ""), number=found["number"])
    return list(terms)
