"""Lists, inboxes, counts, files and kept searches through real processes."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Awaitable, Callable
from typing import Any

import openpyxl
import pytest
from binglian.mediation.v1 import case_pb2, case_service_pb2, search_pb2, search_service_pb2, search_service_pb2_grpc
from binglian.type.v1 import evidence_pb2

from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from svckit.ids import new_id
from tests.integration.mediation.stack import Person, Stack

pytestmark = pytest.mark.integration

# A community of this file's own, so that nobody else's cases are counted.
COMMUNITY = "420505003007"
GRID = f"{COMMUNITY}10001"
OTHER_GRID = f"{COMMUNITY}10002"
PATIENCE = 15.0
Filter = search_pb2.CaseFilter


class Searcher(Person):
    """Somebody who searches."""

    def __init__(self, stack: Stack, **who: Any) -> None:
        super().__init__(stack, **({"subject": "searcher", "role": "DISPATCHER", "area": "420505"} | who))
        self.searching: Any = search_service_pb2_grpc.SearchServiceStub(self.channel)  # type: ignore[arg-type]

    async def find(self, order: int = 0, size: int = 200, token: str = "", **fields: Any) -> Any:
        """A page of cases of the community."""
        given = Filter(**({"area_prefix": COMMUNITY} | fields))
        request = search_service_pb2.FindCasesRequest(filter=given, order=order, page_size=size, page_token=token)
        return await self.searching.FindCases(request)

    async def ids(self, **fields: Any) -> list[str]:
        """The ids of a page."""
        return [case.case_id for case in (await self.find(**fields)).cases]

    async def inbox(self, token: str = "", size: int = 50, **fields: Any) -> Any:
        """A page of tasks."""
        given = search_pb2.TaskFilter(**({"area_prefix": COMMUNITY} | fields))
        return await self.searching.FindTasks(
            search_service_pb2.FindTasksRequest(filter=given, page_size=size, page_token=token)
        )

    async def file(self, **fields: Any) -> tuple[str, bytes]:
        """Name and bytes of a file."""
        fields = {"filter": Filter(area_prefix=COMMUNITY)} | fields
        parts = [part.part async for part in self.searching.ExportCases(search_service_pb2.ExportCasesRequest(**fields))]
        return parts[0].name, b"".join(part.data for part in parts)


async def eventually(look: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Waits until `look` gives what is wanted: the worker keeps the words."""
    give_up = time.monotonic() + PATIENCE
    while (seen := await look()) != wanted:
        assert time.monotonic() < give_up, f"{seen} instead of {wanted}"
        await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def cases(stack: Stack) -> dict[str, str]:
    """Ids of some cases of the community by a word for each; a worker runs."""
    stack.start_worker()
    return asyncio.run(reported(stack))


async def reported(stack: Stack) -> dict[str, str]:
    made: dict[str, str] = {}
    async with Searcher(stack) as person:
        for name, fields in REPORTS.items():
            given = {"area_code": GRID, "category": "D0402"} | fields
            made[name] = (await person.report(**given)).case_id
        await person.dispatch(made["pipe"], "FIRE", "UMD", "HOUSING")
        await person.dispatch(made["lamp"], "FIRE")
        reject = case_service_pb2.RejectCaseRequest(case_id=made["dog"], request_id=new_id(), reason="重复来电")
        await person.cases.RejectCase(reject)
    return made


def point(longitude: float, latitude: float = 30.7) -> Any:
    return evidence_pb2.Point(longitude=longitude, latitude=latitude)


REPORTS: dict[str, dict[str, Any]] = {
    "pipe": {"description": "东门外自来水管破裂,路面积水", "address": "夷陵大道1号", "point": point(111.30)},
    "again": {"description": "东门自来水管破裂积水很深", "point": point(111.3005)},
    "far": {"description": "西门自来水管破裂", "point": point(111.35)},
    "lamp": {"description": "Street lamp LED-77 broken 路灯不亮", "area_code": OTHER_GRID, "category": "C0101"},
    "dog": {
        "source": "05",
        "description": '=HYPERLINK("http://x") 遛狗不牵绳',
        "reporter_name": "王小明",
        "reporter_phone": "13812345678",
    },
}


