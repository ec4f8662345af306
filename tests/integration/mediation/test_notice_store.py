"""A full inbox: the first page and the bell look at a few hundred notices, not at half a year."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from mediation import notice_store as store
from svckit.access import Caller
from svckit.schema import ensure_schema

pytestmark = pytest.mark.integration
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
MANY = 6_000
DESK = Caller("desk", roles=frozenset({"DISPATCHER", "DEPT_LEAD"}), area="4205", department="FIRE")


@pytest.fixture
async def notices(mongo_uri: str) -> AsyncIterator[AsyncCollection[dict[str, Any]]]:
    database = f"t{uuid.uuid4().hex[:10]}"
    ensure_schema(uri=mongo_uri, database=database, documents=store.DOCUMENTS)
    async with AsyncMongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        await client[database]["notices"].insert_many([notice(number) for number in range(MANY)])
        yield client[database]["notices"]
        await client.drop_database(database)


def notice(number: int) -> dict[str, Any]:
    """Turn by turn to the dispatcher, to the department, to both as a person on duty, and to somebody else."""
    kinds: list[dict[str, Any]] = [
        {"roles": ["DISPATCHER", "SUPERVISION"], "post_department": "", "subjects": []},
        {"roles": ["DEPT_HANDLER", "DEPT_LEAD"], "post_department": "FIRE", "subjects": []},
        {"roles": ["DISPATCHER"], "post_department": "", "subjects": ["desk"]},
        {"roles": ["DEPT_HANDLER", "DEPT_LEAD"], "post_department": "UMD", "subjects": ["x"]},
    ]
    at = NOW + dt.timedelta(seconds=number)
    own = {"_id": f"{number:08}", "kind": "red", "case_id": "c", "area_code": "420502", "category": "A0204"}
    keep = {"created_at": at, "keep_until": at + dt.timedelta(days=99999), "read_by": []}
    return {**own, **keep, **kinds[number % 4]}


async def test_the_first_page_is_read_in_order(notices: AsyncCollection[dict[str, Any]]) -> None:
    search = store.NoticeSearch(notices, cases=notices.database["cases"])
    rows, token = await search.page(DESK, unread_only=False, token="", size=50)
    expected = [f"{number:08}" for number in range(MANY - 1, -1, -1) if number % 4 != 3]
    assert [row["notice_id"] for row in rows] == expected[:50]
    more, _ = await search.page(DESK, unread_only=False, token=token, size=50)
    assert [row["notice_id"] for row in more] == expected[50:100]
    plan = await notices.find(store.addressed_to(DESK)).sort([("created_at", -1), ("_id", 1)]).limit(51).explain()
    assert plan["executionStats"]["totalDocsExamined"] < 400
    assert "'stage': 'SORT'" not in repr(plan["queryPlanner"]["winningPlan"])


async def test_the_bell_counts_to_a_hundred_and_looks_at_the_newest(notices: AsyncCollection[dict[str, Any]]) -> None:
    search = store.NoticeSearch(notices, cases=notices.database["cases"])
    assert await search.unread(DESK) == store.MOST_UNREAD
    newest, _ = await search.page(DESK, unread_only=False, token="", size=200)
    await search.mark_read(DESK, notice_ids=[row["notice_id"] for row in newest[:3]], until=NOW)
    unread, _ = await search.page(DESK, unread_only=True, token="", size=1)
    assert unread[0]["notice_id"] == newest[3]["notice_id"]
    await search.mark_read(DESK, notice_ids=[], until=NOW + dt.timedelta(days=1))
    assert await search.unread(DESK) == 0
    assert await notices.count_documents({"read_by": "desk"}) == MANY * 3 // 4
    assert await notices.count_documents({"post_department": "UMD", "read_by": "desk"}) == 0


def task(department: str, state: str) -> dict[str, Any]:
    return {"task_id": f"t-{department}", "department": department, "state": state}


async def test_what_was_taken_from_a_department_asks_it_for_nothing(notices: AsyncCollection[dict[str, Any]]) -> None:
    fire = Caller("f", roles=frozenset({"DEPT_LEAD"}), area="4205", department="FIRE")
    cases = notices.database["cases"]
    ordinary = {"_id": "left", "tasks": [task("UMD", "accepted"), task("FIRE", "removed")]}
    # Open again: what was taken out then stands with the earlier tasks.
    hidden = {"_id": "hidden", "tasks": [task("PSB", "accepted")], "earlier_tasks": [task("FIRE", "removed")]}
    await cases.insert_many([ordinary, hidden])
    about = {"task_id": "t-FIRE", "department": "FIRE", "roles": ["DEPT_LEAD"], "post_department": "FIRE", "subjects": []}
    kinds = [
        ("left", "assigned", "A0204"),
        ("left", "removed", "A0204"),
        ("hidden", "red", "A0105"),
        ("hidden", "ruled", "A0105"),
    ]
    new = [
        {**notice(MANY + number), **about, "case_id": case_id, "kind": kind, "category": category}
        for number, (case_id, kind, category) in enumerate(kinds)
    ]
    await notices.update_many({}, {"$set": {"read_by": ["f"]}})
    await notices.insert_many(new)
    search = store.NoticeSearch(notices, cases=cases)
    rows, _ = await search.page(fire, unread_only=False, token="", size=4)
    shown = [(row["case_id"], row["kind"], row["over"], row["read"]) for row in rows]
    assert shown == [("hidden", "ruled", False, False), ("left", "removed", False, False), ("left", "assigned", True, True)]
    unread, _ = await search.page(fire, unread_only=True, token="", size=50)
    assert [row["kind"] for row in unread] == ["ruled", "removed"]
    assert await search.unread(fire) == 2
    umd = Caller("u", roles=frozenset({"DEPT_LEAD"}), area="4205", department="UMD")
    rows, _ = await search.page(umd, unread_only=False, token="", size=1)
    assert [row["over"] for row in rows] == [False]
