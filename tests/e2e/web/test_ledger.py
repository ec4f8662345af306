"""The time ledger in the pages: standstills in the timeline, whose minutes decided, categories in parallel against serial, CSV."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office
from tests.e2e.web.test_accessible import serious

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def month_begin() -> dt.datetime:
    """A time in the present month of Asia/Shanghai, far enough back for a few days of work where the month allows it."""
    now = dt.datetime.now(dt.UTC)
    local = now + dt.timedelta(hours=8)
    start = dt.datetime(local.year, local.month, 1, tzinfo=dt.UTC) - dt.timedelta(hours=8)
    return max(start + dt.timedelta(minutes=1), now - dt.timedelta(days=6))


def past_case(office: Office, category: str, work: dict[str, tuple[float, float]]) -> None:
    """An imported case: each department accepted and completed so many parts in a thousand of the time until now after the report."""
    start, now = month_begin(), dt.datetime.now(dt.UTC)
    part = (now - start) / 1000

    def at(parts: float) -> str:
        return iso(start + part * parts)

    def send(path: str, at_: float, **body: object) -> dict:
        return office.call("importer", "POST", path, {**body, "happenedAt": at(at_)})

    case = send("/v1/cases", 0, category=category, description="导入的事件", areaCode="420502001003", address="西陵一路18号")
    tasks = [{"department": name, "role": "TASK_ROLE_JOINT" if n else "TASK_ROLE_LEAD"} for n, name in enumerate(work)]
    case = send(f"/v1/cases/{case['caseId']}:dispatch", 20, tasks=tasks)
    for task in case["tasks"]:
        accepted, done = work[task["department"]]
        path = f"/v1/cases/{case['caseId']}/tasks/{task['taskId']}"
        send(f"{path}:accept", accepted)
        send(f"{path}:complete", done, result="已处理", unifiedReply="已处理", partiesInformed="电话")


def test_a_case_shows_its_standstill_and_whose_minutes_decided(
    office: Office, sign_in: SignIn, shoot: Callable[..., None], tmp_path: Path
) -> None:
    case = office.dispatch(
        office.report("楼道堆物，需多部门处理"),
        {"department": "JUST"},
        {"department": "PSB"},
        {"department": "UMD", "after": ["PSB"]},
    )
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    page.wait_for_timeout(1_500)
    for department in ("JUST", "PSB"):
        case = office.act(case, department, "accept")
    page.wait_for_timeout(1_500)
    until = iso(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    office.call("dispatcher", "POST", f"/v1/cases/{case['caseId']}:suspend", {"reason": "等待房主返回", "until": until})
    expect(page.locator(".plot .track").first.locator(".span.suspended.open")).to_be_visible()
    page.wait_for_timeout(2_500)
    office.call("dispatcher", "POST", f"/v1/cases/{case['caseId']}:resume", {})
    case = office.act(case, "PSB", "complete", result="已劝离")
    page.wait_for_timeout(1_200)
    case = office.act(case, "UMD", "accept")
    page.wait_for_timeout(1_000)
    case = office.act(case, "JUST", "complete", result="房主已整改", unifiedReply="楼道已恢复畅通", partiesInformed="电话")
    office.act(case, "UMD", "complete", result="已清运")

    expect(page.locator(".legend")).to_contain_text("挂账停表")
    page.locator(".plot .track").first.locator(".span.working").last.hover()
    expect(page.locator(".tip")).to_contain_text(re.compile("司法局.*办理", re.DOTALL))
    expect(page.locator(".tip")).to_contain_text("到期")
    panel = page.locator(".ledger.panel")
    expect(panel).to_contain_text("推演", timeout=30_000)
    expect(panel).to_contain_text("挂账停表")
    expect(panel.locator(".band li")).not_to_have_count(0)
    shoot(page, "case-ledger", full=True)
    with page.expect_download() as download:
        panel.get_by_role("link", name="关键路径 CSV").click()
    rows = saved(download.value, tmp_path)
    assert [row["部门代码 Department code"] for row in rows] == ["", "PSB", "UMD"]
    assert rows[1]["挂起(分钟) Standstill minutes"] != "0"


def saved(download, folder: Path) -> list[dict[str, str]]:
    path = folder / download.suggested_filename
    download.save_as(path)
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))


@pytest.fixture(scope="module")
def handled(office: Office) -> None:
    """Handled cases of three categories; in the last, one department acted alone."""
    past_case(office, "A0204", {"JUST": (40, 300), "PSB": (100, 420), "UMD": (60, 380)})
    past_case(office, "A0204", {"JUST": (30, 250), "PSB": (90, 500)})
    past_case(office, "D0102", {"UMD": (25, 120), "ENV": (200, 260)})
    past_case(office, "C0102", {"UMD": (30, 90)})


def ledger_page(sign_in: SignIn, **more: object) -> Page:
    """The page with its figures, once the assessment has all cases."""
    page = sign_in("dispatcher", "/ledger", **more)
    for _ in range(20):
        page.locator("table tbody tr, .nothing").first.wait_for()
        if page.locator("tbody tr").count() >= 3:
            break
        page.wait_for_timeout(1_000)
        page.reload()
    return page


def test_categories_are_compared(
    office: Office, handled: None, sign_in: SignIn, shoot: Callable[..., None], tmp_path: Path
) -> None:
    page = ledger_page(sign_in)
    expect(page.get_by_role("img", name="各类别：并联实际与串联推演").locator("svg")).to_be_visible()
    expect(page.get_by_role("img", name="关键路径用时归属").locator("svg")).to_contain_text("公安分局")
    row = page.locator("tbody tr", has_text="公共部位占用堆物")
    # Other tests of a run may have handled such cases within seconds.
    expect(row.locator("td").nth(2)).to_contain_text(re.compile("天|小时|分|秒"))
    expect(page.locator("tbody tr", has_text="C0102")).to_contain_text("只有一个部门办理")
    page.wait_for_timeout(600)
    shoot(page, "ledger", full=True)
    row.get_by_role("button").click()
    expect(page.locator(".chosen").first).to_contain_text("公共部位占用堆物")
    with page.expect_download() as download:
        page.get_by_role("link", name="各类别对比").click()
    rows = saved(download.value, tmp_path)
    found = next(row for row in rows if row["类别代码 Category code"] == "A0204")
    assert float(found["串联用时中位数(分钟, 推演值) Median serial minutes (modelled)"]) >= float(
        found["实际用时中位数(分钟) Median actual minutes"]
    )
    page.locator(".filters .month").click()
    page.locator(".n-base-select-option:visible").last.click()
    expect(page.get_by_text("这个月在所选范围内还没有办结的事件。")).to_be_visible()


def test_categories_on_a_phone(office: Office, handled: None, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    page = ledger_page(sign_in, phone=True)
    expect(page.get_by_role("img", name="关键路径用时归属").locator("svg")).to_be_visible()
    page.wait_for_timeout(600)
    shoot(page, "ledger-phone", full=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_case_on_a_phone(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("小区道路积水，多部门处理"), {"department": "UMD"}, {"department": "WATERB"})
    page = sign_in("dispatcher", f"/cases/{case['caseId']}", phone=True)
    for department in ("WATERB", "UMD"):
        case = office.act(case, department, "accept")
        page.wait_for_timeout(1_000)
        case = office.act(case, department, "complete", result="已抽排", unifiedReply="已抽排", partiesInformed="电话")
    panel = page.locator(".ledger.panel")
    expect(panel).to_contain_text("推演", timeout=30_000)
    page.locator(".plot .span").first.click()
    expect(page.locator(".tip")).to_be_visible()
    box = page.locator(".tip").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    shoot(page, "case-ledger-phone", full=True)
    page.locator(".head").click()
    expect(page.locator(".tip")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ledger_has_no_serious_barriers(
    office: Office, handled: None, sign_in: SignIn, shoot: Callable[..., None], scheme: str
) -> None:
    page = ledger_page(sign_in, color_scheme=scheme)
    page.locator("tbody button").first.click()
    page.wait_for_timeout(800)
    shoot(page, f"ledger-{scheme}", full=True)
    assert serious(page) == []
