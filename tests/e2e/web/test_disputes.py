"""Mediation, from the application to the agreement and its papers; and an end without one."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import COMMITTEE, GRID, Office
from tests.e2e.web.test_accessible import serious
from tests.e2e.web.test_ways import choose, submit

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def dispute_of(office: Office, description: str) -> dict:
    """A dispute that is applied for."""
    case = office.report(description, category="A0202", areaCode=GRID)
    parties = [
        {"side": "PARTY_SIDE_APPLICANT", "type": "01", "name": "王小明", "phone": "13812345678"},
        {"side": "PARTY_SIDE_RESPONDENT", "type": "01", "name": "李芳", "address": "石板溪路12号"},
    ]
    body = {"description": description, "parties": parties, "committee": {"code": COMMITTEE["code"], "name": COMMITTEE["name"]}}
    return office.call("mediator", "POST", f"/v1/cases/{case['caseId']}/disputes", body)


def apply(page: Page) -> None:
    """Fills in the application in the open dialog."""
    names = page.get_by_role("dialog").get_by_label("姓名或名称")
    names.nth(0).fill("王小明")
    names.nth(1).fill("李芳")
    page.get_by_role("dialog").get_by_label("电话", exact=True).first.fill("13812345678")
    submit(page, "申请调解")
    expect(page).to_have_url(re.compile("/disputes/"))


def begin(page: Page) -> None:
    """Both consent and accept the mediator; until then the page says what is missing."""
    expect(page.locator(".before")).to_contain_text("同意调解")
    expect(page.get_by_role("button", name="开始调解")).to_have_count(0)
    for place in (0, 1):
        page.locator(".party").nth(place).get_by_role("button", name="登记意愿").click()
        page.get_by_role("radio", name="同意调解").click()
        submit(page, "登记意愿")
        expect(page.locator(".party .consent_given").nth(place)).to_be_visible()
    choose(page, "选定调解员")
    page.get_by_role("radio", name="当事人选定").click()
    page.get_by_role("dialog").get_by_role("checkbox", name=re.compile("^申请人")).click()
    submit(page, "选定调解员")
    page.locator(".party").nth(1).get_by_role("button", name="认可调解员").click()
    submit(page, "认可调解员")
    expect(page.locator(".before")).to_contain_text("可以开始调解")
    choose(page, "开始调解")
    submit(page, "开始调解")
    expect(page.locator(".head .state")).to_have_text("调解中")
    expect(page.locator(".limit")).to_contain_text("剩")


def hold_session(page: Page) -> None:
    choose(page, "记录调解会")
    page.locator("#dispute-record").fill("双方到场查看，防水层破损。")
    submit(page, "记录调解会")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("请填写")
    for radio in page.get_by_role("dialog").get_by_role("radio", name="到场", exact=True).all():
        radio.click()
    page.locator("#dispute-place").fill("社区调解室")
    submit(page, "记录调解会")
    expect(page.locator("li", has_text="双方到场查看，防水层破损。")).to_contain_text("社区调解室")


def agree(page: Page, shoot: Callable[..., None]) -> None:
    """Drafts the agreement, which says who owes whom what, and has everybody sign."""
    choose(page, "拟定协议")
    dialog = page.get_by_role("dialog")
    page.locator("#dispute-facts").fill("楼上防水层破损，致楼下屋顶渗水。")
    submit(page, "拟定协议")
    expect(dialog.get_by_role("alert")).to_have_text("每项须写明义务人、权利人、内容、方式和期限。")
    for label, text in (("内容", "赔偿屋顶修缮费"), ("金额（元）", "3500"), ("履行方式", "银行转账")):
        dialog.get_by_label(f"第 1 项 {label}").fill(text)
    dialog.get_by_label("最后期限").fill("2099-12-31")
    shoot(page, "agreement-draft")
    assert serious(page) == []
    submit(page, "拟定协议")
    expect(page.get_by_text("3,500.00 元")).to_be_visible()
    choose(page, "登记签名")
    for box in dialog.get_by_role("checkbox").all():
        box.click()
    submit(page, "登记签名")
    expect(page.locator(".head .state")).to_have_text("已达成协议")


def test_a_mediator_leads_a_dispute_to_an_agreement(
    office: Office, sign_in: SignIn, shoot: Callable[..., None], tmp_path: Path
) -> None:
    case = office.report("楼上渗水，多次协商不成", category="A0202")
    page = sign_in("mediator", f"/cases/{case['caseId']}")
    page.get_by_text("调解", exact=True).click()
    page.get_by_role("button", name="申请调解").click()
    submit(page, "申请调解")
    expect(page.get_by_role("dialog").get_by_role("alert").first).to_have_text("申请人与被申请人各至少一位，并写明类别和姓名。")
    shoot(page, "dispute-open")
    assert serious(page) == []
    apply(page)
    begin(page)
    hold_session(page)
    agree(page, shoot)
    expect(page.get_by_text("七日回访")).to_be_visible()
    expect(page.get_by_text("可共同申请司法确认", exact=True)).to_be_visible()
    page.wait_for_timeout(500)  # words of a message that fades in are pale
    shoot(page, "dispute", full=True)
    assert serious(page) == []

    # Names are masked until somebody asks for them; papers hold them whole.
    expect(page.locator(".party").first).not_to_contain_text("王小明")
    page.get_by_role("button", name="显示姓名和联系方式").click()
    expect(page.locator(".party").first).to_contain_text("王小明")
    expect(page.locator(".party").first).to_contain_text("13812345678")
    for word, begins in (("PDF", b"%PDF"), ("DOCX", b"PK")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"下载 调解协议书 {word}").click()
        file = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(file)
        assert file.suffix == f".{word.lower()}"
        assert file.read_bytes().startswith(begins)
        if word == "DOCX":
            assert "王小明" in zipfile.ZipFile(file).read("word/document.xml").decode()

    choose(page, "登记回访")
    page.locator("#dispute-text").fill("已转账一半")
    page.get_by_role("radio", name="已按约履行").click()
    submit(page, "登记回访")
    expect(page.get_by_text("已转账一半")).to_be_visible()


def test_a_refusal_ends_it_and_the_remedies_are_told(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    dispute = dispute_of(office, "邻里噪声")
    page = sign_in("mediator", f"/disputes/{dispute['disputeId']}", phone=True)
    page.locator(".party").nth(1).get_by_role("button", name="登记意愿").click()
    page.get_by_role("radio", name="拒绝调解").click()
    page.locator("#dispute-text").fill("当面拒绝")
    submit(page, "登记意愿")
    expect(page.locator(".head .state")).to_have_text("终止待告知")
    choose(page, "告知其他途径")
    page.get_by_role("dialog").get_by_role("checkbox").first.click()
    page.locator("#dispute-way").fill("书面送达")
    submit(page, "告知其他途径")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("须包括全部当事人。")
    page.get_by_role("dialog").get_by_role("checkbox").last.click()
    shoot(page, "phone-remedies")
    submit(page, "告知其他途径")
    expect(page.locator(".head .state")).to_have_text("已终止")
    expect(page.get_by_role("button", name="下载 终止及途径告知书 PDF")).to_be_visible()
    page.wait_for_timeout(500)  # words of a message that fades in are pale
    shoot(page, "phone-dispute", full=True)
    assert serious(page) == []


def test_the_list_of_disputes(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    dispute = dispute_of(office, "车位争执")
    page = sign_in("mediator", "/disputes")
    row = page.locator("tr", has_text=dispute["caseNumber"])
    expect(row).to_contain_text("已登记")
    shoot(page, "disputes")
    assert serious(page) == []
    page.get_by_role("button", name="我调解的").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="全部", exact=True).click()
    row.get_by_role("link").click()
    expect(page.locator(".head h1")).to_contain_text("已登记")
    small = sign_in("mediator", "/disputes", phone=True)
    expect(small.locator("tr", has_text=dispute["caseNumber"])).to_be_visible()
    assert small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(small, "phone-disputes")


def test_what_mediation_achieved(office: Office, sign_in: SignIn, shoot: Callable[..., None]) -> None:
    dispute_of(office, "楼道堆物")
    page = sign_in("mediator", "/disputes")
    page.get_by_role("button", name="调解成效").click()
    figures = page.get_by_role("region", name="调解成效")
    expect(figures.locator(".tiles dd").first).not_to_have_text("0")
    expect(figures.get_by_text("制止民转刑", exact=True)).to_be_visible()
    expect(figures.locator("tr", has_text="达成书面协议")).to_be_visible()
    shoot(page, "dispute-figures", full=True)
    assert serious(page) == []
    page.locator(".period").click()
    page.locator(".n-base-select-option").last.click()
    expect(figures.locator(".tiles dd").first).to_have_text("0")
    small = sign_in("mediator", "/disputes?view=figures", phone=True, language="en")
    expect(small.locator(".tiles dd").first).not_to_have_text("0")
    assert small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(small, "phone-dispute-figures", full=True)
    assert serious(small) == []


def test_another_mediator_and_unknown_disputes(office: Office, sign_in: SignIn) -> None:
    page = sign_in("mediator", "/disputes/018f0000-0000-7000-8000-000000000000")
    expect(page.get_by_role("alert")).to_contain_text("没有这个纠纷，或你无权查看。")
    page.goto("/disputes/nonsense")
    expect(page.get_by_role("alert")).to_contain_text("没有这个纠纷，或你无权查看。")
