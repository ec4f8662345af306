"""The probabilistic stage on public files with known truth, and on people of ours."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from splink.internals.exceptions import SplinkException

from population.crosscheck import comparing, linking
from population.crosscheck.blocking import Key
from population.crosscheck.evaluate import SAMPLES, evaluate
from population.crosscheck.rules import rules
from population.privacy.screening import check_rule

DATA = Path(__file__).parents[4] / "shared" / "data" / "record_linkage"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲建国华红梅金龙玉珍凤云飞"


@pytest.mark.skipif(not DATA.exists(), reason=f"FEBRL and fake_1000 are not part of the repository: none in {DATA}")
@pytest.mark.parametrize(
    ("sample", "precision", "recall"), [(SAMPLES[0], 0.99, 0.98), (SAMPLES[1], 0.97, 0.93), (SAMPLES[2], 0.99, 0.55)]
)
def test_public_files_are_linked_by_the_general_rule(sample: object, precision: float, recall: float) -> None:
    score = evaluate(sample, folder=DATA)  # type: ignore[arg-type]
    assert (score.precision >= precision, score.recall >= recall) == (True, True), score


def people(count: int, seed: int) -> list[tuple[object, ...]]:
    """Rows of a register: record, reference, number, name, sex, birth date, telephone, area."""
    draw = random.Random(seed)
    made: list[tuple[object, ...]] = []
    for record in range(1, count + 1):
        name = draw.choice(SURNAMES) + draw.choice(GIVEN) + (draw.choice(GIVEN) if draw.random() < 0.8 else "")
        born = f"{draw.randint(1935, 2020)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
        area = f"4205020{draw.randint(1, 9)}00{draw.randint(1, 9)}"
        made.append(
            (record, f"R{record}", draw.getrandbits(63), name, str(draw.randint(1, 2)), born, draw.getrandbits(63), area)
        )
    return made


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    columns = (
        "record BIGINT, reference VARCHAR, id_number UBIGINT, name VARCHAR, sex VARCHAR, birth_date VARCHAR, phone UBIGINT"
    )
    connection.execute(f"CREATE TABLE {table} ({columns}, area_code VARCHAR)")
    connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute(f"CREATE TABLE {table}_key AS SELECT record, id_number AS key FROM {table} WHERE id_number IS NOT NULL")


def test_planted_differences_are_all_found_and_none_is_invented() -> None:
    register = people(3_000, seed=1)
    incoming = [list(row) for row in register[:2_000]]
    for number in range(13):
        incoming[number * 7][3] = "改过名"
    with duckdb.connect() as connection:
        fill(connection, "a", [tuple(row) for row in incoming])
        fill(connection, "b", register)
        comparing.exact(connection=connection, rule=rules()["MR01"])
        comparing.residue(connection=connection, rule=rules()["MR01"], stage=lambda _: None)
        comparing.decide(connection=connection, rule=rules()["MR01"])
        counts = comparing.counted(connection)
    assert counts == {"matched": 1_987, "differing": 13, "possible": 0, "left_only": 0, "right_only": 1_000}


def test_people_with_a_wrong_number_are_found_by_what_else_is_known() -> None:
    register = people(4_000, seed=2)
    draw = random.Random(3)
    incoming = [list(row) for row in register[:2_000]]
    for row in incoming:
        if draw.random() < 0.05:
            row[2] = draw.getrandbits(63)
    with duckdb.connect() as connection:
        fill(connection, "a", [tuple(row) for row in incoming])
        fill(connection, "b", register)
        comparing.exact(connection=connection, rule=rules()["MR01"])
        comparing.residue(connection=connection, rule=rules()["MR01"], stage=lambda _: None)
        comparing.decide(connection=connection, rule=rules()["MR01"])
        found = connection.execute(
            "SELECT count(*), count(*) FILTER (a_record = b_record) FROM decided WHERE result IN ('matched', 'differing')"
        ).fetchall()[0]
    assert found[1] / found[0] >= 0.99
    assert found[1] / 2_000 >= 0.95


def test_a_number_that_is_somebody_elses_makes_no_match() -> None:
    register = people(50, seed=4)
    with duckdb.connect() as connection:
        fill(connection, "a", [(1, "A1", register[9][2], "另一人", "1", "1950-01-01", None, None)])
        fill(connection, "b", register)
        comparing.exact(connection=connection, rule=rules()["MR01"])
        comparing.residue(connection=connection, rule=rules()["MR01"], stage=lambda _: None)
        comparing.decide(connection=connection, rule=rules()["MR01"])
        assert comparing.counted(connection)["possible"] == 1


def test_duplicates_within_the_register_are_questions_for_people() -> None:
    register = people(1_000, seed=5)
    twin = (1_001, "R1001", register[3][2], *register[3][3:])
    other = (1_002, "R1002", 77, *register[8][3:])
    with duckdb.connect() as connection:
        fill(connection, "a", [*register, twin, other])
        comparing.exact(connection=connection, rule=rules()["MR07"])
        comparing.residue(connection=connection, rule=rules()["MR07"], stage=lambda _: None)
        comparing.decide(connection=connection, rule=rules()["MR07"])
        found = connection.execute("SELECT a_record, b_record, result FROM decided").fetchall()
    assert {(4, 1_001, "possible"), (9, 1_002, "possible")} <= set(found)
    assert {result for _, _, result in found} == {"possible"}


TWIN = ("施双双", "2", "1971-05-06", 77, "42050200100310001")
OFFICE = 1
"""The telephone of an office, which stands with everybody who gave none of their own."""


def imported(count: int, *, phone: int | None = OFFICE, named: str = "") -> list[tuple[object, ...]]:
    """A register as an import leaves it: few names, few birthdays, one telephone and nobody in it twice."""
    signs = SURNAMES + "冯褚卫蒋沈韩秦尤许吕施严"
    made: list[tuple[object, ...]] = []
    for record in range(count):
        name = named or signs[record % 32] + signs[record // 32 % 31]
        born = f"1960-01-{record // 900 + 1:02d}"
        made.append((record + 1, f"R{record + 1}", 100 + record, name, str(1 + record % 2), born, phone, "42050200100310001"))
    return made


@pytest.mark.parametrize(
    "register",
    [
        pytest.param([], id="nobody else"),
        pytest.param(imported(3), id="three people"),
        pytest.param(imported(300), id="one birthday"),
        pytest.param(imported(5_000), id="one telephone"),
        pytest.param(imported(3_000, phone=None), id="no telephones"),
        pytest.param(imported(2_000, named="王小明"), id="one name"),
    ],
)
def test_who_agrees_in_everything_is_asked_about_whatever_the_register_holds(register: list[tuple[object, ...]]) -> None:
    first, second = len(register) + 1, len(register) + 2
    found = duplicates([*register, (first, "T1", None, *TWIN), (second, "T2", None, *TWIN)])
    assert found == {(first, second)}, "strangers with the telephone of an office are no duplicates"


def test_of_a_person_entered_twice_with_a_slip_of_the_pen_somebody_is_asked() -> None:
    register = people(1_000, seed=6)
    wrong = ("施双双", "2", "1971-05-08", 77, "42050200100310001")
    found = duplicates([*register, (1_001, "T1", None, *TWIN), (1_002, "T2", None, *wrong)])
    assert (1_001, 1_002) in found


def test_a_register_nobody_is_in_twice_is_no_failure() -> None:
    assert duplicates(imported(2_000)) == set()


def test_a_handful_of_people_is_linked_by_what_is_known_of_all() -> None:
    # All that tells them apart is the key they agree on: nothing is left to learn from.
    some = [
        (1, "R1", 8_462_379_561_340_081_252, "李小红", "1", "1960-01-01", 1, "42050209005"),
        (2, "R2", 5_083_778_927_992_387_860, "王小红", "1", "1960-01-01", 1, "42050207003"),
        (3, "R3", None, "李小红", "1", "1960-01-01", 1, "42050209005"),
    ]
    assert duplicates(some) == {(1, 3)}


@pytest.mark.parametrize("alike", [2, 5, 30])
@pytest.mark.parametrize("others", [1, 4, 40])
def test_people_who_are_all_alike_are_no_failure(alike: int, others: int) -> None:
    same = [(record, f"R{record}", 100 + record, *TWIN) for record in range(1, alike + 1)]
    duplicates([*same, *[(1_000 + row[0], *row[1:]) for row in people(others, seed=others)]])  # type: ignore[operator]


def test_a_job_that_is_stopped_while_it_learns_is_stopped() -> None:
    stopped = SplinkException("Error executing the following sql")
    stopped.__cause__ = duckdb.InterruptException("INTERRUPT Error: Interrupted!")
    with pytest.raises(duckdb.InterruptException):
        linking.taught(lambda: _linker(stopped), model=_MODEL)


_MODEL = linking.Model(columns={}, keys=(), training=(Key(("name",), 3),), strict=(), one_table=True, pairs=3)


def _linker(error: Exception) -> Any:
    """A linker that cannot be taught."""
    training = SimpleNamespace(
        estimate_u_using_random_sampling=lambda **_: None,
        estimate_parameters_using_expectation_maximisation=_raising(error),
    )
    return SimpleNamespace(training=training)


def _raising(error: Exception) -> Callable[..., None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    return refuse


def test_forms_filled_in_with_the_same_words_make_no_flood_of_pairs() -> None:
    same = [(record, f"R{record}", 100 + record, *TWIN) for record in range(1, 101)]
    assert duplicates(same) == set()


def duplicates(rows: Sequence[tuple[object, ...]]) -> set[tuple[int, int]]:
    """Pairs of a register held against itself that a person is asked about."""
    with duckdb.connect() as connection:
        fill(connection, "a", rows)
        comparing.exact(connection=connection, rule=rules()["MR07"])
        comparing.residue(connection=connection, rule=rules()["MR07"], stage=lambda _: None)
        comparing.decide(connection=connection, rule=rules()["MR07"])
        found = connection.execute("SELECT a_record, b_record FROM decided WHERE result = 'possible'").fetchall()
    return set(found)


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.code)
def test_no_rule_reads_or_tells_what_must_not_be_matched(rule: object) -> None:
    assert isinstance(rule, type(rules()["MR01"]))
    check_rule(
        {"left": rule.left_source, "right": rule.right_source, "use": rule.result_use}, fields=(*rule.fields, *rule.output)
    )
    assert set(rule.output) <= {"result", "left_reference", "right_reference", "differing_fields", "match_probability"}
    assert set(rule.linked) | set(rule.differing) <= set(rule.fields)
