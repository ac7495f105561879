"""An order as the cells of an import row: the other way round of reading it, for exports and for what is kept of it."""

from __future__ import annotations

from plomba.desk import promises
from plomba.desk.order_codes import PREFIXES
from plomba.desk.orders import Order
from plomba.desk.views import decimal
from plomba.desk.words import iso, names

_PREFIX = {kind: prefix for prefix, (kind, _) in PREFIXES.items()}


def cells(order: Order) -> dict[str, str]:
    """Column -> text of all that the order was told with, without empty cells. Reading them gives the order again."""
    found = {
        "order": order.id,
        "class": names("order_class")[order.order_class].lower(),
        "state": names("state")[order.state],
        "place": str(order.place),
        "value": "" if order.value is None else decimal(order.value, order.currency),
        "currency": order.currency,
        "shop": order.shop,
        "cell": order.cell,
        "seals": " ".join(order.seals),
        "uins": " ".join(order.uins),
        "codes": " ".join(f"{_PREFIX[kind]}:{code}" for kind, code in order.further),
        "delivery": order.delivery,
        "items": "" if order.items is None else str(order.items),
        "warehouse": "" if order.warehouse is None else str(order.warehouse),
    }
    for column in promises.COLUMNS:
        at: int | None = getattr(order.plan, column)
        found[column] = "" if at is None else iso(at) or ""
    return {column: text for column, text in found.items() if text}
