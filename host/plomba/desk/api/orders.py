"""Operations on orders: import, listing, one of them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from plomba.desk.api import answers, shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import JSON, Body, Call, Content, Operation, Reply
from plomba.desk.api.services import Services
from plomba.desk.order_files import rows_of
from plomba.desk.orders import Order, read_orders
from plomba.desk.views import Wanted
from plomba.desk.words import codes
from plomba.errors import UsageError

ORDERS_FILE_MAX = 16 << 20
"""Bytes of the longest import file."""


def _read(services: Services, call: Call[None, bytes]) -> list[tuple[int, Order]]:
    return read_orders(rows_of(call.body, call.media_type), services.book.lifecycle)


def take(services: Services, call: Call[None, bytes]) -> Reply:
    imported = services.book.take_orders(call.prepared)
    return Reply(answers.Imported(imported.taken, imported.unchanged), changes=imported.taken > 0)


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
    views, more = page(services.views.imported(after, query.limit + 1, wanted), query.limit, lambda view: view.number)
    return answers.Orders(
        [answers.order_answer(view) for view in views], UNSET if more is None else services.cursors.seal(name, more)
    )


def one(services: Services, call: Call[None, None]) -> answers.OrderAnswer:
    id = sayable(call.path.id)
    view = services.views.order(id)
    if view is None:
        raise UsageError("desk_order_unknown", order=id)
    return answers.order_answer(view)


def sayable(text: str) -> str:
    """An order id out of a URL. Half of a surrogate pair and NUL are no text that a store could look up. Raises
    UsageError desk_order_unknown."""
    try:
        text.encode()
        if "\0" not in text:
            return text
    except UnicodeEncodeError:
        pass
    raise UsageError("desk_order_unknown", order=text)


_SAMPLE = "order,class,place,value,currency,shop,cell,seals\n18042-7,sealed,17,48900.50,RUB,Silver,A-12,S1 S2\n"
_ROW: dict[str, Any] = {"order": "18042-8", "class": "plain", "place": 17, "value": "1250.00", "currency": "RUB"}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/orders",
        name="importOrders",
        tag="orders",
        summary="Import an order file: all of it, or nothing and a list of every mistake.",
        right="orders:import",
        handler=take,
        prepare=_read,
        body=Body(
            ("text/csv", JSON),
            ORDERS_FILE_MAX,
            shapes.OrderFile,
            read=False,
            samples={"text/csv": _SAMPLE, JSON: [_ROW]},
        ),
        answers={200: Content(answers.Imported)},
        errors={422: ("desk_import_refused",)},
    ),
    Operation(
        method="GET",
        path="/api/v1/orders",
        name="listOrders",
        tag="orders",
        summary="List orders page by page, in the order of import.",
        right="orders:read",
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
        right="orders:read",
        handler=one,
        at=shapes.OrderPath,
        answers={200: Content(answers.OrderAnswer)},
        errors={404: ("desk_order_unknown",)},
    ),
)
