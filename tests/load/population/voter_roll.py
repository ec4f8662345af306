"""`voter_roll`: everybody who is 18, streamed, against a bare cursor over the same documents."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from binglian.population.v1 import job_service_pb2, job_service_pb2_grpc
from binglian.population.v1 import question_service_pb2 as pb

from svckit.ids import new_id
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
    with _released(here) as job_id:
        began, lines = time.monotonic(), 0
        request = pb.ExportVoterRollRequest(job_id=job_id)
        for message in here.questions.ExportVoterRoll(request, metadata=here.caller("P09", role="COMM_CLERK")):
            lines += len(message.entries)
        assert lines > here.residents * 0.6
        return lines / (time.monotonic() - began)


@contextlib.contextmanager
def _released(here: Register) -> Iterator[str]:
    """An export of the roll that two people released, withdrawn afterwards: nobody writes it beside the next row."""
    jobs = job_service_pb2_grpc.JobServiceStub(here.channel)
    spec = {"fields": ["name"], "format": "FILE_FORMAT_CSV", "in_full": True, "election_day": str(years_ago(0))}
    request = job_service_pb2.StartExportRequest(request_id=new_id(), legal_basis="bench", export_spec=spec)
    job_id = jobs.StartExport(request, metadata=here.caller("P09")).job.job_id
    approval = job_service_pb2.ApproveJobRequest(request_id=new_id(), job_id=job_id)
    jobs.ApproveJob(approval, metadata=here.caller("P11", role="DPO", subject="officer"))
    yield job_id
    jobs.CancelJob(job_service_pb2.CancelJobRequest(request_id=new_id(), job_id=job_id), metadata=here.caller("P09"))


def _bare(here: Register) -> float:
    query: dict[str, Any] = {"birth_date": {"$gt": "", "$lte": years_ago(18).isoformat()}, "resident_type": {"$ne": "05"}}
    shown = dict.fromkeys(("name", "sex", "birth_date", "area_code", "resident_type", "residences.house_id"), True)
    began = time.monotonic()
    lines = sum(1 for _ in here.stored.find(query, shown).sort([("area_code", 1), ("_id", 1)]).hint("area"))
    return lines / (time.monotonic() - began)
