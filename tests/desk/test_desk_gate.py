"""Accounts over HTTP, on an application of two addresses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from account_scene import PASSWORD, accounts_in, with_password, with_token
from book_scene import Clock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plomba.desk.accounts import Accounts
from plomba.desk.accounts import gate as gates
from plomba.desk.accounts.attempts import OF_NAME
from plomba.desk.accounts.gate import Gate
from plomba.desk.accounts.rights import rights
from plomba.desk.book import Book
from plomba.desk.problems import headers_for, problem, status_of
from plomba.errors import PlombaError

pytestmark = pytest.mark.anyio
LOGIN = {"name": "anna", "password": PASSWORD}


@pytest.fixture
def accounts(book: Book, clock: Clock) -> Accounts:
    return accounts_in(book.store, clock)


@pytest.fixture
async def http(accounts: Accounts) -> AsyncIterator[httpx2.AsyncClient]:
    async def run(work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, work, *given)

    async def orders(request: Request) -> Response:
        return JSONResponse({"who": str(await gate.authorize(request, "orders.read"))})

    async def imported(request: Request) -> Response:
        return JSONResponse({"who": str(await gate.authorize(request, "orders.import"))})

    async def events(request: Request) -> Response:
        return JSONResponse({"who": str(await gate.authorize(request, "events.write"))})

    async def refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, PlombaError)
        answer = problem(error, status_of(error), "en")
        answer.headers.update(headers_for(error))
        return answer

    gate = Gate(accounts, run)
    routes = [
        Route("/orders", orders),
        Route("/orders", imported, methods=["POST"]),
        Route("/events", events, methods=["POST"]),
    ]
    app = Starlette(routes=[*gate.routes(), *routes], exception_handlers={PlombaError: refusal})
    with ThreadPoolExecutor(1) as thread:
        transport = httpx2.ASGITransport(app, client=("192.0.2.7", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield client


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_an_open_desk_asks_nobody(http: httpx2.AsyncClient) -> None:
    for answer in (await http.get("/orders"), await http.post("/orders"), await http.post("/events")):
        assert (answer.status_code, answer.json()) == (200, {"who": ""})
    said = (await http.get("/api/v1/session")).json()
    assert (said["account"], said["open"], said["csrf"], said["rights"]) == (None, True, None, list(rights()))
    assert code(await http.post("/orders", headers={"origin": "https://evil.example"})) == (403, "desk_foreign_site")


async def test_a_token_does_what_its_role_may(accounts: Accounts, http: httpx2.AsyncClient) -> None:
    header = {"authorization": f"Bearer {with_token(accounts, places=[17])}"}
    assert (await http.get("/orders", headers=header)).json() == {"who": "anna"}
    assert code(await http.post("/orders", headers=header)) == (403, "desk_right")
    said = (await http.get("/api/v1/session", headers=header)).json()
    assert (said["account"], said["role"], said["places"], said["csrf"]) == ("anna", "clerk", [17], None)
    assert said["rights"] == [right for right, having in rights().items() if having & {"clerk", "anybody"}]
    refused = await http.get("/orders")
    assert code(refused) == (401, "desk_login_needed")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    wrong = {"authorization": "Bearer plk_" + "A" * 43}
    assert code(await http.get("/orders", headers=wrong)) == (401, "desk_token_unknown")
    assert (await http.post("/events", headers=wrong)).json() == {"who": ""}, "a record proves itself"
    assert (await http.post("/events", headers=header)).json() == {"who": "anna"}


async def test_a_browsers_day(accounts: Accounts, http: httpx2.AsyncClient) -> None:
    with_password(accounts, role="supervisor")
    opened = await http.post("/api/v1/session", json=LOGIN)
    assert opened.status_code == 200
    assert "HttpOnly" in opened.headers["set-cookie"] and "SameSite=Strict" in opened.headers["set-cookie"]
    token = http.cookies["plomba-session"]
    assert token not in opened.text
    said = (await http.get("/api/v1/session")).json()
    assert said == {**opened.json(), "ends": None}
    assert said["account"] == "anna" and said["csrf"]
    assert (await http.get("/orders")).json() == {"who": "anna"}
    assert code(await http.post("/orders")) == (403, "desk_csrf")
    word = {"x-csrf-token": said["csrf"]}
    assert (await http.post("/orders", headers=word)).json() == {"who": "anna"}

    assert code(await http.post("/api/v1/session/password", json={"old": PASSWORD, "new": "another password"})) == (
        403,
        "desk_csrf",
    )
    for old, new, wanted in (
        ("not the password", "another password", (401, "desk_login_wrong")),
        (PASSWORD, "short", (400, "password_short")),
    ):
        answer = await http.post("/api/v1/session/password", json={"old": old, "new": new}, headers=word)
        assert code(answer) == wanted
    changed = {"old": PASSWORD, "new": "another password"}
    assert (await http.post("/api/v1/session/password", json=changed, headers=word)).status_code == 204
    assert (await http.get("/orders")).status_code == 200

    assert code(await http.delete("/api/v1/session")) == (403, "desk_csrf")
    ended = await http.delete("/api/v1/session", headers=word)
    assert ended.status_code == 204 and "Max-Age=0" in ended.headers["set-cookie"]
    assert "plomba-session" not in http.cookies
    assert code(await http.get("/orders", headers={"cookie": f"plomba-session={token}"})) == (401, "desk_login_needed")


async def test_a_session_that_was_planted_is_not_taken_over(accounts: Accounts, http: httpx2.AsyncClient) -> None:
    with_password(accounts)
    with_password(accounts, "boris")
    await http.post("/api/v1/session", json={**LOGIN, "name": "boris"})
    planted = http.cookies["plomba-session"]
    await http.post("/api/v1/session", json=LOGIN)
    assert http.cookies["plomba-session"] != planted
    http.cookies.clear()
    assert code(await http.get("/orders", headers={"cookie": f"plomba-session={planted}"})) == (
        401,
        "desk_login_needed",
    )


async def test_too_many_tries_are_told_when_to_come_again(
    accounts: Accounts, http: httpx2.AsyncClient, clock: Clock
) -> None:
    with_password(accounts)
    for _ in range(5):
        assert code(await http.post("/api/v1/session", json={**LOGIN, "password": "x"})) == (401, "desk_login_wrong")
    waiting = await http.post("/api/v1/session", json=LOGIN)
    assert code(waiting) == (429, "desk_login_wait")
    assert waiting.headers["retry-after"] == "30"
    clock.now += 30
    assert (await http.post("/api/v1/session", json=LOGIN)).status_code == 200


async def test_what_is_no_login_is_refused_before_it_counts(accounts: Accounts, http: httpx2.AsyncClient) -> None:
    with_password(accounts)
    post = http.post
    typed = {"content-type": "application/json"}
    secret = b'{"name": "anna", "password": 12345678901234567890'
    for _ in range(3):
        assert code(await post("/api/v1/session", content=b"name=anna")) == (415, "desk_media_type")
        assert code(await post("/api/v1/session", content=b"x" * 5000, headers=typed)) == (413, "desk_body_large")
        for body in (b"", b"[]", b"{}", secret, b'{"name": "a", "password": "b", "1234": 1}', b"\xff", b"[" * 4000):
            answer = await post("/api/v1/session", content=body, headers=typed)
            assert code(answer) == (400, "desk_request_malformed")
            assert "1234" not in answer.text
        answer = await post("/api/v1/session", json=LOGIN, headers={"sec-fetch-site": "cross-site"})
        assert code(answer) == (403, "desk_foreign_site")
    assert (await post("/api/v1/session", json=LOGIN)).status_code == 200


async def test_passwords_are_looked_at_one_by_one_and_the_desk_goes_on(
    accounts: Accounts, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow look holds neither the store's thread nor the loop; those behind it stand in a line that has an end."""
    with_password(accounts)
    token = {"authorization": f"Bearer {with_token(accounts, 'boris')}"}
    monkeypatch.setattr(gates, "LINE_MAX", 3)
    started, go_on, at_once = threading.Event(), threading.Event(), [0, 0]
    real = accounts.logins.passwords.fits

    def slow(password: str, held: str | None) -> bool:
        at_once[0] += 1
        at_once[1] = max(at_once)
        started.set()
        go_on.wait(20)
        at_once[0] -= 1
        return real(password, held)

    monkeypatch.setattr(accounts.logins.passwords, "fits", slow)
    tries = [asyncio.create_task(http.post("/api/v1/session", json=LOGIN)) for _ in range(3)]
    try:
        await asyncio.to_thread(started.wait, 20)
        assert (await http.get("/orders", headers=token)).json() == {"who": "boris"}
        full = await http.post("/api/v1/session", json=LOGIN)
        assert code(full) == (429, "desk_login_wait") and full.headers["retry-after"] == "1"
    finally:
        go_on.set()
    assert [(await one).status_code for one in tries] == [200] * 3
    assert at_once[1] == 1


async def test_a_full_line_costs_no_try(
    accounts: Accounts, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_password(accounts)
    with monkeypatch.context() as full:
        full.setattr(gates, "LINE_MAX", 0)
        for _ in range(OF_NAME.tries + 1):
            answer = await http.post("/api/v1/session", json=LOGIN)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert (await http.post("/api/v1/session", json=LOGIN)).status_code == 200


async def test_a_desk_behind_a_proxy_guards_its_cookie(accounts: Accounts, http: httpx2.AsyncClient) -> None:
    with_password(accounts)
    headers = {"host": "desk.example", "origin": "https://desk.example"}
    opened = await http.post("/api/v1/session", json=LOGIN, headers=headers)
    assert opened.headers["set-cookie"].startswith("__Host-plomba-session=pls_")
    assert opened.headers["set-cookie"].endswith("; Secure")
