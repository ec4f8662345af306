"""One case: dispatched, worked on in parallel, checked and closed, watched all the time."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import CENTER, Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def lane(page: Page, place: int):
    """Track of the timeline's n-th department."""
    return page.locator(".plot .track").nth(place)


def bar_width(page: Page, place: int) -> float:
    box = lane(page, place).locator(".span").last.bounding_box()
    assert box
    return box["width"]


def test_the_timeline_draws_itself(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.report("出租房楼道被堵塞，存在火灾隐患")
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    expect(page.get_by_text("派遣之后，各部门的办理过程会在这里实时画出。")).to_be_visible()
    case = office.dispatch(
        case,
        {"department": "JUST", "instruction": "牵头约谈房主"},
        {"department": "PSB"},
        {"department": "UMD", "after": ["PSB"], "instruction": "清理杂物"},
    )
    expect(page.locator(".plot .track")).to_have_count(3)
    expect(lane(page, 0).locator(".span.assigned.open")).to_be_visible()
    expect(lane(page, 2).locator(".span.waiting.open")).to_be_visible()
    expect(page.locator(".now")).to_be_visible()
    expect(page.locator(".over > path")).to_have_class("pending")

    case = office.act(case, "PSB", "accept")
    expect(lane(page, 1).locator(".span.working.open")).to_be_visible()
    case = office.act(case, "PSB", "complete", result="已劝离车辆")
    expect(lane(page, 1).locator(".mark.done")).to_be_visible()
    expect(lane(page, 2).locator(".span.assigned.open")).to_be_visible()
    case = office.act(case, "UMD", "accept")
    case = office.act(case, "UMD", "reportProgress", text="清运车已到")
    expect(lane(page, 2).locator(".mark.progress")).to_be_visible()
    page.wait_for_timeout(1_500)
    shoot(page, "case-live")

    case = office.act(case, "JUST", "accept")
    case = office.act(case, "JUST", "complete", result="房主已整改", unifiedReply="楼道已恢复畅通", partiesInformed="电话")
    expect(page.locator(".labels strong")).to_have_count(2)  # everybody waits for one chain: it is critical by now
    case = office.act(case, "UMD", "complete", result="已清运")
    expect(page.locator(".head .state")).to_contain_text("待核查")
    expect(page.locator(".now")).to_have_count(0)
    expect(page.locator(".outline")).to_have_count(2)
    expect(page.locator(".over > path")).to_have_class("critical")
    expect(page.locator(".ghost")).to_have_count(3)
    expect(page.locator(".sum")).to_contain_text(re.compile("并联 .+ 串联推演 .+"))
    shoot(page, "case-handled", full=True)
    page.get_by_text("办理经过").click()
    expect(page.locator(".history li").first).to_contain_text("办结任务")


def test_the_dispatcher_edits_the_plan(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.report("楼道堆物，请各部门处理")
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    page.get_by_role("button", name="派遣", exact=True).click()
    rows = page.locator(".rows li")
    expect(rows.first).to_be_visible()
    shoot(page, "dispatch")
    planned = rows.count()
    assert planned >= 2
    rows.last.get_by_role("button", name=re.compile("移除")).click()
    expect(rows).to_have_count(planned - 1)
    page.get_by_role("button", name="添加部门").click()
    expect(page.get_by_text("请选择部门", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("同时派遣"))).to_be_disabled()
    rows.last.locator(".department").click()
    rows.last.locator(".department input").fill("供水")
    page.locator(".n-base-select-menu:visible .n-base-select-option", has_text="供水公司").click()
    expect(page.locator(".n-base-select-menu:visible")).to_have_count(
        0
    )  # or the next click may hit the list that is going away
    rows.last.locator(".after").click()
    page.locator(".n-base-select-menu:visible .n-base-select-option").first.click()
    page.keyboard.press("Escape")
    rows.last.get_by_placeholder("请部门做什么").fill("检查楼道供水管")
    expect(page.get_by_text("1 个等待前序")).to_be_visible()
    page.get_by_role("button", name=re.compile("同时派遣")).click()
    expect(page.locator(".plot .track")).to_have_count(planned)
    expect(page.locator(".task", has_text="供水公司")).to_contain_text("检查楼道供水管")
    expect(page.locator(".task", has_text="供水公司")).to_contain_text("等待前序")


def test_a_department_works_and_is_told_what_is_missing(office: Office, sign_in: SignIn) -> None:
    case = office.dispatch(office.report("餐馆油烟扰民"), {"department": "UMD"}, {"department": "ENV"})
    page = sign_in("umd-officer", f"/cases/{case['caseId']}")
    page.get_by_role("button", name="接收任务").click()
    page.get_by_role("button", name="报告进展").click()
    page.locator("#field-text").fill("已约谈店主")
    page.get_by_role("dialog").get_by_role("button", name="报告进展").click()
    expect(page.locator(".task", has_text="城市管理局")).to_contain_text("已约谈店主")
    page.get_by_role("button", name="办结任务").click()
    page.locator("#field-result").fill("加装净化设备")
    page.get_by_role("dialog").get_by_role("button", name="办结任务").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(["请填写", "请填写"])
    page.locator("#field-unifiedReply").fill("油烟已治理")
    page.locator("#field-partiesInformed").fill("当面告知")
    page.get_by_role("dialog").get_by_role("button", name="办结任务").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".facts")).to_contain_text("油烟已治理")


