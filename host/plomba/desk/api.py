"""The desk over HTTP: Starlette routes for docks, shops and pages."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from plomba.desk.book import ACCEPTED, Answer, Book
from plomba.desk.live import Live
from plomba.desk.order_files import JSON_MAX, rows_of
from plomba.desk.orders import Arrival, ImportRefused, Mistakes, read_arrivals
from plomba.desk.page import Page
from plomba.desk.problems import import_problem, language_of, problem, status_of
from plomba.desk.receiving import CONTRADICTIONS
from plomba.desk.tellings import imported_json, trial_json, unreadable_json
from plomba.desk.views import LISTED, Views
from plomba.desk.walls import Walls
from plomba.errors import PlombaError, UsageError

EVENTS_MAX = 1 << 20
"""Bytes of the longest batch of events."""
ORDERS_FILE_MAX = 128 << 20
"""Bytes of the longest CSV file."""
ENROL_MAX = 4096
"""Bytes of the longest enrolment."""
_BATCH = "application/cloudevents-batch+json"
_JSON = "application/json"
_OCTETS = "application/octet-stream"
_ROWS_MAX = 5000
_TERMINAL = re.compile(r"[0-9a-f]{16}")

P = ParamSpec("P")
T = TypeVar("T")


class Api:
    """The handlers. The book lives in the one thread of `thread`, which also signs, verifies and waits for the disk:
    the loop keeps serving pages meanwhile, and everything at the desk happens in one order."""

    def __init__(self, book: Book, thread: Executor, live: Live) -> None:
        self._book = book
        self._views = Views(book.store, book.lifecycle)
        self._thread = thread
        self._live = live
        self._page = Page(book.lifecycle)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(work, *args, **kwargs))

    async def take_events(self, request: Request) -> Response:
        _media_type(request, _BATCH)
        events = _parsed(await _body(request, EVENTS_MAX))
        if not isinstance(events, list):
            raise UsageError("desk_request_malformed", where="batch")
        answers = await self._run(self._book.accept, events)
        if any(_changes_the_page(answer) for answer in answers):
            self._live.change()
        lang = language_of(request)
        return JSONResponse({"results": [_result(answer, lang) for answer in answers]})

    async def enrol(self, request: Request) -> Response:
        _media_type(request, _JSON)
        asked = _parsed(await _body(request, ENROL_MAX))
        if not isinstance(asked, dict):
            raise UsageError("desk_request_malformed", where="object")
        place = asked.get("place")
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place <= 0xFFFFFFFF:
            raise UsageError("desk_request_malformed", where="place")
        try:
            certificate = base64.b64decode(asked["certificate"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError("desk_request_malformed", where="certificate") from error
        terminal = await self._run(self._book.enrol, certificate, place)
        self._live.change()
        return JSONResponse({"terminal": terminal.id.hex(), "label": terminal.label})

    async def manifest(self, request: Request) -> Response:
        return Response(await self._run(self._book.manifest, _terminal(request)), media_type=_OCTETS)

    async def rules(self, request: Request) -> Response:
        return Response(await self._run(self._book.rules, _terminal(request)), media_type=_OCTETS)

    async def staff(self, request: Request) -> Response:
        return Response(await self._run(self._book.staff, _terminal(request)), media_type=_OCTETS)

    async def seals(self, request: Request) -> Response:
        signed = await self._run(self._book.seals, _terminal(request))
        return Response(status_code=204) if signed is None else Response(signed, media_type=_OCTETS)

    async def import_orders(self, request: Request) -> Response:
        media_type = _media_type(request, "text/csv", _JSON)
        dry_run = _number(request, "dry_run", 0, 1)
        lang = language_of(request)
        data = await _body(request, JSON_MAX if media_type == _JSON else ORDERS_FILE_MAX)

        def read() -> tuple[list[Arrival], Mistakes]:
            return read_arrivals(rows_of(data, media_type), self._book.lifecycle)

        try:
            # Elsewhere than in the book's thread: a long file must not make scans wait while it is read.
            arrivals, mistakes = await asyncio.to_thread(read)
            if dry_run:
                return JSONResponse(trial_json(await self._run(self._book.try_orders, arrivals, mistakes), lang))
            imported = await self._run(self._book.take, arrivals, mistakes, "api")
        except ImportRefused as refused:
            return JSONResponse(unreadable_json(refused, lang)) if dry_run else import_problem(refused, lang)
        self._live.change()
        return JSONResponse(imported_json(imported))

    async def orders(self, request: Request) -> Response:
        limit = _number(request, "limit", LISTED, _ROWS_MAX)
        offset = _number(request, "offset", 0, 1 << 31)
        views = await self._run(self._views.orders, limit, offset)
        return JSONResponse({"orders": [self._views.order_json(view) for view in views]})

    async def order(self, request: Request) -> Response:
        id = request.path_params["id"]
        view = await self._run(self._views.order, _sayable(id))
        if view is None:
            raise UsageError("desk_order_unknown", order=id)
        return JSONResponse(self._views.order_json(view))

    async def events(self, request: Request) -> Response:
        order = request.query_params.get("order")
        limit = _number(request, "limit", LISTED, _ROWS_MAX)
        wanted = None if order is None else _sayable(order)
        return JSONResponse({"events": await self._run(self._views.events, wanted, limit)})

    async def differences(self, request: Request) -> Response:
        limit = _number(request, "limit", LISTED, _ROWS_MAX)
        offset = _number(request, "offset", 0, 1 << 31)
        return JSONResponse(await self._run(self._views.differences, limit, offset))

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", **await self._run(self._views.counts)})

    async def page(self, request: Request) -> Response:
        return await self._rendered(request, self._page.whole)

    async def live(self, request: Request) -> Response:
        return await self._rendered(request, self._page.live)

    async def stream(self, request: Request) -> Response:
        headers = {"x-accel-buffering": "no"}
        return StreamingResponse(self._live.stream(), media_type="text/event-stream", headers=headers)

    async def _rendered(self, request: Request, render: Callable[..., str]) -> Response:
        # Taken before the book is read: a change in between makes the page behind, never wrongly up to date.
        revision = self._live.revision
        overview = await self._run(self._views.overview)
        lang = language_of(request, default=self._page.default_language)
        html = render(overview, revision, lang)
        headers = {"content-language": lang, "vary": "accept-language"}
        return Response(html, media_type="text/html", headers=headers)


def create_app(book: Book, thread: Executor, live: Live, hosts: frozenset[str] | None) -> Starlette:
    """The desk as an ASGI application. `hosts`: walls.py."""
    api = Api(book, thread, live)
    return Starlette(
        routes=[
            Route("/", api.page),
            Route("/live", api.live),
            Route("/stream", api.stream),
            Route("/healthz", api.health),
            Route("/api/v1/events", api.take_events, methods=["POST"]),
            Route("/api/v1/events", api.events),
            Route("/api/v1/differences", api.differences),
            Route("/api/v1/terminals", api.enrol, methods=["POST"]),
            Route("/api/v1/terminals/{terminal}/manifest", api.manifest),
            Route("/api/v1/terminals/{terminal}/rules", api.rules),
            Route("/api/v1/terminals/{terminal}/staff", api.staff),
            Route("/api/v1/terminals/{terminal}/seals", api.seals),
            Route("/api/v1/orders", api.import_orders, methods=["POST"]),
            Route("/api/v1/orders", api.orders),
            Route("/api/v1/orders/{id:path}", api.order),
            Mount("/static", StaticFiles(packages=[("plomba.desk", "static")])),
        ],
        middleware=[Middleware(Walls, hosts=hosts)],
        exception_handlers={
            PlombaError: _on_plomba_error,
            HTTPException: _on_http_error,
            ClientDisconnect: _on_disconnect,
            Exception: _on_fault,
        },
    )


def _result(answer: Answer, lang: str) -> dict[str, Any]:
    result: dict[str, Any] = {"id": answer.id, "status": answer.status}
    if answer.error is not None:
        result |= {"code": answer.error.code, "reason": answer.error.what(lang)}
    return result


def _changes_the_page(answer: Answer) -> bool:
    return answer.status == ACCEPTED or (answer.error is not None and answer.error.code in CONTRADICTIONS)


def _media_type(request: Request, *wanted: str) -> str:
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


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("desk_request_malformed", where=error) from error


def _terminal(request: Request) -> bytes:
    text: str = request.path_params["terminal"]
    if not _TERMINAL.fullmatch(text):
        raise UsageError("desk_terminal_unknown", terminal=text)
    return bytes.fromhex(text)


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise UsageError("desk_request_malformed", where=name)
    return min(int(text), most)


def _sayable(text: str) -> str:
    """An order id out of a URL. Half of a surrogate pair is no text SQLite could look up. Raises UsageError."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError("desk_order_unknown", order=text) from error
    return text


async def _on_plomba_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlombaError)
    return problem(error, status_of(error), language_of(request))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        known: PlombaError = UsageError("desk_method", method=request.method)
    elif error.status_code == 404:
        known = UsageError("desk_not_found", path=request.url.path)
    else:
        known = UsageError("desk_request_malformed", where=error.detail)
    answer = problem(known, error.status_code, language_of(request))
    answer.headers.update(error.headers or {})
    return answer


async def _on_disconnect(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


async def _on_fault(request: Request, error: Exception) -> Response:
    return problem(PlombaError("desk_internal"), 500, language_of(request))
