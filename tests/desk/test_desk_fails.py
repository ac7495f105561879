"""A desk whose store fails says so, to watchdogs and to people, for as long as it does; and to nobody what is theirs
alone."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_scene import Api, refusal
from book_scene import HEADER, take
from chromium import chromium
from desk_process import BATCH, NOW, DeskProcess
from desk_records import Scanner
from playwright.sync_api import Page, expect
from test_api_document import problem

from plomba.desk.book import Book
from plomba.desk.watch import INTERVAL, Watch
from plomba.errors import StoreError
from plomba.testing import postgresql
from plomba.texts import LANGUAGES, say
from plomba.trust.organisation import Organisation


@pytest.fixture
def server() -> Iterator[postgresql.Server]:
    if postgresql.programs() is None:
        pytest.skip("postgresql_missing")
    with postgresql.running() as server:
        yield server


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page(locale="en-GB")


def until(desk: DeskProcess, status: int) -> Any:
    """The answer of /healthz once it has that status; the desk looks every `INTERVAL` seconds."""
    end = time.monotonic() + 4 * INTERVAL
    while True:
        answer = desk.http.get("/healthz")
        if answer.status_code == status or time.monotonic() > end:
            assert answer.status_code == status, answer.text
            return answer


def test_a_server_that_goes_away_is_told_until_it_is_back(
    server: postgresql.Server, tmp_path: Path, organisation: Organisation, page: Page
) -> None:
    desk = DeskProcess(tmp_path / "desk", organisation.folder, database=server.url)
    scanner = Scanner(organisation, now=NOW)
    desk.enrol(scanner)
    desk.orders("order,class,place,seals\nA-1,sealed,17,S1\n")
    assert desk.http.get("/healthz").json()["status"] == "ok"
    page.goto(desk.url)
    expect(page.locator("html")).to_have_attribute("data-link", "live")

    server.crash()
    told = problem(desk.http.get("/healthz"), 503, "desk_store_down")
    assert desk.http.head("/healthz").status_code == 503
    private = (server.url, server.url.rpartition("=")[2], "postgres", str(tmp_path), "A-1", scanner.key.id.hex())
    assert not [word for word in private if word in str(told)]
    for lang in LANGUAGES:
        answer = desk.http.get(f"/?lang={lang}")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert say("desk", "failing", lang) in answer.text
        assert not [word for word in private if word in answer.text]
    # The page is told by the look at the clock, without asking.
    expect(page.locator(".when-failing")).to_be_visible(timeout=4000 * INTERVAL)
    expect(page.locator("[data-order='A-1']")).to_be_visible()
    batch = desk.http.post("/api/v1/events", json=scanner.way("A-1", "S1"), headers={"content-type": BATCH})
    assert batch.status_code == 503

    server.start()
    until(desk, 200)
    expect(page.locator("html")).to_have_attribute("data-link", "live", timeout=4000 * INTERVAL)
    expect(page.locator(".when-failing")).not_to_be_visible()
    assert desk.http.get("/").status_code == 200
    assert desk.stop() == 0
    assert desk.errors.count("desk_store_failed") == 1, "once for each time that it goes away"
    page.close()


def unwritable(book: Book, off: bool) -> None:
    """SQLite reads, and writes nothing."""
    writing = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE) if off else ()

    def allowed(action: int, *what: object) -> int:
        return sqlite3.SQLITE_DENY if action in writing else sqlite3.SQLITE_OK

    book.store.database._live().connection.driver_connection.set_authorizer(allowed)


def test_a_write_that_failed_is_told_until_one_is_done(api: Api, book: Book, counter: Scanner) -> None:
    client = api.as_("admin", "admin")
    take(book, "A-1,plain,17,A1,,\n", HEADER)
    assert (client.get("/healthz").status_code, client.get("/").status_code) == (200, 200)
    told: list[str] = []
    book.store.database.failing = lambda error: told.append(error.code)
    unwritable(book, True)
    with pytest.raises(StoreError):
        book.accept([counter.store("A-1")])
    for _ in range(2):
        assert refusal(client.get("/healthz")) == (503, "desk_store_down")
    for lang in LANGUAGES:
        for path in ("/", "/live"):
            shown = client.get(path, params={"lang": lang})
            assert shown.status_code == 200 and "A-1" in shown.text
            assert f'role="alert">{say("desk", "failing", lang)}' in shown.text
    with pytest.raises(StoreError):
        book.tick()
    assert refusal(client.get("/healthz")) == (503, "desk_store_down")
    unwritable(book, False)
    assert refusal(client.get("/healthz")) == (503, "desk_store_down"), "nothing was written yet"
    before = book.store.query("SELECT lifecycle FROM replayed")
    book.tick()
    assert client.get("/healthz").status_code == 200
    assert "alert" not in client.get("/live").text
    assert told == ["desk_store_failed"], "once until something was written"
    assert book.store.query("SELECT lifecycle FROM replayed") == before != []


def test_a_refused_request_is_no_failing_store(api: Api, book: Book) -> None:
    client = api.as_("admin", "admin")
    assert client.get("/api/v1/orders/none").status_code == 404
    assert client.post("/api/v1/events", json=[1], headers={"content-type": BATCH}).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_the_watch_tells_both_ends_of_failing_once() -> None:
    failure = StoreError("desk_store_down")
    script: list[int | StoreError] = [0, failure, failure, 0, 0, 3, failure, 2]
    told: list[str] = []

    async def tick() -> int:
        if not script:
            raise asyncio.CancelledError
        told.append("look")
        found = script.pop(0)
        if isinstance(found, StoreError):
            raise found
        return found

    watch = Watch(tick, lambda: told.append("changed"), interval=0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watch.run())
    assert " ".join(told).split("look ")[1:] == [
        "",
        "changed ",
        "",
        "changed ",
        "",
        "changed ",
        "changed ",
        "changed",
    ]
