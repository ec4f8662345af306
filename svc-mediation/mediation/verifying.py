"""`python -m mediation verify-history [CASE_ID …]`: works out the hash chains of all cases, or of some, and names what is broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from pymongo import MongoClient
from pymongo.database import Database

from mediation import history
from mediation.archive import COLLECTION, whole_history

Document = dict[str, Any]
_OWN = {"outbox": False, "commands": False, "created_by": False}
_BATCH = 200


def main(case_ids: Sequence[str], *, uri: str, database: str, out: TextIO) -> int:
    """Checks the cases, all when none is named; returns 0 when every history is whole, 1 otherwise.

    Prints a line `CASE_ID entry N: why` for each broken case (entry 0 is the oldest), then the sum.
    """
    with MongoClient[Document](uri, tz_aware=True) as client:
        checked, broken = _check(client[database], case_ids, out)
    print(f"{checked} histories checked, {broken} broken", file=out)
    return 1 if broken or checked < len(set(case_ids)) else 0


def _check(database: Database[Document], case_ids: Sequence[str], out: TextIO) -> tuple[int, int]:
    checked = broken = 0
    missing = set(case_ids)
    for case in _cases(database, case_ids):
        checked += 1
        missing.discard(case["_id"])
        if flaw := history.flaw_of(case, whole_history(case, database[COLLECTION])):
            broken += 1
            print(f"{case['_id']} entry {flaw.entry}: {flaw.why}", file=out)
    for case_id in sorted(missing):
        print(f"{case_id}: no such case", file=out)
    return checked, broken


def _cases(database: Database[Document], case_ids: Sequence[str]) -> Iterable[Document]:
    where = {"_id": {"$in": list(case_ids)}} if case_ids else {}
    return database["cases"].find(where, _OWN, batch_size=_BATCH).sort("_id")
