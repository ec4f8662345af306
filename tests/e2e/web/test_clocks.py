"""The case page says why a clock is due when it is."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_clocks_explain_themselves(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.dispatch(office.report("电动自行车停满楼道，居民之间发生争执"), {"department": "JUST"}, {"department": "PSB"})
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    expect(page.locator(".task")).to_have_count(2)
    lead = page.locator(".task").first
    resolve = lead.locator(".clocks button", has_text="办结")
    expect(resolve).to_have_attribute("aria-expanded", "false")
    resolve.click()
    expect(resolve).to_have_attribute("aria-expanded", "true")
    reason = lead.locator(".reason")
    expect(reason).to_contain_text(re.compile("到期：自.+起5个工作日，到最后一个工作日下班时止"))
    expect(reason).to_contain_text("依据: dispute_route.csv 0204")
    assert reason.locator(".days li").count() >= 5
    expect(reason.locator(".changes li")).to_have_count(1)
    shoot(page, "clock-reason", full=True)

    office.act(case, "JUST", "accept")
    lead.locator(".clocks button", has_text="接收").click()
    expect(reason).to_contain_text("按时完成")
    lead.locator(".clocks button", has_text="接收").click()
    expect(reason).to_have_count(0)


def test_clocks_explain_themselves_in_english(office: Office, sign_in: SignIn) -> None:
    case = office.report("小区车位被占", category="A0206")
    page = sign_in("dispatcher", f"/cases/{case['caseId']}", language="en", phone=True)
    page.locator(".facts .clocks button", has_text="Accept").click()
    expect(page.locator(".facts .reason")).to_contain_text(re.compile(r"due \w{3} \d+ \w{3} \d\d:\d\d: 4 working hours from"))
