"""Personal data stand apart from the order, and can be erased while evidence stays what it was."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest
from api_scene import Api
from book_scene import Clock, accept, opened, states
from desk_records import Scanner
from order_lists import PLAIN, listed, take

from plomba.desk import exports, personal
from plomba.desk.accounts.account import NAME_MAX
from plomba.desk.api.answers import order_answer
from plomba.desk.book import Book
from plomba.desk.differences import Differences
from plomba.desk.listings import Listings
from plomba.desk.order_files import csv_rows
from plomba.desk.orders import ImportRefused, read_arrivals
from plomba.desk.personal import Erased
from plomba.desk.views import Views
from plomba.errors import UsageError

PHONE = "+79990001122"
TOLD = {"recipient": "Иванова Анна", "phone": PHONE, "address": "Лесная, 5", "email": "anna@example.org"}
APART = ("personal",)


def everywhere_else(book: Book) -> str:
    """All that the book holds, but for the table of personal data."""
    lists = "pg_tables WHERE schemaname = 'public'" if book.store.database.postgresql else "sqlite_master"
    column = "tablename" if book.store.database.postgresql else "tbl_name"
    names = book.store.query(f"SELECT DISTINCT {column} FROM {lists}")
    return repr([book.store.query(f"SELECT * FROM {name}") for (name,) in names if name not in APART])


def bytes_on_disk(book: Book) -> bytes:
    path = book.store.path
    files = sorted(path.parent.glob(path.name + "*"))
    assert files
    return b"".join(file.read_bytes() for file in files)


def test_they_are_kept_apart(book: Book, counter: Scanner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    take(book, {**PLAIN, **TOLD})
    accept(book, counter.retrieve("A-1"))
    assert book.personal.of("A-1") == TOLD
    views = Views(book.store, book.lifecycle)
    shown = repr([order_answer(view) for view in views.orders(10)]) + repr(Listings(book.store).newest(None, 10))
    shown += (
        repr(Differences(book.store).listed(None, 10))
        + repr(book.versions.of("A-1"))
        + "".join(exports.orders(book.store))
    )
    shown += repr(book.store.order("A-1")) + caplog.text + everywhere_else(book) + repr(opened(book, counter))
    for value in TOLD.values():
        assert value not in shown and value not in ascii(shown) and value.encode() not in book.manifest(counter.key.id)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("phone", "8-800-SECRET"),
        ("email", "secret at example.org"),
        ("address", "secret\u202e street"),
        ("recipient", "secret" * 100),
    ],
)
def test_a_mistake_in_them_does_not_tell_them(book: Book, column: str, value: str) -> None:
    arrivals, mistakes = read_arrivals(csv_rows(listed({**PLAIN, column: value})), book.lifecycle)
    with pytest.raises(ImportRefused) as caught:
        book.take(arrivals, mistakes)
    (bad,) = caught.value.bad
    assert (bad.row, bad.column) == (2, column)
    for lang in ("ru", "uk", "en"):
        told = bad.error.what(lang) + bad.error.next_step(lang) + repr(bad.error.fields) + repr(caught.value)
        assert "secret" not in told.lower()


def test_a_field_that_is_not_told_again_stays(book: Book) -> None:
    take(book, {**PLAIN, **TOLD})
    imported = take(book, {**PLAIN, "phone": "+7 999 000-11-33"})
    assert (imported.taken, imported.unchanged) == (0, 1)
    assert book.personal.of("A-1") == {**TOLD, "phone": "+7 999 000-11-33"}


def test_they_may_be_told_after_a_scan(book: Book, counter: Scanner) -> None:
    take(book, PLAIN)
    accept(book, counter.retrieve("A-1"))
    take(book, {**PLAIN, **TOLD})
    assert book.personal.of("A-1") == TOLD


def test_an_erasure_says_who_and_when(book: Book, clock: Clock) -> None:
    take(book, {**PLAIN, **TOLD}, {**PLAIN, "order": "B", **TOLD})
    erased = book.personal.erase("A-1", "Olga")
    assert erased == Erased("A-1", clock.now, "Olga")
    clock.now += 60
    assert book.personal.erase("A-1", "Pavel") == erased
    assert book.personal.erasures(["A-1", "B"]) == {"A-1": erased}
    assert (book.personal.of("A-1"), book.personal.of("B")) == ({}, TOLD)


@pytest.mark.parametrize("letter", ["a", "а", "𠀀"])
def test_whoever_may_erase_can_whatever_the_name(api: Api, letter: str) -> None:
    """A name may have as many characters as it may, in any script."""
    name = letter * NAME_MAX
    take(api.book, {**PLAIN, **TOLD})
    answer = api.as_(name, "admin").delete("/api/v1/orders/A-1/personal")
    assert (answer.status_code, answer.json()["erased"]["person"]) == (200, name)
    assert api.book.personal.of("A-1") == {}


@pytest.mark.parametrize(
    ("order", "person", "code"),
    [
        ("A-1", " ", "desk_personal_unerasable"),
        ("A-1", "a\nb", "desk_personal_unerasable"),
        ("X", "O", "desk_order_unknown"),
    ],
)
def test_an_erasure_names_an_order_and_a_person(book: Book, order: str, person: str, code: str) -> None:
    take(book, {**PLAIN, **TOLD})
    with pytest.raises(UsageError) as caught:
        book.personal.erase(order, person)
    assert caught.value.code == code
    assert book.personal.of("A-1") == TOLD


def test_what_was_erased_does_not_come_back_by_import(book: Book) -> None:
    take(book, {**PLAIN, **TOLD})
    book.personal.erase("A-1", "Olga")
    imported = take(book, {**PLAIN, **TOLD, "cell": "A-2"}, {**PLAIN, "order": "B", **TOLD})
    assert (imported.taken, imported.erased) == (2, 1)
    assert (book.personal.of("A-1"), book.personal.of("B")) == ({}, TOLD)
    order = book.store.order("A-1")
    assert order is not None and order.cell == "A-2"


def test_those_of_many_orders_are_read_past_a_page(book: Book, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "PAGE", 1)
    ids = ["A-1", "A-2", "A-3"]
    take(book, *({**PLAIN, "order": id, "phone": PHONE} for id in ids))
    assert book.personal.held(ids) == {id: {"phone": PHONE} for id in ids}
    erased = {id: book.personal.erase(id, "Olga") for id in ids[:2]}
    assert book.personal.erasures(ids) == erased
    assert book.personal.held(ids) == {"A-3": {"phone": PHONE}}


def test_records_and_evidence_stay_what_they_were(book: Book, counter: Scanner) -> None:
    take(book, {**PLAIN, **TOLD})
    events = [counter.retrieve("A-1"), counter.hand_out("A-1")]
    accept(book, *events)
    kept = "SELECT body, previous, digest, signature FROM events ORDER BY number"
    before = (book.store.query(kept), states(book), book.manifest(counter.key.id), everywhere_else(book))
    book.personal.erase("A-1", "Olga")
    after = (book.store.query(kept), states(book), book.manifest(counter.key.id))
    assert after == before[:3]
    assert accept(book, *events) == ["duplicate", "duplicate"]


def test_the_bytes_are_gone_from_the_disk(book: Book) -> None:
    if book.store.database.postgresql:
        pytest.skip("a PostgreSQL server keeps a deleted row until it vacuums: docs/orders.md")
    chance = random.Random(7)
    entries = [
        {
            **PLAIN,
            "order": f"{chance.getrandbits(64):x}",
            "phone": f"+7777{n:07}",
            "recipient": f"Marker {n:06} " + "x" * chance.randrange(80),
        }
        for n in range(600)
    ]
    for at in range(0, len(entries), 100):
        take(book, *entries[at : at + 100])
    # What was told anew has a former value too.
    moved = [{**entry, "recipient": f"Marker again {n:06} " + "y" * 150} for n, entry in enumerate(entries)]
    take(book, *chance.sample(moved, 300))
    assert b"+77770000007" in bytes_on_disk(book)
    order = [entry["order"] for entry in entries]
    chance.shuffle(order)
    for id in order[:300]:
        book.personal.erase(id, "Olga")
    held = bytes_on_disk(book)
    gone = {entry["order"] for entry in entries if entry["order"] in set(order[:300])}
    left = [entry["phone"] for entry in entries if entry["order"] in gone and entry["phone"].encode() in held]
    left += [f"{n}" for n, e in enumerate(entries) if e["order"] in gone and f"Marker {n:06}".encode() in held]
    left += [f"{n}" for n, e in enumerate(entries) if e["order"] in gone and f"again {n:06}".encode() in held]
    assert left == []
    kept = next(entry for entry in entries if entry["order"] not in gone)
    assert kept["phone"].encode() in held
    for id in order[300:]:
        book.personal.erase(id, "Olga")
    assert b"+7777" not in bytes_on_disk(book) and b"Marker" not in bytes_on_disk(book)


def test_the_folder_holds_no_other_copy(book: Book, tmp_path: Path) -> None:
    take(book, {**PLAIN, **TOLD})
    book.personal.erase("A-1", "Olga")
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and PHONE.encode() in file.read_bytes()]
