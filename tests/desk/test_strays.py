"""Records about orders that are not in the book: they are known without a look at all records."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from book_scene import Clock, accept, take
from desk_process import NOW
from desk_records import Scanner, any_record
from sqlalchemy import event, text

from plomba.desk.book import Book
from plomba.desk.differences import Differences
from plomba.trust.organisation import Organisation
from plomba_wire import chain
from plomba_wire.vocabulary import Action, State, Verdict

CODES = "order,class,place,codes\n"


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = NOW + 30 * 86_400
    return clock


def strays(book: Book) -> list[int]:
    return [number for (number,) in book.store.query("SELECT event FROM strays ORDER BY event")]


def without_effect(book: Book) -> list[int]:
    """What they are, by all records: those that name an order, and did nothing to any, not even in vain."""
    rows = book.store.query(
        "SELECT e.number FROM events e LEFT JOIN effects f ON f.event = e.number"
        " WHERE f.event IS NULL AND (e.order_id IS NOT NULL OR e.order_ref <> 0) ORDER BY e.number"
    )
    return [number for (number,) in rows]


def shared_ref() -> tuple[str, str]:
    """Two orders whose index is the same."""
    seen: dict[int, str] = {}
    for number in range(1 << 20):
        id = f"R-{number}"
        other = seen.setdefault(chain.order_ref(id.encode()), id)
        if other != id:
            return other, id
    raise AssertionError


def by_ref(scanner: Scanner, order: str) -> Any:
    return scanner.record(Action.STORE, Verdict.OK, ref=chain.order_ref(order.encode()), after=State.READY)


def test_one_that_is_imported_later_is_none(book: Book, counter: Scanner) -> None:
    one, other = shared_ref()
    assert set(accept(book, counter.store("A-1"), by_ref(counter, "A-2"), by_ref(counter, one))) == {"accepted"}
    note = counter.record(Action.NOTE, Verdict.NOTED)
    labelled = counter.record(Action.STORE, Verdict.OK, "%1", after=State.READY, ref=chain.order_ref(b"A-4"))
    accept(book, note, labelled, counter.store("A-1"))
    assert strays(book) == [1, 2, 3, 5, 6]
    for row, left in (
        ("A-3,plain,17,", [1, 2, 3, 5, 6]),
        ("A-1,plain,17,", [2, 3, 5]),
        ("A-2,plain,17,", [3, 5]),
        ("A-4,plain,17,label:%1", [3]),
        (f"{one},plain,17,", []),
        (f"{other},plain,17,", [3]),
    ):
        take(book, row + "\n", CODES)
        assert strays(book) == without_effect(book) == left
        assert Differences(book.store).strayed == len(left)
    accept(book, counter.store("A-1"), by_ref(counter, other), counter.store("Z"))
    assert strays(book) == without_effect(book) == [3, 8, 9]
    assert [(one.order_id, one.head.seq) for one in Differences(book.store).strays(2)] == [("Z", 9), ("", 8)]


@pytest.mark.parametrize("seed", range(3))
def test_of_a_day_of_any_records(book: Book, organisation: Organisation, seed: int) -> None:
    chance = random.Random(seed)
    scanners = [Scanner(organisation, now=NOW + 2 * n, label=f"Counter {n}") for n in range(2)]
    for scanner in scanners:
        book.enrol(scanner.certificate, 17)
    made = []
    for _ in range(60):
        scanner = chance.choice(scanners)
        made.append(by_ref(scanner, chance.choice("ABCD")) if chance.random() < 0.2 else None)
        made[-1] = made[-1] or any_record(scanner, scanners, chance)
    chance.shuffle(made)
    left = list("ABC")
    while made:
        size = chance.randint(1, 9)
        accept(book, *made[:size])
        del made[:size]
        if left and chance.random() < 0.3:
            take(book, f"{left.pop()},sealed,17,\n", CODES)
        assert strays(book) == without_effect(book)
    assert strays(book)
    kept = strays(book)
    with book.store.transaction():
        book.store.write("DELETE FROM replayed")
        book.store.write("DELETE FROM strays")
        book._replay.place_all(NOW)
    assert strays(book) == kept


def test_a_book_of_before_is_looked_through_once(
    tmp_path: Path, book: Book, counter: Scanner, clock: Clock, organisation: Organisation, book_url: str | None
) -> None:
    one, other = shared_ref()
    take(book, f"A,plain,17,\n{one},plain,17,\n{other},plain,17,\n", CODES)
    accept(book, counter.store("A"), counter.store("Z"), by_ref(counter, "A"), by_ref(counter, one))
    accept(book, counter.record(Action.NOTE, Verdict.NOTED), by_ref(counter, "Z"))
    book.store.write("DROP TABLE strays")
    book.store.write("UPDATE alembic_version SET version_num = '0009'")
    book.close()
    again = Book(tmp_path / "book", organisation, clock, url=book_url)
    try:
        assert strays(again) == without_effect(again) == [2, 4, 6]
    finally:
        again.close()


@contextmanager
def statements(book: Book) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def on_statement(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        said.append((statement, parameters))

    engine = book.store.database._engine
    event.listen(engine, "before_cursor_execute", on_statement)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", on_statement)


def whole_tables(book: Book, statement: str, parameters: Any) -> set[str]:
    """Tables that the plan of a statement reads from one end to the other."""
    database = book.store.database
    with database.transaction() as connection:
        if not database.postgresql:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            said = [row[3].split() for row in plan]
            return {words[1] for words in said if words[0] == "SCAN"}
        told = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    waiting, found = [told[0]["Plan"]], set()
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node and "Index Cond" not in node and "Recheck Cond" not in node:
            found.add(node["Alias"])
    return found


def test_no_list_of_differences_reads_all_records(book: Book, counter: Scanner, organisation: Organisation) -> None:
    other = Scanner(organisation, now=NOW, label="Other")
    book.enrol(other.certificate, 17)
    take(book, "A,plain,17,\n", CODES)
    differing = [
        [one.store("Z"), one.record(Action.HOLD, Verdict.OK, "A", after=State.READY), one.store("A")]
        for one in (counter, other)
    ]
    accept(book, *differing[0], counter.record(Action.NOTE, Verdict.NOTED))
    columns = "terminal, epoch, body_hash, previous, digest, body, signature, order_id, order_ref, received"
    for doubled in range(11):
        book.store.write(
            f"INSERT INTO events (number, seq, {columns}) SELECT number + :more, seq + :more, {columns} FROM events"
            " WHERE number > 3",
            {"more": 1 << doubled},
        )
    accept(book, *differing[1])
    assert book.store.count("FROM events") > 2000
    with book.store.database.transaction() as connection:
        connection.execute(text("ANALYZE"))
    found = Differences(book.store)
    with statements(book) as said:
        assert (found.strayed, found.disputed, len(found.strays(9)), len(found.disputes(9))) == (2, 4, 2, 4)
        assert len(found.listed(None, 9)) == len(found.listed((10_000, ""), 9)) == 6
    asked = [(statement, parameters) for statement, parameters in said if "FROM" in statement]
    assert len(asked) == 6
    for statement, parameters in asked:
        assert not whole_tables(book, statement, parameters) & {"e", "events"}, statement
    assert whole_tables(book, "SELECT count(*) FROM events e WHERE received > 0", ()) == {"e"}, "it would be seen"
