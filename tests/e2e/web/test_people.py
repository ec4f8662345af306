"""The pages of the population register: found for a purpose, shown in full on record, collected, counted, imported, merged, asked about."""

import io
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from population.forms import command
from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import GRID, PASSWORD, Office
from tests.e2e.web.test_accessible import serious
from tests.e2e.web.test_ways import submit

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def enter(office: Office, name: str, **more: object) -> str:
    """A resident of the seeded grid, registered in the community beside it."""
    home = {"houseId": str(uuid.uuid4()), "since": "2011-04-01"}
    registered = {"areaCode": "420502001004", "kind": "RESIDENCE_KIND_REGISTERED", "since": "1985-06-01"}
    body = {
        "areaCode": GRID,
        "name": name,
        "birthDate": "1941-03-05",
        "sex": "1",
        "residence": home,
        "registered": registered,
        **more,
    }
    return str(office.call("worker", "POST", "/v1/residents", {"resident": body})["residentId"])


def wait_for_replica(office: Office) -> None:
    """Waits until the replica has somebody; a new one is built in the background."""
    deadline = time.monotonic() + 30
    # Of so few people no ages are told, but that there are some.
    while not office.call("supervisor", "GET", "/v1/population/pyramid").get("total", {}).get("total"):
        assert time.monotonic() < deadline, "the replica stays empty"
        time.sleep(0.3)


def purpose(page: Page) -> None:
    """States the first purpose the open dialog offers."""
    expect(page.get_by_role("dialog")).to_contain_text("审计记录")
    page.locator(".dialog .n-select").click()
    page.locator(".n-base-select-option:visible").first.click()
    page.locator(".dialog button[type=submit]").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_resident_is_found_shown_on_record_and_collected(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    surname = "单雄信"
    resident = enter(office, surname, phone="13812345678")
    page = sign_in("worker", "/people")
    page.get_by_role("textbox", name="姓名、拼音、首字母或证件号码").fill("shanxiongxin")
    page.locator(".search .n-select").click()
    page.locator(".n-base-select-option:visible", has_text="P01").click()
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator("tbody tr", has_text=surname).first).to_contain_text("人户分离")
    assert "shan" not in page.url  # addresses are kept in logs, so nobody's name stands in one

    page.goto(f"/people/residents/{resident}")
    expect(page.locator("h1")).to_contain_text("单**")
    expect(page.locator(".splits")).to_contain_text("铁路坝社区")
    page.get_by_role("button", name="显示完整信息").click()
    purpose(page)
    expect(page.locator("h1")).to_contain_text(surname)
    expect(page.locator("tbody tr", has_text="电话")).to_contain_text("13812345678")
    shoot(page, "resident", full=True)
    assert serious(page) == []

    # Two people who did not know of each other: the clerk decides, and sees who would override whom.
    office.call(
        "clerk", "POST", f"/v1/residents/{resident}/fields:submit", {"edits": [{"field": "name_latin", "value": "SHAN"}]}
    )
    page.get_by_role("button", name="提交采集").click()
    page.locator("#field-edits-name_latin").fill("DAN")
    submit(page, "提交采集")
    expect(page.get_by_text("拉丁字母姓名 有冲突")).to_be_visible()
    clerk = sign_in("clerk", "/people/collection/conflicts", phone=True)
    card = clerk.locator("article", has=clerk.locator(f"a[href$='{resident}']"))
    expect(card).to_contain_text("worker 的内容将替换 clerk 的内容")
    card.get_by_role("button", name="采用后到的修改").click()
    expect(card).to_have_count(0)
    clerk.goto(f"/people/rights/accesses/{resident}")
    clerk.get_by_role("button", name="查看", exact=True).click()
    expect(clerk.locator("tbody tr", has_text="P01 居民服务办理").first).to_contain_text("王海燕")
    assert clerk.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_questions_say_what_is_wrong_where_and_withhold_small_counts(
    office: Office, sign_in: SignIn, shoot: Callable[..., None]
) -> None:
    enter(office, "程知节")
    wait_for_replica(office)
    page = sign_in("supervisor", "/people/questions")
    page.get_by_role("textbox", name="条件").fill("age >= 80 AND foo = 1")
    page.get_by_role("button", name="统计人数").click()
    expect(page.locator(".fault")).to_contain_text("第 15 个字符处看不懂：没有字段 foo")
    expect(page.locator(".fault mark")).to_have_text("foo")
    page.get_by_role("textbox", name="条件").fill('birth_date = "1941-03-05" AND floor = 99')
    page.get_by_role("button", name="统计人数").click()
    expect(page.locator(".total")).to_have_text("0")
    expect(page.get_by_role("note")).to_contain_text("来自统计副本，滞后")
    page.goto("/people/figures")
    expect(page.get_by_role("img", name="人口金字塔").locator("svg")).to_be_visible()
    expect(page.get_by_role("note").first).to_contain_text("滞后")
    shoot(page, "figures", full=True)
    assert serious(page) == []


