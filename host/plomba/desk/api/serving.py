"""From a request to an answer, by the row of the table: rights, parameters, body, key, handler."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plomba.desk.accounts.account import Account, Anonymous
from plomba.desk.api.idempotency import HEADER, REFUSAL_MAX, Kept, key_of
from plomba.desk.api.operations import ANYBODY, JSON, SAFE, Body, Call, Operation, Reply, checked
from plomba.desk.api.services import Services
from plomba.desk.importing import RowsRefused
from plomba.desk.orders import ImportRefused
from plomba.desk.problems import language_of, problem_of
from plomba.errors import PlombaError, UsageError

Authorize = Callable[[Request, str], Awaitable[Any]]
"""Who asks, for a right. What it returns is the call's `account`; its text keeps idempotency keys apart. Raises
PlombaError for whoever has not that right."""

ANONYMOUS = Anonymous()


class Serving:
    """Belongs to the event loop."""

    def __init__(self, services: Services, authorize: Authorize) -> None:
        self._services = services
        self._authorize = authorize
        self._running: set[tuple[str, str]] = set()

    def routes(self, table: Sequence[Operation]) -> list[Route]:
        """One route for each path, in the order of the table."""
        paths: dict[str, dict[str, Operation]] = {}
        for operation in table:
            paths.setdefault(operation.path, {})[operation.method] = operation
        return [self._route(path, methods) for path, methods in paths.items()]

    def _route(self, path: str, methods: Mapping[str, Operation]) -> Route:
        async def endpoint(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            return await self._answer(methods[method], request)

        return Route(path, endpoint, methods=list(methods))

    async def _answer(self, operation: Operation, request: Request) -> Response:
        account = ANONYMOUS if operation.right == ANYBODY else await self._authorize(request, operation.right)
        if operation.whole and isinstance(account, Account) and account.limited:
            raise UsageError("desk_right", name=account.name, role=account.role, right=operation.right)
        found = [(name, value) for name, value in request.query_params.multi_items()]
        call: Call[Any, Any] = Call(
            path=operation.path_parameters(request.path_params, request.url.path),
            query=operation.query_parameters(found),
            body=None,
            media_type="",
            lang=language_of(request, default=self._services.page.default_language if operation.lenient else "en"),
            account=account,
        )
        if operation.streamer is not None:
            return await operation.streamer(self._services, call, request)
        raw = b""
        if operation.body is not None:
            media_type = _media_type(request, operation.body.media_types)
            raw = await _body(request, operation.body.limit)
            call = replace(call, body=_decoded(operation.body, raw), media_type=media_type)
        header = request.headers.getlist(HEADER)
        if not header or not operation.keyed:
            return await self._done(operation, call, "", lambda made: None)
        key = key_of(", ".join(header))
        return await self._once(operation, call, str(account), key, _hash(request, operation, call.media_type, raw))

    async def _once(
        self, operation: Operation, call: Call[Any, Any], account: str, key: str, request: bytes
    ) -> Response:
        if (account, key) in self._running:
            raise UsageError("desk_key_running", key=key)
        self._running.add((account, key))
        try:
            keys = self._services.keys
            kept = await self._services.run(keys.kept, account, key, request)
            if kept is not None:
                return Response(kept.body or None, kept.status, media_type=kept.media_type or None)

            def keep(made: Response) -> None:
                media_type = made.media_type or ""
                keys.keep(account, key, operation.name, Kept(request, made.status_code, media_type, bytes(made.body)))

            return await self._done(operation, call, key, keep)
        finally:
            self._running.discard((account, key))

    async def _done(
        self, operation: Operation, call: Call[Any, Any], key: str, keep: Callable[[Response], None]
    ) -> Response:
        services = self._services
        try:
            if operation.prepare is not None:
                # Elsewhere than in the book's thread: a long file must not make scans wait while it is read.
                call = replace(call, prepared=await asyncio.to_thread(operation.prepare, services, call))
            answer, changes = await services.run(_carried_out, services, operation, call, keep, key)
        except (PlombaError, ImportRefused) as error:
            # Everything was undone. The refusal belongs to the key as an answer does.
            refusal = problem_of(error, call.lang)
            if refusal.status_code < 500:
                await services.run(_kept, services, operation, call, key, refusal, keep, error)
            return refusal
        if changes:
            services.live.change()
        return answer


def _carried_out(
    services: Services, operation: Operation, call: Call[Any, Any], keep: Callable[[Response], None], key: str
) -> tuple[Response, bool]:
    assert operation.handler is not None
    if operation.method in SAFE:
        return _made(_reply(operation.handler(services, call))), False
    with services.book.store.transaction():
        reply = _reply(operation.handler(services, call))
        answer = _made(reply)
        _audit(services, operation, call, key, "done")
        keep(answer)
    if reply.after is not None:
        reply.after()
    return answer, reply.changes


def _kept(
    services: Services,
    operation: Operation,
    call: Call[Any, Any],
    key: str,
    answer: Response,
    keep: Callable[[Response], None],
    error: PlombaError | ImportRefused,
) -> None:
    if operation.method in SAFE:
        return
    with services.book.store.transaction():
        if isinstance(error, RowsRefused):
            # The book kept them, but in the transaction that was undone.
            services.book.versions.keep(error.claims)
        _audit(services, operation, call, key, error.code if isinstance(error, PlombaError) else "desk_import_refused")
        if len(answer.body) <= REFUSAL_MAX:
            keep(answer)


def _audit(services: Services, operation: Operation, call: Call[Any, Any], key: str, outcome: str) -> None:
    if operation.audited:
        named = [operation.noted(call), *msgspec.structs.asdict(call.path).values()]
        subject = " ".join(str(value) for value in named if value != "")
        who = call.account
        services.accounts.audit.wrote(who.name, who.peer, operation.name, subject, outcome, key)


def _reply(found: Any) -> Reply:
    return found if isinstance(found, Reply) else Reply(found)


def _made(reply: Reply) -> Response:
    content, headers = reply.content, dict(reply.headers)
    if content is None:
        return Response(status_code=204, headers=headers)
    if isinstance(content, Response):
        return content
    return Response(msgspec.json.encode(content), reply.status, headers, JSON)


def _hash(request: Request, operation: Operation, media_type: str, body: bytes) -> bytes:
    """Of all that makes a request another one."""
    parts = [operation.name, request.url.path, request.url.query, media_type]
    digest = hashlib.sha256(msgspec.json.encode(parts))
    digest.update(body)
    return digest.digest()


def _media_type(request: Request, wanted: Sequence[str]) -> str:
    """Raises UsageError. None of these types can be sent by a web page of another site without the desk's leave."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in wanted:
        raise UsageError("desk_media_type", found=found, wanted=", ".join(wanted))
    return found


async def _body(request: Request, limit: int) -> bytes:
    """Raises UsageError as soon as a body is over `limit` bytes. uvicorn reads the rest and drops it, so that the
    sender gets the answer and not a cut connection."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise UsageError("desk_body_large", limit=limit)
    return bytes(body)


def _decoded(body: Body, raw: bytes) -> Any:
    return checked(lambda: msgspec.json.decode(raw, type=body.shape)) if body.read else raw