def test_the_only_department_of_a_case_adds_a_photograph(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("路灯不亮"), {"department": "UMD"})
    page = sign_in("umd-officer", f"/cases/{case['caseId']}", phone=True)
    page.get_by_role("button", name="接收任务").click()
    page.get_by_role("button", name="办结任务").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#field-unifiedReply")).to_have_count(0)
    expect(dialog).to_contain_text("至少附一张处置后的照片")
    page.locator("#field-result").fill("已更换灯头")
    dialog.get_by_role("button", name="办结任务").click()
    expect(dialog.get_by_role("alert")).to_have_text("请填写")
    shoot(page, "complete-alone-phone")
    page.locator("input[type=file]").set_input_files({"name": "after.jpg", "mimeType": "image/jpeg", "buffer": uuid4().bytes})
    dialog.get_by_role("button", name="办结任务").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".head .state")).to_contain_text("待核查")


def test_an_objection_is_raised_and_ruled_on(office: Office, sign_in: SignIn) -> None:
    case = office.dispatch(office.report("夜间施工噪声"), {"department": "ENV"}, {"department": "UMD"})
    theirs = sign_in("umd-officer", f"/cases/{case['caseId']}")
    theirs.get_by_role("button", name="提出异议").click()
    theirs.locator("#field-reason").fill("噪声不属城管职责")
    theirs.get_by_role("dialog").get_by_role("button", name="提出异议").click()
    ours = sign_in("dispatcher", f"/cases/{case['caseId']}")
    ours.get_by_role("button", name="裁定异议").click()
    ours.get_by_role("radio", name="异议成立").click()
    ours.locator("#field-reason").fill("同意移出")
    ours.get_by_role("dialog").get_by_role("button", name="裁定异议").click()
    expect(theirs.locator(".task", has_text="城市管理局")).to_contain_text("已移出")


