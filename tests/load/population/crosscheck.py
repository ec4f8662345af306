"""`crosscheck`: a department's million records against the register, against a bare DuckDB join plus Splink on the same residue.

130 names were changed, and one number in twenty is nobody's. The floor has the register as columns with numbers in clear, reads the
same file and runs the same model on what its join leaves over. Ours reads through the service, computes blind indexes, brings its
extract up to date, decides, and writes report and results.
"""

from __future__ import annotations

import io
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow
import pyarrow.parquet
from binglian.population.v1 import job_service_pb2 as pb
from binglian.population.v1 import job_service_pb2_grpc

from population.crosscheck import linking
from population.crosscheck.blocking import Tables
from population.crosscheck.rules import rules
from population.seeding.columns import Columns
from population.seeding.documents import Ids
from population.seeding.places import blocks
from tests.load.harness import Row, below, compare, progress
from tests.load.population.register import Register
from tests.load.population.steward import Steward, counts, people_file

SHARE = 4
"""The register has this many times the people of the file: a million of four."""
PLANTED = 130
NOISE = 0.05
LARGEST_GB = 6.0
LINKED = ("name", "birth_date", "phone", "sex")


def run(here: Register) -> list[Row]:
    """Records a second, precision and recall, and the memory it took."""
    with Steward(here) as steward:
        return _measured(here, steward)


def _measured(here: Register, steward: Steward) -> list[Row]:
    rows = here.residents // SHARE
    names = {number * (rows // PLANTED): f"改名{number}" for number in range(PLANTED)}
    people_file(steward.files / "few.csv", residents=here.residents, rows=1_000, names={}, noise=0.0)
    _, seconds = steward.check("few.csv")
    progress(f"the extract of the register was built in {seconds:.0f} s")
    people_file(steward.files / "many.csv", residents=here.residents, rows=rows, names=names, noise=NOISE)
    register = here.stack.home / "register.parquet"
    _columns(register, here.residents)
    jobs = []

    def ours() -> float:
        job, seconds = steward.check("many.csv")
        jobs.append(job)
        progress(f"{counts(job)}, {steward.memory_gb():.1f} GB")
        return rows / seconds

    row = compare(
        "crosscheck",
        ours=ours,
        floor=lambda: rows / _bare(register, steward.files / "many.csv"),
        unit="records/s",
        target=0.33,
        rounds=1,
        note=f"{rows:,} records against {here.residents:,}; floor: DuckDB join and Splink",
    )
    memory = below("crosscheck/memory", value=steward.memory_gb(), unit="GB", limit=LARGEST_GB)
    return [row, memory, *_quality(here, jobs[-1], rows, set(names))]


def _columns(path: Path, residents: int) -> None:
    """The register as somebody without a service would have it: a Parquet file with everything in clear."""
    writer = None
    for block in blocks(residents):
        people = Columns(block)
        table = pyarrow.table(
            {
                "id_number": pyarrow.array(people.id_numbers.tolist(), pyarrow.string()),
                "name": pyarrow.array(people.names, pyarrow.string()),
                "birth_date": pyarrow.array(people.birth.astype(str).tolist(), pyarrow.string()),
                "phone": pyarrow.array(people.phones.astype(str).tolist(), pyarrow.string()),
                "sex": pyarrow.array(["1" if male else "2" for male in people.homes.male], pyarrow.string()),
            }
        )
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _bare(register: Path, file: Path) -> float:
    """Seconds of a join on the number and of Splink on what it leaves over."""
    shown = ", ".join(LINKED)
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '3GB'")
        connection.execute(f"CREATE TABLE b AS SELECT row_number() OVER () AS record, * FROM '{register}'")
        began = time.monotonic()
        connection.execute(
            'CREATE TABLE a AS SELECT row_number() OVER () AS record, "证件号码" AS id_number, "姓名" AS name,'
            ' "出生日期" AS birth_date, "电话" AS phone, "性别" AS sex'
            f" FROM read_csv('{file}', all_varchar = true, header = true)"
        )
        connection.execute(
            "CREATE TABLE pairs AS SELECT a.record AS a_record, b.record AS b_record FROM a JOIN b USING (id_number)"
        )
        joined = time.monotonic() - began
        for side in ("a", "b"):
            connection.execute(
                f"CREATE TABLE {side}_left AS SELECT record, {shown} FROM {side}"
                f" WHERE record NOT IN (SELECT {side}_record FROM pairs)"
            )
        tables = Tables("a_left", "b_left")
        columns = {name: rules()["MR01"].fields[name] for name in LINKED}
        model = linking.plan(connection=connection, tables=tables, columns=columns)
        linking.link(connection=connection, tables=tables, model=model)
        seconds = time.monotonic() - began
    progress(f"floor: read and joined in {joined:.1f} s, all in {seconds:.1f} s")
    return seconds


def _quality(here: Register, job: object, rows: int, planted: set[int]) -> list[Row]:
    """Every planted difference found and none invented; of the pairs that were made, how many are right."""
    results = pyarrow.parquet.read_table(io.BytesIO(_fetched(here, job, "results.parquet"))).to_pylist()
    differing = {row["left_reference"] for row in results if row["result"] == "differing"}
    wrong = differing ^ {f"K{number}" for number in planted}
    made = [row for row in results if row["result"] in ("matched", "differing")]
    right = _right(here, made)
    precision, recall = right / max(len(made), 1), right / rows
    return [
        Row(
            "crosscheck/planted",
            len(differing),
            "records",
            float(len(planted)),
            None,
            1.0,
            len(wrong) <= 0,
            f"{len(wrong)} wrong",
        ),
        Row(
            "crosscheck/precision",
            round(precision, 4),
            "share",
            0.99,
            None,
            0.99,
            precision >= 0.99,
            "one number in twenty wrong",
        ),
        Row("crosscheck/recall", round(recall, 4), "share", 0.95, None, 0.95, recall >= 0.95, "one number in twenty wrong"),
    ]


def _right(here: Register, made: list[dict[str, str]]) -> int:
    """How many pairs are of one person: the ids of seeded people are made again."""
    ids: dict[str, str] = {}
    for block in blocks(here.residents):
        people = Columns(block)
        own = Ids(block, 1, people.count)
        for at in np.flatnonzero(people.has_number).tolist():
            ids[f"K{len(ids)}"] = own[at]
    return sum(row["right_reference"] == ids[row["left_reference"]] for row in made)


def _fetched(here: Register, job: object, name: str) -> bytes:
    stub = job_service_pb2_grpc.JobServiceStub(here.channel)
    outputs = {output.name: output.file_id for output in job.outputs}  # type: ignore[attr-defined]
    request = pb.ExportJobOutputRequest(job_id=job.job_id, file_id=outputs[name])  # type: ignore[attr-defined]
    return b"".join(answer.part.data for answer in stub.ExportJobOutput(request, metadata=here.caller("P11")))
