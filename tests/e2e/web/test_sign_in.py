"""Signing in and out."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import PASSWORD

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_a_stranger_is_sent_to_the_login_and_comes_back_to_where_he_wanted(
    open_context: Callable[..., BrowserContext], shoot: Callable[..., None]
) -> None:
    page = open_context().new_page()
    page.goto("/report")
    expect(page).to_have_url(re.compile(r"/login\?next=/report$"))
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    shoot(page, "login")
    page.get_by_label("用户名").fill("worker")
    page.locator("#password").fill("wrong")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不正确")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/report$"))
    expect(page.get_by_role("heading", name="上报事件")).to_be_visible()


def test_nobody_is_sent_to_another_site_after_the_login(open_context: Callable[..., BrowserContext]) -> None:
    page = open_context().new_page()
    page.goto("/login?next=//elsewhere.example/board")
    page.get_by_label("用户名").fill("dispatcher")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/board$"))


def test_signing_out_ends_the_session(sign_in: SignIn) -> None:
    page = sign_in("dispatcher")
    page.get_by_role("button", name="用户菜单").click()
    page.get_by_text("退出登录").click()
    expect(page).to_have_url(re.compile(r"/login"))
    page.goto("/board")
    expect(page).to_have_url(re.compile(r"/login"))


def test_a_session_that_ended_elsewhere_leads_to_the_login(sign_in: SignIn) -> None:
    page = sign_in("worker", "/report")
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    page.get_by_role("radio", name="城市事件").click()
    page.get_by_label("描述").fill("路灯不亮")
    page.get_by_role("textbox", name="地址").fill("珍珠路")
    page.get_by_placeholder("经度", exact=True).fill("111.2865")
    page.get_by_placeholder("纬度", exact=True).fill("30.708")
    page.get_by_role("button", name="提交").click()
    expect(page).to_have_url(re.compile(r"/login\?next=/report"))
