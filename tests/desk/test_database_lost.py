"""A database that goes away in mid-write: nothing is lost, nothing is there twice, and the desk goes on by itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from book_scene import Clock, accept, states, take
from desk_process import NOW
from desk_records import Event, Scanner
from sqlalchemy import event

from plomba.desk.book import Book
from plomba.desk.database import Database
from plomba.desk.problems import status_of
from plomba.errors import StoreError
from plomba.testing import postgresql
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, Verdict


@contextmanager
def before_each(book: Book, act: Callable[[int, str], None]) -> Iterator[list[str]]:
    """Calls `act` with 1, 2, .. and the statement before each of the book's, and before each COMMIT; lists them."""
    engine = book.store.database._engine
    seen: list[str] = []

    def counted(statement: str) -> None:
        seen.append(statement)
        act(len(seen), statement)

    def on_statement(connection: object, cursor: object, statement: str, *rest: object) -> None:
        counted(statement)

    def on_commit(connection: object) -> None:
        counted("COMMIT")

    event.listen(engine, "before_cursor_execute", on_statement)
    event.listen(engine, "commit", on_commit)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", on_statement)
        event.remove(engine, "commit", on_commit)


def rows(n: int) -> str:
    return f"A-{n},sealed,17,,S{n},\nB-{n},plain,17,,,\n"


def batch(scanner: Scanner, n: int) -> list[Event]:
    return [*scanner.way(f"A-{n}", f"S{n}"), scanner.store(f"B-{n}")]


def failed(book: Book, events: list[Event]) -> None:
    with pytest.raises(StoreError) as caught:
        book.accept(events)
    assert (caught.value.code, status_of(caught.value)) == ("desk_store_failed", 503)


def arrived(book: Book) -> list[tuple[int, int]]:
    """(place in the order of arrival, seq) of every record."""
    numbers = [seq for _, seq in book.store.query("SELECT number, seq FROM events ORDER BY number")]
    return list(enumerate(numbers, start=1))


def heard(book: Book) -> tuple[object, ...]:
    """Of each terminal: until when it was heard, and up to which record without a gap."""
    until = book.store.query("SELECT terminal, heard FROM terminals ORDER BY terminal")
    return until, book.store.query("SELECT terminal, epoch, through FROM marks ORDER BY terminal, epoch")


def statements(tmp_path: Path, organisation: Organisation, clock: Clock) -> int:
    """How many one batch takes; the same on both stores."""
    book = Book(tmp_path / "counted", organisation, clock)
    scanner = Scanner(organisation, now=NOW)
    book.enrol(scanner.certificate, 17)
    found = []
    for n in range(2):
        take(book, rows(n))
        with before_each(book, lambda *of: None) as seen:
            assert accept(book, *batch(scanner, n)) == ["accepted"] * 5
        found.append(len([statement for statement in seen if not statement.startswith("BEGIN")]))
    book.close()
    return max(found)


def crashes(server: postgresql.Server, folder: Path, organisation: Organisation, clock: Clock, at: list[int]) -> None:
    book = Book(folder / "book", organisation, clock, url=server.url)
    whole = Book(folder / "whole", organisation, clock)
    scanner = Scanner(organisation, now=NOW)
    try:
        for each in (book, whole):
            each.enrol(scanner.certificate, 17)
        for n, crash_at in enumerate(at):
            for each in (book, whole):
                take(each, rows(n))
            events = batch(scanner, n)

            def crash(number: int, statement: str, crash_at: int = crash_at) -> None:
                if number == crash_at or statement == "COMMIT":
                    server.crash()

            with before_each(book, crash) as seen:
                failed(book, events)
                assert len(seen) == crash_at or seen[-1] == "COMMIT", "it ended there"
                failed(book, events)
            server.start()
            assert accept(book, *events) == ["accepted"] * 5, f"lost or double after a crash at {seen[-1]}"
            assert accept(book, *events) == ["duplicate"] * 5
            assert accept(whole, *events) == ["accepted"] * 5
            assert arrived(book) == [(k, k) for k in range(1, 5 * n + 6)]
            assert (states(book), heard(book)) == (states(whole), heard(whole))
            with pytest.raises(StoreError) as caught:
                Book(folder / "second", organisation, clock, url=server.url)
            assert caught.value.code == "desk_store_busy"
    finally:
        book.close()
        whole.close()


