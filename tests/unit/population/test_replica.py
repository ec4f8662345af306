"""The file of the replica: what is applied, replaced and removed, and what is counted of it."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from population.replica import answers
from population.replica.building import own_folder
from population.replica.database import Database, Outdated
from population.replica.rows import Batch

CHANCE = random.Random(5)
IDS = [str(uuid.UUID(int=CHANCE.getrandbits(128), version=4)) for _ in range(60)]
HOMES = [str(uuid.UUID(int=number, version=4)) for number in range(12)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "replica.duckdb", memory="200MB", threads=1)
    made.create()
    yield made
    made.close()


def someone(id: str, *, home: str = "", left: str = "") -> dict[str, Any]:
    since = dt.date(2010, 1, 1) + dt.timedelta(days=CHANCE.randrange(4_000))
    document = {
        "_id": id,
        "area_code": CHANCE.choice(("42050200100110001", "420503001001")),
        "birth_date": "1980-05-05",
        "sex": "1",
        "household_id": home,
        "residences": [{"area_code": "42050200100110001", "since": since.isoformat(), "until": ""}],
    }
    return document | ({"standing": {"status": "moved_out", "since": left}} if left else {})


def apply(database: Database, people: dict[str, dict[str, Any]], ids: list[str]) -> None:
    batch = Batch()
    for id in ids:
        if id in people:
            batch.add(people[id])
    database.apply(batch, gone=ids, token="{}")


def test_households_are_those_of_all_that_was_applied(database: Database) -> None:
    people: dict[str, dict[str, Any]] = {}
    for _ in range(30):
        ids = CHANCE.sample(IDS, 8)
        for id in ids:
            people.pop(id, None)
            if CHANCE.random() < 0.8:
                left = "2024-01-01" if CHANCE.random() < 0.2 else ""
                people[id] = someone(id, home=CHANCE.choice([*HOMES, ""]), left=left)
        apply(database, people, ids)
        here = [one for one in people.values() if "standing" not in one]
        sizes = Counter(Counter(one["household_id"] for one in here if one["household_id"]).values())
        expected = {min(size, 10): 0 for size in sizes}
        for size, count in sizes.items():
            expected[min(size, 10)] += count
        assert answers.household_sizes(database, prefix="") == expected
        assert database.query("SELECT count(*) FROM people") == [(len(here),)]
        members = Counter(one["household_id"] for one in here if one["household_id"])
        kept = dict(database.query("SELECT id::VARCHAR, household_size FROM people"))
        assert kept == {one["_id"]: members.get(one["household_id"]) for one in here}


def test_who_lived_together_on_a_day_in_the_past(database: Database) -> None:
    """A family of three; the son moved out in 2015 and the father died in 2018; where no house is known the household counts."""

    def lived(house: str, since: str, until: str = "") -> dict[str, Any]:
        return {"area_code": "42050200100110001", "house_id": house, "since": since, "until": until}

    father, mother, son, other, spouse = IDS[:5]
    people = {
        father: someone(father, home="", left="2018-05-05") | {"residences": [lived("h", "2000-01-01", "2018-05-05")]},
        mother: someone(mother, home="old") | {"residences": [lived("h", "2000-01-01")]},
        son: someone(son, home="new") | {"residences": [lived("h", "2000-01-01", "2015-03-01"), lived("k", "2015-03-02")]},
        other: someone(other, home="new") | {"residences": [lived("", "2001-01-01")]},
        spouse: someone(spouse, home="new") | {"residences": [lived("", "2001-01-01", "2016-01-01"), lived("k", "2016-01-02")]},
    }
    apply(database, people, list(people))

    def sizes(day: str) -> dict[int, int]:
        found: Counter[int] = Counter()
        for area, size, households in answers.homes(database, day=dt.date.fromisoformat(day)):
            assert area == 42050200100110001
            found[size] += households
        return dict(found)

    assert sizes("2010-01-01") == {2: 1, 3: 1}
    assert sizes("2015-06-01") == {1: 1, 2: 2}
    assert sizes("2017-01-01") == {1: 1, 2: 2}
    assert sizes("2019-01-01") == {1: 2, 2: 1}
    assert answers.household_sizes(database, prefix="") == {1: 1, 3: 1}
    assert answers.household_sizes(database, prefix="4206") == {}
    assert answers.homes(database, day=dt.date(1999, 1, 1)) == []


def test_a_trend_is_the_count_of_each_day(database: Database) -> None:
    people = {id: someone(id, left="2019-03-01" if CHANCE.random() < 0.4 else "") for id in IDS}
    apply(database, people, IDS)
    days = [dt.date(year, 6, 1) for year in range(2009, 2025)]

    def there(one: dict[str, Any], day: dt.date) -> bool:
        last = one["standing"]["since"] if "standing" in one else "9999-12-31"
        return one["residences"][0]["since"] <= day.isoformat() <= last

    expected = [sum(there(one, day) for one in people.values()) for day in days]
    assert answers.trend(database, prefix="420502", days=days) == expected
    past = answers.ages(database, prefix="4205", now=dt.date(2024, 6, 1), day=days[5])
    assert sum(people for _, _, people in past) == expected[5]
    below = answers.ages_below(database, prefix="4205", digits=12, now=dt.date(2024, 6, 1), day=days[5])
    assert sorted(row for rows in below.values() for row in rows) != []
    assert sum(people for rows in below.values() for _, _, people in rows) == expected[5]


def test_a_broken_transaction_changes_nothing(database: Database) -> None:
    people = {id: someone(id, home=HOMES[0]) for id in IDS[:5]}
    apply(database, people, IDS[:5])
    batch = Batch()
    batch.add(someone("no uuid"))
    with pytest.raises(Exception, match=r"(?i)uuid"):
        database.apply(batch, gone=IDS[:5], token="{}")
    assert database.query("SELECT count(*) FROM people") == [(5,)]


def test_a_file_of_another_version_is_built_anew(database: Database) -> None:
    database.check()
    database.note(version="0")
    with pytest.raises(Outdated):
        database.check()


def test_a_broken_file_is_built_anew_and_that_of_another_process_is_left_alone(database: Database, tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"this was a database" * 1_000)
    with pytest.raises(Outdated):
        Database(broken, memory="200MB", threads=1)
    lines = (
        "import sys, pathlib",
        "from population.replica.database import Database",
        "Database(pathlib.Path(sys.argv[1]), memory='100MB', threads=1)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), str(database.file)], capture_output=True, text=True, check=False
    )
    assert "InUse: another process owns" in done.stderr


def test_the_folder_is_for_the_process_alone_also_where_it_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    for name in ("open", "new/inner"):
        own_folder(tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