def test_a_check_on_site_fails_then_passes_and_the_case_is_closed(
    office: Office, sign_in: SignIn, shoot: Callable[..., None]
) -> None:
    case = office.report("井盖破损", point={"longitude": CENTER[0], "latitude": CENTER[1]})
    case = office.dispatch(case, {"department": "UMD"}, {"department": "PSB"})
    for department in ("UMD", "PSB"):
        case = office.act(case, department, "accept")
        reply = {"unifiedReply": "已修复", "partiesInformed": "电话"} if department == "UMD" else {}
        case = office.act(case, department, "complete", result="完成", **reply)
    page = sign_in("supervisor", f"/cases/{case['caseId']}")
    page.get_by_role("button", name="现场核查").click()
    page.get_by_role("radio", name="不通过").click()
    page.get_by_role("checkbox", name="城市管理局").click()
    page.locator("#field-text").fill("井盖仍松动")
    page.get_by_role("dialog").get_by_role("button", name="现场核查").click()
    expect(page.locator(".head .state")).to_contain_text("返工中")
    expect(page.locator(".span.rework")).to_be_visible()
    case = office.act(case, "UMD", "accept")
    office.act(case, "UMD", "complete", result="已紧固", unifiedReply="已修复", partiesInformed="电话")

    page.get_by_role("button", name="现场核查").click()
    page.get_by_role("radio", name="通过", exact=True).click()
    page.get_by_text("更多方式").click()
    page.get_by_placeholder("拍摄位置（经度，纬度）").fill(f"{CENTER[0] + 0.01}, {CENTER[1]}")
    page.locator("input[type=file]").set_input_files({"name": "after.jpg", "mimeType": "image/jpeg", "buffer": uuid4().bytes})
    page.get_by_role("dialog").get_by_role("button", name="现场核查").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("照片拍摄位置超出 50 米。")
    shoot(page, "verify-refused")
    page.get_by_role("button", name="移除附件").click()
    page.get_by_placeholder("拍摄位置（经度，纬度）").fill("")
    page.locator("input[type=file]").set_input_files({"name": "after.jpg", "mimeType": "image/jpeg", "buffer": uuid4().bytes})
    expect(page.get_by_text("已定位")).to_be_visible()  # the device's own position this time
    page.get_by_role("dialog").get_by_role("button", name="现场核查").click()
    expect(page.locator(".head .state")).to_contain_text("核查通过")
    page.get_by_role("button", name="结案", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="结案").click()
    expect(page.locator(".head .state")).to_contain_text("已结案")
    expect(page.locator(".steps .done")).to_have_count(4)


def test_the_trace_is_a_waterfall(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("追踪这个事件"), {"department": "FIRE"}, {"department": "UMD"})
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    page.get_by_text("调用链", exact=True).click()
    rows = page.get_by_role("treeitem")
    folds = rows.locator(".fold[aria-label='折叠']")
    for _ in range(20):
        if rows.count() >= 6 and folds.count():  # spans come process by process, children sometimes before their parents
            break
        page.wait_for_timeout(1_000)
        page.get_by_role("button", name="刷新").click()
    assert rows.count() >= 6
    assert page.locator(".services li").count() >= 2
    shoot(page, "trace", full=True)
    before = rows.count()
    folds.first.click()
    assert rows.count() < before
    page.get_by_role("button", name="全部展开").click()
    expect(rows).to_have_count(before)
    rows.first.locator(".text").click()
    expect(rows.first.locator("dl")).to_be_visible()


def test_a_case_that_does_not_exist(sign_in: SignIn) -> None:
    page = sign_in("dispatcher", "/cases/0199aaaa-0000-7000-8000-000000000001")
    expect(page.get_by_role("alert")).to_contain_text("没有这个事件，或它不在你的区域内。")


def test_phone(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(
        office.report("小区道路积水"), {"department": "UMD"}, {"department": "WATERB"}, {"department": "PROP", "after": ["UMD"]}
    )
    office.act(case, "WATERB", "accept")
    page = sign_in("umd-officer", f"/cases/{case['caseId']}", phone=True)
    expect(page.locator(".plot .track")).to_have_count(3)
    page.wait_for_timeout(1_000)
    assert bar_width(page, 0) > 20
    shoot(page, "case-phone", full=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="接收任务").click()
    expect(lane(page, 0).locator(".span.working")).to_be_visible()
