"""The rarer ways of a case, each by the people who may take it: more facts, merging, the grid's own work, suspension, rating."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import CENTER, GRID, Office
from tests.e2e.web.test_accessible import serious

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

BEIJING = timedelta(hours=8)
PHOTO = {"uri": "https://files.example/after.jpg", "point": {"longitude": CENTER[0], "latitude": CENTER[1]}}


def choose(page: Page, name: str) -> None:
    """Presses a button beside the heading, or finds it in the menu there."""
    button = page.locator(".head").get_by_role("button", name=name, exact=True)
    more = page.locator(".head").get_by_role("button", name="更多操作")
    expect(button.or_(more).first).to_be_visible()
    if button.count() == 0:
        more.click()
        button = page.locator(".n-dropdown-option:visible", has_text=re.compile(f"^{name}$"))
    button.click()


def submit(page: Page, name: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()


def state(page: Page, name: str) -> None:
    expect(page.locator(".head .state")).to_contain_text(name)


def test_more_facts_are_asked_for_and_given(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.report("有人反映扰民")
    theirs = sign_in("dispatcher", f"/cases/{case['caseId']}")
    choose(theirs, "退回补充")
    submit(theirs, "退回补充")
    expect(theirs.get_by_role("dialog").get_by_role("alert")).to_have_text("请填写")
    assert theirs.evaluate("document.activeElement.id") == "field-reason"  # the first field with an error has the focus
    theirs.locator("#field-reason").fill("请写明地点和时间")
    submit(theirs, "退回补充")
    state(theirs, "退回补充")
    ours = sign_in("worker", f"/cases/{case['caseId']}", phone=True)
    ours.get_by_text("办理经过").click()
    expect(ours.locator(".history")).to_contain_text("请写明地点和时间")
    choose(ours, "补充后再报")
    submit(ours, "补充后再报")
    expect(ours.get_by_role("dialog").get_by_role("alert")).to_have_text("请填写")
    ours.locator("#field-remark").fill("西陵一路18号，每晚十点以后")
    shoot(ours, "phone-resubmit")
    submit(ours, "补充后再报")
    state(ours, "已上报")
    state(theirs, "已上报")


def test_a_duplicate_is_suggested_merged_and_let_go(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    words = f"单元门口井盖破损{uuid4().hex[:6]}"
    point = {"longitude": CENTER[0] + 0.001, "latitude": CENTER[1] + 0.001}
    first, second = (office.report(words, point=point) for _ in range(2))
    page = sign_in("dispatcher", f"/cases/{second['caseId']}")
    choose(page, "并案")
    row = page.get_by_role("dialog").get_by_role("radio", name=re.compile(first["number"]))
    expect(row).to_contain_text("相似度")
    shoot(page, "merge")
    assert serious(page) == []
    submit(page, "并案")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("请填写")
    row.click()
    submit(page, "并案")
    state(page, "已并案")
    page.locator(".facts").get_by_role("link", name=first["number"]).click()
    expect(page.locator(".facts")).to_contain_text("并入本事件 1 件")
    page.goto(f"/cases/{second['caseId']}")
    choose(page, "撤销并案")
    page.locator("#field-reason").fill("不是同一处")
    submit(page, "撤销并案")
    state(page, "已上报")


def test_the_grid_handles_a_case_itself(office: Office, sign_in: SignIn) -> None:
    case = office.report("楼道灯泡坏了")
    office.call("dispatcher", "POST", f"/v1/cases/{case['caseId']}:accept", {})
    page = sign_in("worker", f"/cases/{case['caseId']}", phone=True)
    choose(page, "网格自行处置")
    submit(page, "网格自行处置")
    state(page, "网格自行处置")
    choose(page, "报告处置结果")
    page.locator("#field-result").fill("已更换灯泡")
    submit(page, "报告处置结果")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("请填写")
    page.get_by_text("更多方式").click()
    page.get_by_placeholder("附件地址").fill("https://files.example/lamp.jpg")
    page.get_by_role("button", name="添加").click()
    submit(page, "报告处置结果")
    state(page, "待核查")
    # Whoever handled it does not check it, and is not offered to.
    expect(page.get_by_role("button", name="现场核查")).to_have_count(0)
    other = sign_in("supervisor", f"/cases/{case['caseId']}")
    expect(other.get_by_role("button", name="现场核查")).to_be_visible()


def test_a_case_is_suspended_within_bounds_and_goes_on(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("等待材料到货"), {"department": "UMD"}, {"department": "JUST"})
    office.act(case, "UMD", "accept")
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    choose(page, "挂账")
    page.locator("#field-reason").fill("等待配件到货")
    far = datetime.now(UTC) + BEIJING + timedelta(days=400)
    page.locator("#field-until").fill(far.strftime("%Y-%m-%dT%H:%M"))
    submit(page, "挂账")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("挂账最长为办结时限的一半。")
    page.locator("#field-until").fill("2020-01-01T00:00")
    submit(page, "挂账")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("结束时间须在现在之后。")
    shoot(page, "suspend")
    page.locator("#field-until").fill((datetime.now(UTC) + BEIJING + timedelta(minutes=40)).strftime("%Y-%m-%dT%H:%M"))
    submit(page, "挂账")
    state(page, "挂账延期")
    choose(page, "恢复办理")
    submit(page, "恢复办理")
    state(page, "并联办理中")
    expect(page.locator(".head").get_by_role("button", name="增派部门")).to_be_visible()
    expect(page.locator(".head").get_by_role("button", name="挂账", exact=True)).to_have_count(0)  # once per case


def test_departments_come_go_and_lead(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(
        office.report("夜市油烟和占道"), {"department": "UMD"}, {"department": "JUST"}, {"department": "CIVIL"}
    )
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    choose(page, "增派部门")
    submit(page, "增派部门")
    expect(page.get_by_role("dialog").get_by_text("请选择部门", exact=True)).to_be_visible()
    page.locator(".dialog .department").click()
    page.locator(".dialog .department input").fill("供水")
    page.locator(".n-base-select-option:visible", has_text="供水公司").click()
    page.get_by_placeholder("请部门做什么").fill("检查排水")
    shoot(page, "add-departments")
    submit(page, "增派部门")
    expect(page.locator(".task", has_text="供水公司")).to_contain_text("检查排水")
    page.locator(".task", has_text="民政局").get_by_role("button", name="撤出部门").click()
    page.locator("#field-reason").fill("不涉及民政")
    submit(page, "撤出部门")
    expect(page.locator(".task", has_text="民政局")).to_contain_text("已移出")
    choose(page, "变更牵头")
    page.locator(".dialog .n-select").click()
    page.locator(".n-base-select-option:visible", has_text="司法局").click()
    page.locator("#field-reason").fill("以调解为主")
    submit(page, "变更牵头")
    expect(page.locator(".task", has_text="司法局")).to_contain_text("牵头")


def test_more_time_and_an_exemption_are_ruled_on(office: Office, sign_in: SignIn) -> None:
    case = office.dispatch(office.report("广告牌松动"), {"department": "UMD"}, {"department": "JUST"})
    office.act(case, "UMD", "accept")
    theirs = sign_in("umd-officer", f"/cases/{case['caseId']}")
    own = theirs.locator(".task", has_text="城市管理局")
    own.get_by_role("button", name="申请延期").click()
    theirs.locator("#field-hours").fill("0.5")
    theirs.locator("#field-reason").fill("需要高空作业车")
    submit(theirs, "申请延期")
    expect(own).to_contain_text("待裁定")
    expect(own.get_by_role("button", name="申请延期")).to_have_count(0)
    theirs.locator(".task", has_text="司法局").get_by_role("button", name="提请免办").click()
    theirs.locator("#field-reason").fill("无法律问题")
    submit(theirs, "提请免办")
    ours = sign_in("dispatcher", f"/cases/{case['caseId']}")
    ours.get_by_role("button", name="审批延期").click()
    ours.get_by_role("radio", name="同意", exact=True).click()
    ours.locator("#field-reason").fill("情况属实")
    submit(ours, "审批延期")
    expect(ours.locator(".task", has_text="城市管理局")).to_contain_text("新时限")
    ours.get_by_role("button", name="裁定免办").click()
    ours.get_by_role("radio", name="同意免办").click()
    ours.locator("#field-reason").fill("同意")
    submit(ours, "裁定免办")
    expect(ours.locator(".task", has_text="司法局")).to_contain_text("已移出")


def test_the_workspace_and_the_chain_of_the_history(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("多部门会商"), {"department": "UMD"}, {"department": "JUST"})
    theirs = sign_in("umd-officer", f"/cases/{case['caseId']}")
    theirs.get_by_text("共享工作区", exact=True).click()
    theirs.get_by_role("button", name="写入").click()
    submit(theirs, "写入")
    expect(theirs.get_by_role("dialog").get_by_role("alert")).to_have_text("请填写")
    theirs.locator("#entry-text").fill("联系人电话 13812345678，周三现场会商")
    submit(theirs, "写入")
    expect(theirs.locator(".workspace")).to_contain_text("周三现场会商")
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    page.get_by_text("共享工作区", exact=True).click()
    expect(page.locator(".workspace")).to_contain_text("周三现场会商")
    expect(page.locator(".workspace")).not_to_contain_text("13812345678")
    shoot(page, "workspace")
    assert serious(page) == []
    page.get_by_text("办理经过").click()
    page.get_by_role("button", name="校验历史").click()
    expect(page.locator(".chain .good")).to_contain_text("历史完整")
    shoot(page, "history")


def test_a_lead_hands_a_case_over_with_the_written_notice(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("合同争议"), {"department": "UMD"}, {"department": "JUST"})
    office.act(case, "UMD", "accept")
    page = sign_in("umd-officer", f"/cases/{case['caseId']}")
    choose(page, "移交其他途径")
    page.locator(".dialog .n-select").click()
    page.locator(".n-base-select-option:visible", has_text="诉讼").click()
    page.locator("#field-authority").fill("西陵区人民法院")
    page.locator("#field-notice").fill("本事件属合同争议，不属于城市管理职责。")
    submit(page, "移交其他途径")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_count(2)
    page.locator("#field-remedies").fill("向人民法院起诉\n申请仲裁")
    page.locator("#field-reason").fill("超出职责")
    shoot(page, "transfer")
    submit(page, "移交其他途径")
    state(page, "已移交")
    expect(page.locator(".facts .remedies li")).to_have_count(2)


def test_a_resident_rates_and_a_dispatcher_reopens(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    body = {"category": "A0204", "description": "楼道杂物", "areaCode": GRID, "address": "西陵一路18号"}
    case = office.call("resident", "POST", "/v1/cases", body)
    case = office.dispatch(case, {"department": "UMD"})
    office.act(case, "UMD", "accept")
    office.act(case, "UMD", "complete", result="已清理", evidence=[PHOTO])
    office.call("supervisor", "POST", f"/v1/cases/{case['caseId']}:verify", {"passed": True, "photos": [PHOTO]})
    office.call("dispatcher", "POST", f"/v1/cases/{case['caseId']}:close", {})
    page = sign_in("resident", f"/cases/{case['caseId']}", phone=True)
    choose(page, "评价")
    page.get_by_role("radio", name="不满意", exact=False).nth(1).click()
    page.locator("#field-comment").fill("三天后又堆满了")
    shoot(page, "phone-rate")
    submit(page, "评价")
    state(page, "已评价")
    ours = sign_in("dispatcher", f"/cases/{case['caseId']}")
    choose(ours, "重新办理")
    ours.locator("#field-reason").fill("反映属实")
    submit(ours, "重新办理")
    state(ours, "已受理")
    expect(ours.locator(".facts")).to_contain_text("重新办理之前")


def test_a_draft_is_kept_completed_and_discarded(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    words = f"草稿{uuid4().hex[:8]}"
    page = sign_in("worker-shibanxi", "/report", phone=True)
    page.locator("#description").fill(words)
    page.get_by_role("button", name="保存草稿").click()
    row = page.locator("li", has_text=words)
    expect(row).to_be_visible()
    shoot(page, "phone-drafts")
    assert serious(page) == []
    row.get_by_role("link", name="填写并提交").click()
    expect(page.locator("#description")).to_have_value(words)
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_text("请选择类别")).to_be_visible()
    page.locator(".letters button").first.click()
    page.locator(".n-select").first.click()
    page.locator(".n-base-select-option:visible").first.click()
    page.get_by_role("button", name="使用当前位置").click()
    expect(page.get_by_text("所在网格")).to_be_visible()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_text("已上报")).to_be_visible()
    page.goto("/drafts")
    expect(page.locator("li", has_text=words)).to_have_count(0)
    page.goto("/report")
    page.locator("#description").fill(f"{words}作废")
    page.get_by_role("button", name="保存草稿").click()
    page.locator("li", has_text=f"{words}作废").get_by_role("button", name="删除").click()
    submit(page, "删除")
    expect(page.locator("li", has_text=f"{words}作废")).to_have_count(0)
