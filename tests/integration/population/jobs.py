"""A running jobs process beside the service, files for it, and what its jobs answer."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
from binglian.population.v1 import job_pb2, job_service_pb2_grpc
from binglian.population.v1 import job_service_pb2 as pb

from svckit.ids import new_id
from svckit.testing import child
from tests.integration.population.people import CITY, People
from tests.services import eventually

PART = 1 << 20
COLUMNS = {"姓名": "name", "证件号码": "id_number", "电话": "phone"}


@contextlib.contextmanager
def jobs_process(people: People, folder: Path, *, mongo_uri: str) -> Iterator[Any]:
    """A process that works on the jobs of the running service; its files and work lie in `folder`."""
    environment = {
        "BINGLIAN_MONGO_URI": mongo_uri,
        "BINGLIAN_MONGO_DATABASE": people.service.database.name,
        "BINGLIAN_WORK_DIR": str(folder / "work"),
        "BINGLIAN_FILES_DIR": str(folder / "files"),
        "BINGLIAN_JOB_MEMORY_GB": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    }
    (folder / "files").mkdir(parents=True, exist_ok=True)
    with child([sys.executable, "-m", "population", "jobs"], log=folder / "jobs.log", environment=environment) as process:
        yield process


class Desk:
    """What a data steward does with jobs."""

    def __init__(self, people: People) -> None:
        self.jobs = job_service_pb2_grpc.JobServiceStub(people.service.channel)
        self.people = people
        self.steward = self.stating("P11")

    def stating(self, purpose: str, *, subject: str = "steward", role: str = "DATA_STEWARD") -> dict[str, Any]:
        """A call for a purpose."""
        purposes = ["P02", "P08", "P09", "P11"]
        return self.people.caller(subject, role, area=CITY, purpose=purpose, purposes=purposes)

    def upload(self, name: str, data: bytes) -> str:
        """Uploads a file; returns its id."""
        file = self.jobs.CreateJobFile(pb.CreateJobFileRequest(request_id=new_id(), name=name), **self.steward).file
        for offset in range(0, max(len(data), 1), PART):
            piece = data[offset : offset + PART]
            request = pb.AppendJobFileRequest(
                file_id=file.file_id, request_id=new_id(), offset=offset, data=piece, last=offset + PART >= len(data)
            )
            self.jobs.AppendJobFile(request, **self.steward)
        return str(file.file_id)

    def start_import(self, file_id: str, mapping: dict[str, Any], *, dry_run: bool = False, **more: Any) -> job_pb2.Job:
        """Starts an import of an uploaded file."""
        spec = {"source": {"file_id": file_id}, "mapping": json.dumps(mapping, ensure_ascii=False), "dry_run": dry_run} | more
        request = pb.StartImportRequest(request_id=new_id(), legal_basis="户籍管理条例", import_spec=spec)
        return self.jobs.StartImport(request, **self.steward).job

    def start_check(self, **spec: Any) -> job_pb2.Job:
        """Starts a cross-check."""
        request = pb.StartCrossCheckRequest(request_id=new_id(), legal_basis="数据共享协议 2026-3", cross_check_spec=spec)
        return self.jobs.StartCrossCheck(request, **self.steward).job

    def get(self, job: job_pb2.Job) -> job_pb2.Job:
        """The job as it is now."""
        return self.jobs.GetJob(pb.GetJobRequest(job_id=job.job_id), **self.steward).job

    def ended(self, job: job_pb2.Job, state: int = job_pb2.JOB_STATE_FINISHED, *, seconds: float = 60) -> job_pb2.Job:
        """The job when it is in this state."""
        over = (job_pb2.JOB_STATE_FINISHED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED)

        def looked() -> job_pb2.Job | None:
            now = self.get(job)
            return now if now.state in over else None

        found = eventually(looked, seconds=seconds)
        assert found.state == state, found
        return found

    def output(self, job: job_pb2.Job, name: str) -> bytes:
        """The bytes of an output, fetched for what the job was started for."""
        file_id = next(output.file_id for output in job.outputs if output.name == name)
        request = pb.ExportJobOutputRequest(job_id=job.job_id, file_id=file_id)
        return b"".join(answer.part.data for answer in self.jobs.ExportJobOutput(request, **self.stating(job.purpose)))


def counts(job: job_pb2.Job) -> dict[str, int]:
    """What a job has counted."""
    return {count.name: count.value for count in job.counts}


def csv_of(rows: Sequence[dict[str, str]], *, encoding: str = "utf-8") -> bytes:
    """A CSV file."""
    names = list(rows[0])
    lines = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def xlsx_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """A workbook."""
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def parquet_of(rows: Sequence[dict[str, str]]) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), file)
    return file.getvalue()