@pytest.fixture
def server() -> Iterator[postgresql.Server]:
    if postgresql.programs() is None:
        pytest.skip("postgresql_missing")
    with postgresql.running() as server:
        yield server


def test_a_server_that_crashes_at_some_statements(
    server: postgresql.Server, tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    total = statements(tmp_path, organisation, clock)
    some = sorted(random.Random(8).sample(range(2, total), 3))
    crashes(server, tmp_path, organisation, clock, [1, *some, total])


@pytest.mark.long
def test_a_server_that_crashes_at_every_statement(
    server: postgresql.Server, tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    total = statements(tmp_path, organisation, clock)
    crashes(server, tmp_path, organisation, clock, list(range(1, total + 1)))


def test_a_restored_connection_forgets_what_it_remembered(
    server: postgresql.Server, tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    """What another desk wrote while this one was cut off counts: it had the book in between."""
    book = Book(tmp_path / "book", organisation, clock, url=server.url)
    scanner = Scanner(organisation, now=NOW)
    book.enrol(scanner.certificate, 17)
    take(book, rows(0))
    events = batch(scanner, 0)
    assert accept(book, *events[:1]) == ["accepted"]
    server.crash()
    failed(book, events)
    server.start()
    other = Book(tmp_path / "other", organisation, clock, url=server.url)
    with pytest.raises(StoreError) as caught:
        book.accept(events)
    assert caught.value.code == "desk_store_busy"
    assert accept(other, *events[:3]) == ["duplicate", "accepted", "accepted"]
    other.close()
    assert accept(book, *events[1:]) == ["duplicate"] * 2 + ["accepted"] * 2
    assert arrived(book) == [(k, k) for k in range(1, 6)]
    book.close()


def test_a_network_that_says_nothing_is_a_failure_after_seconds(server: postgresql.Server) -> None:
    """By libpq's own limits; a URL may have others. Nothing here can cut a network: docs/desk.md says what was seen."""
    wanted = {"connect_timeout": "5", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3"}
    wanted["tcp_user_timeout"] = "20000"
    for url, more in ((server.url, {}), (f"{server.url}&keepalives_count=9", {"keepalives_count": "9"})):
        database = Database(url)
        found = database._live().connection.driver_connection.info.get_parameters()
        assert {name: found[name] for name in wanted} == {**wanted, **more}
        database.close()


# a disk that is full


def test_a_full_disk_leaves_nothing_half_done(tmp_path: Path, organisation: Organisation, clock: Clock) -> None:
    """SQLite is given no page more, at each of the batch's statements in turn."""
    total = statements(tmp_path, organisation, clock)
    book = Book(tmp_path / "book", organisation, clock)
    whole = Book(tmp_path / "whole", organisation, clock)
    scanner = Scanner(organisation, now=NOW)
    for each in (book, whole):
        each.enrol(scanner.certificate, 17)
    full = 0
    for n in range(total + 1):
        for each in (book, whole):
            take(each, rows(n))
        events = batch(scanner, n)
        # Long notes need pages: without them a batch could fit into those that are there.
        events += [scanner.record(Action.NOTE, Verdict.NOTED, f"{k}-{n}".ljust(48, "x")) for k in range(40)]
        before = everything(book)

        def fill(number: int, statement: str, at: int = n) -> None:
            if number == at + 1:
                limit(book, True)

        with before_each(book, fill):
            try:
                book.accept(events)
            except StoreError as error:
                assert (error.code, status_of(error)) == ("desk_store_failed", 503)
                full += 1
                assert everything(book) == before
        limit(book, False)
        assert set(accept(book, *events)) <= {"accepted", "duplicate"}
        accept(whole, *events)
        assert (states(book), heard(book)) == (states(whole), heard(whole))
        assert arrived(book) == [(k, k) for k in range(1, len(arrived(whole)) + 1)]
    assert full >= 3
    book.close()
    whole.close()


def limit(book: Book, full: bool) -> None:
    """PRAGMA max_page_count: what there is, or the most that SQLite can have."""
    connection = book.store.database._live().connection.driver_connection
    connection.execute(f"PRAGMA max_page_count={1 if full else 4294967294}")


def everything(book: Book) -> list[object]:
    tables = [name for (name,) in book.store.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [book.store.query(f"SELECT * FROM {table}") for table in tables]
