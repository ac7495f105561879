"""Operations on custody: who answers for orders, and for how much money, at any moment that has passed."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from plomba.desk import lifecycle
from plomba.desk.api import shapes
from plomba.desk.api.operations import Call, Content, Operation
from plomba.desk.api.services import Services
from plomba.desk.api.visible import order_of
from plomba.desk.problems import Malformed
from plomba.desk.promises import moment
from plomba.desk.views import decimal
from plomba.desk.words import iso
from plomba.errors import UsageError

NOTE = (
    "Exposure means responsibility for what is in somebody's hands. Nothing is deducted from anybody's wages, and this"
    " desk computes no deductions."
)
_MOMENT = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})(?![\\s\\S])"
)

At = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=_MOMENT,
        description="The moment: RFC 3339, not in the future. Without it: as it is by the desk's clock.",
    ),
]


class CustodyQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Whose responsibility, and when. All filters hold together."""

    at: At | None = None
    kind: (
        Annotated[str, shapes.one_of(list(lifecycle.load().holders), "Only what owners of this kind answer for.")]
        | None
    ) = None
    party: (
        Annotated[str, Meta(max_length=shapes.SHOP_MAX, pattern=shapes.NO_NUL, description="Only this owner.")] | None
    ) = None


class MomentQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """When."""

    at: At | None = None


class ExposureAnswer(Struct):
    """What one owner answers for in one currency. `kind` is shop, warehouse, courier, point or customer, `party` which
    of them, "" where nobody said; `worth` is null for orders without a value."""

    kind: str
    party: str
    currency: str
    worth: str | None
    orders: int


class Exposures(Struct):
    """Everybody who answered for orders at the moment `at`."""

    at: str
    exposures: list[ExposureAnswer]
    note: str


class OwnerAnswer(Struct):
    """Who answers for an order."""

    kind: str
    party: str


class SpellAnswer(Struct):
    """One owner's time with an order, from `since` until before `until`; null: still. `owed`: whether somebody answered
    for it then; nobody does for what has come to its end."""

    kind: str
    party: str
    since: str | None
    until: str | None
    owed: bool


class OrderCustody(Struct):
    """All owners of an order, first to last, and who it was at the moment `at`; null before it began."""

    order: str
    at: str
    owner: OwnerAnswer | None
    spells: list[SpellAnswer]
    note: str


def exposures(services: Services, call: Call[CustodyQuery, None]) -> Exposures:
    query, at = call.query, _moment(services, call.query.at)
    found = services.book.custody.exposures(at, kind=query.kind, party=query.party, seen=call.account.narrowed("o"))
    return Exposures(
        iso(at) or "",
        [
            ExposureAnswer(
                one.owner.kind,
                one.owner.party,
                one.currency,
                decimal(one.worth, one.currency) if one.currency else None,
                one.orders,
            )
            for one in found
        ],
        NOTE,
    )


def of_order(services: Services, call: Call[MomentQuery, None]) -> OrderCustody:
    id = order_of(services, call).id
    at = _moment(services, call.query.at)
    owner = services.book.custody.owner(id, at)
    return OrderCustody(
        id,
        iso(at) or "",
        owner and OwnerAnswer(owner.kind, owner.party),
        [
            SpellAnswer(
                spell.owner.kind,
                spell.owner.party,
                iso(spell.since),
                None if spell.until is None else iso(spell.until),
                spell.owed,
            )
            for spell in services.book.custody.spells(id)
        ],
        NOTE,
    )


def _moment(services: Services, text: str | None) -> int:
    """Raises Malformed, and UsageError desk_at_future: what is to come nobody knows."""
    now = services.book.clock()
    if text is None:
        return now
    try:
        at = moment("at", text)
    except UsageError as error:
        raise Malformed("at", "Expected an RFC 3339 moment with its offset, of the years 2000 to 2099") from error
    if at > now:
        raise UsageError("desk_at_future", at=text, now=iso(now))
    return at


_ERRORS: dict[int, Any] = {400: ("desk_at_future",)}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/custody",
        name="listExposures",
        tag="custody",
        summary="Who answered for orders at a moment that has passed, and for how much money. It means responsibility:"
        " nothing is deducted from wages.",
        right="custody.read",
        handler=exposures,
        query=CustodyQuery,
        answers={200: Content(Exposures)},
        errors=_ERRORS,
    ),
    Operation(
        method="GET",
        path="/api/v1/orders/{id:path}/custody",
        name="getCustody",
        tag="custody",
        summary="All who have answered for an order, and who did at a moment that has passed.",
        right="custody.read",
        handler=of_order,
        at=shapes.OrderPath,
        query=MomentQuery,
        answers={200: Content(OrderCustody)},
        errors={**_ERRORS, 404: ("desk_order_unknown",)},
    ),
)
