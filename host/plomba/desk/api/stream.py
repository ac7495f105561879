"""The stream of what happens at the desk, as server-sent events (WHATWG HTML section 9.2).

Every message has the cursor behind it as its `id`. Who comes back with the last one, after whatever time and to another
process of the desk, gets what followed, each message once. A feed is a table that only grows, read in pages from behind
a number; a stream holds no more than one page of it, whoever listens slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plomba.desk.api import answers, shapes
from plomba.desk.api.operations import EVENT_STREAM, Call, Content, Operation
from plomba.desk.api.pages import STREAM_HEADERS
from plomba.desk.api.services import Services
from plomba.desk.live import HEARTBEAT
from plomba.errors import UsageError

PAGE = 100
"""Messages that are read at a time."""
RETRY_MS = 1000
_LISTING = "stream"

Position = dict[str, int]
"""By feed: the number of the last message. A feed that is missing begins with its first."""


@dataclass(frozen=True, slots=True)
class Feed:
    """`read(services, after, limit)` gives (number, content) in rising order; `last(services)` is the newest number,
    0 = none."""

    name: str
    read: Callable[[Services, int, int], list[tuple[int, msgspec.Struct]]]
    last: Callable[[Services], int]


def _records(services: Services, after: int, limit: int) -> list[tuple[int, msgspec.Struct]]:
    return [(told.row.number, answers.record_message(told)) for told in services.listings.told(after, limit)]


FEEDS = (Feed("record", _records, lambda services: services.listings.last()),)
"""A further kind of message is a row here."""


async def stream(services: Services, call: Call[shapes.StreamQuery, None], request: Request) -> Response:
    heard = request.headers.get("last-event-id") or call.query.after
    position = await services.run(_position, services, heard)
    if request.method == "HEAD":
        return Response(media_type=EVENT_STREAM, headers=STREAM_HEADERS)
    return StreamingResponse(
        _messages(services, position, call.query.follow), media_type=EVENT_STREAM, headers=STREAM_HEADERS
    )


def _position(services: Services, heard: str | None) -> Position:
    """Raises UsageError desk_cursor; also for a place that the book has not reached: it is not the book it was."""
    last = {feed.name: feed.last(services) for feed in FEEDS}
    if heard == "now":
        return last
    if not heard:
        return {}
    position = services.cursors.open(_LISTING, heard, Position)
    if any(number > last.get(name, 0) for name, number in position.items()):
        raise UsageError("desk_cursor")
    return position


async def _messages(services: Services, position: Position, follow: bool) -> AsyncIterator[str]:
    # Who is cut off before the first message comes back to here, not to the beginning.
    yield f"retry: {RETRY_MS}\nid: {await services.run(_cursor, services, position)}\n\n"
    live = services.live
    while not live.closed:
        # Taken before the book is read: what changes meanwhile is not slept through.
        changed = live.changed
        messages, position, more = await services.run(_read, services, position)
        for message in messages:
            yield message
        if more:
            continue
        if not follow:
            return
        try:
            await asyncio.wait_for(changed.wait(), HEARTBEAT)
        except TimeoutError:
            yield ":\n\n"


def _read(services: Services, position: Position) -> tuple[list[str], Position, bool]:
    """Messages behind `position`, where they end, and whether there may be more."""
    messages: list[str] = []
    more = False
    for feed in FEEDS:
        found = feed.read(services, position.get(feed.name, 0), PAGE)
        more = more or len(found) == PAGE
        for number, content in found:
            position = {**position, feed.name: number}
            data = msgspec.json.encode(content).decode()
            messages.append(f"event: {feed.name}\nid: {_cursor(services, position)}\ndata: {data}\n\n")
    return messages, position, more


def _cursor(services: Services, position: Position) -> str:
    return services.cursors.seal(_LISTING, position)


OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/stream",
        name="stream",
        tag="records",
        summary="Everything that happens, as server-sent events: each accepted record with what it did. `id` is where"
        " to go on: send it as Last-Event-ID or as `after`.",
        right="stream.read",
        streamer=stream,
        query=shapes.StreamQuery,
        answers={200: Content(str, EVENT_STREAM, {"record": answers.RecordMessage})},
        errors={400: ("desk_cursor",)},
    ),
)
