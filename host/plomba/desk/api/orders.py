"""Operations on orders: import, listing, one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from plomba.desk import tellings
from plomba.desk.api import answers, shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import JSON, Body, Call, Content, Operation, Reply
from plomba.desk.api.services import Services
from plomba.desk.api.visible import order_of
from plomba.desk.order_files import JSON_MAX, rows_of
from plomba.desk.orders import Arrival, ImportRefused, Mistakes, read_arrivals
from plomba.desk.views import Wanted
from plomba.desk.words import codes
from plomba.errors import UsageError

CSV_MAX = 128 << 20
"""Bytes of the longest CSV file."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read; or why it cannot be read to its end, when it was only to be tried."""

    arrivals: list[Arrival]
    mistakes: Mistakes
    unreadable: ImportRefused | None = None


def _read(services: Services, call: Call[shapes.ImportQuery, bytes]) -> _Read:
    if call.media_type == JSON and len(call.body) > JSON_MAX:
        raise UsageError("desk_body_large", limit=JSON_MAX)
    try:
        return _Read(*read_arrivals(rows_of(call.body, call.media_type), services.book.lifecycle))
    except ImportRefused as refused:
        if not call.query.dry_run:
            raise
        return _Read([], Mistakes(), refused)


def take(services: Services, call: Call[shapes.ImportQuery, bytes]) -> Reply:
    read: _Read = call.prepared
    if read.unreadable is not None:
        return Reply(tellings.unreadable_json(read.unreadable, call.lang), changes=False)
    if call.query.dry_run:
        trial = services.book.try_orders(read.arrivals, read.mistakes)
        return Reply(tellings.trial_json(trial, call.lang), changes=False)
    imported = services.book.take(read.arrivals, read.mistakes, str(call.account) or "api")
    return Reply(tellings.imported_json(imported), changes=imported.taken > 0)


def listed(services: Services, call: Call[shapes.OrdersQuery, None]) -> answers.Orders:
    query = call.query
    wanted = Wanted(
        state=None if query.state is None else codes("state")[query.state],
        holder=query.holder,
        place=query.place,
        shop=query.shop,
        begins=query.q or "",
    )
    name = listing("orders", [query.state, query.holder, query.place, query.shop, query.q])
    after = 0 if query.cursor is None else services.cursors.open(name, query.cursor, int)
    found = services.views.imported(after, query.limit + 1, wanted, call.account.narrowed("o"))
    views, more = page(found, query.limit, lambda view: view.number)
    return answers.Orders(
        [answers.order_answer(view) for view in views], UNSET if more is None else services.cursors.seal(name, more)
    )


def one(services: Services, call: Call[None, None]) -> answers.OrderAnswer:
    return answers.order_answer(order_of(services, call))


_SAMPLE = "order,class,place,value,currency,shop,cell,seals\n18042-7,sealed,17,48900.50,RUB,Silver,A-12,S1 S2\n"
_ROW: dict[str, Any] = {"order": "18042-8", "class": "plain", "place": 17, "value": "1250.00", "currency": "RUB"}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/orders",
        name="importOrders",
        whole=True,
        tag="orders",
        summary="Import an order file: all of it, or nothing and a list of every mistake. With `dry_run=1` nothing is"
        " taken, and the answer says what would become of it.",
        right="orders.import",
        handler=take,
        noted=lambda call: "dry_run" if call.query.dry_run else "",
        prepare=_read,
        body=Body(
            ("text/csv", JSON),
            CSV_MAX,
            shapes.OrderFile,
            read=False,
            samples={"text/csv": _SAMPLE, JSON: [_ROW]},
        ),
        query=shapes.ImportQuery,
        answers={200: Content(answers.Imported)},
        errors={422: ("desk_import_refused",)},
    ),
    Operation(
        method="GET",
        path="/api/v1/orders",
        name="listOrders",
        tag="orders",
        summary="List orders page by page, in the order of import.",
        right="orders.read",
        handler=listed,
        query=shapes.OrdersQuery,
        answers={200: Content(answers.Orders)},
        errors={400: ("desk_cursor",)},
    ),
    Operation(
        method="GET",
        path="/api/v1/orders/{id:path}",
        name="getOrder",
        tag="orders",
        summary="One order as it stands.",
        right="orders.read",
        handler=one,
        at=shapes.OrderPath,
        answers={200: Content(answers.OrderAnswer)},
        errors={404: ("desk_order_unknown",)},
    ),
)
