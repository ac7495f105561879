"""The orders that an account may see; another one is answered as one that is not there."""

from __future__ import annotations

from typing import Any

from plomba.desk.api.operations import Call
from plomba.desk.api.services import Services
from plomba.desk.views import OrderView
from plomba.errors import UsageError


def order_of(services: Services, call: Call[Any, Any]) -> OrderView:
    """The order that the path names. Raises UsageError desk_order_unknown."""
    id = sayable(call.path.id)
    view = services.views.order(id)
    if view is None or not call.account.sees(view):
        raise UsageError("desk_order_unknown", order=id)
    return view


def hidden(services: Services, call: Call[Any, Any], id: str) -> bool:
    """Whether nothing about an order of this name may be told, be it there or not."""
    if not call.account.limited:
        return False
    view = services.views.order(id)
    return view is None or not call.account.sees(view)


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


def person(call: Call[Any, Any]) -> str:
    """Who does it, as it is written down: the account's name; a desk without accounts asks nobody for theirs."""
    return call.account.name or OPEN_DESK


OPEN_DESK = "open desk"
