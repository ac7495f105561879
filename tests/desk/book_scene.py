"""An order book in this process: what tests put into it, and what they read out of it."""

from __future__ import annotations

from typing import Any

import msgspec
from desk_process import NOW
from desk_records import Scanner

from plomba.desk.api.answers import event_answer
from plomba.desk.book import Book
from plomba.desk.course import Kept
from plomba.desk.listings import Listings, counted
from plomba.desk.order_files import csv_rows
from plomba.desk.orders import read_orders
from plomba.desk.views import OrderView, Views
from plomba.trust.objects import Trust
from plomba_wire import chain
from plomba_wire.codec import CodeRow, ManifestHead, OrderRow
from plomba_wire.vocabulary import ObjectKind, State

HEADER = "order,class,place,cell,seals,uins\n"


class Clock:
    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def take(book: Book, csv: str, header: str = HEADER) -> None:
    book.take_orders(read_orders(csv_rows((header + csv).encode()), book.lifecycle))


def accept(book: Book, *events: object) -> list[str]:
    return [answer.error.code if answer.error else answer.status for answer in book.accept(events)]


def view(book: Book, order: str) -> OrderView:
    found = Views(book.store, book.lifecycle).order(order)
    assert found is not None
    return found


def records(book: Book, order: str) -> list[dict[str, Any]]:
    """JSON of an order's records."""
    rows = counted(Listings(book.store).of_order(order, 0, 1000))
    return [msgspec.to_builtins(event_answer(row)) for row in rows]


def state(book: Book, order: str) -> int:
    return view(book, order).state


def states(book: Book) -> list[tuple[object, ...]]:
    """Everything the records did, without the order of arrival."""
    placed = book.store.query(
        "SELECT o.id, o.state, o.holder, o.bag, e.terminal, e.seq, f.position, f.before, f.after, f.why, f.disputed"
        " FROM orders o LEFT JOIN effects f ON f.order_id = o.id LEFT JOIN events e ON e.number = f.event"
        " ORDER BY o.id, f.position"
    )
    bound = book.store.query("SELECT order_id, seal, broken FROM bindings ORDER BY order_id, seal")
    spells = book.store.query(
        "SELECT order_id, position, since, until, kind, party, owed FROM custody ORDER BY order_id, position"
    )
    courses = [
        (id, party, seals, records, disputed, merged_t, merged_by, check_at, *_kept(course))
        for id, party, seals, records, disputed, merged_t, merged_by, check_at, course in book.store.query(
            "SELECT id, party, seals, records, disputed, merged_t, merged_by, check_at, course FROM orders ORDER BY id"
        )
    ]
    times = book.store.query("SELECT order_id, position, at FROM effects ORDER BY order_id, position")
    return placed + bound + spells + courses + times


def _kept(course: str) -> tuple[object, ...]:
    """All but whether the next record may just be added: that follows from the way, not from the records."""
    kept = msgspec.json.decode(course, type=Kept)
    return kept.standing, kept.at, kept.waits, kept.records


def kept(book: Book) -> dict[str, Kept]:
    rows = book.store.query("SELECT id, course FROM orders ORDER BY id")
    return {id: msgspec.json.decode(course, type=Kept) for id, course in rows}


def check_waits(book: Book) -> None:
    """An order waits for the end of where it is, and of the half hand-over that is open, and for nothing else."""
    life = book.lifecycle
    classes = dict(book.store.query("SELECT id, class FROM orders"))
    for id, one in kept(book).items():
        standing = one.standing
        wanted = {State.HANDING} if standing.pair or standing.state == State.HANDING else set()
        if standing.state != State.HANDING and (standing.state, classes[id]) in life.deadlines:
            wanted.add(standing.state)
        assert sorted(wait.state for wait in one.waits) == sorted(wanted), id


def opened(book: Book, scanner: Scanner) -> tuple[ManifestHead, list[OrderRow], list[CodeRow]]:
    trust = Trust(book._organisation.trust.root)
    signed = trust.open(book.manifest(scanner.key.id), ObjectKind.MANIFEST, now=book._clock())
    head = ManifestHead.read(signed.body, 0)
    at = ManifestHead.SIZE
    orders = [OrderRow.read(signed.body, at + n * OrderRow.SIZE) for n in range(head.orders)]
    at += head.orders * OrderRow.SIZE
    codes = [CodeRow.read(signed.body, at + n * CodeRow.SIZE) for n in range(head.codes)]
    assert at + head.codes * CodeRow.SIZE == len(signed.body)
    assert [row.ref for row in orders] == sorted({row.ref for row in orders})
    assert [row.tag for row in codes] == sorted({row.tag for row in codes})
    return head, orders, codes


def found(head: ManifestHead, codes: list[CodeRow], kind: int, code: str | bytes) -> int | None:
    """Index of the order row, by the tag alone."""
    tag = chain.code_tag(head.salt, kind, code.encode() if isinstance(code, str) else code)
    return next((row.order for row in codes if row.tag == tag and row.kind == kind), None)
