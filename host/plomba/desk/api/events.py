"""Operations on records: taking them, listing them, and where they and the desk do not agree."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from plomba.desk.api import answers, shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import Body, Call, Content, Operation, Reply
from plomba.desk.api.services import Services
from plomba.desk.api.visible import hidden
from plomba.desk.book import ACCEPTED, Answer
from plomba.desk.differences import Differences
from plomba.desk.listings import counted
from plomba.desk.problems import Malformed
from plomba.desk.receiving import KEPT

EVENTS_MAX = 1 << 20
"""Bytes of the longest batch of events."""
BATCH_MAX = 5000
"""Events of the longest batch."""
BATCH = "application/cloudevents-batch+json"


def _read(services: Services, call: Call[None, bytes]) -> list[object]:
    # Half of a surrogate pair in one event is that event's fault, not the batch's: msgspec would refuse them all.
    try:
        events = json.loads(call.body)
    except (ValueError, RecursionError) as error:
        raise Malformed("", str(error)) from error
    if not isinstance(events, list):
        raise Malformed("", "Expected `array`")
    if len(events) > BATCH_MAX:
        raise Malformed("", f"Expected `array` of length <= {BATCH_MAX}")
    return events


def take(services: Services, call: Call[None, bytes]) -> Reply:
    found = services.book.accept(call.prepared)
    return Reply(
        answers.Results([_result(answer, call.lang) for answer in found]),
        changes=any(_changes_the_page(answer) for answer in found),
    )


def _result(answer: Answer, lang: str) -> answers.Result:
    if answer.error is None:
        return answers.Result(answer.id, answer.status)
    return answers.Result(answer.id, answer.status, answer.error.code, answer.error.what(lang))


def _changes_the_page(answer: Answer) -> bool:
    return answer.status == ACCEPTED or (answer.error is not None and answer.error.code in KEPT)


def listed(services: Services, call: Call[shapes.EventsQuery, None]) -> answers.Events:
    query, cursors = call.query, services.cursors
    name = listing("events", query.order)
    at = None if query.cursor is None else cursors.open(name, query.cursor, int)
    if query.order is None:
        seen = call.account.narrowed("o") if call.account.limited else None
        rows = services.listings.newest(at, query.limit + 1, seen)
    elif hidden(services, call, query.order):
        # As of an order that is not here and of which no record speaks.
        rows = []
    else:
        rows = services.listings.of_order(query.order, at or 0, query.limit + 1)
    rows, more = page(rows, query.limit, lambda one: one.row.number)
    # Places among an order's records move when one comes late, so pages follow the order of arrival.
    if query.order is not None:
        rows = counted(rows)
    return answers.Events(
        [answers.event_answer(row) for row in rows], UNSET if more is None else cursors.seal(name, more)
    )


def differences(services: Services, call: Call[shapes.Paged, None]) -> answers.Differences:
    query, cursors = call.query, services.cursors
    name = listing("differences")
    after = None if query.cursor is None else cursors.open(name, query.cursor, tuple[int, str])
    found = Differences(services.book.store)
    rows, more = page(found.listed(after, query.limit + 1), query.limit, lambda one: one.key)
    return answers.Differences(
        found.disputed + found.strayed,
        [answers.difference_answer(row) for row in rows],
        UNSET if more is None else cursors.seal(name, more),
    )


_TERMINAL = "5f3a9c0d17e2b486"
_SAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": f"{_TERMINAL}-1-1",
    "source": f"urn:plomba:terminal:{_TERMINAL}",
    "type": "plomba.record.1",
    "data": {"previous": "00" * 32, "body": "AAAA", "signature": "AAAA"},
}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/events",
        name="takeEvents",
        tag="records",
        summary="Hand over records of terminals. One answer for each: a bad one is refused alone.",
        right="events.write",
        # Records prove themselves, and each is kept: who brought it is no matter.
        audited=False,
        # Anybody may bring them: answers kept for anybody would fill the disk. A record that is here is a duplicate.
        idempotent=False,
        handler=take,
        prepare=_read,
        body=Body((BATCH,), EVENTS_MAX, shapes.Batch, read=False, samples={BATCH: [_SAMPLE]}),
        answers={200: Content(answers.Results)},
    ),
    Operation(
        method="GET",
        path="/api/v1/events",
        name="listEvents",
        tag="records",
        summary="List records page by page: of one order in the order they count, of all orders the newest first.",
        right="events.read",
        handler=listed,
        query=shapes.EventsQuery,
        answers={200: Content(answers.Events)},
        errors={400: ("desk_cursor",)},
    ),
    Operation(
        method="GET",
        path="/api/v1/differences",
        name="listDifferences",
        whole=True,
        tag="records",
        summary="List where terminals and desk do not agree, page by page, the newest record first.",
        right="differences.read",
        handler=differences,
        query=shapes.Paged,
        answers={200: Content(answers.Differences)},
        errors={400: ("desk_cursor",)},
    ),
)
