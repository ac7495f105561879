"""Logging in and out in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from account_scene import PASSWORD, accounts_in, with_password
from api_scene import Api, refusal
from book_scene import Clock
from chromium import chromium
from desk_process import DeskProcess
from playwright.sync_api import Browser, Page, expect

from plomba.desk import page as desk_page
from plomba.desk.store import Store
from plomba.texts import LANGUAGES
from plomba.trust.organisation import Organisation

HOSTILE = "<script>window.owned=1</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def desk(tmp_path: Path, organisation: Organisation) -> Iterator[DeskProcess]:
    """A desk with accounts: a clerk of all places, and one of a single place."""
    store, clock = Store(tmp_path / "desk"), Clock()
    clock.now = int(time.time())
    accounts = accounts_in(store, clock)
    with_password(accounts)
    with_password(accounts, "bound", places=frozenset({17}))
    store.close()
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    yield desk
    assert desk.stop() == 0
    assert desk.errors == ""


@pytest.fixture
def page(browser: Browser, desk: DeskProcess) -> Iterator[Page]:
    """The desk's page, on which no script fails and nothing breaks its policy unseen."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if "Policy" in message.text else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(desk.url)
    yield page
    context.close()
    assert faults == []


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_clerk_logs_in_and_out(page: Page) -> None:
    expect(page.locator("#live")).to_have_count(0)
    log_in(page, "anna", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Name or password does not fit")
    log_in(page, "anna")
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    expect(page.locator(".session bdi")).to_have_text("anna")
    expect(page.locator("#refusal")).to_be_hidden()
    page.get_by_role("button", name="log out").click()
    expect(page.locator("#login")).to_be_visible()
    assert page.context.cookies() == []
    page.reload()
    expect(page.locator("#login")).to_be_visible()


def test_a_role_without_the_page_is_told_so_and_can_leave(page: Page) -> None:
    log_in(page, "bound")
    expect(page.locator(".login p")).to_contain_text("bound: the role “clerk” with its bounds has no page")
    expect(page.locator("#login")).to_have_count(0)
    page.get_by_role("button", name="log out").click()
    expect(page.locator("#login")).to_be_visible()


def test_too_many_tries_say_when_again_and_a_name_stays_text(page: Page) -> None:
    for _ in range(5):
        log_in(page, HOSTILE, "not the password")
        expect(page.get_by_role("button", name="Log in")).to_be_enabled()
    log_in(page, HOSTILE)
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"^Too many tries to log in\. Wait \d+ s and try again$"))
    assert page.evaluate("window.owned") is None
    assert HOSTILE not in page.url


@pytest.mark.parametrize("width", [360, 1280])
def test_the_form_fits_the_screen(desk: DeskProcess, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, locale="uk-UA")
    page.goto(desk.url)
    expect(page.get_by_label("Пароль")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_only_a_browser_is_answered_with_a_page(api: Api) -> None:
    html = {"accept": "text/html,*/*;q=0.8", "accept-language": "uk"}
    assert "login" not in api.http.get("/", headers=html).text, "a desk without accounts asks nobody"
    courier = api.as_("kim", "courier", badge=7)
    assert refusal(api.http.get("/")) == (401, "desk_login_needed")
    assert refusal(api.http.get("/live", headers=html)) == (401, "desk_login_needed")
    assert refusal(courier.get("/")) == (403, "desk_right")
    asked, told = api.http.get("/", headers=html), courier.get("/", headers=html)
    assert (asked.status_code, told.status_code) == (401, 403)
    assert asked.headers["content-language"] == "uk" and 'id="login"' in asked.text
    assert "www-authenticate" in asked.headers and "accept" in asked.headers["vary"].split(", ")
    assert "kim" in told.text and 'id="login"' not in told.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_are_data(api: Api, lang: str) -> None:
    shown = desk_page.Page(api.book.lifecycle).login(lang, HOSTILE, HOSTILE)
    assert HOSTILE not in shown and "&lt;script&gt;" in shown
