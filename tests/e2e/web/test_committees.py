"""The register of mediation committees: entering, changing and dissolving one, and reading it."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import COMMITTEE, Office
from tests.e2e.web.test_accessible import serious
from tests.e2e.web.test_ways import choose, submit

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def pick(page: Page, control: str, option: str) -> None:
    """Chooses in the select whose input has the id `control`."""
    page.locator(".n-select", has=page.locator(f"#{control}")).click()
    page.locator(".n-base-select-option:visible", has_text=re.compile(f"^{option}$")).click()
    expect(page.locator(".n-base-select-option:visible")).to_have_count(0)


def person(page: Page, place: int, name: str, subject: str, *, of: str = "members") -> None:
    """Enters one of the people of the open form."""
    page.locator(f"#field-committee-{of}-{place}-name").fill(name)
    page.locator(f"#field-committee-{of}-{place}-subject").fill(subject)


def refused(page: Page, message: str) -> None:
    """Sends the form, which says what is wrong at one field."""
    submit(page, "登记调解委员会")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(message)


def enter_facts(page: Page, code: str) -> None:
    submit(page, "登记调解委员会")
    expect(page.get_by_role("dialog").get_by_role("alert").first).to_have_text("请填写")
    assert page.evaluate("document.activeElement.id") == "field-committee-code"
    page.locator("#field-committee-code").fill(code)
    page.locator("#field-committee-name").fill(f"西陵街道第{code}人民调解委员会")
    pick(page, "field-committee-kind", "乡镇、街道设立")
    page.locator("#field-committee-termBeginsOn").fill("2026-01-01")


def enter_people(page: Page, key: str) -> None:
    """The rules speak one after the other, each at the members."""
    refused(page, "每一位都须填写完整。")
    for place, name in enumerate(("刘建军", "周凯", "赵小敏")):
        person(page, place, name, f"{key}-{place}")
        pick(page, f"field-committee-members-{place}-sex", "男")
    refused(page, "委员中须有女性。")
    pick(page, "field-committee-members-2-sex", "女")
    pick(page, "field-committee-members-1-post", "主任")
    refused(page, "须有且只有一名主任。")
    pick(page, "field-committee-members-1-post", "副主任")
    taken = page.locator("#field-committee-members-1-subject")
    taken.fill(COMMITTEE["members"][1]["subject"])  # type: ignore[index]
    refused(page, "这个人已在另一个调解委员会的名册里。")
    expect(taken).to_have_attribute("aria-invalid", "true")
    taken.fill(f"{key}-1")


def test_a_committee_is_entered_changed_and_dissolved(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    key = uuid4().hex[:8]
    page = sign_in("supervisor")
    page.get_by_role("button", name="用户菜单").click()
    page.locator(".n-dropdown-option", has_text="调解委员会名册").click()
    page.get_by_role("button", name="登记调解委员会").click()
    enter_facts(page, key.upper())
    enter_people(page, key)
    shoot(page, "committee-form")
    assert serious(page) == []
    submit(page, "登记调解委员会")
    expect(page.locator(".head h1")).to_contain_text("在任")
    expect(page.locator(".people li", has_text="刘建军")).to_contain_text("主任")
    expect(page.get_by_text("2026-01-01 至 2028-12-31")).to_be_visible()

    choose(page, "变更登记")
    page.locator("#field-committee-phone").fill("0717-6440001")
    page.get_by_role("button", name="添加调解员").click()
    person(page, 0, "钱进", f"{key}-9", of="mediators")
    submit(page, "变更登记")
    expect(page.get_by_role("link", name="0717-6440001")).to_be_visible()
    expect(page.locator(".people.bare li")).to_contain_text("钱进")
    page.wait_for_timeout(500)  # words of a message that fades in are pale
    shoot(page, "committee", full=True)
    assert serious(page) == []

    # Somebody else was faster: nothing is overwritten, and the page says what the register says now.
    choose(page, "变更登记")
    path = f"/v1/committees/{page.url.rsplit('/', 1)[-1]}"
    office.call("supervisor", "PATCH", path, {"committee": {"phone": "0717-6440002"}, "updateMask": "phone"})
    submit(page, "变更登记")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("内容刚刚被别人更改")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="0717-6440002")).to_be_visible()

    choose(page, "撤销")
    submit(page, "撤销")
    expect(page.locator(".head h1")).to_contain_text("已撤销")
    expect(page.get_by_role("button", name="变更登记")).to_have_count(0)


def test_everybody_reads_the_register(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    page = sign_in("mediator", "/disputes")
    page.get_by_role("link", name="调解委员会名册").click()
    page.get_by_role("textbox", name="编码、名称或姓名").fill("石板溪社区人民调解")
    row = page.locator("tbody tr", has_text=COMMITTEE["code"])
    expect(row).to_contain_text("刘建国")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("button", name="登记调解委员会")).to_have_count(0)
    shoot(page, "committees")
    assert serious(page) == []
    page.get_by_role("textbox", name="编码、名称或姓名").fill("没有这个名字")
    expect(page.get_by_text("名册里没有这样的调解委员会。")).to_be_visible()
    small = sign_in("supervisor", f"/committees?text={COMMITTEE['code']}", phone=True, language="en")
    expect(small.locator("tbody tr")).to_contain_text("In office")
    shoot(small, "phone-committees")
    small.locator("tbody tr", has_text=COMMITTEE["code"]).get_by_role("link").click()
    expect(small.locator(".people li")).to_have_count(3)
    with small.expect_download() as waiting:
        small.get_by_role("link", name="Print mediation cards").click()
    assert waiting.value.suggested_filename.endswith(".pdf")
    assert waiting.value.path().read_bytes().startswith(b"%PDF-")
    shoot(small, "phone-committee", full=True)
    choose(small, "Change")
    assert small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(small, "phone-committee-form")
    assert serious(small) == []
    page.goto("/committees/nonsense")
    expect(page.get_by_role("alert")).to_contain_text("名册里没有这个委员会。")
