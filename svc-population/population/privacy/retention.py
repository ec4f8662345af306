"""What must go when: the rules of retention.yaml, once a day, in batches, with progress; begun again where it stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from pymongo import DeleteMany, UpdateMany
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from population.domain.residence import ResidenceKind
from population.domain.resident import Resident
from population.operations import data_rights
from population.privacy.anchoring import TRIMMED
from population.privacy.ledger_retention import forgetting, outdated
from population.privacy.rules import Rule, naming, rules
from svckit.batch import BatchRepository, all_saved
from svckit.documents import Change, utc_now
from svckit.lease import Lease

BATCH = 500
TURN_SECONDS = 2.0
"""How long one call works; a worker that stops waits for it."""
RUNS = "retention_runs"
_CHINA = timezone(timedelta(hours=8))
Raw = dict[str, Any]
_log = logging.getLogger(__name__)


class Retention:
    """Applies the rules. Several workers may share it: one works, the others stand by, and doing something twice changes nothing."""

    def __init__(self, residents: BatchRepository[Resident], *, clock: Callable[[], datetime] = utc_now) -> None:
        majority = WriteConcern("majority", j=True)
        self._residents = residents
        self._database: Database[Raw] = residents.collection.database.with_options(write_concern=majority)
        self._lease = Lease(self._database["leases"], "retention", seconds=30)
        self._clock = clock

    def work(self) -> int:
        """Goes on with today's runs for at most TURN_SECONDS; returns how many documents were removed or made anonymous."""
        done, until = 0, time.monotonic() + TURN_SECONDS
        try:
            if not self._lease.hold():
                return 0
            for name, rule in rules().rules.items():
                while time.monotonic() < until and (run := self._run(name)) is not None:
                    done += self._step(run, rule)
        except PyMongoError as error:
            _log.warning("retention waits: %s", type(error).__name__)
        return done

    def _run(self, name: str) -> Raw | None:
        """Today's run of a rule; None when it has ended."""
        day = self._clock().astimezone(_CHINA).date().isoformat()
        runs, id = self._database[RUNS], f"{day}:{name}"
        run = runs.find_one({"_id": id})
        if run is None:
            run = {"_id": id, "rule": name, "day": day, "looked": 0, "done": 0, "last": "", "started_at": self._clock()}
            runs.replace_one({"_id": id}, run, upsert=True)
        return None if run.get("ended_at") else run

    def _step(self, run: Raw, rule: Rule) -> int:
        """One batch: finds, acts, and writes down how far it came."""
        limit = self._clock() - timedelta(days=rule.days)
        where = _condition(rule, limit)
        rows = list(
            self._database[rule.collection]
            .find({"_id": {"$gt": run["last"]}, **where}, {"chain": True, "number": True, "digest": True})
            .sort("_id")
            .limit(BATCH)
        )
        done = self._act(rule, rows, where, limit) if rows else 0
        fields: Raw = {"last": rows[-1]["_id"]} if rows else {}
        if len(rows) < BATCH:
            fields["ended_at"] = self._clock()
        self._database[RUNS].update_one({"_id": run["_id"]}, {"$set": fields, "$inc": {"looked": len(rows), "done": done}})
        return done

    def _act(self, rule: Rule, rows: list[Raw], where: Raw, limit: datetime) -> int:
        ids = [row["_id"] for row in rows]
        if rule.action == "anonymise":
            return self._anonymise(ids)
        if rule.action == "trim":
            self._note_trimmed(rows)
        collection = self._database[rule.collection]
        # The condition again: what was changed meanwhile stays.
        mine = {"_id": {"$in": ids}, **where}
        if rule.action == "forget":
            return collection.bulk_write([UpdateMany(mine, forgetting(limit))]).modified_count
        if rule.action == "clear":
            update = {"$unset": dict.fromkeys(rule.clear, ""), "$inc": {"revision": 1}}
            return collection.bulk_write([UpdateMany(mine, update)]).modified_count
        return collection.bulk_write([DeleteMany(mine)]).deleted_count

    def _anonymise(self, ids: list[str]) -> int:
        now = self._clock()
        decide = partial(data_rights.erase, cause="retention", now=now)
        all_saved(self._residents.apply([Change(id, decide) for id in ids]))
        for name, holding in rules().holdings.items():
            mine = naming(holding, ids)
            if holding.action == "remove":
                self._database[name].delete_many(mine)
            else:
                cleared = {"$unset": dict.fromkeys(holding.clear, ""), "$inc": {"revision": 1}}
                self._database[name].update_many(mine, cleared)
        return len(ids)

    def _note_trimmed(self, rows: list[Raw]) -> None:
        """Says first where a chain now begins, so that it can still be checked. Entries go in order, oldest first."""
        last: dict[str, Raw] = {row["chain"]: row for row in rows}
        for chain, row in last.items():
            noted = {"number": row["number"], "digest": row["digest"]}
            self._database[TRIMMED].update_one({"_id": chain}, {"$set": noted}, upsert=True)


def _condition(rule: Rule, limit: datetime) -> Raw:
    if rule.action == "anonymise":
        return moved_out_before(limit)
    if rule.action == "forget":
        return outdated(limit)
    return {rule.after: {"$lt": limit, "$type": "date"}, **rule.only}


def moved_out_before(limit: datetime) -> Raw:
    """Returns the condition on residents: all residences ended before the day of `limit`, and the person has a name still.

    Of who moved out of the city or died before that day only the homes count: a registration elsewhere (流动人口) lasts for ever.
    """
    day = limit.astimezone(_CHINA).date().isoformat()
    lasting = {"$or": [{"until": {"$in": ["", None]}}, {"until": {"$gte": day}}]}
    ended = {"residences.0": {"$exists": True}, "residences": {"$not": {"$elemMatch": lasting}}}
    homes = {"residences": {"$not": {"$elemMatch": {**lasting, "kind": {"$ne": ResidenceKind.REGISTERED.value}}}}}
    gone = {"standing.since": {"$gt": "", "$lt": day}, **homes}
    return {"name": {"$gt": ""}, "$or": [ended, gone]}
