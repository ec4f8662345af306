"""`voter_roll`: everybody who is 18, streamed, against a bare cursor over the same documents."""

from __future__ import annotations

import time
from typing import Any

from binglian.population.v1 import question_service_pb2 as pb

from tests.load.harness import Row, against
from tests.load.population.register import Register, years_ago

TARGET = 0.3


def run(here: Register) -> list[Row]:
    """Lines a second of the whole register, once on each side: it takes a while."""
    ours = _streamed(here)
    row = against(
        "voter_roll",
        ours=[ours],
        floor=lambda: _bare(here),
        unit="lines/s",
        target=TARGET,
        rounds=1,
        note="everybody over 18; floor: bare cursor",
    )
    return [row]


def _streamed(here: Register) -> float:
    began, lines = time.monotonic(), 0
    for message in here.questions.ExportVoterRoll(pb.ExportVoterRollRequest(), metadata=here.caller("P09", role="COMM_CLERK")):
        lines += len(message.entries)
    assert lines > here.residents * 0.6
    return lines / (time.monotonic() - began)


def _bare(here: Register) -> float:
    query: dict[str, Any] = {"birth_date": {"$gt": "", "$lte": years_ago(18).isoformat()}, "resident_type": {"$ne": "05"}}
    shown = dict.fromkeys(("name", "sex", "birth_date", "area_code", "resident_type", "residences.house_id"), True)
    began = time.monotonic()
    lines = sum(1 for _ in here.stored.find(query, shown).sort([("area_code", 1), ("_id", 1)]).hint("area"))
    return lines / (time.monotonic() - began)
