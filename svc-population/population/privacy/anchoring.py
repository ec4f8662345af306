"""Anchors the audit trail: keeps, in a chain of their own, how far every chain had come; and checks all of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from population.privacy import audit
from population.privacy.audit import Anchor, Entry, Flaw, Head
from svckit.deltas import NATIVE, stored

ANCHORS, TRIMMED, ENTRIES = "audit_anchors", "audit_trimmed", "audit_entries"
# An entry may become visible after one that was made later, and clocks of machines differ.
_OVERLAP = timedelta(minutes=1)
Raw = dict[str, Any]
_log = logging.getLogger(__name__)


def anchor(database: Database[Raw], *, key: bytes, now: datetime) -> Anchor | None:
    """Anchors what was recorded since the last anchor; None when there is nothing new, or somebody else was faster."""
    rows = database.get_collection(ANCHORS, write_concern=WriteConcern("majority", j=True))
    last = rows.find_one(sort=[("_id", -1)])
    heads = _new_heads(database, last)
    if not heads:
        return None
    previous = last["digest"] if last else ""
    made = audit.seal_anchor(key, previous, Anchor(number=last["_id"] + 1 if last else 1, at=now, heads=heads))
    try:
        rows.insert_one({"_id": made.number, **stored(made)})
    except DuplicateKeyError:
        return None
    # The log goes where the database's administrators do not.
    _log.info("audit anchor %d %s", made.number, made.digest)
    return made


def _new_heads(database: Database[Raw], last: Raw | None) -> tuple[Head, ...]:
    since = {"at": {"$gte": last["at"] - _OVERLAP}} if last else {}
    stages: list[Raw] = [
        {"$match": since},
        {"$sort": {"chain": 1, "number": 1}},
        {"$group": {"_id": "$chain", "number": {"$last": "$number"}, "digest": {"$last": "$digest"}}},
        {"$sort": {"_id": 1}},
    ]
    heads = [Head(chain=row["_id"], number=row["number"], digest=row["digest"]) for row in database[ENTRIES].aggregate(stages)]
    known = {head["chain"]: head["number"] for head in _recent(database)}
    return tuple(head for head in heads if head.number > known.get(head.chain, 0))


def _recent(database: Database[Raw]) -> Iterator[Raw]:
    """Heads of the last anchors, oldest first: as many as can overlap."""
    for row in reversed(list(database[ANCHORS].find(sort=[("_id", -1)], limit=100))):
        yield from row["heads"]


def verify(database: Database[Raw], *, key: bytes) -> tuple[int, list[Flaw]]:
    """Checks every chain and every anchor; returns how many entries there are, and the first flaw of each chain."""
    trimmed = {
        row["_id"]: Head(chain=row["_id"], number=row["number"], digest=row["digest"]) for row in database[TRIMMED].find()
    }
    count, flaws = 0, []
    rows = database[ENTRIES].find(sort=[("_id", 1)])

    def entries(group: Iterator[Raw]) -> Iterator[Entry]:
        nonlocal count
        for row in group:
            count += 1
            yield msgspec.convert({name: value for name, value in row.items() if name != "_id"}, Entry, builtin_types=NATIVE)

    for chain, group in groupby(rows, key=lambda row: row["_id"].partition(":")[0]):
        if flaw := audit.verify_chain(key, entries(group), trimmed=trimmed.get(chain)):
            flaws.append(flaw)
    if flaw := _verify_anchors(database, key, {chain: head.number for chain, head in trimmed.items()}):
        flaws.append(flaw)
    return count, flaws


def _verify_anchors(database: Database[Raw], key: bytes, trimmed: dict[str, int]) -> Flaw | None:
    anchors = [
        msgspec.convert({name: value for name, value in row.items() if name != "_id"}, Anchor, builtin_types=NATIVE)
        for row in database[ANCHORS].find(sort=[("_id", 1)])
    ]
    ids = [audit.entry_id(head.chain, head.number) for each in anchors for head in each.heads]
    digests = {row["_id"]: row["digest"] for row in database[ENTRIES].find({"_id": {"$in": ids}}, {"digest": True})}
    return audit.verify_anchors(key, anchors, digests, trimmed)
