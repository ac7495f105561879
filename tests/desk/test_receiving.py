"""A batch comes in: what it proves of its terminal, and what it costs the store."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from book_scene import Clock, accept
from desk_process import NOW
from desk_records import Event, Scanner
from sqlalchemy import event

from plomba.desk.book import Book
from plomba_wire.vocabulary import Action, Verdict

ERROR = 120
"""What a clock may be wrong by."""


def notes(scanner: Scanner, *times: int) -> list[Event]:
    return [scanner.record(Action.NOTE, Verdict.NOTED, time=time) for time in times]


def heard(book: Book) -> int:
    found: int = book.store.query("SELECT heard FROM terminals")[0][0]
    return found


@contextmanager
def rows_asked_for(book: Book) -> Iterator[list[str]]:
    """Statements that read records by their terminal."""
    said: list[str] = []

    def on_statement(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM events" in statement and "terminal" in statement:
            said.append(statement)

    engine = book.store.database._engine
    event.listen(engine, "before_cursor_execute", on_statement)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", on_statement)


def test_a_gap_that_is_filled_proves_what_came_before_it_was(book: Book, counter: Scanner, clock: Clock) -> None:
    first, missing, *later, last = notes(counter, NOW + 100, NOW + 200, NOW + 4000, NOW + 3000, NOW + 4500)
    for after, batch, moment in (
        (5000, [first], 100),
        (5100, later, 100),
        (5200, [missing], 4000),
        (5300, [last], 4500),
    ):
        clock.now = NOW + after
        accept(book, *batch)
        assert heard(book) == NOW + moment - ERROR


def test_it_proves_no_more_than_when_it_came(book: Book, counter: Scanner, clock: Clock) -> None:
    first, missing, ahead = notes(counter, NOW + 100, NOW + 200, NOW + 90_000)
    clock.now = NOW + 300
    accept(book, first, ahead)
    clock.now = NOW + 60_000
    accept(book, missing)
    assert heard(book) == NOW + 300 - ERROR


def test_behind_a_gap_nothing_is_read_that_is_not_a_neighbour(book: Book, counter: Scanner) -> None:
    missing, *held = notes(counter, *range(NOW + 10, NOW + 400, 10))
    batches = [held[at : at + 3] for at in range(0, len(held), 3)]
    accept(book, *batches[0])
    with rows_asked_for(book) as said:
        for batch in batches[1:]:
            assert set(accept(book, *batch)) == {"accepted"}
    assert not [statement for statement in said if "seq >" in statement]
    with rows_asked_for(book) as said:
        accept(book, missing)
    assert len([statement for statement in said if "seq >" in statement]) == 1
    assert book.store.through(counter.key.id, 1) == len(held) + 1


@pytest.mark.parametrize("bad", [0, 1, 31, 32, 99, 100, 149])
def test_one_bad_signature_among_many_is_the_one_that_is_refused(book: Book, counter: Scanner, bad: int) -> None:
    """They are verified in shares, on several processors."""
    events = notes(counter, *(NOW + n for n in range(150)))
    data = events[bad]["data"]
    signature = bytearray(base64.b64decode(data["signature"]))
    signature[5] ^= 1
    data["signature"] = base64.b64encode(signature).decode()
    answers = accept(book, *events)
    assert [at for at, answer in enumerate(answers) if answer != "accepted"] == [bad]
    assert answers[bad] == "record_signature"