async def test_words_find_cases(stack: Stack, cases: dict[str, str]) -> None:
    async with Searcher(stack, at=1) as person:
        pipes = [cases["far"], cases["again"], cases["pipe"]]
        await eventually(lambda: person.ids(text="水管破裂"), pipes)
        assert await person.ids(text="sgpl") == pipes
        assert await person.ids(text="水管 积水") == [cases["again"], cases["pipe"]]
        assert await person.ids(text="灯") == await person.ids(text="led-77") == await person.ids(text="ed") == [cases["lamp"]]
        assert await person.ids(text="水管破裂", department="FIRE") == [cases["pipe"]]
        assert await person.ids(text="没有的字") == []
        number = (await person.get(cases["lamp"])).number
        assert await person.ids(text=number) == [cases["lamp"]]
        first = await person.find(text="水管破裂", size=2)
        assert [case.case_id for case in first.cases] == pipes[:2]
        rest = await person.find(text="水管破裂", size=2, token=first.next_page_token)
        assert ([case.case_id for case in rest.cases], rest.next_page_token) == (pipes[2:], "")
        with pytest.raises(InvalidArgument) as refused:
            await person.find(text="水管", order=search_pb2.CASE_ORDER_DUE)
        assert refused.value.reason == "ORDER_NOT_WITH_WORDS"


async def test_places_and_duplicates(stack: Stack, cases: dict[str, str]) -> None:
    async with Searcher(stack) as person:
        await eventually(lambda: person.ids(near=point(111.30), radius=100), [cases["again"], cases["pipe"]])
        assert await person.ids(near=point(111.30), radius=20) == [cases["pipe"]]
        assert await person.ids(duplicates_of=cases["pipe"]) == [cases["again"]]
        assert await person.ids(duplicates_of=cases["lamp"]) == []
        with pytest.raises(NotFound):
            await person.find(duplicates_of=new_id())
    async with Searcher(stack, subject="stranger", area="420504") as stranger:
        with pytest.raises(NotFound):
            await stranger.find(area_prefix="", duplicates_of=cases["pipe"])


async def test_lists_by_what_a_case_is(stack: Stack, cases: dict[str, str]) -> None:
    newest = list(reversed(cases.values()))
    async with Searcher(stack, at=1) as person:
        assert await person.ids() == newest
        assert await person.ids(open=True) == [case_id for case_id in newest if case_id != cases["dog"]]
        assert await person.ids(states=[case_pb2.CASE_STATE_REJECTED]) == [cases["dog"]]
        assert await person.ids(category="C") == await person.ids(area_prefix=OTHER_GRID) == [cases["lamp"]]
        assert await person.ids(department="FIRE") == [cases["lamp"], cases["pipe"]]
        assert await person.ids(reporter="searcher") == newest
        assert await person.ids(reporter="somebody") == []
        # The register of letters and visits.
        assert await person.ids(sources=["05", "06"]) == [cases["dog"]]
        # Clocks of the dispatched ones may turn at any time; the rejected one changed after it was reported, the far one did not.
        changed = await person.ids(order=search_pb2.CASE_ORDER_CHANGED)
        assert sorted(changed) == sorted(newest)
        assert changed.index(cases["dog"]) < changed.index(cases["far"])
        due = await person.ids(order=search_pb2.CASE_ORDER_DUE)
        assert set(due) == {cases["pipe"], cases["lamp"]}
        assert await person.ids(due=search_pb2.DUE_WINDOW_OVERDUE) == []
    async with Searcher(stack, subject="stranger", area="420504") as stranger:
        assert await stranger.ids() == []
        assert await stranger.ids(area_prefix="") == []
    async with Searcher(stack, subject="resident", role="RESIDENT") as resident:
        assert await resident.ids(text="水管破裂") == []
        mine = (await resident.report(area_code=GRID, description="水管破裂又来")).case_id
        assert await resident.ids() == [mine]
        await eventually(lambda: resident.ids(text="水管破裂"), [mine])
    async with Searcher(stack) as person:
        await person.cases.RejectCase(case_service_pb2.RejectCaseRequest(case_id=mine, request_id=new_id(), reason="测试"))


