"""The order book itself, in this process: replay, evidence, signed objects."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Callable
from importlib import resources
from itertools import count
from pathlib import Path

import pytest
from book_scene import HEADER, Clock, accept, found, opened, records, state, states, take
from desk_process import NOW
from desk_records import Event, Scanner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plomba.desk.book import Book
from plomba.desk.order_files import csv_rows
from plomba.desk.orders import ImportRefused, read_orders
from plomba.desk.views import Views
from plomba.errors import PlombaError, StoreError, UsageError
from plomba.trust.objects import split_bundle
from plomba.trust.organisation import Organisation
from plomba_wire import chain
from plomba_wire.vocabulary import Action, CodeKind, ObjectKind, State, Verdict

SAMPLE = resources.files("plomba.desk").joinpath("rules", "sample.toml").read_text(encoding="utf-8")


def refusals(book: Book, csv: str, header: str = HEADER) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        take(book, csv, header)
    return [(bad.row, bad.column, bad.error.code) for bad in caught.value.bad]


@pytest.fixture
def scanner(counter: Scanner) -> Scanner:
    return counter


# replay


def test_records_and_orders_may_come_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, clock: Clock
) -> None:
    first, second = (Scanner(organisation, now=NOW, label=f"Counter {n}") for n in (1, 2))
    second.time += 7
    events: list[Event] = []
    for one in (first, second):
        name = "AB"[one is second]
        events += one.way(f"{name}-1", f"{name}S1")
        events += [one.retrieve("C-1", Verdict.CONFIRM), one.hand_out(f"{name}-2"), one.hand_out("C-1")]
        events.append(one.record(Action.STORE, Verdict.OK, ref=chain.order_ref(b"D-1"), after=State.READY))
        events.append(one.record(Action.NOTE, Verdict.NOTED))
    orders = "A-1,sealed,17,,AS1,\nA-2,sealed,17,,,\nB-1,sealed,17,,BS1,\nB-2,plain,17,,,\n"
    orders += "C-1,plain,17,,,\nD-1,plain,17,,,\n"

    def outcome(arrival: list[Event], batch: int, orders_after: int) -> list[tuple[object, ...]]:
        book = Book(tmp_path_factory.mktemp("book"), organisation, clock)
        try:
            for scanner in (first, second):
                book.enrol(scanner.certificate, 17)
            for at in range(0, len(arrival), batch):
                if at // batch == orders_after:
                    take(book, orders)
                assert set(accept(book, *arrival[at : at + batch])) == {"accepted"}
            if orders_after * batch >= len(arrival):
                take(book, orders)
            return states(book)
        finally:
            book.close()

    wanted = outcome(events, len(events), 0)
    assert ("A-1", State.DELIVERED) in [row[:2] for row in wanted]
    assert ("D-1", State.READY) in [row[:2] for row in wanted]

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.permutations(events), st.integers(1, 9), st.integers(0, 12))
    def shuffled(arrival: list[Event], batch: int, orders_after: int) -> None:
        assert outcome(arrival, batch, orders_after) == wanted

    shuffled()


def test_a_hand_out_that_overtakes_its_seal_is_put_right(book: Book, scanner: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\n")
    stored, retrieved, sealed, handed = scanner.way("A-1", "S1")
    accept(book, stored, retrieved, handed)
    view = Views(book.store, book.lifecycle).order("A-1")
    assert view and (view.state, view.holder, view.disputed) == (State.IDENTIFIED, "point", 1)
    accept(book, sealed)
    view = Views(book.store, book.lifecycle).order("A-1")
    assert view and (view.state, view.holder, view.disputed) == (State.DELIVERED, "customer", 0)


def test_the_desk_knows_the_seals_itself(book: Book, scanner: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,sealed,17,,S2,\n")
    accept(book, scanner.store("A-1"), scanner.retrieve("A-1"), scanner.seal("A-1", "S2"), scanner.hand_out("A-1"))
    assert state(book, "A-1") == State.IDENTIFIED
    disputes = Views(book.store, book.lifecycle).overview().disputes
    assert [(one.order_id, one.claim, one.state, one.why) for one in disputes] == [
        ("A-1", State.DELIVERED, State.IDENTIFIED, "gate"),
        ("A-1", State.VERIFIED, State.IDENTIFIED, "seal"),
    ]


def test_a_training_record_moves_nothing(book: Book, scanner: Scanner) -> None:
    take(book, "A-1,plain,17,,,\n")
    accept(book, scanner.record(Action.STORE, Verdict.OK, "A-1", after=State.READY, flags=0x11))
    assert state(book, "A-1") == State.AT_POINT


def test_a_name_goes_before_an_index(book: Book, scanner: Scanner) -> None:
    """A record that names one order and indexes another is about the one it names."""
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\n")
    accept(book, scanner.record(Action.STORE, Verdict.OK, "A-1", ref=chain.order_ref(b"A-2"), after=State.READY))
    assert (state(book, "A-1"), state(book, "A-2")) == (State.READY, State.AT_POINT)


def colliding() -> tuple[str, str]:
    """Two order ids with one ref: a birthday search, about 80 000 hashes."""
    seen: dict[int, str] = {}
    for number in count():
        id = f"R-{number}"
        other = seen.setdefault(chain.order_ref(id.encode()), id)
        if other != id:
            return other, id
    raise AssertionError


def test_an_index_that_two_orders_share_names_neither(book: Book, scanner: Scanner) -> None:
    first, second = colliding()
    take(book, f"{first},plain,17,,,\n")
    accept(book, scanner.record(Action.STORE, Verdict.OK, ref=chain.order_ref(first.encode()), after=State.READY))
    assert state(book, first) == State.READY
    take(book, f"{second},plain,17,,,\n")
    assert (state(book, first), state(book, second)) == (State.AT_POINT, State.AT_POINT)
    assert Views(book.store, book.lifecycle).overview().strayed == 1
    accept(book, scanner.store(second))
    assert (state(book, first), state(book, second)) == (State.AT_POINT, State.READY)
    head, _, codes = opened(book, scanner)
    assert head.orders == 1
    assert found(head, codes, CodeKind.ORDER, first) == 0
    assert found(head, codes, CodeKind.ORDER, second) is None


# what a copied terminal leaves behind


def test_two_records_under_one_number_are_both_kept(book: Book, scanner: Scanner) -> None:
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\n")
    head = scanner.head
    one = scanner.store("A-1")
    scanner.seq, scanner.head = 0, head
    other = scanner.store("A-2")
    assert accept(book, one, other, other, one) == ["accepted", "record_conflict", "record_conflict", "duplicate"]
    assert (state(book, "A-1"), state(book, "A-2")) == (State.READY, State.AT_POINT)
    kept = book.store.query("SELECT body FROM events UNION ALL SELECT body FROM conflicts")
    assert len(kept) == 2
    assert Views(book.store, book.lifecycle).overview().conflicted == 1


def test_a_forged_contradiction_is_no_evidence(book: Book, scanner: Scanner) -> None:
    head = scanner.head
    one = scanner.store("A-1")
    scanner.seq, scanner.head = 0, head
    other = scanner.store("A-2")
    other["data"]["signature"] = one["data"]["signature"]
    assert accept(book, one, other) == ["accepted", "record_signature"]
    assert Views(book.store, book.lifecycle).overview().conflicted == 0


@pytest.mark.parametrize("later_first", [False, True])
def test_a_record_that_does_not_link_is_kept_apart(book: Book, scanner: Scanner, later_first: bool) -> None:
    one = scanner.store("A-1")
    scanner.head = hashlib.sha256(b"another past").digest()
    two = scanner.store("A-2")
    arrival = [two, one] if later_first else [one, two]
    assert accept(book, *arrival) == ["accepted", "desk_record_unlinked"]


def test_a_first_record_begins_at_the_genesis(book: Book, scanner: Scanner) -> None:
    scanner.head = bytes(32)
    assert accept(book, scanner.store("A-1")) == ["desk_record_unlinked"]


def test_there_is_no_record_zero(book: Book, scanner: Scanner) -> None:
    scanner.seq = -1
    assert accept(book, scanner.store("A-1")) == ["desk_record_unlinked"]


# import against the book


def test_importing_again_changes_nothing(book: Book, scanner: Scanner) -> None:
    row = "A-1,sealed,17,C1,S2 S1,6431000000000018\n"
    take(book, row)
    accept(book, scanner.store("A-1"))
    imported = book.take_orders(read_orders(csv_rows((HEADER + row).encode()), book.lifecycle))
    assert (imported.taken, imported.unchanged) == (0, 1)
    assert state(book, "A-1") == State.READY


def test_what_scans_have_proved_is_not_changed(book: Book, scanner: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,plain,17,,,\n")
    take(book, "A-2,plain,18,,,\n")
    accept(book, scanner.record(Action.RETRIEVE, Verdict.WRONG_STATE, "A-1"))
    assert refusals(book, "A-3,plain,17,,,\nA-1,plain,17,,,\n") == [(3, "order", "desk_row_changed")]
    assert book.store.order("A-3") is None
    assert book.store.order("A-1").order_class == 1  # type: ignore[union-attr]


def test_a_seal_of_another_order_is_refused(book: Book) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,sealed,17,,S2,\n")
    assert refusals(book, "A-3,sealed,17,,S1,\n") == [(2, "seals", "desk_row_code_taken")]
    take(book, "A-1,sealed,17,,S2,\nA-2,sealed,17,,S1,\n")
    assert book.store.owner(CodeKind.SEAL, "S1") == "A-2"


CODES = "order,class,place,codes\n"


def test_a_label_is_no_number_of_another_order(book: Book) -> None:
    take(book, "A-1,plain,17,label:%1\nA-2,plain,17,s10:RA123456785RU\n", CODES)
    assert refusals(book, "A-3,plain,17,label:A-1\n", CODES) == [(2, "codes", "desk_row_code_taken")]
    assert refusals(book, "A-3,plain,17,s10:ra123456785ru\n", CODES) == [(2, "codes", "desk_row_code_taken")]
    assert refusals(book, "%1,plain,17,\n", CODES) == [(2, "order", "desk_row_code_taken")]
    take(book, "A-1,plain,17,label:%2\n%1,plain,17,\n", CODES)
    assert book.store.owner(CodeKind.ORDER, "%2") == "A-1"


def test_a_scanned_label_counts_for_its_order(book: Book, scanner: Scanner) -> None:
    take(book, "A-1,plain,17,label:%1\n", CODES)
    ref = chain.order_ref(b"A-1")
    event = scanner.record(Action.STORE, Verdict.OK, code="%1", kind=CodeKind.ORDER, ref=ref, after=State.READY)
    assert accept(book, event) == ["accepted"]
    assert state(book, "A-1") == State.READY


# signed objects


def version(book: Book, scanner: Scanner) -> int:
    _, signed = split_bundle(book.manifest(scanner.key.id))
    number: int = struct.unpack_from(">I", signed, 14)[0]
    return number


def test_a_manifest_is_found_again_by_its_codes(book: Book, scanner: Scanner) -> None:
    rows = [
        f"A-{n},{'sealed' if n % 2 else 'plain'},{17 + n % 3},C{n},{f'S{n} T{n}' if n % 2 else ''}," for n in range(50)
    ]
    take(book, "\n".join(rows) + "\nU-1,plain,17,,,6431000000000018\n")
    accept(book, scanner.store("A-3"), scanner.record(Action.NOTE, Verdict.NOTED))
    head, orders, codes = opened(book, scanner)
    assert (head.terminal, head.epoch, head.through_seq, head.place) == (scanner.key.id, 1, 2, 17)
    assert (head.orders, head.codes) == (51, 51 + 50 + 1)
    for n in range(50):
        index = found(head, codes, CodeKind.ORDER, f"A-{n}")
        assert index is not None
        row = orders[index]
        assert row.ref == chain.order_ref(f"A-{n}".encode())
        assert (row.order_class, row.here, row.seals) == (n % 2, int(n % 3 == 0), 2 * (n % 2))
        assert row.cell == f"C{n}".encode().ljust(8, b"\0")
        assert row.state == (State.READY if n == 3 else State.AT_POINT)
        if n % 2:
            assert found(head, codes, CodeKind.SEAL, f"T{n}") == index
            assert found(head, codes, CodeKind.ORDER, f"T{n}") is None
    assert found(head, codes, CodeKind.UIN, "6431000000000018") == found(head, codes, CodeKind.ORDER, "U-1")
    assert found(head, codes, CodeKind.ORDER, "A-50") is None


def test_a_manifest_counts_only_what_it_holds_without_a_gap(book: Book, scanner: Scanner) -> None:
    events = [scanner.record(Action.NOTE, Verdict.NOTED) for _ in range(5)]
    take(book, "A-1,plain,17,,,\n")
    for arrived, through in (((0, 2, 4), 1), ((3,), 1), ((1,), 5)):
        accept(book, *(events[n] for n in arrived))
        take(book, f"B-{through}-{len(arrived)},plain,17,,,\n")
        assert opened(book, scanner)[0].through_seq == through


def test_a_new_manifest_is_made_only_for_a_reason(book: Book, scanner: Scanner, clock: Clock) -> None:
    take(book, "A-1,plain,17,,,\n")
    first = book.manifest(scanner.key.id)
    clock.now += 60
    accept(book, scanner.record(Action.OBJECT_SET, Verdict.OK))
    assert book.manifest(scanner.key.id) == first

    def newer(change: Callable[[], object]) -> None:
        before = version(book, scanner)
        change()
        assert version(book, scanner) > before

    newer(lambda: accept(book, scanner.store("A-1")))
    newer(lambda: take(book, "A-2,plain,18,,,\n"))
    newer(lambda: book.enrol(scanner.certificate, 18))
    newer(lambda: setattr(clock, "now", clock.now + 86400))
    newer(lambda: take(book, "A-3,plain,18,,,\n"))


def test_versions_rise_over_a_lost_book(
    tmp_path: Path, book: Book, scanner: Scanner, organisation: Organisation, clock: Clock
) -> None:
    before = version(book, scanner)
    clock.now += 5
    other = Book(tmp_path / "restored", organisation, clock)
    try:
        other.enrol(scanner.certificate, 17)
        assert version(other, scanner) > before
    finally:
        other.close()


def test_a_finished_order_leaves_the_manifest_after_a_while(book: Book, scanner: Scanner, clock: Clock) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,plain,17,,,\n")
    accept(book, *scanner.way("A-1", "S1"))
    assert opened(book, scanner)[0].orders == 2
    clock.now += 3 * 86400 + 1
    assert opened(book, scanner)[0].orders == 1


def test_rules_are_the_same_bytes_every_time(
    tmp_path: Path, book: Book, scanner: Scanner, organisation: Organisation, clock: Clock
) -> None:
    first = book.rules(scanner.key.id)
    signed = organisation.trust.open(first, ObjectKind.RULES, now=NOW)
    assert (signed.envelope.version, signed.body) == (1, book.rule_pack.body)
    clock.now += 100000
    assert book.rules(scanner.key.id) == first


def test_a_pack_changed_under_its_number_is_not_given_out(
    tmp_path: Path, book: Book, scanner: Scanner, organisation: Organisation, clock: Clock
) -> None:
    book.rules(scanner.key.id)
    book.close()
    own = tmp_path / "book" / "rules.toml"
    own.write_text(SAMPLE.replace("siren_s = 60", "siren_s = 61"), encoding="utf-8")
    changed = Book(tmp_path / "book", organisation, clock)
    with pytest.raises(PlombaError) as caught:
        changed.rules(scanner.key.id)
    assert caught.value.code == "desk_rules_changed"
    changed.close()
    own.write_text(SAMPLE.replace("number = 1", "number = 2"), encoding="utf-8")
    renewed = Book(tmp_path / "book", organisation, clock)
    signed = organisation.trust.open(renewed.rules(scanner.key.id), ObjectKind.RULES, now=NOW)
    assert signed.envelope.version == 2
    renewed.close()


def test_a_pack_that_changes_the_rules_without_a_word_is_not_given_out(
    tmp_path: Path, book: Book, scanner: Scanner, organisation: Organisation, clock: Clock
) -> None:
    book.rules(scanner.key.id)
    book.close()
    pack = tmp_path / "other.toml"
    silent = SAMPLE.replace("siren_s = 60", "siren_s = 61").replace(
        "number = 1", "number = 2\nvalid_from = 2026-12-01T09:00:00+03:00"
    )
    pack.write_text(silent, encoding="utf-8")
    changed = Book(tmp_path / "book", organisation, clock, pack)
    with pytest.raises(PlombaError) as caught:
        changed.rules(scanner.key.id)
    assert caught.value.code == "rules_silent"
    changed.close()
    news = '[news]\nru = "Сирена позже"\nuk = "Сирена пізніше"\nen = "The siren is later"\n\n[shift]'
    pack.write_text(silent.replace("[shift]", news), encoding="utf-8")
    told = Book(tmp_path / "book", organisation, clock, pack)
    signed = organisation.trust.open(told.rules(scanner.key.id), ObjectKind.RULES, now=NOW)
    assert signed.envelope.version == 2 and "Сирена позже".encode() in signed.body
    told.close()


def test_a_desk_does_not_start_with_a_pack_that_is_refused(
    tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    pack = tmp_path / "other.toml"
    pack.write_text(SAMPLE.replace('seal = "always"', 'seal = "inspects"'), encoding="utf-8")
    with pytest.raises(PlombaError) as caught:
        Book(tmp_path / "book", organisation, clock, pack)
    assert caught.value.code == "rules_waiver"


def test_unknown_terminals_get_nothing(book: Book) -> None:
    for ask in (book.manifest, book.rules):
        with pytest.raises(UsageError) as caught:
            ask(bytes(8))
        assert caught.value.code == "desk_terminal_unknown"


# the file


def test_a_second_desk_on_one_book_is_refused(tmp_path: Path, book: Book, organisation: Organisation) -> None:
    with pytest.raises(StoreError) as caught:
        Book(tmp_path / "book", organisation, Clock())
    assert caught.value.code == "desk_store_busy"


def test_a_book_of_a_later_version_is_left_alone(tmp_path: Path, organisation: Organisation) -> None:
    Book(tmp_path, organisation, Clock()).close()
    database = sqlite3.connect(tmp_path / "desk.sqlite3")
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    with pytest.raises(StoreError) as caught:
        Book(tmp_path, organisation, Clock())
    assert caught.value.code == "desk_store_newer"


def test_a_batch_that_breaks_off_leaves_nothing(book: Book, scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    take(book, "A-1,plain,17,,,\n")

    def full(*_: object) -> None:
        raise StoreError("desk_store_failed", path="desk", reason="disk full")

    with monkeypatch.context() as patch:
        patch.setattr(book.store, "write", full)
        event = scanner.store("A-1")
        with pytest.raises(StoreError):
            book.accept([event])
    assert book.store.query("SELECT count(*) FROM events") == [(0,)]
    assert accept(book, event) == ["accepted"]


def test_a_record_that_names_an_order_by_its_label_is_about_that_order(book: Book, scanner: Scanner) -> None:
    """A terminal that found a parcel by its SSCC has no other name for it."""
    header = "order,class,place,codes\n"
    take(book, "A-1,plain,17,sscc:106141411234567897\nB-1,plain,17,\n", header)
    sscc = "106141411234567897"
    refs = [chain.order_ref(id) for id in (b"B-1", b"A-1")]
    events = [scanner.record(Action.STORE, Verdict.OK, sscc, after=State.READY, ref=ref) for ref in refs]
    assert accept(book, *events) == ["accepted", "accepted"]
    assert (state(book, "A-1"), state(book, "B-1")) == (State.READY, State.AT_POINT), "name and index must both fit"


@pytest.mark.parametrize("imported_at", range(4))
def test_a_record_by_a_label_counts_whenever_its_order_comes(book: Book, scanner: Scanner, imported_at: int) -> None:
    sscc = "106141411234567897"
    refs = [chain.order_ref(id) for id in (b"B-1", b"A-1")]
    events = [scanner.record(Action.STORE, Verdict.OK, sscc, after=State.READY, ref=ref) for ref in refs]
    events.append(scanner.record(Action.HOLD, Verdict.OK, "A-1", after=State.HELD))
    for at in range(4):
        if at == imported_at:
            take(book, f"A-1,plain,17,sscc:{sscc}\nB-1,plain,17,\n", CODES)
        assert accept(book, *events[at : at + 1]) == ["accepted"] * (at < 3)
    assert (state(book, "A-1"), state(book, "B-1")) == (State.HELD, State.AT_POINT), "name and index must both fit"
    assert [event["action"] for event in records(book, "A-1")] == ["STORE", "HOLD"]
    assert refusals(book, "A-1,plain,17,\n", CODES) == [(2, "order", "desk_row_changed")]


def test_a_book_that_took_such_a_record_for_a_stray_is_mended(
    tmp_path: Path, book: Book, scanner: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A-1,plain,17,label:%1\n", CODES)
    accept(book, scanner.record(Action.STORE, Verdict.OK, "%1", after=State.READY, ref=chain.order_ref(b"A-1")))
    with book.store.transaction():
        book.store.write("UPDATE events SET order_id = '%1'")
        book.store.write("UPDATE orders SET state = entered")
        book.store.write("DELETE FROM replayed")
    book.close()
    again = Book(tmp_path / "book", organisation, clock)
    try:
        assert state(again, "A-1") == State.READY
    finally:
        again.close()
