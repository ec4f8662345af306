"""axe-core finds nothing serious on any page, light or dark, desktop or phone; everything can be reached by keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.web.conftest import SignIn
from tests.e2e.web.office import Office

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

AXE = Path(__file__).parents[3] / "gateway" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }"


def serious(page: Page) -> list[str]:
    """Serious and critical violations of WCAG 2.1 AA, with the elements that show them."""
    # What fades in or out has other colours meanwhile.
    # (Evaluated by the browser itself: `wait_for_function` would evaluate a string in the page, which its policy forbids.)
    page.evaluate(
        "Promise.allSettled(document.getAnimations()"
        ".filter(one => one.effect.getTiming().iterations !== Infinity).map(one => one.finished)).then(() => true)"
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate(f"axe.run(document, {RULES}).then(result => result.violations)")
    return [
        f"{found['id']}: {found['help']}: {[(node['target'], node['failureSummary'][:200]) for node in found['nodes'][:5]]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_barriers(office: Office, sign_in: SignIn, scheme: str) -> None:
    case = office.dispatch(office.report("楼道照明损坏"), {"department": "UMD"}, {"department": "PROP", "after": ["UMD"]})
    office.act(case, "UMD", "accept")
    undispatched = office.report("楼道堆物")
    page = sign_in("dispatcher", color_scheme=scheme)
    expect(page.locator(".card").first).to_be_visible()
    page.wait_for_timeout(2_500)  # charts, and cards that still fade in
    assert serious(page) == []
    for path, mark in ((f"/cases/{case['caseId']}", ".plot .track"), ("/report", ".letters")):
        page.goto(path)
        expect(page.locator(mark).first).to_be_visible()
        page.wait_for_timeout(500)
        assert serious(page) == []
    page.goto(f"/cases/{undispatched['caseId']}")
    page.get_by_role("button", name="派遣", exact=True).click()
    expect(page.locator(".rows li").first).to_be_visible()
    page.wait_for_timeout(500)
    assert serious(page) == []


def test_login_has_no_serious_barriers(open_context: Callable[..., BrowserContext]) -> None:
    page = open_context(phone=True).new_page()
    page.goto("/login")
    expect(page.locator("#username")).to_be_visible()
    assert serious(page) == []


def test_a_dialog_holds_the_focus_and_gives_it_back(office: Office, sign_in: SignIn) -> None:
    case = office.report("键盘操作")
    page = sign_in("dispatcher", f"/cases/{case['caseId']}")
    page.get_by_role("button", name="不予受理").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("#field-reason")).to_be_visible()
    assert page.evaluate("document.querySelector('[role=dialog]').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_board_is_walked_by_keyboard(office: Office, sign_in: SignIn) -> None:
    office.report("键盘浏览")
    page = sign_in("dispatcher")
    card = page.locator(".card").first
    expect(card).to_be_visible()
    card.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".head h1")).to_be_visible()
