"""A headless Chromium (Debian's), and people who sign in with it. Screenshots go to BINGLIAN_SCREENSHOTS when that is set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.web.office import CENTER, PASSWORD, Office

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1440, "height": 1000}
PHONE = {"width": 390, "height": 844}

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def office(edge_url: str) -> Office:
    """People and departments acting over REST, with a few areas to act in."""
    people = Office(edge_url)
    people.seed_areas()
    return people


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module. Not for longer: Playwright keeps an event loop running, beside which no other may."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        # Loud where it matters: a CI without a browser would check no page at all.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Debian's package chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What no page may do: throw, log an error, or ask anybody but our own entry."""
    return []


@pytest.fixture
def open_context(browser: Browser, edge_url: str, complaints: list[str]) -> Iterator[Callable[..., BrowserContext]]:
    """Makes contexts (desktop unless told) whose pages are watched; checks at the end that none complained."""
    contexts: list[BrowserContext] = []

    def make(*, phone: bool = False, **more: object) -> BrowserContext:
        size = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {"viewport": DESKTOP}
        here = {"longitude": CENTER[0], "latitude": CENTER[1]}
        context = browser.new_context(
            base_url=edge_url, locale="zh-CN", geolocation=here, permissions=["geolocation"], **size, **more
        )
        context.on("request", lambda request: _check_host(request.url, edge_url, complaints))
        context.on("weberror", lambda error: complaints.append(f"uncaught: {error.error}"))
        context.on("console", lambda line: complaints.append(line.text) if _is_complaint(line.type, line.text) else None)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _check_host(url: str, edge_url: str, complaints: list[str]) -> None:
    if urlsplit(url).netloc not in ("", urlsplit(edge_url).netloc):
        complaints.append(f"asked {url}")


def _is_complaint(kind: str, text: str) -> bool:
    # The browser itself notes every answer that is not 2xx; whether those are right is the tests' business.
    return kind in ("error", "warning") and not text.startswith("Failed to load resource")


@pytest.fixture
def sign_in(open_context: Callable[..., BrowserContext]) -> SignIn:
    """Opens a page as somebody, with the session already there, in `language` ("zh" or "en")."""

    def start(who: str, path: str = "/board", *, phone: bool = False, language: str = "zh", **more: object) -> Page:
        context = open_context(phone=phone, **more)
        context.add_init_script(f"location.protocol === 'about:' || localStorage.setItem('binglian.language', '{language}')")
        body = {"username": who, "password": PASSWORD}
        answer = context.request.post("/auth/login", data=body, headers={"X-Requested-With": "binglian"})
        assert answer.ok, answer.text()
        page = context.new_page()
        page.goto(path)
        return page

    return start


@pytest.fixture
def shoot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Saves a screenshot where BINGLIAN_SCREENSHOTS says; nothing otherwise."""
    folder = os.environ.get("BINGLIAN_SCREENSHOTS")

    def save(page: Page, name: str, *, full: bool = False) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}.png", full_page=full)

    return save
