"""A day through the order book with all its rules, beside plain inserts of the same rows; and whether all fits."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from plomba.bench.arrivals import Arrivals, Batch
from plomba.bench.plain_rows import PlainRows, columns
from plomba.bench.shop_day import ShopDay
from plomba.bench.shop_steps import MIDNIGHT
from plomba.desk.book import ACCEPTED, DUPLICATE, Answer, Book
from plomba.desk.custody import Custody
from plomba.trust.organisation import Organisation

MOMENTS = 200
_AFTER_S = 2 * 86400
"""How long after the last record the desk's clock stands when all deadlines of the day have passed."""


class Clock:
    """The desk's, s since 1970, set by hand."""

    def __init__(self, now: int = MIDNIGHT) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Office:
    """A book, its clock, and the lists of one day's orders on their way into it."""

    def __init__(
        self, folder: Path, organisation: Organisation, day: ShopDay, url: str | None = None, now: int = MIDNIGHT
    ) -> None:
        """The day's terminals are enrolled; `url`: of an empty PostgreSQL database, without it SQLite in `folder`."""
        self.clock = Clock(now)
        self.book = Book(folder, organisation, self.clock, url=url)
        self.attend(day)

    def attend(self, day: ShopDay) -> None:
        """Another day begins."""
        self._lists = list(day.imports)
        for scanner in day.scanners:
            self.book.enrol(scanner.certificate, scanner.place)

    def until(self, now: int) -> None:
        """The lists that came until then are taken, and the clock goes there."""
        while self._lists and self._lists[0][0] <= now:
            self.clock.now, listed = self._lists.pop(0)
            self.book.take_orders(list(enumerate(listed, start=2)))
        self.clock.now = now

    def take(self, batch: Batch) -> tuple[list[Answer], float]:
        """What was answered, and the seconds for it, with the deadlines that passed."""
        self.until(batch.now)
        began = time.perf_counter()
        answers = self.book.accept(batch.events)
        self.book.tick()
        return answers, time.perf_counter() - began

    def close(self) -> None:
        self.book.close()


def replay(
    folder: Path, organisation: Organisation, day: ShopDay, arrivals: Arrivals, url: str | None, plain_url: str | None
) -> dict[str, Any]:
    """The figures of one store: SQLite in `folder`, or PostgreSQL at `url` and the plain rows at `plain_url`."""
    with closing(Office(folder, organisation, day, url)) as office:
        book = office.book
        plain = PlainRows(plain_url or folder / "plain.sqlite3", columns(book.store))
        with closing(plain):
            counted, ours, theirs = _both(office, arrivals, plain)
        office.until(arrivals.end + _AFTER_S)
        book.tick()
        plain_rows = len(day.records) / theirs
        events = len(day.records) / ours
        return {
            "events_per_s": round(events),
            "plain_rows_per_s": round(plain_rows),
            "ratio": round(events / plain_rows, 4),
            "day": {
                "orders": len(day.orders),
                "records": counted[ACCEPTED],
                "duplicates": counted[DUPLICATE],
                "late": arrivals.late,
                "states_ok": counted[ACCEPTED] == len(day.records) and states(book) == day.truth,
                "custody_ok": custody_sums(book, day, arrivals.end),
                "incidents": book.store.count("FROM incidents"),
                "incidents_once": once(book),
                "seconds": round(ours, 2),
            },
        }


def _both(office: Office, arrivals: Arrivals, plain: PlainRows) -> tuple[dict[str, int], float, float]:
    """Batch by batch into both, in turns: answers counted, seconds of the book, seconds of the plain rows."""
    counted = {ACCEPTED: 0, DUPLICATE: 0}
    ours = theirs = 0.0
    last = 0
    for batch in arrivals.batches:
        answers, seconds = office.take(batch)
        ours += seconds
        for answer in answers:
            counted[answer.status] = counted.get(answer.status, 0) + 1
        rows = office.book.store.query("SELECT * FROM events WHERE number > :last ORDER BY number", {"last": last})
        last = rows[-1][0] if rows else last
        theirs += plain.insert(rows)
    return counted, ours, theirs


def states(book: Book) -> dict[str, int]:
    """Order -> where the desk has it."""
    return dict(book.store.query("SELECT id, state FROM orders"))


def custody_sums(book: Book, day: ShopDay, end: int) -> bool:
    """Whether at every sampled moment what all owners answer for is what the open orders are worth, and in the end what
    those are worth that people left open."""
    custody = Custody(book.store, book.lifecycle)
    random = Random(len(day.records))
    for at in [random.randrange(MIDNIGHT, end + 1) for _ in range(MOMENTS)]:
        if exposed(custody, at) != custody.worth(at):
            return False
    left = sum(order.value or 0 for order in day.orders if day.truth[order.id] not in book.lifecycle.ends)
    return custody.worth(end) == {"RUB": left} == exposed(custody, end)


def exposed(custody: Custody, at: int) -> dict[str, int]:
    """Currency -> the sum over all owners, in minor units."""
    sums: dict[str, int] = {}
    for exposure in custody.exposures(at):
        if exposure.worth:
            sums[exposure.currency] = sums.get(exposure.currency, 0) + exposure.worth
    return sums


def once(book: Book) -> bool:
    """Whether no deadline of an order has two incidents."""
    twice = "SELECT order_id, entry, kind FROM incidents GROUP BY order_id, entry, kind HAVING count(*) > 1"
    same = "SELECT order_id, kind, due FROM incidents GROUP BY order_id, kind, due HAVING count(*) > 1"
    return not book.store.query(twice) and not book.store.query(same)