async def test_every_order_pages_through_all(stack: Stack, cases: dict[str, str]) -> None:
    async with Searcher(stack) as person:
        for order in (search_pb2.CASE_ORDER_UNSPECIFIED, search_pb2.CASE_ORDER_CHANGED, search_pb2.CASE_ORDER_DUE):
            whole = await person.ids(order=order)
            seen: list[str] = []
            token = ""
            while True:
                page = await person.find(order=order, size=1, token=token)
                seen += [case.case_id for case in page.cases]
                if not (token := page.next_page_token):
                    break
            assert seen == whole


async def test_an_inbox_holds_what_is_open_by_due_time(stack: Stack, cases: dict[str, str]) -> None:
    async with Searcher(stack, subject="fire", role="DEPT_HANDLER", department="FIRE", area="4205") as fire:
        tasks = (await fire.inbox()).tasks
        assert {task.case_id for task in tasks} == {cases["pipe"], cases["lamp"]}
        due = [min(clock.due_at.ToMilliseconds() for clock in view.task.clocks if clock.kind == 3) for view in tasks]
        assert due == sorted(due)
        first = await fire.inbox(size=1)
        second = await fire.inbox(size=1, token=first.next_page_token)
        assert [first.tasks[0].case_id, second.tasks[0].case_id] == [view.case_id for view in tasks]
        assert second.next_page_token == ""
        assert not (await fire.inbox(mine=True)).tasks
        await fire.accept(await fire.get(cases["lamp"]))
        mine = (await fire.inbox(mine=True)).tasks
        assert [view.case_id for view in mine] == [cases["lamp"]]
        assert not (await fire.inbox(due=search_pb2.DUE_WINDOW_OVERDUE)).tasks
        assert not (await fire.inbox(light=case_pb2.LIGHT_RED)).tasks
        assert [view.case_id for view in (await fire.inbox(category="C")).tasks] == [cases["lamp"]]
        assert not (await fire.inbox(states=[case_pb2.TASK_STATE_DONE])).tasks
        with pytest.raises(PermissionDenied):
            await fire.inbox(department="UMD")
    async with Searcher(stack) as person:
        everybody = [view.task.department for view in (await person.inbox()).tasks]
        assert sorted(everybody) == ["FIRE", "FIRE", "HOUSING", "UMD"]
        paged: list[Any] = []
        token = ""
        while True:
            page = await person.inbox(size=1, token=token)
            paged += [view.task.department for view in page.tasks]
            if not (token := page.next_page_token):
                break
        assert paged == everybody


async def test_cases_of_an_earlier_version_are_found_after_a_reindex(
    stack: Stack, cases: dict[str, str], documents: Any, tmp_path: Any
) -> None:
    documents.database["wordings"].delete_many({})
    documents.database["moments"].delete_many({})
    documents.update_one({"_id": cases["lamp"]}, {"$unset": {"inbox": True}})
    marks = documents.find_one({"_id": cases["pipe"]})["inbox"]
    async with Searcher(stack, subject="fire", role="DEPT_HANDLER", department="FIRE", area="4205") as fire:
        assert await fire.ids(text="led-77") == []
        assert cases["lamp"] not in [view.case_id for view in (await fire.inbox()).tasks]
        assert stack.start("reindex", tmp_path / "log").wait(60) == 0
        assert await fire.ids(text="led-77") == [cases["lamp"]]
        assert cases["lamp"] in [view.case_id for view in (await fire.inbox()).tasks]
    assert (tmp_path / "log").read_text().strip().endswith("cases")
    assert documents.find_one({"_id": cases["pipe"]})["inbox"] == marks


async def test_counts(stack: Stack, cases: dict[str, str]) -> None:
    async with Searcher(stack) as person:
        request = search_service_pb2.CountFoundCasesRequest(filter=Filter(area_prefix=COMMUNITY, open=True))
        counted = await person.searching.CountFoundCases(request)
        assert (counted.total, counted.more) == (4, False)
        assert {row.value: row.count for row in counted.states}["CASE_STATE_REPORTED"] == 2
        assert {row.value: row.count for row in counted.categories} == {"D04": 3, "C01": 1}
        assert {row.value: row.count for row in counted.departments} == {"FIRE": 2, "": 2}
        request.filter.text = "水管破裂"
        assert (await person.searching.CountFoundCases(request)).total == 3
        board = await person.cases.CountCases(case_service_pb2.CountCasesRequest(area_prefix=COMMUNITY))
        states = {row.state: row.count for row in board.states}
        assert states[case_pb2.CASE_STATE_REPORTED] == 2
        assert states[case_pb2.CASE_STATE_REJECTED] >= 1
        assert sum(row.count for row in board.lights) == 4


