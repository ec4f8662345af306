"""The forms of the register, the pages of planning, elections, audit and feeds, and what residents see of their own data."""

import contextlib
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import CENTER, GRID, Office
from tests.e2e.web.test_accessible import serious
from tests.e2e.web.test_people import enter, purpose, wait_for_replica
from tests.e2e.web.test_ways import submit

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
COMMUNITY = "420502001003"
PHONE_FITS = "document.documentElement.scrollWidth <= innerWidth"


def number(birth: str, serial: int) -> str:
    """An identity number with its check character (GB 11643)."""
    digits = f"420502{birth}{serial:03d}"
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


def build(office: Office, name: str, *doors: str) -> str:
    """A building of the seeded grid with its houses."""
    point = {"longitude": CENTER[0], "latitude": CENTER[1]}
    draft = {
        "areaCode": GRID,
        "name": name,
        "address": "西陵一路18号",
        "buildingType": "03",
        "floors": 6,
        "units": 2,
        "point": point,
    }
    building = str(office.call("importer", "POST", "/v1/buildings", {"building": draft})["buildingId"])
    for door in doors:
        house = {"buildingId": building, "unit": "2", "number": door, "floor": int(door[0])}
        office.call("importer", "POST", "/v1/houses", {"house": house})
    return name


def choose(page: Page, control: str, option: str | re.Pattern[str]) -> None:
    """Chooses from a list of the open dialog; long lists show only what is typed."""
    page.locator(".n-select", has=page.locator(f"[id='{control}']")).click()
    page.keyboard.type(option if isinstance(option, str) else option.pattern.strip("^$"))
    page.locator(".n-base-select-option:visible", has_text=option).first.click()


def choose_home(page: Page, control: str, building: str, door: str) -> None:
    """A house by typing what one knows of it, by keyboard alone."""
    if page.locator(f"[id='{control}-area']").count():
        choose(page, f"{control}-area", "石板溪")
    for name, typed in ((control, building), (f"{control}-house", door)):
        expect(page.locator(f"[id='{name}']")).to_be_enabled()
        page.locator(f"[id='{name}']").focus()
        page.keyboard.type(typed)
        expect(page.locator(".n-base-select-option:visible", has_text=typed)).to_be_visible()
        page.keyboard.press("Enter")


def begin(page: Page, verb: str) -> None:
    """Opens the form of a rarer verb on a resident."""
    page.get_by_role("button", name="更多").click()
    page.get_by_text(verb, exact=True).click()


def error_at(page: Page, control: str) -> str:
    """What stands at a field of the open dialog."""
    return page.locator(".row", has=page.locator(f"[id='{control}']")).last.locator(".error").inner_text()


