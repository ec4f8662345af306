"""What people are told: the bell, their notices, what went out, and the roster."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office
from tests.e2e.web.test_accessible import serious

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_a_dispatch_rings_the_bell(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case, _ = (office.dispatch(office.report(what), {"department": "UMD"}) for what in ("路灯不亮", "井盖缺失"))
    page = sign_in("umd-officer", "/notices")
    expect(page.locator(".bell .badge")).to_be_visible(timeout=30_000)
    row = page.locator("li", has_text=case["number"])
    expect(row).to_contain_text("新任务", timeout=30_000)
    shoot(page, "notices")
    assert serious(page) == []
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"[^/]/cases/{case['caseId']}$"))
    page.get_by_role("link", name="通知").click()
    page.get_by_role("button", name="全部标为已读").click()
    expect(page.locator(".bell .badge")).to_have_count(0)
    page.get_by_role("switch", name="只看未读").click()
    expect(page.get_by_text("没有通知。")).to_be_visible()


def test_the_roster_and_what_went_out(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    subject = f"on-duty-{uuid4().hex[:8]}"
    page = sign_in("dispatcher", "/notices/roster")
    page.get_by_role("button", name="登记值班").click()
    page.locator("#field-duty-subject").fill(subject)
    page.locator("#field-duty-name").fill("周建国")
    page.locator(".dialog .n-select").nth(1).click()
    page.locator(".n-base-select-option", has_text="民政局").click()
    page.get_by_role("checkbox", name="短信").click()
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("所选通知方式缺少联系方式。")
    page.locator("#field-duty-phone").fill("13800138000")
    page.get_by_role("switch", name="夜间也发送").click()
    shoot(page, "duty-dialog")
    assert serious(page) == []
    page.get_by_role("button", name="登记", exact=True).click()
    row = page.locator("li", has_text=subject)
    expect(row).to_contain_text("周**")
    expect(row).to_contain_text("138****8000")
    shoot(page, "roster")

    case = office.dispatch(office.report("困难群众需要帮助"), {"department": "CIVIL"})
    page.goto("/notices/deliveries")
    sent = page.locator("li", has_text=subject)
    for _ in range(20):
        if sent.filter(has_text="仅写入日志").count():
            break
        page.wait_for_timeout(1_500)
        page.get_by_role("button", name="刷新").click()
    expect(sent).to_contain_text(case["number"])
    expect(sent).to_contain_text("未配置网关，仅写入日志")
    shoot(page, "deliveries")
    assert serious(page) == []
    sent.get_by_role("button", name="重新发送").click()
    expect(sent).to_contain_text("待发送")
    page.goto("/notices/roster")
    page.locator("li", has_text=subject).get_by_role("button", name="移出").click()
    expect(page.locator("li", has_text=subject)).to_have_count(0)
