"""The work of a cross-check, stage by stage: read, bring the register's extract up to date, compare, report, ask people to look.

What a stage made lies in a DuckDB file of the job's workspace, so a job that is resumed on the same machine begins with the stage it was
broken off in; elsewhere it begins anew. Nothing is written to the register.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from population.crosscheck import comparing, incoming, reporting, sharing
from population.crosscheck.linking import Score
from population.crosscheck.orders import open_orders
from population.crosscheck.register import Register
from population.crosscheck.rules import REFERENCE, Rule, Side, rule_of
from population.domain.job import CrossCheckSpec, JobSource
from population.elections import OVERSEAS, VOTING_AGE
from population.imports.mapping import read_mapping
from population.jobs.desk import Desk, Stopped
from population.policies.requests import local_day
from population.privacy.restrictions import restricted_ids
from population.questions.conditions import latest_birth
from svckit.documents import utc_now

STAGES = ("reading", "register", "exact", "linking", "deciding", "reporting", "ordering")


class CrossCheck:
    """One cross-check at its desk. `register_folder` is where this process keeps its extract of the register.

    `election_day`: when those who are compared with a roll of voters have to be of age, today when none is announced.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        register_folder: Path,
        memory_gb: float,
        threads: int,
        score: Score | None = None,
        election_day: date | None = None,
    ) -> None:
        assert desk.job.cross_check_spec is not None
        self._desk = desk
        self._spec: CrossCheckSpec = desk.job.cross_check_spec
        self._rule: Rule = rule_of(self._spec)
        self._register_folder = register_folder
        self._score = score
        self._election_day = election_day or local_day(utc_now())
        self._connection = self._connected(memory_gb, threads)

    def run(self) -> None:
        """Does it. Raises Stopped, InvalidArgument."""
        stages: dict[str, Callable[[], None]] = {
            "reading": self._read,
            "register": self._take_register,
            "exact": lambda: comparing.exact(connection=self._connection, rule=self._rule),
            "linking": self._link,
            "deciding": self._decide,
            "reporting": self._report,
            "ordering": self._order,
        }
        try:
            for name in STAGES:
                if name not in self._done():
                    self._desk.say(name, at_once=True)
                    stages[name]()
                    self._desk.check()
                    self._desk.keep(stages=[*self._done(), name])
        except duckdb.InterruptException:
            raise Stopped from None
        finally:
            self._connection.close()

    def _connected(self, memory_gb: float, threads: int) -> duckdb.DuckDBPyConnection:
        workspace = self._desk.workspace
        file = workspace / "work.duckdb"
        if not file.exists():
            # Another machine had it before: its stages are not here.
            self._desk.keep(stages=[])
        connection = duckdb.connect()
        connection.execute(f"SET memory_limit = '{memory_gb}GB'")
        connection.execute(f"SET temp_directory = '{workspace / 'spill'}'")
        connection.execute("SET preserve_insertion_order = false")
        if threads:
            connection.execute(f"SET threads = {threads}")
        connection.execute(f"ATTACH '{file}' AS work")
        connection.execute("USE work")
        self._desk.on_stop(connection.interrupt)
        return connection

    def _done(self) -> list[str]:
        return list(self._desk.checkpoint.get("stages", ()))

    def _read(self) -> None:
        spec, rule = self._spec, self._rule
        files = [(spec.source, spec.mapping, "mapping"), (spec.other, spec.other_mapping, "other_mapping")]
        given = iter(files)
        for table, side in (("a", rule.left), ("b", rule.right)):
            if side is Side.FILE:
                source, mapping, path = next(given)
                assert source is not None
                self._load(table, source, mapping, path)

    def _load(self, table: str, source: JobSource, mapping: str, path: str) -> None:
        file, format, size = self._desk.open(source)
        checked = read_mapping(mapping, allowed=self._rule.mappable, path=f"cross_check_spec.{path}")
        total = incoming.load(
            connection=self._connection,
            table=table,
            file=file,
            format=format,
            mapping=checked,
            rule=self._rule,
            vault=self._desk.vault,
            say=lambda _: self._desk.say("reading", done=min(file.tell(), size), total=size),
            count=self._desk.count,
        )
        self._desk.counts[f"read_{table}"] = total

    def _take_register(self) -> None:
        if Side.FILE in (self._rule.left, self._rule.right) and self._rule.left == self._rule.right:
            return
        register = Register(
            connection=self._connection, folder=self._register_folder, database=self._desk.database, vault=self._desk.vault
        )
        self._connection.execute("USE work")
        held = register.refresh(say=lambda done, total: self._desk.say("register", done=done, total=total))
        self._desk.counts["register"] = held
        table = "a" if self._rule.left is Side.REGISTER else "b"
        self._connection.execute(_PEOPLE.format(table=table), [self._area()])
        if self._rule.voters:
            born = latest_birth(VOTING_AGE, today=self._election_day).isoformat()
            self._connection.execute(_NO_VOTE.format(table=table), [born, OVERSEAS])
        if self._rule.right is Side.RESIDENCES:
            self._connection.execute(_HOMES.format(reference=REFERENCE))
            self._connection.execute("CREATE OR REPLACE TABLE b_key AS SELECT record, house_id AS key FROM b")
        else:
            self._connection.execute(_KEYS.format(table=table))
        self._connection.execute(f"DETACH {register.name}")

    def _area(self) -> str:
        return self._spec.area_prefix or self._desk.job.area_code

    def _link(self) -> None:
        comparing.residue(
            connection=self._connection,
            rule=self._rule,
            stage=lambda name: self._desk.say(f"linking: {name}", at_once=True),
            score=self._score,
        )

    def _decide(self) -> None:
        comparing.decide(connection=self._connection, rule=self._rule)

    def _report(self) -> None:
        restricted = restricted_ids(self._desk.database, purpose=self._desk.job.purpose)
        sharing.leave_out(restricted, connection=self._connection, rule=self._rule)
        counts = comparing.counted(self._connection)
        self._desk.counts.update(counts)
        sharing.record(desk=self._desk, connection=self._connection, rule=self._rule)
        reporting.write(desk=self._desk, connection=self._connection, rule=self._rule, counts=counts)

    def _order(self) -> None:
        if self._spec.orders and self._rule.orders:
            open_orders(desk=self._desk, connection=self._connection)


# People who died or moved away are not held against a department's present records.
_PEOPLE = """
CREATE OR REPLACE TABLE {table} AS
SELECT row_number() OVER () AS record, resident AS reference, NULL::UBIGINT AS id_number, name, sex, birth_date, phone, area_code
FROM register.person WHERE here AND starts_with(area_code, ?)
"""
_NO_VOTE = """
DELETE FROM {table} WHERE birth_date IS NULL OR birth_date > ?
    OR reference IN (SELECT resident FROM register.person WHERE resident_type = ?)
"""
_KEYS = """
CREATE OR REPLACE TABLE {table}_key AS
SELECT record, number.id_number AS key FROM {table} JOIN register.number ON number.resident = {table}.reference
"""
_HOMES = """
CREATE OR REPLACE TABLE b AS
SELECT row_number() OVER () AS record, house_id AS {reference}, house_id, people::VARCHAR AS capacity FROM
    (SELECT house_id, count(DISTINCT resident) AS people FROM register.home
     WHERE resident IN (SELECT reference FROM b) GROUP BY house_id)
"""
