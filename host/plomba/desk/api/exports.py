"""Operations that give whole tables for spreadsheets, a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plomba.desk import exports
from plomba.desk.api.operations import CSV, Call, Content, Operation
from plomba.desk.api.services import Services

ROWS = 500
"""Rows that are read at a time: the book's thread serves others in between."""
_HEADERS = {"content-disposition": 'attachment; filename="orders.csv"'}


async def orders(services: Services, call: Call[None, None], request: Request) -> Response:
    if request.method == "HEAD":
        return Response(media_type=CSV, headers=_HEADERS)
    rows = exports.orders(services.book.store, call.account.narrowed("o"))
    # Read before the answer begins: a store that fails says so.
    first = await services.run(_piece, rows)
    return StreamingResponse(_pieces(services, rows, first), media_type=CSV, headers=_HEADERS)


async def _pieces(services: Services, rows: Iterator[str], piece: str) -> AsyncIterator[str]:
    while piece:
        yield piece
        piece = await services.run(_piece, rows)


def _piece(rows: Iterator[str]) -> str:
    return "".join(islice(rows, ROWS))


OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/exports/orders.csv",
        name="exportOrders",
        tag="orders",
        summary="All orders as a CSV table for spreadsheets: as they were imported, without personal data, and where"
        " they stand. No cell becomes a formula.",
        right="orders.read",
        streamer=orders,
        answers={200: Content(str, CSV)},
    ),
)
