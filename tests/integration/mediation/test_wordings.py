"""Words of cases in a database of their own: whatever moment a case was reported in, it is found as a slow look at every case finds it."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from mediation import search_store
from mediation.texts import MOMENT, WordingKeeper, WordingSearch, saying
from mediation.wording import plain, wanted
from svckit.schema import ensure_schema

pytestmark = pytest.mark.integration
WORDS = ("水管破裂", "路灯不亮", "井盖丢失", "LED-77", "重庆银行门口", "积水很深")
CITIES = ("4205", "9901")
# A busy moment, and many in which little happens: more than are asked for at once.
BUSY, QUIET = 150, 450
ASKED = ("水管", "破裂 积水", "灯不", "cqyh", "led", "77", "井", "ldbl", "000123", "没有的字", "重庆 不亮")


def case(number: int) -> dict[str, Any]:
    """A case of the busy moment, or one of a moment it has nearly for itself; both cities have some of each."""
    chosen = random.Random(number)
    moment = 0x0198_F3A2_1 if number < BUSY else 0x0198_F3A2_2 + number // 2
    digits = f"{moment:09x}{number:03x}"
    city = CITIES[number % 2]
    return {
        "_id": f"{digits[:8]}-{digits[8:]}-7000-8000-{number:012x}",
        "description": "、".join(chosen.sample(WORDS, 2)),
        "number": f"420502-2026-{number:06}",
        "city": city,
        "area_code": f"{city}02001001",
        "category": "A0204",
        "reported_at": dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
    }


CASES = [case(number) for number in range(BUSY + QUIET)]


@pytest.fixture(scope="module")
def database(mongo_uri: str) -> Iterator[tuple[str, str]]:
    """Address and name of a database with all cases and their words; several times taken, as events are."""
    name = f"t{uuid.uuid4().hex[:10]}"
    ensure_schema(uri=mongo_uri, database=name, documents=search_store.DOCUMENTS)
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        cases = client[name]["cases"]
        cases.insert_many(CASES)
        keeper = WordingKeeper(cases)
        ids = [kept["_id"] for kept in CASES]
        for batch in (ids[:100], ids[50:], ids[:7], []):
            keeper.keep(batch)
        yield mongo_uri, name
        client.drop_database(name)


def slowly(text: str, city: str, cases: list[dict[str, Any]] = CASES) -> list[str]:
    words = plain(text).split()
    initials = {"cqyh": "重庆银行", "ldbl": "路灯不亮"}
    found = [
        kept["_id"]
        for kept in cases
        if kept["city"].startswith(city)
        and all(initials.get(word, word) in plain(f"{kept['description']} {kept['number']}") for word in words)
    ]
    return sorted(found, reverse=True)


async def paged(search: WordingSearch, text: str, city: str, size: int) -> list[str]:
    what = wanted(text, field="text")
    where = {**saying(what), **({"city": city} if city else {})}
    found: list[str] = []
    while page := await search.ids_by_terms(where, what, city=city, before=found[-1] if found else "", size=size):
        found += page
        if len(page) < size:
            break
    return found


@pytest.mark.parametrize("city", ["", *CITIES])
async def test_words_find_what_a_slow_look_finds(database: tuple[str, str], city: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](database[0]) as client:
        search = WordingSearch(client[database[1]]["wordings"])
        for text in ASKED:
            for size in (200, 61):
                assert await paged(search, text, city, size) == slowly(text, city), (text, size)


async def test_a_moment_has_one_entry_however_much_happens(database: tuple[str, str]) -> None:
    async with AsyncMongoClient[dict[str, Any]](database[0]) as client:
        moments = await client[database[1]]["moments"].find({"city": "4205"}).to_list()
    assert {kept["_id"][:MOMENT] for kept in moments} == {kept["_id"][:MOMENT] for kept in CASES if kept["city"] == "4205"}
    assert all(len(kept["terms"]) == len(set(kept["terms"])) for kept in moments)


async def test_new_words_of_a_case_are_found(database: tuple[str, str]) -> None:
    changed = CASES[3]["_id"]
    with MongoClient[dict[str, Any]](database[0], tz_aware=True) as client:
        cases = client[database[1]]["cases"]
        cases.update_one({"_id": changed}, {"$set": {"description": "违章建筑"}})
        WordingKeeper(cases).keep([changed, CASES[4]["_id"]])
    async with AsyncMongoClient[dict[str, Any]](database[0]) as client:
        search = WordingSearch(client[database[1]]["wordings"])
        assert await paged(search, "违章建筑", CASES[3]["city"], 20) == [changed]
        for word in CASES[3]["description"].split("、"):
            assert changed not in await paged(search, word, "", 200)
