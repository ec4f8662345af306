"""The list page: search, filters, counts, kept searches, files."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def rows(page: Page):
    return page.locator("tbody tr")


def test_cases_are_found_by_words_and_initials(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    word = uuid4().hex[:8]
    pipe = office.report(f"自来水主管破裂 {word}", category="D0402")
    lamp = office.report(f"路灯不亮 {word}", category="C0101")
    office.dispatch(pipe, {"department": "UMD"}, {"department": "FIRE"})
    page = sign_in("dispatcher", "/cases")
    search = page.get_by_label("文字、编号或拼音首字母")
    # The worker keeps the words: a new case is found after a moment.
    for _ in range(20):
        search.fill(word)
        page.wait_for_timeout(700)
        if rows(page).count() == 2:
            break
        search.fill("")
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".total")).to_have_text("2 件")
    search.fill(f"zlszg {word}")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(pipe["number"])
    shoot(page, "list")
    search.fill(word)
    page.get_by_role("button", name="已上报").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(lamp["number"])
    page.reload()
    expect(rows(page)).to_contain_text(lamp["number"])
    rows(page).get_by_role("link", name=lamp["number"]).click()
    expect(page).to_have_url(re.compile(lamp["caseId"]))


def test_what_is_listed_can_be_taken_away(office: Office, sign_in: SignIn) -> None:
    case = office.report(f"楼道堆物 {uuid4().hex[:8]}")
    page = sign_in("dispatcher", "/cases?state=CASE_STATE_REPORTED")
    expect(rows(page).first).to_contain_text(case["number"])
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert download.value.suggested_filename.endswith(".csv")
    assert text.startswith("事件编号,")
    assert case["number"] in text
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 Excel").click()
    assert download.value.path().read_bytes().startswith(b"PK")


def test_a_search_is_kept_and_forgotten(office: Office, sign_in: SignIn) -> None:
    office.report("消防通道被占")
    name = f"红灯 {uuid4().hex[:6]}"
    page = sign_in("dispatcher", "/cases?state=CASE_STATE_REPORTED")
    page.get_by_role("button", name="保存此查询").click()
    page.get_by_label("查询名称").fill(name)
    page.get_by_role("button", name="保存", exact=True).click()
    page.goto("/cases")
    page.get_by_role("button", name=name, exact=True).click()
    expect(page).to_have_url(re.compile("state=CASE_STATE_REPORTED"))
    page.get_by_role("button", name=f"删除查询 {name}").click()
    expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_an_inbox_shows_what_is_due(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.report(f"楼道堆物 {uuid4().hex[:8]}")
    case = office.dispatch(case, {"department": "JUST"}, {"department": "FIRE"})
    page = sign_in("fire-officer", "/inbox")
    mine = rows(page).filter(has_text=case["number"])
    expect(mine).to_contain_text("协办")
    shoot(page, "inbox")
    page.get_by_role("button", name="我办理的").click()
    expect(mine).to_have_count(0)
    expect(page).to_have_url(re.compile("mine=1"))
    page.get_by_role("button", name="我的今日到期").click()
    expect(page).to_have_url(re.compile("due=DUE_WINDOW_TODAY"))
    page.get_by_role("button", name="全部").click()
    page.get_by_role("button", name="保存此查询").click()
    name = f"消防今日 {uuid4().hex[:6]}"
    page.get_by_label("查询名称").fill(name)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    page.get_by_role("button", name=f"删除查询 {name}").click()
    expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_the_list_fits_a_phone_and_speaks_english(sign_in: SignIn, shoot: Callable[..., None]) -> None:
    page = sign_in("dispatcher", "/cases", phone=True, language="en")
    expect(page.get_by_role("heading", name="Find cases")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, "list-phone")
