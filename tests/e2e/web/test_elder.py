"""Elder services: entered, ordered, done with a receipt that is disputed and corrected. And who comes back to the register."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import GRID, Office
from tests.e2e.web.test_accessible import serious
from tests.e2e.web.test_people import enter
from tests.e2e.web.test_register import build, choose, choose_home, number
from tests.e2e.web.test_ways import submit

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PHONE_FITS = "document.documentElement.scrollWidth <= innerWidth"


def price(page: Page, row: int, name: str, kind: str, code: str, unit: str, yuan: str) -> None:
    """Fills one row of services agreed on."""
    page.get_by_label(f"第{row}项 服务名称").fill(name)
    page.get_by_label(f"第{row}项 代码").fill(code)
    page.get_by_label(f"第{row}项 计量单位").fill(unit)
    page.get_by_label(f"第{row}项 单价（元）").fill(yuan)
    choose(page, f"elder-prices-{row - 1}-kind", kind)


def enter_centre(clerk: Page, centre: str, shoot: Callable[..., None]) -> None:
    """Enters a day-care centre with its rooms, meals and care by the day."""
    clerk.get_by_role("button", name="登记机构").click()
    submit(clerk, "登记机构")
    expect(clerk.locator(".row.wrong")).to_have_count(4)
    choose(clerk, "elder-kind", "日间照料中心")
    clerk.locator("#elder-name").fill(centre)
    clerk.locator("#elder-uscc").fill(f"5242{uuid.uuid4().int % 10**14:014d}")
    clerk.locator("#elder-account").fill("merchant")
    for room in ("餐厅", "日间照料室", "卫生室"):
        clerk.get_by_role("checkbox", name=room).check()
    price(clerk, 1, "助餐", "生活照料", "meal", "份", "12.5")
    clerk.get_by_role("button", name="增加一项").click()
    price(clerk, 2, "日间照料", "日间照料、托养", "DAY", "天", "0")
    shoot(clerk, "elder-provider-form")
    assert serious(clerk) == []
    submit(clerk, "登记机构")
    card = clerk.locator("article", has_text=centre)
    expect(card).to_contain_text("餐厅、日间照料室、卫生室")
    expect(card.locator("tr", has_text="助餐")).to_contain_text("¥12.50/份")
    shoot(clerk, "elder-providers", full=True)


def place(phone: Page, centre: str, name: str, shoot: Callable[..., None]) -> None:
    """Orders three meals for somebody who is found by name."""
    phone.get_by_role("button", name="下单").click()
    phone.locator("#elder-residentId").fill(name)
    phone.locator(".person .n-select").click()
    phone.locator(".n-base-select-option:visible", has_text="P01").click()
    phone.get_by_role("button", name="查询", exact=True).click()
    phone.get_by_role("radio").first.check()
    choose(phone, "elder-providerId", centre)
    phone.get_by_label("助餐", exact=True).fill("3")
    phone.locator("#elder-note").fill("周三中午送到家")
    expect(phone.get_by_role("dialog")).to_contain_text("合计 ¥37.50")
    shoot(phone, "elder-order-phone")
    submit(phone, "下单")


def test_a_meal_is_ordered_disputed_corrected_and_confirmed(
    office: Office, sign_in: SignIn, shoot: Callable[..., None]
) -> None:
    centre = f"康乐日间照料中心{uuid.uuid4().hex[:4]}"
    name = f"孟{uuid.uuid4().hex[:6]}"
    enter(office, name)
    clerk = sign_in("clerk", "/people/elder/providers")
    enter_centre(clerk, centre, shoot)

    phone = sign_in("worker", "/people/elder", phone=True)
    place(phone, centre, name, shoot)
    mine = phone.locator("article", has_text=centre)
    expect(mine).to_contain_text("待接单")
    expect(mine).to_contain_text("助餐 3份 × ¥12.50")

    # The provider sees its own orders, and nobody's entry in the register.
    shop = sign_in("merchant", "/people/elder")
    theirs = shop.locator("article", has_text=centre)
    expect(theirs.get_by_role("link", name="居民登记")).to_have_count(0)
    theirs.get_by_role("button", name="接单").click()
    submit(shop, "接单")
    _done(shop, theirs, "R-1", "3")
    phone.reload()
    mine.get_by_role("button", name="确认收据").click()
    phone.get_by_role("dialog").get_by_text("不符", exact=True).click()
    phone.locator("#elder-reason").fill("只送了两份")
    submit(phone, "确认收据")
    expect(mine).to_contain_text("有争议")
    shop.reload()
    _done(shop, theirs, "R-2", "2")
    expect(theirs).to_contain_text("收据 R-2")
    expect(theirs).to_contain_text("合计 ¥25.00")
    expect(shop.get_by_role("button", name="确认收据")).to_have_count(0)
    shoot(shop, "elder-orders", full=True)
    assert serious(shop) == []
    phone.reload()
    mine.get_by_role("button", name="确认收据").click()
    phone.get_by_role("dialog").get_by_text("属实", exact=True).click()
    phone.get_by_role("radio", name=re.compile("^5")).click()
    submit(phone, "确认收据")
    expect(mine).to_contain_text("已确认")
    shoot(phone, "elder-orders-phone", full=True)
    assert phone.evaluate(PHONE_FITS)
    phone.goto("/people/elder/providers")
    expect(phone.locator("article", has_text=centre)).to_contain_text("餐厅、日间照料室、卫生室")
    shoot(phone, "elder-providers-phone", full=True)
    assert phone.evaluate(PHONE_FITS)


def _done(page: Page, card: Locator, receipt: str, units: str) -> None:
    card.get_by_role("button", name="登记完成").click()
    page.locator("#elder-receiptNumber").fill(receipt)
    page.get_by_label("助餐", exact=True).fill(units)
    submit(page, "登记完成")
    expect(card).to_contain_text("待确认")


def test_who_moved_out_is_found_by_the_number_and_moves_in_again(
    office: Office, sign_in: SignIn, shoot: Callable[..., None]
) -> None:
    building, card = build(office, f"归来楼{uuid.uuid4().hex[:4]}", "501"), number("19660301", uuid.uuid4().int % 499 * 2 + 1)
    registered = {"areaCode": "4403", "kind": "RESIDENCE_KIND_REGISTERED"}
    resident = enter(office, "秦归", registered=registered, birthDate="1966-03-01", idDocType="111", idNumber=card)
    away = {"away": {"toAreaCode": "4403", "until": "2026-02-10"}}
    office.call("worker", "POST", f"/v1/residents/{resident}:move", away)
    page = sign_in("clerk", "/people")
    page.get_by_role("button", name="登记居民").click()
    page.locator("[id='entry-resident-name']").fill("秦归")
    page.locator("[id='entry-resident-idNumber']").fill(card)
    choose(page, "entry-resident-areaCode", "石板溪")
    submit(page, "登记")
    link = page.get_by_role("link", name="打开已有登记")
    expect(link).to_have_attribute("href", f"/people/residents/{resident}")
    shoot(page, "known-number")
    page.goto(f"/people/residents/{resident}")
    page.get_by_role("button", name="重新迁入").click()
    choose_home(page, "field-home", building, "501")
    page.locator("[id='field-home-since']").fill("2026-02-09")
    submit(page, "重新迁入")
    expect(page.get_by_role("dialog")).to_contain_text("这一天还没有迁出")
    page.locator("[id='field-home-since']").fill("2026-03-01")
    submit(page, "重新迁入")
    expect(page.locator(".head")).not_to_contain_text("迁出")

    # The link of an account is undone at the counter, and how many were is said.
    page.goto(f"/people/rights?resident={resident}")
    page.get_by_role("button", name="解除账号关联").click()
    submit(page, "解除账号关联")
    expect(page.locator(".row.wrong")).to_have_count(1)
    page.get_by_role("switch").click()
    shoot(page, "unlink")
    submit(page, "解除账号关联")
    expect(page.get_by_text("没有解除任何关联")).to_be_visible()


def test_a_notice_opens_its_life_event(office: Office, sign_in: SignIn) -> None:
    resident = enter(office, "裴新")
    told = {"rule": "LE06", "residentId": resident, "occurredOn": "2026-03-05", "consent": "CONSENT_GIVEN"}
    event = office.call("worker", "POST", "/v1/life-events", {"report": told})
    page = sign_in("worker", f"/people/events/{event['lifeEventId']}", phone=True)
    expect(page.locator("article")).to_have_count(1)
    expect(page.locator("article")).to_contain_text("种类和要办的事已隐去")
    assert page.evaluate(PHONE_FITS)
    page.goto(f"/people/events/{GRID}")
    expect(page.get_by_role("alert")).to_be_visible()
