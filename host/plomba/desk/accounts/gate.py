"""Accounts over HTTP: who asks, for a right; and the session's address, `/api/v1/session`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plomba.desk.accounts import tokens
from plomba.desk.accounts.account import Account, Anonymous, Identity
from plomba.desk.accounts.accounts import Accounts, ours
from plomba.desk.accounts.attempts import Wait
from plomba.desk.accounts.cookies import set_cookie
from plomba.desk.accounts.logins import Attempt
from plomba.desk.accounts.passwords import check
from plomba.desk.accounts.rights import ANYBODY, rights
from plomba.errors import UsageError

BODY_MAX = 4096
"""Bytes of the longest body here."""
LINE_MAX = 32
"""Passwords that may wait to be looked at; the next one is told to come again."""


class Login(msgspec.Struct, forbid_unknown_fields=True):
    """POST /api/v1/session."""

    name: str
    password: str


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """POST /api/v1/session/password."""

    old: str
    new: str


class Session(msgspec.Struct):
    """What the three of them answer. `account` is null for nobody; `open`: the desk has no account and asks nobody;
    `csrf` goes into the header `x-csrf-token` of each request that changes something; `ends` is s since 1970."""

    account: str | None
    role: str | None
    rights: list[str]
    places: list[int]
    shop: str
    badge: int | None
    open: bool
    csrf: str | None
    ends: int | None


class Gate:
    """Belongs to the event loop; `run` runs what it gets in the store's thread."""

    def __init__(self, accounts: Accounts, run: Callable[..., Awaitable[Any]]) -> None:
        self._accounts = accounts
        self._run = run
        self._slow = asyncio.Lock()
        self._waiting = 0

    async def authorize(self, request: Request, right: str) -> Identity:
        """Who asks, if he has the right. Raises UsageError: see `Accounts.identify` and `Accounts.required`."""
        try:
            identity = await self._identity(request)
        except UsageError:
            # What needs no account takes no harm from a bad one: a dock with an old token still brings its records.
            if ANYBODY not in rights()[right]:
                raise
            return Anonymous(peer=_peer(request))
        return self._accounts.required(identity, right)

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/session", self.session, methods=["GET"]),
            Route("/api/v1/session", self.login, methods=["POST"]),
            Route("/api/v1/session", self.logout, methods=["DELETE"]),
            Route("/api/v1/session/password", self.change, methods=["POST"]),
        ]

    async def session(self, request: Request) -> Response:
        """Who asks, and the word for what this session sends."""
        identity = await self._identity(request)
        token = "" if "authorization" in request.headers else self._cookie(request)
        return _said(identity, tokens.csrf(token) if token and isinstance(identity, Account) else None)

    async def login(self, request: Request) -> Response:
        """Raises `desk_login_wrong`, `desk_request_malformed`, `desk_media_type`, `desk_foreign_site`, Wait."""
        ours(request.headers)
        asked = await _body(request, Login)
        logins = self._accounts.logins
        with self._in_line():
            attempt: Attempt = await self._run(logins.begin, asked.name, _peer(request))
            right = await self._slowly(logins.passwords.fits, asked.password, attempt.held)
        opened = await self._run(logins.finish, attempt, right, self._cookie(request))
        answer = _said(opened.account, opened.csrf, opened.ends)
        answer.headers["set-cookie"] = set_cookie(request.headers.get("host", ""), opened.token)
        return answer

    async def logout(self, request: Request) -> Response:
        """Ends the session of the cookie."""
        identity = await self._identity(request)
        token = self._cookie(request)
        if isinstance(identity, Account) and token:
            await self._run(self._accounts.logins.logout, token, identity)
        headers = {"set-cookie": set_cookie(request.headers.get("host", ""), "")}
        return Response(status_code=204, headers=headers)

    async def change(self, request: Request) -> Response:
        """Another password, from within a session. Raises UsageError as `Logins.change`, `desk_login_needed`."""
        identity = await self._identity(request)
        session = tokens.digest(self._cookie(request))
        if not isinstance(identity, Account) or session is None or "authorization" in request.headers:
            raise UsageError("desk_login_needed")
        asked = await _body(request, Change)
        check(asked.new)
        logins = self._accounts.logins
        with self._in_line():
            attempt: Attempt = await self._run(logins.begin, identity.name, identity.peer)
            right = await self._slowly(logins.passwords.fits, asked.old, attempt.held)
            held = await self._slowly(logins.passwords.made, asked.new) if right else None
        await self._run(logins.changed, attempt, held, session)
        return Response(status_code=204)

    async def _identity(self, request: Request) -> Identity:
        identity: Identity = await self._run(
            self._accounts.identify, request.headers, request.cookies, request.method, _peer(request)
        )
        return identity

    def _cookie(self, request: Request) -> str:
        return self._accounts.cookie(request.headers, request.cookies)

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """A place in the line, from before the try is counted: who is sent away has used none up. Raises Wait when the
        line is full."""
        if self._waiting >= LINE_MAX:
            raise Wait(1)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _slowly(self, work: Callable[..., Any], *given: Any) -> Any:
        """One at a time, in a thread of its own: the desk's other work goes on."""
        async with self._slow:
            return await asyncio.to_thread(work, *given)


def _said(identity: Identity, csrf: str | None = None, ends: int | None = None) -> Response:
    account = identity if isinstance(identity, Account) else None
    session = Session(
        account=account.name if account else None,
        role=account.role if account else None,
        rights=[right for right in rights() if identity.may(right)],
        places=sorted(account.places) if account else [],
        shop=account.shop if account else "",
        badge=account.badge if account else None,
        open=isinstance(identity, Anonymous) and identity.open,
        csrf=csrf,
        ends=ends,
    )
    return JSONResponse(msgspec.to_builtins(session))


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


async def _body(request: Request, shape: type[Any]) -> Any:
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != "application/json":
        raise UsageError("desk_media_type", found=found, wanted="application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise UsageError("desk_body_large", limit=BODY_MAX)
    try:
        return msgspec.json.decode(bytes(body), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Not the error's own words: they may hold a part of a password.
        raise UsageError("desk_request_malformed", where=shape.__name__.lower()) from error
