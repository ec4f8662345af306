"""Supervision on the case page: lifting a case, issuing an order, ruling on what the department answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

# The page looks again after this when nothing tells it to.
SOON = 25_000


def submit(page: Page, verb: str, reason: str = "", field: str = "#order-reason") -> None:
    """Fills the one text of a dialog and sends it."""
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.locator(field).fill(reason)
    dialog.get_by_role("button", name=verb).click()
    expect(dialog).to_have_count(0)


def tab(page: Page, name: str) -> Locator:
    """A tab of the case page."""
    return page.locator(".n-tabs-tab", has_text=name)


def open_case(office: Office, sign_in: SignIn, who: str, case: dict[str, Any]) -> Page:
    page = sign_in(who, f"/cases/{case['caseId']}")
    tab(page, "督办").click()
    return page


def sent(office: Office) -> dict[str, Any]:
    """A case that lies with JUST and UMD."""
    return office.dispatch(office.report("楼道长期堵塞，部门久拖不办"), {"department": "JUST"}, {"department": "UMD"})


def test_an_order_is_issued_answered_refused_and_done(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = sent(office)
    page = open_case(office, sign_in, "dispatcher", case)
    expect(page.get_by_text("还没有督办。")).to_be_visible()
    page.get_by_role("button", name="下达督办").click()
    shoot(page, "supervision-issue")
    submit(page, "下达督办", "请三日内书面说明办理情况", "#order-demand")
    card = page.locator(".order")
    expect(card).to_have_count(1)
    expect(card).to_have_class("order light_green")
    expect(card.locator(".state")).to_contain_text("待回复")
    expect(tab(page, "督办 1")).to_be_visible()

    order = office.call("dispatcher", "GET", f"/v1/supervisionOrders?caseId={case['caseId']}")["orders"][0]
    path = f"/v1/supervisionOrders/{order['orderId']}"
    office.call("dept-just", "POST", f"{path}:reply", {"stance": "REPLY_STANCE_DECLINED", "text": "不属于本部门职责"})
    expect(card.locator(".declined")).to_contain_text("不属于本部门职责", timeout=SOON)
    card.get_by_role("button", name="退回重报").click()
    submit(page, "退回重报", "职责清单第12条已明确")
    expect(card.locator(".state")).to_contain_text("退回重报")
    office.call("dept-just", "POST", f"{path}:reply", {"stance": "REPLY_STANCE_COMPLIED", "text": "已安排清理，附照片"})
    expect(card.locator(".state")).to_contain_text("已回复待审核", timeout=SOON)
    shoot(page, "supervision-replied", full=True)
    card.get_by_role("button", name="采纳回复").click()
    submit(page, "采纳回复")
    expect(card.locator(".state")).to_contain_text("已办结")
    expect(card).to_have_class("order light_unspecified")


def test_a_case_is_lifted_and_its_tasks_stay(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = sent(office)
    page = open_case(office, sign_in, "dispatcher", case)
    current = page.locator(".ladder [aria-current=step]")
    expect(current).to_have_text("网格")
    page.get_by_role("button", name="提级处置").click()
    submit(page, "提级处置", "网格、社区无力协调")
    expect(current).to_have_text("社区")
    shoot(page, "supervision-lifted")
    tab(page, "部门任务").click()
    expect(page.locator(".task")).to_have_count(2)
    page.get_by_text("办理经过").click()
    expect(page.locator(".history li").first).to_contain_text("提级处置")


def test_a_second_order_is_refused_in_words(office: Office, sign_in: SignIn) -> None:
    case = sent(office)
    task = case["tasks"][0]["taskId"]
    body = {"caseId": case["caseId"], "taskId": task, "demand": "请说明"}
    office.call("dispatcher", "POST", "/v1/supervisionOrders", body)
    page = open_case(office, sign_in, "dispatcher", case)
    page.get_by_role("button", name="下达督办").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="下达督办").click()
    expect(dialog.get_by_role("alert").first).to_contain_text("请填写")
    dialog.locator("#order-demand").fill("再催一次")
    dialog.get_by_role("button", name="下达督办").click()
    expect(dialog).to_contain_text("这个部门对此已有未办结的督办。")
