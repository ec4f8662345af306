"""The live board."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def card(page: Page, number: str):
    return page.locator(".card", has_text=number)


def test_cases_appear_change_and_leave_by_themselves(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    page = sign_in("dispatcher", "/board?order=newest")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    case = office.report("四楼楼道被杂物和电动车堵塞，疏散通道不足半米")
    mine = card(page, case["number"])
    expect(mine).to_contain_text("公共部位占用堆物")
    expect(mine).to_contain_text("石板溪社区1号网格")
    expect(mine).to_contain_text("待派遣")

    case = office.dispatch(case, {"department": "JUST"}, {"department": "PSB"})
    expect(mine.locator(".chip", has_text="司法局")).to_contain_text("待接收")
    expect(mine.locator(".chip", has_text="司法局")).to_contain_text("牵头")
    case = office.act(case, "PSB", "accept")
    expect(mine.locator(".chip", has_text="公安分局")).to_contain_text("办理中")
    case = office.act(case, "PSB", "complete", result="已到场")
    expect(mine.locator(".chip", has_text="公安分局")).to_contain_text("已完成")
    expect(mine).to_contain_text("剩 ")
    shoot(page, "board")

    case = office.act(case, "JUST", "accept")
    office.act(case, "JUST", "complete", result="已清理", unifiedReply="隐患消除", partiesInformed="电话")
    expect(page.locator("#lane-check .card", has_text=case["number"])).to_be_visible()


def test_filters_and_counters(office: Office, sign_in: SignIn) -> None:
    word = uuid4().hex[:8]
    water = office.report(f"水管爆裂 {word}", category="D0402")
    fire = office.report(f"灭火器过期 {word}", category="B")
    office.dispatch(fire, {"department": "FIRE"})
    page = sign_in("dispatcher", f"/board?text={word}")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".counters .green b")).to_have_text("2")
    page.locator(".filters .n-select").nth(1).click()
    page.locator(".n-base-select-option", has_text="消防救援大队").click()
    expect(page.locator(".card")).to_have_count(1)
    expect(card(page, fire["number"])).to_be_visible()
    expect(page).to_have_url(re.compile("department=FIRE"))
    page.get_by_role("button", name="清除筛选").click()
    expect(card(page, water["number"])).to_be_visible()


def test_a_broken_stream_comes_back_and_misses_nothing(office: Office, sign_in: SignIn) -> None:
    page = sign_in("dispatcher", "/board?order=newest")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    page.context.set_offline(True)
    case = office.report("断网期间上报的事件")
    page.context.set_offline(False)
    expect(card(page, case["number"])).to_be_visible(timeout=30_000)
    expect(page.get_by_text("实时", exact=True)).to_be_visible()


def test_a_department_sees_no_dispatch_button_but_its_own_task(office: Office, sign_in: SignIn) -> None:
    case = office.dispatch(office.report("消防通道停车"), {"department": "UMD"}, {"department": "PSB"})
    page = sign_in("umd-officer", f"/cases/{case['caseId']}")
    expect(page.get_by_role("button", name="接收任务")).to_have_count(1)
    expect(page.get_by_role("button", name="派遣", exact=True)).to_have_count(0)


def test_english_and_dark(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    office.report("Pavement blocked by building waste", category="D0303")
    page = sign_in("dispatcher", language="en", color_scheme="dark")
    expect(page.get_by_role("heading", name="Live board")).to_be_visible()
    expect(page.locator(".card").first).to_contain_text("ago")
    shoot(page, "board-dark-en")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="事件看板")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_phone_shows_one_lane_at_a_time(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    case = office.report("手机上看到的事件")
    page = sign_in("dispatcher", "/board?order=newest", phone=True)
    page.locator(".counters .green").click()
    expect(card(page, case["number"])).to_be_visible()
    shoot(page, "board-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_placeholder("编号、地址或描述")).to_be_visible()


@pytest.mark.slow
def test_hundreds_of_cases_stay_quick(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    word = uuid4().hex[:8]
    for place in range(250):
        office.report(f"批量事件 {place} {word}", category="D0102")
    page = sign_in("dispatcher", f"/board?text={word}")
    expect(page.locator(".counters .green b")).to_have_text("250")
    expect(page.locator("#lane-green .card")).to_have_count(40)
    page.get_by_role("button", name="再显示 40 件").click()
    expect(page.locator("#lane-green .card")).to_have_count(80)
    frames = page.evaluate(
        "new Promise(done => { let n = 0; const end = performance.now() + 2000;"
        " const next = now => { n += 1; now < end ? requestAnimationFrame(next) : done(n) }; requestAnimationFrame(next) })"
    )
    assert frames > 30, f"{frames} frames in two seconds"
