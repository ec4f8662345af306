"""Reporting a case from a phone."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_a_grid_worker_reports_from_a_street_corner(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    page = sign_in("worker", "/report", phone=True)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("请选择类别")).to_be_visible()
    expect(page.get_by_text("请写明情况")).to_be_visible()
    page.get_by_role("radio", name="城市事件").click()
    page.locator(".picker .n-select").click()
    page.locator(".n-base-select-option", has_text="暴露垃圾").click()
    page.get_by_label("描述").fill("菜市场门口垃圾外溢，占用人行道。")
    page.locator("input[type=file]").set_input_files({"name": "before.jpg", "mimeType": "image/jpeg", "buffer": uuid4().bytes})
    expect(page.get_by_text("已定位")).to_be_visible()
    page.get_by_role("button", name="使用当前位置").click()
    expect(page.get_by_text("所在网格")).to_contain_text("石板溪社区")
    page.locator("#address").fill("珍珠路12号")
    shoot(page, "report-phone", full=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="已上报")).to_be_visible()
    shoot(page, "reported-phone")
    page.get_by_role("link", name="查看事件").click()
    expect(page).to_have_url(re.compile(r"/cases/[0-9a-f-]{36}$"))
    expect(page.locator(".head")).to_contain_text("暴露垃圾")
    expect(page.locator(".facts")).to_contain_text("珍珠路12号")
    expect(page.locator(".facts")).to_contain_text("石板溪社区")


def test_a_report_refused_by_the_service_says_why(office: Office, sign_in: SignIn) -> None:
    page = sign_in("worker", "/report")
    page.get_by_role("radio", name="咨询建议").click()
    page.get_by_label("描述").fill("位置在另一个城市")
    page.get_by_placeholder("经度", exact=True).fill("116.39")
    page.get_by_placeholder("纬度", exact=True).fill("39.9")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert").first).to_be_visible()


def test_a_lost_answer_makes_no_second_case(office: Office, sign_in: SignIn) -> None:
    word = uuid4().hex[:8]
    page = sign_in("worker", "/report")
    page.get_by_role("radio", name="咨询建议").click()
    page.get_by_label("描述").fill(f"只报一次 {word}")
    page.locator(".place .n-select").click()
    page.locator(".n-base-select-option", has_text="铁路坝社区").click()
    # The gateway gets the report; the phone never hears of it.
    page.route("**/v1/cases", lambda route: (route.fetch(), route.abort()), times=1)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("网络不通")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="已上报")).to_be_visible()
    listed = office.call("dispatcher", "GET", "/v1/cases?category=F&pageSize=200").get("cases", [])
    assert sum(word in case["description"] for case in listed) == 1


def test_a_residence_permit_is_asked_for_in_the_community(office: Office, sign_in: SignIn) -> None:
    page = sign_in("clerk", "/report")
    page.get_by_role("radio", name="民生服务代办").click()
    page.locator(".picker .n-select").click()
    page.locator(".n-base-select-option", has_text="居住证").click()
    page.get_by_label("描述").fill("租住满半年，前来办暂住证明")
    page.locator(".place .n-select").click()
    page.locator(".n-base-select-option", has_text="石板溪社区").first.click()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="已上报")).to_be_visible()
    page.get_by_role("link", name="查看事件").click()
    expect(page.locator(".head")).to_contain_text("居住证")
    case = office.call("dispatcher", "GET", f"/v1/cases/{page.url.rsplit('/', 1)[1]}")
    sent = office.call("dispatcher", "POST", f"/v1/cases/{case['caseId']}:dispatch", {}, trace=case["traceparent"])
    assert [task["department"] for task in sent["tasks"]] == ["COMM", "PSB"]
