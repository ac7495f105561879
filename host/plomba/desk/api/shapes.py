"""What requests carry: parameters and bodies as types, whose limits are both checked and documented."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from plomba.desk import lifecycle
from plomba.desk.api.cursors import CURSOR_MAX
from plomba.desk.orders import DELIVERIES, ID_MAX, ITEMS_MAX, MINOR_DIGITS, SHOP_MAX
from plomba.desk.personal_cells import LIMITS
from plomba.desk.words import names

ROWS = 500
"""Rows of one page unless told otherwise."""
ROWS_MAX = 5000
NUMBER_MAX = 0xFFFFFFFF
NO_NUL = r"^[^\x00]*$"


def one_of(words: list[str], about: str) -> Meta:
    """Any of these words. A `$` would let a line break behind it pass."""
    pattern = "|".join(re.escape(word) for word in words)
    return Meta(pattern=rf"^({pattern})(?![\s\S])", description=about, extra_json_schema={"enum": words})


Limit = Annotated[int, Meta(ge=1, le=ROWS_MAX, description="Rows of this page.")]
Cursor = Annotated[
    str,
    Meta(
        max_length=CURSOR_MAX,
        pattern="^[A-Za-z0-9_-]*$",
        description="`next` of the page before, with the same filters: this page goes on behind it.",
    ),
]
State = Annotated[str, one_of(list(names("state").values()), "Only orders in this state.")]
Holder = Annotated[str, one_of(list(lifecycle.load().holders), "Only orders that this holder has.")]
Place = Annotated[int, Meta(ge=0, le=NUMBER_MAX, description="Number of the point.")]
Terminal = Annotated[
    str,
    Meta(description="Id of the terminal's key: 16 hex digits.", extra_json_schema={"pattern": "^[0-9a-f]{16}$"}),
]
OrderId = Annotated[str, Meta(description="The order's number, percent-encoded.")]
Named = Annotated[str, Meta(max_length=ID_MAX, pattern=NO_NUL, description="Only records about this order.")]
Begins = Annotated[str, Meta(max_length=ID_MAX, pattern=NO_NUL, description="Only orders whose number begins so.")]
Shop = Annotated[str, Meta(max_length=SHOP_MAX, pattern=NO_NUL, description="Only orders of this shop.")]
Moment = Annotated[str, Meta(description="RFC 3339 with its offset; the seconds may be left out.")]


class Paged(Struct, forbid_unknown_fields=True, kw_only=True):
    """One page of a listing."""

    limit: Limit = ROWS
    cursor: Cursor | None = None


class OrdersQuery(Paged):
    """Which orders. All filters hold together."""

    state: State | None = None
    holder: Holder | None = None
    place: Place | None = None
    shop: Shop | None = None
    q: Begins | None = None


class ImportQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether a file is taken, or only tried."""

    dry_run: Annotated[Literal[0, 1], Meta(description="1: everything is checked and nothing is taken.")] = 0


class EventsQuery(Paged):
    """Which records."""

    order: Named | None = None


class StreamQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Where a stream begins, and whether it goes on."""

    after: (
        Annotated[
            str,
            Meta(
                max_length=CURSOR_MAX,
                pattern="^[A-Za-z0-9_-]*$",
                description="`id` of the last message that was heard; `now` for what is yet to come. Without it, and"
                " without the header Last-Event-ID, the stream begins with the first record.",
            ),
        ]
        | None
    ) = None
    follow: Annotated[bool, Meta(description="`false`: ends with the newest record.")] = True


class TerminalPath(Struct):
    """Names a terminal."""

    terminal: Terminal


class OrderPath(Struct):
    """Names an order."""

    id: OrderId


class Enrolment(Struct):
    """A terminal, as the root certified it, and the point where it works."""

    certificate: Annotated[bytes, Meta(max_length=3000, description="The certificate: 1 to 200 bytes.")]
    place: Place


class Record(Struct):
    """The record of a terminal with its signature."""

    previous: Annotated[str, Meta(description="Chain value before it: 64 hex digits.")]
    body: Annotated[bytes, Meta(description="The record's unsigned bytes.")]
    signature: Annotated[bytes, Meta(description="r and s, 64 bytes.")]


class CloudEvent(Struct):
    """A record as a CloudEvent 1.0. One that is not like this is refused alone, with a code; the others are taken."""

    specversion: Annotated[str, Meta(extra_json_schema={"const": "1.0"})]
    type: Annotated[str, Meta(extra_json_schema={"const": "plomba.record.1"})]
    id: Annotated[str, Meta(description="terminal-epoch-seq")]
    source: Annotated[str, Meta(description="urn:plomba:terminal: and the terminal's id")]
    data: Record


class ImportedOrder(Struct, forbid_unknown_fields=True, kw_only=True):
    """One row of an order file (docs/orders.md). All rows are taken or none."""

    order: Annotated[str, Meta(min_length=1, max_length=ID_MAX)]
    class_: Annotated[str, Meta(extra_json_schema={"enum": ["plain", "sealed"]})] = field(name="class")
    place: Annotated[int, Meta(ge=0, le=NUMBER_MAX)]
    state: str | None = None
    value: Annotated[str, Meta(pattern=r"^[0-9]{1,11}([.,][0-9]{1,2})?$")] | int | float | None = None
    currency: Annotated[str, Meta(extra_json_schema={"enum": [*MINOR_DIGITS, ""]})] | None = None
    shop: str | None = None
    cell: str | None = None
    seals: str | list[str] | None = None
    uins: str | list[str] | None = None
    codes: str | list[str] | None = None
    delivery: Annotated[str, Meta(extra_json_schema={"enum": [*DELIVERIES, ""]})] | None = None
    items: Annotated[int, Meta(ge=1, le=ITEMS_MAX)] | None = None
    warehouse: Annotated[int, Meta(ge=0, le=NUMBER_MAX)] | None = None
    cutoff: Moment | None = None
    start: Moment | None = None
    slot_end: Moment | None = None
    keep_until: Moment | None = None
    recipient: Annotated[str, Meta(max_length=LIMITS["recipient"])] | None = None
    phone: Annotated[str, Meta(max_length=LIMITS["phone"])] | None = None
    address: Annotated[str, Meta(max_length=LIMITS["address"])] | None = None
    email: Annotated[str, Meta(max_length=LIMITS["email"])] | None = None


OrderFile = list[ImportedOrder]
Batch = list[CloudEvent]
