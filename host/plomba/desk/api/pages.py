"""Operations for people's browsers and for watchdogs: the live page, its parts, and the desk's health."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plomba.desk.accounts.account import Account
from plomba.desk.api import answers
from plomba.desk.api.operations import ANYBODY, EVENT_STREAM, HTML, Call, Content, Operation
from plomba.desk.api.services import Services
from plomba.errors import StoreError

RIGHT = "overview.read"
STREAM_HEADERS = {"x-accel-buffering": "no"}


async def whole(services: Services, call: Call[None, None], request: Request) -> Response:
    name = call.account.name if isinstance(call.account, Account) else ""
    return await _rendered(services, call, partial(services.page.whole, name=name))


async def live(services: Services, call: Call[None, None], request: Request) -> Response:
    return await _rendered(services, call, services.page.live)


async def stream(services: Services, call: Call[None, None], request: Request) -> Response:
    if request.method == "HEAD":
        return Response(media_type=EVENT_STREAM, headers=STREAM_HEADERS)

    async def still() -> bool:
        try:
            account = await services.run(services.accounts.still, request.headers, request.cookies, call.account, RIGHT)
        except StoreError:
            # The page has to hear that the desk fails; a revision tells nothing else.
            return True
        return account is not None and not account.limited

    return StreamingResponse(services.live.stream(still), media_type=EVENT_STREAM, headers=STREAM_HEADERS)


def health(services: Services, call: Call[None, None]) -> answers.Health:
    # Whoever asks need not say who he is: neither the place of the book nor the database's words are for him.
    try:
        counts = services.views.counts()
    except StoreError as error:
        raise StoreError("desk_store_down") from error
    if services.book.store.failed is not None:
        raise StoreError("desk_store_down")
    return msgspec.convert({"status": "ok", **counts}, answers.Health)


async def _rendered(services: Services, call: Call[None, None], render: Callable[..., str]) -> Response:
    # Taken before the book is read: a change in between makes the page behind, never wrongly up to date.
    revision = services.live.revision
    overview = await services.run(services.views.overview)
    return html(render(overview, revision, call.lang, services.book.store.failed is not None), call.lang, 200)


def html(markup: str, lang: str, status: int) -> Response:
    """A page in one of the languages."""
    return Response(markup, status, {"content-language": lang, "vary": "accept-language"}, HTML)


OPERATIONS = (
    Operation(
        method="GET",
        path="/",
        name="page",
        whole=True,
        tag="page",
        summary="The live page.",
        right=RIGHT,
        streamer=whole,
        answers={200: Content(str, HTML)},
        lenient=True,
    ),
    Operation(
        method="GET",
        path="/live",
        name="livePart",
        whole=True,
        tag="page",
        summary="The part of the page that changes.",
        right=RIGHT,
        streamer=live,
        answers={200: Content(str, HTML)},
        lenient=True,
    ),
    Operation(
        method="GET",
        path="/stream",
        name="revisions",
        whole=True,
        tag="page",
        summary="Tells the page that the book has changed: server-sent events with its revision.",
        right=RIGHT,
        streamer=stream,
        answers={200: Content(str, EVENT_STREAM)},
        lenient=True,
    ),
    Operation(
        method="GET",
        path="/healthz",
        name="health",
        tag="page",
        summary="Whether the desk works, and sizes of its book.",
        right=ANYBODY,
        handler=health,
        answers={200: Content(answers.Health)},
        errors={503: ("desk_store_down",)},
        lenient=True,
    ),
)