def test_a_family_is_entered_gets_another_head_and_moves(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    building, serial = build(office, f"家园{uuid.uuid4().hex[:4]}号楼", "501", "602"), uuid.uuid4().int % 999
    page = sign_in("worker", "/people")
    page.get_by_role("button", name="登记居民").click()
    page.locator("[id='entry-resident-name']").fill("秦叔宝")
    page.locator("[id='entry-resident-idNumber']").fill("420502194103050000")
    choose_home(page, "entry-resident-residence", building, "501")
    choose(page, "entry-resident-residence-tenure", "自有")
    choose(page, "entry-resident-householdId", "新立一户")
    submit(page, "登记")
    expect(page.locator(".row.wrong", has=page.locator("[id='entry-resident-idNumber']"))).to_be_visible()
    assert error_at(page, "entry-resident-idNumber")
    shoot(page, "entry-wrong")
    assert serious(page) == []
    page.locator("[id='entry-resident-idNumber']").fill(number("19410305", serial))
    page.locator("[id='entry-resident-residence-since']").fill("2026-01-05")
    submit(page, "登记")
    expect(page).to_have_url(re.compile("/people/residents/[0-9a-f-]{36}"))
    expect(page.locator("h1")).to_contain_text("秦**")
    expect(page.get_by_label(re.compile("^同户人员"))).to_contain_text("户主")

    # The wife joins the household that is found by its house; on a phone.
    phone = sign_in("worker", "/people", phone=True)
    phone.get_by_role("button", name="登记居民").click()
    phone.locator("[id='entry-resident-name']").fill("贾云英")
    choose(phone, "entry-resident-idDocType", "无证件")
    choose_home(phone, "entry-resident-residence", building, "501")
    choose(phone, "entry-resident-householdId", "秦")
    choose(phone, "entry-resident-householdRelation", re.compile("^妻$"))
    shoot(phone, "entry-phone")
    assert phone.evaluate(PHONE_FITS)
    submit(phone, "登记")
    expect(phone).to_have_url(re.compile("/people/residents/[0-9a-f-]{36}"))

    page.reload()
    page.get_by_role("button", name="变更户主").click()
    choose(page, "household-headId", "贾")
    shoot(page, "head")
    submit(page, "变更户主")
    expect(page.get_by_label(re.compile("^同户人员")).locator("li").first).to_contain_text("贾")
    page.get_by_role("button", name="整户搬家").click()
    choose_home(page, "household-home", building, "602")
    page.locator("[id='household-home-since']").fill("2026-05-04")
    submit(page, "整户搬家")
    expect(page.get_by_text("已随户搬家：2 人")).to_be_visible()


def test_somebody_moves_within_the_city_and_out_of_it(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    building, head = build(office, f"家园{uuid.uuid4().hex[:4]}号楼", "501"), enter(office, "尤俊达")
    page = sign_in("worker", f"/people/residents/{head}")
    begin(page, "登记户和关系")
    choose(page, "field-householdId", "新立一户")
    submit(page, "登记户和关系")
    expect(page.get_by_label(re.compile("^同户人员"))).to_contain_text("户主")
    begin(page, "登记迁移")
    choose_home(page, "field-home", building, "501")
    page.locator("[id='field-home-since']").fill("2026-05-04")
    shoot(page, "move")
    submit(page, "登记迁移")
    expect(page.get_by_label("居住状况")).to_contain_text("5 层")  # housing knows the house; the entry takes it from there
    begin(page, "登记迁移")
    choose(page, "field-way", "迁出本市")
    page.locator("[id='field-away-toAreaCode']").fill("3")
    submit(page, "登记迁移")
    assert "2 至 12 位" in error_at(page, "field-away-toAreaCode")
    page.locator("[id='field-away-toAreaCode']").fill("31")
    submit(page, "登记迁移")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # Who is registered in the city stays in its register.
    expect(page.locator(".head")).to_contain_text("户籍人户分离(在外)")
    lived = office.call("worker", "GET", f"/v1/residents/{head}")["residences"]
    assert len({one["houseId"] for one in lived if "houseId" in one}) == 2


def test_care_visits_and_a_welfare_watch_are_begun(
    office: Office, sign_in: SignIn, shoot: Callable[..., None], tmp_path: Path
) -> None:
    resident = enter(office, "程咬金")
    page = sign_in("worker", f"/people/residents/{resident}")
    begin(page, "纳入关爱")
    choose(page, "start-category", "独居老人")
    choose(page, "start-consent", "书面同意")
    page.locator("[id='start-expiresOn']").fill("2020-01-01")
    submit(page, "纳入关爱")
    expect(page.locator(".row.wrong .error")).to_have_text("截止日期不能早于今天。")
    page.locator("[id='start-expiresOn']").fill("")
    submit(page, "纳入关爱")
    expect(page.get_by_role("dialog")).to_have_count(0)

    picture = tmp_path / "consent.jpg"
    picture.write_bytes(uuid.uuid4().bytes)
    phone = sign_in("worker", "/people/welfare", phone=True)
    phone.get_by_role("button", name="申请独居守护").click()
    phone.locator("[id='start-residentId']").fill("程咬金")
    phone.locator(".dialog .person .n-select").click()
    phone.locator(".n-base-select-option:visible", has_text="P03").click()
    phone.get_by_role("button", name="查询", exact=True).click()
    phone.locator(".dialog fieldset label").first.click()
    phone.locator(".dialog input[type=file]").set_input_files(picture)
    expect(phone.locator(".dialog .attachments li")).to_have_count(1)
    phone.locator("[id='start-contacts']").fill("女儿，邻居老周")
    shoot(phone, "watch-phone")
    assert phone.evaluate(PHONE_FITS)
    submit(phone, "申请独居守护")
    expect(phone.get_by_role("dialog")).to_have_count(0)
    expect(phone.locator(f"a[href$='{resident}']").first).to_be_visible()

    leader = sign_in("supervisor", "/people/care")
    leader.get_by_role("button", name="制定走访计划").click()
    choose(leader, "start-rule", "VC3")
    choose(leader, "start-areaCode", "石板溪")
    submit(leader, "制定走访计划")
    done = leader.get_by_role("dialog")
    expect(done.locator(".problem").or_(leader.locator("li", has_text="网格排查")).first).to_be_visible()
    shoot(leader, "care", full=True)


def test_the_care_register_in_figures(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    for category, people in (("1001", 13), ("1002", 11), ("1003", 3)):
        for one in range(people):
            entry = {"residentId": enter(office, f"高寿{one}"), "category": category, "consent": "CONSENT_WRITTEN"}
            office.call("supervisor", "POST", "/v1/care-entries", entry)
    page = sign_in("supervisor", "/people/care/figures")
    bars = page.get_by_label("按类别", exact=True).get_by_role("button")
    few = bars.filter(has_text="独居老人")
    expect(few).to_contain_text(re.compile(r"不公布|\d{2}"))
    oldest = bars.filter(has_text="高龄老人")
    assert int(oldest.locator(".number").inner_text()) >= 13
    bars.last.click()
    expect(bars.last).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("按区域：").first).to_be_visible()
    shoot(page, "care-figures", full=True)
    assert serious(page) == []
    phone = sign_in("worker", "/people/care/figures", phone=True, language="en")
    expect(phone.get_by_role("button", name="Oldest-old")).to_be_visible()
    shoot(phone, "care-figures-phone", full=True)
    assert phone.evaluate(PHONE_FITS)


def test_voters_and_children_around_a_point_are_told(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    for one in range(3):
        enter(office, f"选民{one}")
    wait_for_replica(office)
    page = sign_in("clerk", "/people/voters")
    page.get_by_role("button", name="生成核对名单").click()
    expect(page.get_by_role("status")).to_contain_text("已全部收到")
    shoot(page, "voters", full=True)
    assert serious(page) == []
    with page.expect_download() as saved:
        page.get_by_role("button", name="保存为 CSV").click()
    assert "选民1" in Path(saved.value.path()).read_text(encoding="utf-8-sig")
    page.goto("/people/around")
    page.get_by_role("button", name="统计人数").click()
    expect(page.locator(".row.wrong .error")).to_have_text("请填写经度和纬度，以逗号分隔。")
    page.locator("#around-place").fill(f"{CENTER[0]}, {CENTER[1]}")
    page.get_by_role("button", name="统计人数").click()
    expect(page.get_by_label("周围 800 米内 6 至 14 岁")).to_be_visible()
    shoot(page, "around", full=True)
    assert serious(page) == []
    for path in ("/people/voters", "/people/around"):
        phone = sign_in("clerk", path, phone=True, language="en", color_scheme="dark")
        expect(phone.locator("form")).to_be_visible()
        shoot(phone, f"phone-{path.rsplit('/', 1)[1]}", full=True)
        assert serious(phone) == []
        assert phone.evaluate(PHONE_FITS)


def test_the_trail_is_searched_and_retention_is_shown(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    office.call("worker", "GET", f"/v1/residents/{enter(office, '罗成')}")
    page = sign_in("dpo", "/people/audit")
    page.locator("#audit-subject").fill("worker")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("王海燕")
    shoot(page, "audit", full=True)
    assert serious(page) == []
    page.locator("#audit-resident").fill("x")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator(".row.wrong", has=page.locator("#audit-resident"))).to_be_visible()
    page.get_by_role("link", name="审计告警").click()
    expect(page.get_by_text("没有符合条件的记录。").or_(page.locator("article")).first).to_be_visible()
    page.get_by_role("link", name="留存期限").click()
    expect(page.locator("tr", has_text="离开满期的居民").first).to_contain_text("结束后 730 天")
    shoot(page, "retention", full=True)
    assert serious(page) == []
    for path in ("/people/audit", "/people/audit/alerts", "/people/audit/retention"):
        phone = sign_in("dpo", path, phone=True, language="en")
        expect(phone.get_by_role("heading", name="Audit and retention")).to_be_visible()
        shoot(phone, f"phone-{path.rsplit('/', 1)[1]}", full=True)
        assert phone.evaluate(PHONE_FITS)


def test_a_department_feeds_a_file_and_sees_what_was_refused(
    office: Office, sign_in: SignIn, shoot: Callable[..., None], tmp_path: Path
) -> None:
    file = tmp_path / "records.csv"
    file.write_text(f"身份证号,姓名,政治面貌\n{number('19410305', 7)},张三,x\n,李四,x\n", encoding="utf-8")
    page = sign_in("civil-officer", "/people/jobs")
    page.get_by_role("button", name="报送数据").click()
    choose(page, "field-purpose", "P11")
    page.locator("#field-legalBasis").fill("部门数据共享协议")
    page.locator(".dialog input[type=file]").set_input_files(file)
    expect(page.get_by_role("button", name="records.csv")).to_contain_text("已上传")
    assert "政治" not in page.locator(".dialog textarea").input_value()
    shoot(page, "feed-form")
    submit(page, "报送数据")
    expect(page).to_have_url(re.compile("/people/jobs/[0-9a-f-]{36}"))
    expect(page.locator("h1")).to_contain_text("已完成")
    page.get_by_role("button", name="查看 refused_rows.csv").click()
    purpose(page)
    expect(page.locator("caption")).to_contain_text("1 行")
    shoot(page, "feed", full=True)
    assert serious(page) == []


def leave_account(office: Office) -> None:
    """Undoes the link of the resident's account, where the demo has made one."""
    with contextlib.suppress(AssertionError):
        mine = json.loads(office.call("resident", "GET", "/v1/my/data", purpose="P12")["json"])
        own = mine["residents"][0]["_id"]
        office.call("clerk", "POST", f"/v1/residents/{own}:unlinkAccount", {"account": ""}, purpose="P12")


def test_a_resident_sees_who_looked_and_has_it_corrected(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    leave_account(office)
    resident = enter(office, "吴桂英", phone="13812345678")
    counter = sign_in("clerk", f"/people/rights?resident={resident}")
    counter.get_by_role("button", name="关联门户账号").click()
    account = sign_in("resident", "/my-data")
    counter.locator("#field-account").fill("resident")
    submit(counter, "关联门户账号")
    expect(counter.get_by_role("dialog")).to_have_count(0)
    account.reload()
    account.get_by_role("button", name="查看我的信息").click()
    expect(account.locator("dl")).to_contain_text("13812345678")
    with account.expect_download() as saved:
        account.get_by_role("button", name="下载副本").click()
    assert "吴桂英" in Path(saved.value.path()).read_text(encoding="utf-8")
    account.get_by_role("button", name="更正信息").click()
    submit(account, "提出请求")
    expect(account.locator(".row.wrong")).to_have_count(2)
    account.get_by_role("checkbox", name="电话").click()
    account.locator("#field-details").fill("号码已换")
    submit(account, "提出请求")
    expect(account.locator("article")).to_contain_text("更正、补充")
    shoot(account, "my-data", full=True)
    assert serious(account) == []
    phone = sign_in("resident", "/my-data", phone=True)
    expect(phone.locator("article").first).to_be_visible()
    shoot(phone, "my-data-phone", full=True)
    assert phone.evaluate(PHONE_FITS)


def tell(office: Office, resident: str, rule: str, **more: object) -> None:
    """A life event of a resident, told by the grid."""
    report = {"rule": rule, "residentId": resident, "occurredOn": "2026-05-04", "consent": "CONSENT_GIVEN", **more}
    office.call("worker", "POST", "/v1/life-events", {"report": report})


def test_the_work_of_life_events_is_found_done_and_cancelled(
    office: Office, sign_in: SignIn, shoot: Callable[..., None]
) -> None:
    resident = enter(office, "徐茂公")
    for rule in ("LE06", "LE11"):
        tell(office, resident, rule)
    page = sign_in("worker", "/people/events")
    cards = page.locator("article", has=page.locator(f"a[href$='{resident}']"))
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("剩")
    shoot(page, "events-masked", full=True)
    # Who has an event of one kind is asked for a purpose.
    page.locator(".filters .n-select").nth(1).click()
    page.locator(".n-base-select-option:visible", has_text="残疾证新发").click()
    expect(page.locator(".n-base-select-option:visible")).to_have_count(0)
    purpose(page)
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("辅具需求询问")
    shoot(page, "events", full=True)
    assert serious(page) == []
    cards.get_by_role("button", name="登记办理结果").click()
    choose(page, "field-outcome", "本人婉拒")
    submit(page, "登记办理结果")
    expect(page.locator(".row.wrong", has=page.locator("#field-result")).locator(".error")).to_have_text("请填写")
    shoot(page, "event-wrong")
    page.locator("#field-result").fill("暂时不需要，留下联系卡")
    submit(page, "登记办理结果")
    expect(cards).to_have_count(0)
    page.locator(".filters .n-select").first.click()
    page.locator(".n-base-select-option:visible", has_text="已办").click()
    expect(cards).to_contain_text("暂时不需要")

    phone = sign_in("clerk", "/people/events", phone=True, language="en")
    mine = phone.locator("article", has=phone.locator(f"a[href$='{resident}']"))
    mine.get_by_role("button", name="Cancel the event").click()
    submit(phone, "Cancel the event")
    expect(phone.locator(".row.wrong .error")).to_have_text("Required")
    phone.locator("#field-reason").fill("told twice")
    shoot(phone, "event-cancel-phone")
    submit(phone, "Cancel the event")
    expect(mine).to_have_count(0)


def test_a_life_event_is_reported_on_a_phone(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    phone, outside = sign_in("worker-shibanxi", "/people/events", phone=True), f"西陵一路{uuid.uuid4().hex[:4]}号"
    phone.get_by_role("button", name="登记事件").click()
    choose(phone, "field-report-rule", "LE03")
    phone.locator(".dialog .n-switch").click()
    phone.locator("[id='field-report-occurredOn']").fill("2099-01-01")
    submit(phone, "登记事件")
    assert error_at(phone, "field-report-occurredOn") == "日期在今天之后。"
    assert error_at(phone, "field-report-contactName") == "请填写"
    shoot(phone, "event-report-phone")
    assert phone.evaluate(PHONE_FITS)
    phone.locator("[id='field-report-contactName']").fill("罗士信")
    phone.locator("[id='field-report-address']").fill(outside)
    phone.locator("[id='field-report-occurredOn']").fill("2026-05-04")
    choose(phone, "field-report-consent", "已告知本人")
    submit(phone, "登记事件")
    expect(phone.get_by_role("dialog")).to_have_count(0)
    phone.get_by_role("button", name="显示完整信息").click()
    purpose(phone)
    expect(phone.locator("article", has_text=outside)).to_contain_text("迁入/新入住")
    shoot(phone, "events-phone", full=True)
    assert serious(phone) == []
    assert phone.evaluate(PHONE_FITS)