async def test_files_are_masked_and_harmless(stack: Stack, cases: dict[str, str]) -> None:
    async with Searcher(stack) as person:
        name, data = await person.file(filter=Filter(area_prefix=COMMUNITY, reporter="searcher"))
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        assert (name.endswith(".csv"), rows[0][0], len(rows)) == (True, "事件编号", 1 + len(cases))
        dog = next(row for row in rows if "遛狗" in row[6])
        assert dog[6].startswith("'=HYPERLINK")
        assert (dog[1], dog[18], dog[19]) == ("不予受理", "王**", "138****5678")
        assert (rows[0][-1], dog[-1]) == ("来源", "来信")
        name, data = await person.file(format=search_service_pb2.EXPORT_FORMAT_XLSX, language="en")
        sheet = openpyxl.load_workbook(io.BytesIO(data)).active
        table = [[cell.value for cell in row] for row in sheet.rows]
        assert (name.endswith(".xlsx"), table[0][0]) == (True, "Number")
        assert {cell.data_type for row in sheet.rows for cell in row} <= {"s", "n", "inlineStr"}
        assert any(row[11] == "Fire rescue brigade" or "=HYPERLINK" in (row[6] or "") for row in table)
        name, data = await person.file(filter=Filter(area_prefix=COMMUNITY, text="没有的字"))
        assert len(list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))) == 1


async def test_searches_are_kept_and_shared(stack: Stack) -> None:
    async with (
        Searcher(stack, subject="one", role="DEPT_HANDLER", department="UMD", area="4205") as one,
        Searcher(stack, subject="two", role="DEPT_LEAD", department="UMD", area="4205", at=1) as two,
    ):
        today = search_pb2.TaskFilter(mine=True, due=search_pb2.DUE_WINDOW_TODAY)
        request = search_service_pb2.SaveSearchRequest(request_id=new_id(), name="我的今日到期", tasks=today)
        saved = (await one.searching.SaveSearch(request)).search
        assert (await one.searching.SaveSearch(request)).search.search_id == saved.search_id
        assert saved.tasks == today
        assert not saved.HasField("cases")
        red = Filter(light=case_pb2.LIGHT_RED)
        shared = search_service_pb2.SaveSearchRequest(request_id=new_id(), name="红灯", shared=True, cases=red)
        shared_id = (await one.searching.SaveSearch(shared)).search.search_id
        names = await listed(one)
        assert names == {"我的今日到期": False, "红灯": True}
        assert await listed(two) == {"红灯": True}
        with pytest.raises(NotFound):
            await forget(two, shared_id)
        await forget(one, shared_id)
        assert await listed(two) == {}
        with pytest.raises(NotFound):
            await forget(one, shared_id)
        wrong = search_service_pb2.SaveSearchRequest(request_id=new_id(), name="x", cases=Filter(department="NOBODY"))
        with pytest.raises(InvalidArgument):
            await one.searching.SaveSearch(wrong)


async def test_nobody_keeps_too_many_searches(stack: Stack) -> None:
    async with Searcher(stack, subject="collector") as person:

        async def save(number: int) -> None:
            request = search_service_pb2.SaveSearchRequest(request_id=new_id(), name=f"搜索{number}", cases=Filter(open=True))
            await person.searching.SaveSearch(request)

        for number in range(100):
            await save(number)
        with pytest.raises(FailedPrecondition) as refused:
            await save(100)
        assert refused.value.reason == "TOO_MANY_SEARCHES"


async def listed(person: Searcher) -> dict[str, bool]:
    found = await person.searching.ListSearches(search_service_pb2.ListSearchesRequest())
    return {search.name: bool(search.department) for search in found.searches}


async def forget(person: Searcher, search_id: str) -> None:
    await person.searching.ForgetSearch(search_service_pb2.ForgetSearchRequest(search_id=search_id, request_id=new_id()))
