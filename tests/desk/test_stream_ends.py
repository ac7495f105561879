"""An open stream ends with what let it in: the session, the token, the account, the right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from account_scene import HERE, PEER, accounts_in, asked, logged_in, with_password, with_token
from book_scene import Clock, accept, take
from desk_records import Scanner
from starlette.requests import Request
from starlette.responses import StreamingResponse

from plomba.desk import live as lives
from plomba.desk.accounts import Accounts
from plomba.desk.accounts.sessions import IDLE
from plomba.desk.api import pages, stream
from plomba.desk.api.operations import Call
from plomba.desk.api.services import Services
from plomba.desk.api.shapes import StreamQuery
from plomba.desk.book import Book
from plomba.desk.live import Live

DAY = 86400


def _logout(accounts: Accounts, clock: Clock, session: str) -> None:
    accounts.sessions.end(session)


def _idle(accounts: Accounts, clock: Clock, session: str) -> None:
    clock.now += IDLE


def _token_ends(accounts: Accounts, clock: Clock, session: str) -> None:
    clock.now += DAY


def _tokens_revoked(accounts: Accounts, clock: Clock, session: str) -> None:
    accounts.register.revoke_tokens("anna")


def _revoked(accounts: Accounts, clock: Clock, session: str) -> None:
    accounts.register.revoke("anna")


ENDS: dict[str, tuple[str, Callable[[Accounts, Clock, str], None]]] = {
    "logout": ("session", _logout),
    "an idle session": ("session", _idle),
    "a revoked account's session": ("session", _revoked),
    "the token's last day": ("token", _token_ends),
    "tokens revoked": ("token", _tokens_revoked),
    "the account revoked": ("token", _revoked),
}


@pytest.mark.anyio
@pytest.mark.parametrize("silent", [False, True], ids=["at a change", "at a heartbeat"])
@pytest.mark.parametrize("streamer", [stream.stream, pages.stream], ids=["api", "page"])
@pytest.mark.parametrize("end", ENDS)
async def test_it_ends_with_what_let_it_in(
    book: Book,
    counter: Scanner,
    clock: Clock,
    end: str,
    streamer: Callable[..., Awaitable[StreamingResponse]],
    silent: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (stream, lives):
        monkeypatch.setattr(module, "HEARTBEAT", 0.02 if silent else 60)
    by, take_away = ENDS[end]
    accounts, live, rest = accounts_in(book.store, clock), Live(), list[str]()
    with_password(accounts, role="supervisor")
    token, session = accounts.register.issue("anna", days=1), logged_in(accounts).token
    shown = f"Bearer {token}" if by == "token" else f"plomba-session={session}"
    name = "authorization" if by == "token" else "cookie"
    headers = [(b"host", HERE.encode()), (name.encode(), shown.encode())]
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers})
    with ThreadPoolExecutor(1) as thread, anyio.fail_after(10):
        services = Services(book, thread, live, accounts)
        account = await services.run(accounts.identify, request.headers, request.cookies, "GET", PEER)
        assert account.name == "anna"
        call = Call(path=None, query=StreamQuery(), body=None, media_type="", lang="en", account=account)
        messages = aiter((await streamer(services, call, request)).body_iterator)
        assert str(await anext(messages)).startswith("retry")

        async def listen() -> None:
            async for message in messages:
                rest.append(str(message))

        def happens() -> None:
            take_away(accounts, clock, session)
            take(book, "A-1,plain,17\n", "order,class,place\n")
            accept(book, counter.store("A-1"))

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await services.run(happens)
        if not silent:
            live.change()
        await listening
    assert not [message for message in rest if message.startswith("event")]


def test_listening_does_not_make_a_session_live_longer(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    with_password(accounts)
    session = logged_in(accounts).token
    account, shown = asked(accounts, session), ({"host": HERE}, {"plomba-session": session})
    clock.now += IDLE - 1
    assert accounts.still(*shown, account, "stream.read") == account
    clock.now += 1
    assert accounts.still(*shown, account, "stream.read") is None


def test_who_is_no_more_allowed_is_not_still_allowed(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    header = {"host": HERE, "authorization": f"Bearer {with_token(accounts, role='shop', shop='North')}"}
    account = accounts.identify(header, {}, "GET", PEER)
    assert accounts.still(header, {}, account, "stream.read") == account
    assert accounts.still(header, {}, account, "overview.read") is None
