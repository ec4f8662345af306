"""`replica_lag`: the longest time from a write until the replica answers with it, while thousands of others are written."""

from __future__ import annotations

import threading
import time

from binglian.population.v1 import question_service_pb2 as pb
from pymongo import MongoClient, UpdateOne

from tests.load.harness import Row, below, progress
from tests.load.population.register import DATABASE, DISTRICT, Register

LIMIT_S = 5.0
LOOKS = 12
AT_ONCE, EVERY_S = 500, 0.25
"""Changes of others: 2,000 a second."""


def run(here: Register) -> list[Row]:
    """Changes one person to and fro and looks until a question shows it."""
    stop = threading.Event()
    others = threading.Thread(target=_busy, args=(here.stack.mongo_uri, stop), daemon=True)
    others.start()
    try:
        taken = [_seconds(here, turn) for turn in range(LOOKS)]
    finally:
        stop.set()
        others.join()
    progress(f"replica_lag: {', '.join(f'{one:.1f}' for one in taken)} s")
    note = "worst of 12, beside 2,000 changes/s"
    return [below("replica_lag", value=max(taken), unit="s", limit=LIMIT_S, note=note, runs=taken)]


def _seconds(here: Register, turn: int) -> float:
    kind = "09" if turn % 2 else "05"
    someone = here.stored.find_one({"area_code": {"$gte": DISTRICT}, "resident_type": {"$ne": kind}}, sort=[("area_code", 1)])
    before = _count(here, kind)
    began = time.monotonic()
    here.stored.update_one({"_id": someone["_id"]}, {"$set": {"resident_type": kind}})
    while _count(here, kind) == before:
        if time.monotonic() - began > 30:
            raise TimeoutError("the replica does not keep up")
        time.sleep(0.02)
    return time.monotonic() - began


def _count(here: Register, kind: str) -> int:
    request = pb.FindPeopleRequest(filter=f'resident_type = "{kind}"', area_prefix=DISTRICT, page_size=1)
    return int(here.questions.FindPeople(request, metadata=here.caller("P01", role="COMM_CLERK")).total_size)


def _busy(uri: str, stop: threading.Event) -> None:
    """Changes other people, in a field the questions above do not look at."""
    with MongoClient(uri) as client:
        rows = client[DATABASE]["residents"]
        ids = [row["_id"] for row in rows.find({"living.floor": {"$gt": 0}}, {"_id": True}).limit(20_000)]
        turn = 0
        while not stop.wait(EVERY_S):
            some = [ids[(turn * AT_ONCE + at) % len(ids)] for at in range(AT_ONCE)]
            rows.bulk_write([UpdateOne({"_id": id}, {"$set": {"living.floor": turn % 30 + 1}}) for id in some], ordered=False)
            turn += 1
