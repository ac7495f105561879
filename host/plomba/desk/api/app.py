"""The desk as an ASGI application: the table of all operations, and what is answered where none fits."""

from __future__ import annotations

import json
from concurrent.futures import Executor
from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from plomba.desk.accounts import Accounts
from plomba.desk.accounts.gate import Gate
from plomba.desk.api import (
    audit,
    custody,
    decisions,
    events,
    exports,
    incidents,
    openapi,
    orders,
    pages,
    personal,
    stream,
    terminals,
    versions,
)
from plomba.desk.api.operations import ANYBODY, JSON, Call, Content, Operation
from plomba.desk.api.services import Services
from plomba.desk.api.serving import Serving
from plomba.desk.book import Book
from plomba.desk.live import Live
from plomba.desk.orders import ImportRefused
from plomba.desk.problems import Malformed, language_of, problem, problem_of
from plomba.desk.walls import Walls
from plomba.errors import PlombaError, StoreError, UsageError


def _described(services: Services, call: Call[None, None]) -> Response:
    return Response(document(), media_type=JSON)


TABLE: tuple[Operation, ...] = (
    *pages.OPERATIONS,
    *events.OPERATIONS,
    *stream.OPERATIONS,
    *terminals.OPERATIONS,
    *incidents.OPERATIONS,
    *audit.OPERATIONS,
    *exports.OPERATIONS,
    *custody.OPERATIONS,
    *decisions.OPERATIONS,
    *personal.OPERATIONS,
    *versions.OPERATIONS,
    *orders.OPERATIONS,
    Operation(
        method="GET",
        path="/api/v1/openapi.json",
        name="openapi",
        tag="api",
        summary="This document.",
        right=ANYBODY,
        handler=_described,
        answers={200: Content(dict)},
    ),
)
"""Where one path can be read as two, the first that fits is taken: `/orders/{id:path}` stands behind longer ones."""


@cache
def document() -> str:
    """The OpenAPI document of the table, JSON."""
    return json.dumps(openapi.document(TABLE), ensure_ascii=False, indent=2) + "\n"


def create_app(
    book: Book,
    thread: Executor,
    live: Live,
    hosts: frozenset[str] | None,
    accounts: Accounts,
) -> Starlette:
    """`hosts`: walls.py. `accounts`: who may do what."""
    services = Services(book, thread, live, accounts)
    gate = Gate(accounts, services.run)
    serving = Serving(services, gate.authorize)

    async def on_failing_store(request: Request, error: Exception) -> Response:
        if request.url.path != "/":
            return await _on_refusal(request, error)
        lang = language_of(request, services.page.default_language)
        return pages.html(services.page.failing(lang), lang, 503)

    return Starlette(
        routes=[
            *gate.routes(),
            *serving.routes(TABLE),
            Mount("/static", StaticFiles(packages=[("plomba.desk", "static")])),
        ],
        middleware=[Middleware(Walls, hosts=hosts)],
        exception_handlers={
            PlombaError: _on_refusal,
            StoreError: on_failing_store,
            ImportRefused: _on_refusal,
            HTTPException: _on_http_error,
            ClientDisconnect: _on_disconnect,
            Exception: _on_fault,
        },
    )


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlombaError | ImportRefused)
    return problem_of(error, language_of(request))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        known: PlombaError = UsageError("desk_method", method=request.method)
    elif error.status_code == 404:
        known = UsageError("desk_not_found", path=request.url.path)
    else:
        known = Malformed("", error.detail)
    answer = problem(known, error.status_code, language_of(request))
    answer.headers.update(error.headers or {})
    return answer


async def _on_disconnect(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


async def _on_fault(request: Request, error: Exception) -> Response:
    return problem(PlombaError("desk_internal"), 500, language_of(request))
