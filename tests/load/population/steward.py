"""A data steward who gives the service files and waits for jobs, with a jobs process beside it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow
import pyarrow.csv
from binglian.population.v1 import job_pb2, job_service_pb2_grpc
from binglian.population.v1 import job_service_pb2 as pb

from population.seeding.columns import Columns
from population.seeding.places import blocks
from svckit.ids import new_id
from tests.load.harness import progress
from tests.load.population.register import FIELD_KEY, Register

COLUMNS = {
    "编号": "reference",
    "姓名": "name",
    "证件号码": "id_number",
    "性别": "sex",
    "出生日期": "birth_date",
    "电话": "phone",
}
LOOK_SECONDS = 0.2
ENDED = (job_pb2.JOB_STATE_FINISHED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED)


class Steward:
    """Starts jobs and waits for them; `files` is the folder the service takes files from."""

    def __init__(self, here: Register) -> None:
        home = here.stack.home / f"jobs-{time.monotonic_ns()}"
        self.files = home / "files"
        self.files.mkdir(parents=True)
        settings = {"BINGLIAN_FILES_DIR": str(self.files), "BINGLIAN_WORK_DIR": str(home / "work")}
        environment = {"BINGLIAN_MONGO_URI": here.stack.mongo_uri, "BINGLIAN_FIELD_KEY": FIELD_KEY, **settings}
        command = [sys.executable, "-m", "population", "jobs"]
        self.process = here.stack.start(home.name, command, environment=environment)
        self.log = here.stack.home / f"{home.name}.log"
        self._stub = job_service_pb2_grpc.JobServiceStub(here.channel)
        self._caller = here.caller("P11")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the jobs process: the next row has one with folders of its own."""
        self.process.terminate()
        self.process.wait(timeout=60)

    def enter(self, file: str, mapping: Mapping[str, Any]) -> tuple[job_pb2.Job, float]:
        """Imports a file; returns the job and the seconds it took."""
        spec = {"source": {"name": file}, "mapping": json.dumps(mapping, ensure_ascii=False)}
        request = pb.StartImportRequest(request_id=new_id(), legal_basis="bench", import_spec=spec)
        return self._waited(self._stub.StartImport(request, metadata=self._caller).job)

    def check(self, file: str) -> tuple[job_pb2.Job, float]:
        """Holds a file against the register; returns the job and the seconds it took."""
        spec = {"rule": "MR01", "source": {"name": file}, "mapping": json.dumps({"columns": COLUMNS}, ensure_ascii=False)}
        request = pb.StartCrossCheckRequest(request_id=new_id(), legal_basis="bench", cross_check_spec=spec)
        return self._waited(self._stub.StartCrossCheck(request, metadata=self._caller).job)

    def memory_gb(self) -> float:
        """The most memory the jobs process has held so far."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024 / 1024

    def _waited(self, job: job_pb2.Job) -> tuple[job_pb2.Job, float]:
        began, stage = time.monotonic(), ""
        while job.state not in ENDED:
            time.sleep(LOOK_SECONDS)
            job = self._stub.GetJob(pb.GetJobRequest(job_id=job.job_id), metadata=self._caller).job
            if job.stage != stage:
                stage = job.stage
                progress(f"{time.monotonic() - began:6.1f} s {stage}")
        if job.state != job_pb2.JOB_STATE_FINISHED:
            raise RuntimeError(f"{job.failure_reason}: {job.failure}\n{self.log.read_text()[-2000:]}")
        return job, time.monotonic() - began


def counts(job: job_pb2.Job) -> dict[str, int]:
    """What a job has counted."""
    return {count.name: count.value for count in job.counts}


def people_file(path: Path, *, residents: int, rows: int, names: Mapping[int, str], noise: float) -> int:
    """Writes what a department has of the first `rows` seeded people with a number; returns how many numbers are wrong.

    `names` replaces names by row; `noise` is the share of rows whose number is another one.
    """
    chance = np.random.default_rng(7)
    written = wrong = 0
    writer: Any = None
    for block in blocks(residents):
        table, bad = _block_table(Columns(block), written, rows - written, names, chance, noise)
        writer = writer or pyarrow.csv.CSVWriter(path, table.schema)
        writer.write_table(table)
        written, wrong = written + table.num_rows, wrong + bad
        if written >= rows:
            break
    writer.close()
    return wrong


def _block_table(
    people: Columns, start: int, most: int, names: Mapping[int, str], chance: np.random.Generator, noise: float
) -> tuple[Any, int]:
    here: Sequence[int] = np.flatnonzero(people.has_number)[:most].tolist()
    numbers = people.id_numbers[here].astype(object)
    wrong = [at for at in np.flatnonzero(chance.random(len(here)) < noise).tolist() if start + at not in names]
    for at in wrong:
        # A number nobody has: the made-up ones begin with 99.
        numbers[at] = f"98{numbers[at][2:]}"
    shown = [names.get(start + place, people.names[at]) for place, at in enumerate(here)]
    columns = {
        "编号": [f"K{start + place}" for place in range(len(here))],
        "姓名": shown,
        "证件号码": numbers.tolist(),
        "性别": ["1" if people.homes.male[at] else "2" for at in here],
        "出生日期": people.birth[here].astype(str).tolist(),
        "电话": [str(people.phones[at]) if people.has_phone[at] else "" for at in here],
    }
    return pyarrow.table({name: pyarrow.array(values, pyarrow.string()) for name, values in columns.items()}), len(wrong)
