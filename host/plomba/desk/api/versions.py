"""Operations on what each party says of an order: all of it side by side, and one view more."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from plomba.desk.api import shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import JSON, Body, Call, Content, Operation, Reply
from plomba.desk.api.services import Services
from plomba.desk.api.visible import order_of
from plomba.desk.versions import PARTIES, SOURCE_MAX, Version
from plomba.desk.words import iso

VIEW_MAX = 1 << 18
"""Bytes of the longest view, as it is sent."""


class View(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a party says of an order. `content` holds columns of an order file (docs/orders.md), no personal data."""

    party: Annotated[str, shapes.one_of(list(PARTIES[1:]), "Who says it; the shop says it by import.")]
    source: Annotated[str, Meta(max_length=SOURCE_MAX, pattern=shapes.NO_NUL, description="Where it came from.")] = ""
    content: Annotated[dict[str, str], Meta(description="By column.")]


class VersionAnswer(Struct):
    """What a party said. `status`: taken or refused for the shop's own, said for others; `sha256` is of the content's
    canonical JSON."""

    number: int
    party: str
    source: str
    time: str | None
    status: str
    content: dict[str, str]
    sha256: str


class Unlike(Struct):
    """A field of which parties say different things, "" where they say that there is none. `desk` is what scans
    proved."""

    field: str
    said: dict[str, str]


class Versions(Struct):
    """A page of what was said of an order, the oldest first; and, on each page, where the newest views differ."""

    order: str
    versions: list[VersionAnswer]
    differences: list[Unlike]
    next: str | UnsetType = UNSET


def listed(services: Services, call: Call[shapes.Paged, None]) -> Versions:
    id, query, versions = order_of(services, call).id, call.query, services.book.versions
    name = listing("versions", id)
    after = 0 if query.cursor is None else services.cursors.open(name, query.cursor, int)
    rows, more = page(versions.of(id, after, query.limit + 1), query.limit, lambda one: one.number)
    return Versions(
        id,
        [_answer(version) for version in rows],
        [Unlike(one.field, dict(one.said)) for one in versions.differences(id)],
        UNSET if more is None else services.cursors.seal(name, more),
    )


def put(services: Services, call: Call[None, View]) -> Reply:
    id, view = order_of(services, call).id, call.body
    versions = services.book.versions
    added = versions.put(id, view.party, view.source, view.content)
    return Reply(_answer(versions.newest(id)[view.party]), changes=added)


def _answer(version: Version) -> VersionAnswer:
    return VersionAnswer(
        number=version.number,
        party=version.party,
        source=version.source,
        time=iso(version.at),
        status=version.status,
        content=dict(version.content),
        sha256=version.sha256.hex(),
    )


_SAMPLE = {"party": "marketplace", "source": "cabinet", "content": {"state": "DELIVERED", "value": "48900.50"}}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/orders/{id:path}/versions",
        name="listVersions",
        tag="versions",
        summary="List what each party said of an order page by page, the oldest first, and where they do not say the"
        " same.",
        right="orders.read",
        handler=listed,
        at=shapes.OrderPath,
        query=shapes.Paged,
        answers={200: Content(Versions)},
        errors={400: ("desk_cursor",), 404: ("desk_order_unknown",)},
    ),
    Operation(
        method="POST",
        path="/api/v1/orders/{id:path}/versions",
        name="putVersion",
        tag="versions",
        summary="Keep what another party says of an order, and answer with it. It moves nothing. What it said last is"
        " not kept twice.",
        right="orders.import",
        handler=put,
        noted=lambda call: call.body.party,
        at=shapes.OrderPath,
        body=Body((JSON,), VIEW_MAX, View, samples={JSON: _SAMPLE}),
        answers={200: Content(VersionAnswer)},
        errors={400: ("desk_view_field",), 404: ("desk_order_unknown",)},
    ),
)