def test_an_import_shows_its_progress_and_gives_the_rows_it_refused(
    office: Office, sign_in: SignIn, shoot: Callable[..., None], tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("姓名,身份证号,性别,政治面貌\n王小明,420502199001010000,男,x\n", encoding="utf-8")
    page = sign_in("importer", "/people/jobs")
    page.get_by_role("button", name="导入", exact=True).click()
    page.locator(".dialog .n-select").first.click()
    page.locator(".n-base-select-option:visible", has_text="P02").click()
    page.locator("#field-legalBasis").fill("两实数据共享协议")
    page.locator(".dialog input[type=file]").set_input_files(file)
    expect(page.get_by_role("button", name="people.csv")).to_contain_text("已上传")
    submit(page, "导入")
    expect(page).to_have_url(re.compile("/people/jobs/[0-9a-f-]{36}"))
    expect(page.locator("h1")).to_contain_text("已完成")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
    expect(page.locator(".counts div", has_text="拒收")).to_contain_text("1")
    page.get_by_role("button", name="下载 refused_rows.csv").click()
    with page.expect_download() as saved:
        purpose(page)
    assert "420502199001010000" not in Path(saved.value.path()).read_text(encoding="utf-8-sig")
    shoot(page, "job", full=True)
    assert serious(page) == []


def test_collection_forms_are_downloaded_where_jobs_are_and_where_people_collect(
    office: Office, sign_in: SignIn, shoot: Callable[..., None]
) -> None:
    page = sign_in("steward", "/people/jobs")
    forms = page.get_by_role("region", name="采集表单")
    expect(forms.get_by_role("listitem")).to_have_count(5)
    with page.expect_download() as saved:
        forms.get_by_role("button", name="下载 家庭户信息采集").click()
    assert saved.value.suggested_filename == "household.xlsx"
    assert Path(saved.value.path()).read_bytes()[:2] == b"PK"
    shoot(page, "collection-forms", full=True)
    page.get_by_role("button", name="导入", exact=True).click()
    shoot(page, "import-form")
    assert serious(page) == []
    page = sign_in("clerk", "/people/collection", phone=True, language="en")
    expect(page.get_by_role("region", name="Collection forms").get_by_role("button")).to_have_count(5)
    shoot(page, "collection-forms-phone", full=True)
    assert serious(page) == []


def test_forms_come_back_through_the_entry_by_who_signs_in(
    edge_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "binglian_care_visit.csv"
    key = str(uuid.uuid4())
    file.write_text(f"plan_id,nothing_to_report,KEY\n{uuid.uuid4()},true,uuid:{key}\n", encoding="utf-8")
    (tmp_path / "binglian_care_visit-evidence.csv").write_text("uri,PARENT_KEY\n", encoding="utf-8")

    def bring(*more: str) -> tuple[int, str]:
        out = io.StringIO()
        return command.main(["bring", "care_visit", str(file), "--edge", edge_url, *more], out=out), out.getvalue()

    monkeypatch.setenv("BINGLIAN_PASSWORD", PASSWORD)
    code, said = bring("--user", "worker", "--dry-run")
    assert (code, "row 1: VISIT_PLAN_NOT_FOUND (plan_id)" in said) == (1, True), said
    code, said = bring("--user", "worker")
    assert (code, "row 1: VISIT_PLAN_NOT_FOUND" in said) == (1, True), said
    assert key in file.with_name(f"{file.name}.results.csv").read_text(encoding="utf-8-sig")
    monkeypatch.setenv("BINGLIAN_PASSWORD", "wrong")
    code, said = bring("--user", "worker")
    assert (code, "WRONG_CREDENTIALS" in said) == (2, True), said


def test_a_duplicate_is_explained_merged_and_taken_apart(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    one = enter(office, "尉迟敬德", phone="13955556666")
    enter(office, "尉迟敬德", phone="13955556666")
    page = sign_in("clerk", f"/people/duplicates?resident={one}")
    card = page.locator("article").first
    expect(card).to_contain_text("同一人的可能性")
    expect(card.locator("tbody")).to_contain_text("姓名相同")
    shoot(page, "duplicates", full=True)
    card.get_by_role("button", name="确认合并").click()
    page.locator("#field-reason").fill("入户核实为同一人")
    submit(page, "确认合并")
    decided = page.locator("li", has_text="入户核实为同一人")
    expect(decided).to_contain_text("已合并")
    decided.get_by_role("button", name="撤销合并").click()
    page.locator("#field-reason").fill("实为父子")
    submit(page, "撤销合并")
    expect(page.locator("li", has_text="实为父子")).to_contain_text("撤销")


def test_a_request_about_data_has_a_deadline_and_is_decided_by_somebody_else(office: Office, sign_in: SignIn) -> None:
    resident = enter(office, "罗士信")
    page = sign_in("clerk", f"/people/rights?resident={resident}")
    page.get_by_role("button", name="登记请求").click()
    page.locator(".n-select", has=page.locator("#field-kind")).click()
    page.locator(".n-base-select-option:visible", has_text="R1").click()
    submit(page, "登记请求")
    expect(page.locator("article")).to_contain_text("查阅、复制")
    expect(page.locator("article .due")).to_contain_text("答复期限")
    expect(page.get_by_role("button", name="作出决定")).to_have_count(0)
    officer = sign_in("dpo", f"/people/rights?resident={resident}")
    officer.get_by_role("button", name="作出决定").click()
    officer.locator(".n-select", has=officer.locator("#field-decision")).click()
    officer.locator(".n-base-select-option:visible", has_text=re.compile("^同意$")).click()
    officer.locator("#field-reason").fill("符合规定")
    submit(officer, "作出决定")
    expect(officer.locator("article")).to_contain_text("已同意")
    for path, words in (("/people/care", "待走访"), ("/people/welfare", "独居守护")):
        page.goto(path)
        expect(page.get_by_role("heading", name=words).first).to_be_visible()
