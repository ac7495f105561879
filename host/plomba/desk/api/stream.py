"""The stream of what happens at the desk, as server-sent events (WHATWG HTML section 9.2).

Every message has the cursor behind it as its `id`. Who comes back with the last one, after whatever time and to another
process of the desk, gets what followed, each message once. A feed is a table that only grows, read in pages from behind
a number; a stream holds no more than one page of it, whoever listens slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plomba.desk.accounts import Identity
from plomba.desk.api import answers, decisions, incidents, shapes
from plomba.desk.api.operations import EVENT_STREAM, Call, Content, Operation
from plomba.desk.api.pages import STREAM_HEADERS
from plomba.desk.api.services import Services
from plomba.desk.live import HEARTBEAT
from plomba.errors import UsageError

PAGE = 100
"""Messages that are read at a time."""
RETRY_MS = 1000
RIGHT = "stream.read"
_LISTING = "stream"

Position = dict[str, int]
"""By feed: the number of the last message. A feed that is missing begins with its first."""


Still = Callable[[], Identity | None]
"""Who listens, asked anew before each reading, in the book's thread; None when he may no more."""
Read = list[tuple[int, msgspec.Struct | None]]


@dataclass(frozen=True, slots=True)
class Feed:
    """`read(services, account, after, limit)` gives (number, content) in rising order, None in place of what the
    account may not see; `last(services)` is the newest number, 0 = none."""

    name: str
    read: Callable[[Services, Identity, int, int], Read]
    last: Callable[[Services], int]


def _records(services: Services, account: Identity, after: int, limit: int) -> Read:
    found = services.listings.told(after, limit)
    if not account.limited:
        return [(told.row.number, answers.record_message(told)) for told in found]
    ids = {effect.order_id for told in found for effect in told.effects}
    seen = services.listings.seen_of(ids, account.narrowed("o"))
    read: Read = []
    for told in found:
        own = tuple(effect for effect in told.effects if effect.order_id in seen)
        read.append((told.row.number, answers.record_message(replace(told, effects=own)) if own else None))
    return read


def _incidents(services: Services, account: Identity, after: int, limit: int) -> Read:
    found = services.book.incidents.told(after, limit)
    seen = services.listings.seen_of({incident.order_id for incident, _ in found}, account.narrowed("o"))
    return [
        (note.number, incidents.message(incident, note) if incident.order_id in seen else None)
        for incident, note in found
    ]


def _decisions(services: Services, account: Identity, after: int, limit: int) -> Read:
    found = services.book.decisions.told(after, limit)
    seen = services.listings.seen_of({one.decision.order_id for one in found}, account.narrowed("o"))
    return [(one.decision.number, decisions.answer(one) if one.decision.order_id in seen else None) for one in found]


FEEDS = (
    Feed("record", _records, lambda services: services.listings.last()),
    Feed("incident", _incidents, lambda services: services.book.incidents.last_note()),
    Feed("decision", _decisions, lambda services: services.book.decisions.last()),
)
"""A further kind of message is a row here."""


async def stream(services: Services, call: Call[shapes.StreamQuery, None], request: Request) -> Response:
    heard = request.headers.get("last-event-id") or call.query.after
    position = await services.run(_position, services, heard)
    if request.method == "HEAD":
        return Response(media_type=EVENT_STREAM, headers=STREAM_HEADERS)
    accounts = services.accounts
    still = partial(accounts.still, request.headers, request.cookies, call.account, RIGHT)
    return StreamingResponse(
        _messages(services, still, position, call.query.follow), media_type=EVENT_STREAM, headers=STREAM_HEADERS
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


async def _messages(services: Services, still: Still, position: Position, follow: bool) -> AsyncIterator[str]:
    # Who is cut off before the first message comes back to here, not to the beginning.
    yield f"retry: {RETRY_MS}\nid: {await services.run(_cursor, services, position)}\n\n"
    live = services.live
    while not live.closed:
        # Taken before the book is read: what changes meanwhile is not slept through.
        changed = live.changed
        account, messages, position, more = await services.run(_read, services, still, position)
        if account is None:
            return
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


def _read(services: Services, still: Still, position: Position) -> tuple[Identity | None, list[str], Position, bool]:
    """Who listens, messages behind `position`, where they end, and whether there may be more."""
    messages: list[str] = []
    more = False
    account = still()
    if account is None:
        return account, messages, position, more
    for feed in FEEDS:
        found = feed.read(services, account, position.get(feed.name, 0), PAGE)
        more = more or len(found) == PAGE
        for number, content in found:
            position = {**position, feed.name: number}
            if content is None:
                continue
            data = msgspec.json.encode(content).decode()
            messages.append(f"event: {feed.name}\nid: {_cursor(services, position)}\ndata: {data}\n\n")
    return account, messages, position, more


def _cursor(services: Services, position: Position) -> str:
    return services.cursors.seal(_LISTING, position)


_MESSAGES = {
    "record": answers.RecordMessage,
    "incident": incidents.IncidentMessage,
    "decision": decisions.DecisionAnswer,
}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/stream",
        name="stream",
        tag="records",
        summary="Everything that happens, as server-sent events: each accepted record and each decision with what it"
        " did, and each note under an incident. `id` is where to go on: send it as Last-Event-ID or as `after`.",
        right=RIGHT,
        streamer=stream,
        query=shapes.StreamQuery,
        answers={200: Content(str, EVENT_STREAM, _MESSAGES)},
        errors={400: ("desk_cursor",)},
    ),
)
