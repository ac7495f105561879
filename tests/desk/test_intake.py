"""Orders come in: promised moments, hostile files, and what an order has to tell before anybody works on it."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from api_scene import Api
from book_scene import Clock, accept, opened, state, view
from desk_process import NOW
from desk_records import Event, Scanner
from hypothesis import example, given
from hypothesis import strategies as st
from order_lists import PLAIN, listed, refused, take

from plomba.desk import exports, lifecycle, manifest, order_cells
from plomba.desk.api.answers import order_answer
from plomba.desk.book import Book
from plomba.desk.deadlines import Plan
from plomba.desk.differences import Differences
from plomba.desk.order_files import csv_rows, json_rows, rows_of
from plomba.desk.orders import ImportRefused, Order, read_arrivals, read_orders
from plomba.errors import UsageError
from plomba.trust.organisation import Organisation
from plomba_wire import chain
from plomba_wire.vocabulary import Action, Condition, State, Tlv, Verdict

LIFE = lifecycle.load()
MORNING = "2026-11-02T09:00:00+03:00"
EVENING = "2026-11-02T18:00:00+03:00"
_BESIDE = (folder / "shared/vectors/naughty-strings.base64.json" for folder in Path(__file__).parents[2:])
NAUGHTY = next((path for path in _BESIDE if path.exists()), None)
"""The Big List of Naughty Strings (MIT), where it is beside this clone."""
REQUIRED = '[required]\ndoor = ["recipient", "phone", "address"]\npoint = ["recipient", "phone"]\n'
TOLD = {"recipient": "Анна", "phone": "+7 999 123-45-67"}


def read(data: bytes, media_type: str = "text/csv") -> list[Order]:
    return [order for _, order in read_orders(rows_of(data, media_type), LIFE)]


def mistakes(data: bytes, media_type: str = "text/csv") -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        read(data, media_type)
    return [(bad.row, bad.column, bad.error.code) for bad in caught.value.bad]


# moments


def test_promised_moments_are_read_with_their_offset() -> None:
    (order,) = read(listed(PLAIN | {"cutoff": MORNING, "start": "2026-11-02T06:00:01Z", "slot_end": EVENING}))
    nine = int(datetime(2026, 11, 2, 6, tzinfo=UTC).timestamp())
    assert order.plan == Plan(cutoff=nine, start=nine + 1, slot_end=nine + 9 * 3600, keep_until=None)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2026-11-02T18:00:00", "desk_row_offset"),
        ("2026-11-02 18:00", "desk_row_offset"),
        ("2026-11-02", "desk_row_moment"),
        ("02.11.2026 18:00", "desk_row_moment"),
        ("1762095600", "desk_row_moment"),
        ("2026-02-30T18:00:00Z", "desk_row_moment"),
        ("2026-11-02T24:30:00Z", "desk_row_moment"),
        ("2026-11-02T23:59:60Z", "desk_row_moment"),
        ("2026-11-02T18:00:00+25:00", "desk_row_moment"),
        ("0001-01-01T00:00:00+14:00", "desk_row_moment"),
        ("9999-12-31T23:59:59-14:00", "desk_row_moment"),
        ("٢026-11-02T18:00:00Z", "desk_row_moment"),
    ],
)
def test_a_moment_that_nobody_can_place_is_refused(cell: str, code: str) -> None:
    assert mistakes(listed(PLAIN | {"slot_end": cell})) == [(2, "slot_end", code)]


@pytest.mark.parametrize(
    ("first", "second"),
    [("start", "slot_end"), ("cutoff", "slot_end"), ("start", "keep_until"), ("cutoff", "keep_until")],
)
def test_moments_that_contradict_each_other_are_refused(first: str, second: str) -> None:
    assert mistakes(listed(PLAIN | {first: EVENING, second: MORNING})) == [(2, second, "desk_row_moments")]
    assert mistakes(listed(PLAIN | {first: EVENING, second: EVENING})) == [(2, second, "desk_row_moments")]
    assert read(listed(PLAIN | {first: MORNING, second: EVENING}))


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("items", "0", "desk_row_items"),
        ("items", "1000000", "desk_row_items"),
        ("items", "1.0", "desk_row_items"),
        ("warehouse", "x", "desk_row_place"),
        ("warehouse", "4294967296", "desk_row_place"),
        ("delivery", "window", "desk_row_delivery"),
        ("phone", "call me", "desk_row_phone"),
        ("phone", "123", "desk_row_phone"),
        ("email", "a@b", "desk_row_email"),
        ("email", "a b@c.d", "desk_row_email"),
        ("address", '"a\nb"', "desk_row_control"),
        ("recipient", "x" * 201, "desk_row_long"),
    ],
)
def test_a_bad_cell_of_the_new_columns_is_named(column: str, cell: str, code: str) -> None:
    data = f"order,class,place,{column}\nA-1,plain,1,{cell}\n".encode()
    _, found = read_arrivals(csv_rows(data), LIFE)
    assert [(bad.row, bad.column, bad.error.code) for bad in found.listed] == [(2, column, code)]


cell = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@given(
    cell.filter(lambda text: not text.startswith("PLB*")),
    st.sampled_from(["plain", "sealed"]),
    st.sampled_from(["NEW", "READY", "AT_POINT"]),
    st.none() | st.integers(0, 10**13 - 1),
    st.none() | st.integers(1, 1000),
    st.none() | st.integers(0, 0xFFFFFFFF),
    st.sampled_from(["point", "door"]),
    st.none() | st.integers(10**9, 2 * 10**9),
)
def test_an_order_as_cells_reads_back_as_the_same_order(
    id: str,
    kind: str,
    where: str,
    value: int | None,
    items: int | None,
    warehouse: int | None,
    how: str,
    at: int | None,
) -> None:
    entry = {"order": id, "class": kind, "state": where, "place": "1", "delivery": how, "shop": id, "seals": "S1 S2"}
    entry |= {"value": f"{value // 100}.{value % 100:02}", "currency": "RUB"} if value is not None else {}
    entry |= {"items": str(items)} if items is not None else {}
    entry |= {"warehouse": str(warehouse)} if warehouse is not None else {}
    entry |= {"codes": "s10:RA123456785RU label:%1"} if id != "%1" else {}
    if at is not None:
        entry["slot_end"] = datetime.fromtimestamp(at, UTC).isoformat()
    (order,) = read(listed(entry))
    assert read(listed(order_cells.cells(order))) == [order]


def test_the_book_keeps_what_an_order_tells(book: Book) -> None:
    entry = dict(PLAIN, start=MORNING, slot_end=EVENING, items="3", warehouse="9", delivery="door", codes="label:X")
    take(book, entry)
    (order,) = read(listed(entry))
    assert book.store.order("A-1") == order
    assert take(book, entry).unchanged == 1


# poisoned files


@pytest.mark.parametrize(
    ("data", "bad"),
    [
        ("order,class,place\nЗ-1,plain,1\n".encode("cp1251"), (2, "", "desk_import_encoding")),
        ("order,class,place\nA,plain,1\n".encode("utf-16"), (1, "", "desk_import_encoding")),
        ("order,class,place\nA,plain,1\n".encode("utf-16-be"), (1, "", "desk_import_encoding")),
        (b"order,class,place\r\nA,plain,1\rB\0,plain,1\n", (3, "", "desk_import_encoding")),
        (b"order,class,place\nA,plain,1\n\xed\xa0\x80,plain,1\n", (3, "", "desk_import_encoding")),
        (b"order,class,place\n" + b"A,plain,1\n" * 200_000 + b"\xd0", (200_002, "", "desk_import_encoding")),
        (b"order,class,place\n" + b"\xd0\x97,plain,1\n" * 100_000 + b"\xd0,\n", (100_002, "", "desk_import_encoding")),
        (b'order,class,place\n"' + b"x" * (10 << 20) + b'",plain,1\n', (2, "", "desk_import_syntax")),
        (b"order,class,place,place\nA,plain,1,1\n", (1, "place", "desk_import_column_unknown")),
        (b"order,class,place\n" + b"\n" * 1_000_002, (1_000_002, "", "desk_import_long")),
    ],
    ids=["cp1251", "utf-16", "utf-16-be", "nul", "surrogate", "cut", "cut far", "huge cell", "header", "long"],
)
def test_a_poisoned_csv_file_is_refused_with_its_row(data: bytes, bad: tuple[int, str, str]) -> None:
    assert mistakes(data) == [bad]


@pytest.mark.parametrize("ends", [("\r", "\r"), ("\r\n", "\n"), ("\n", "\r"), ("\r", "\r\n")])
def test_any_line_ends_are_line_ends(ends: tuple[str, str]) -> None:
    first, second = ends
    data = f"\ufefforder,class,place{first}A-1,plain,1{second}B-2,plain,1{first}"
    assert [order.id for order in read(data.encode())] == ["A-1", "B-2"]


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("[" * 200_000 + "]" * 200_000, (1, "", "desk_import_syntax")),
        ('[{"order": "A", "class": "plain", "place": NaN}]', (1, "", "desk_import_syntax")),
        ('[{"order": "A", "class": "plain", "place": 1' + "0" * 5000 + "}]", (1, "place", "desk_row_long")),
        ('[{"order": "A", "class": "plain", "place": 1e99}]', (1, "place", "desk_row_place")),
        ('[{"order": "\\udcff", "class": "plain", "place": 1}]', (1, "order", "desk_row_control")),
        ('[{"order": "A", "class": "plain", "place": 1, "phone": "\\ud800"}]', (1, "phone", "desk_row_control")),
        ('[{"order": "A", "class": "plain", "place": 1, "phone": 79991234567}]', (1, "phone", "desk_row_type")),
    ],
)
def test_a_poisoned_json_file_is_refused(text: str, bad: tuple[int, str, str]) -> None:
    _assert_only(lambda: json_rows(text.encode()), bad)


def _assert_only(rows: Callable[[], Any], bad: tuple[int, str, str]) -> None:
    try:
        _, found = read_arrivals(rows(), LIFE)
        cells = found.listed
    except ImportRefused as refusal:
        cells = refusal.bad
    assert [(it.row, it.column, it.error.code) for it in cells] == [bad]


def test_json_is_read_whole_and_so_has_a_limit_of_its_own() -> None:
    assert mistakes(b"[" + b" " * (16 << 20), "application/json") == [(1, "", "desk_import_json_large")]


def test_a_table_without_a_header_does_not_tell_what_is_in_it() -> None:
    data = "A-1,plain,+79991234567,Анна Иванова\n".encode()
    with pytest.raises(ImportRefused) as caught:
        read(data)
    told = repr([(bad.column, bad.error.what("en"), bad.error.what("ru")) for bad in caught.value.bad])
    assert "7999" not in told and "Анна" not in told
    assert ("#3", "desk_import_column_unknown") in [(bad.column, bad.error.code) for bad in caught.value.bad]


@pytest.mark.parametrize("name", ["order", "x", ""])
def test_a_header_of_any_width_costs_no_more_than_its_length(name: str) -> None:
    wide = f"order,class,place{f',{name}' * 997}\n".encode()
    assert mistakes(wide, "text/csv") == [(1, name, "desk_import_column_unknown")] * 997
    for cells in (998, 50_000):
        wide = f"order,class,place{f',{name}' * cells}\n".encode()
        assert mistakes(wide, "text/csv") == [(1, "", "desk_row_width")]


def test_mistakes_are_counted_and_the_first_are_told() -> None:
    data = b"order,class,place\n" + b"A,fragile,x\n" * 5000
    _, found = read_arrivals(csv_rows(data), LIFE)
    assert (found.total, len(found.listed)) == (10_000, 1000)


@pytest.mark.parametrize(
    ("last", "code"),
    [("x" * 131_073 + "\n", "desk_import_syntax"), ('"x\n', "desk_import_truncated"), ('"x"y\n', "desk_import_syntax")],
)
def test_a_file_that_cannot_be_read_to_its_end_tells_what_is_wrong_before(api: Api, last: str, code: str) -> None:
    found = [(2, "class", "desk_row_class"), (3, "place", "desk_row_place"), (4, "", code)]
    file = f"order,class,place\nA,fragile,1\nB,plain,x\n{last}".encode()
    assert mistakes(file) == found
    headers = {"content-type": "text/csv"}
    for path, total in (("orders", "total"), ("orders?dry_run=1", "bad")):
        told = api.http.post(f"/api/v1/{path}", content=file, headers=headers).json()
        assert [(row["row"], row["column"], row["code"]) for row in told["rows"]] == found
        assert told[total] == 3
    with pytest.raises(ImportRefused) as caught:
        read(b"order,class,place\n" + b"A,fragile,1\n" * 5000 + last.encode())
    assert (caught.value.total, len(caught.value.bad)) == (5001, 1000)
    assert [(bad.row, bad.error.code) for bad in caught.value.bad[-2:]] == [(1000, "desk_row_class"), (5002, code)]


# what an order lacks


@pytest.fixture
def strict(tmp_path: Path, organisation: Organisation, clock: Clock) -> Any:
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "intake.toml").write_text(REQUIRED, encoding="utf-8")
    book = Book(folder, organisation, clock)
    yield book
    book.close()


NEW = {**PLAIN, "state": "NEW"}


def test_without_a_list_nothing_is_lacking(book: Book) -> None:
    take(book, NEW)
    assert (state(book, "A-1"), view(book, "A-1").lacks) == (State.NEW, ())


def test_an_order_that_lacks_something_waits_for_it(strict: Book) -> None:
    imported = take(strict, NEW, {**NEW, "order": "B", **TOLD}, {**NEW, "order": "C", "delivery": "door", **TOLD})
    assert (imported.taken, imported.lacking) == (3, 2)
    assert [state(strict, id) for id in "BC"] == [State.NEW, State.NEED_DATA]
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.NEED_DATA, ("recipient", "phone"))
    assert view(strict, "C").lacks == ("address",)
    assert order_answer(view(strict, "C")).lacks == ["address"]


def test_what_is_told_later_makes_it_whole(strict: Book) -> None:
    take(strict, NEW)
    assert take(strict, NEW).unchanged == 1
    assert take(strict, {**NEW, "phone": "+7 999 123-45-67"}).unchanged == 1
    assert view(strict, "A-1").lacks == ("recipient",)
    assert take(strict, {**NEW, "recipient": "Анна"}).taken == 1
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.NEW, ())


def test_what_was_told_and_erased_is_not_asked_for_again(strict: Book) -> None:
    take(strict, {**NEW, **TOLD})
    strict.personal.erase("A-1", "Olga")
    for cell, entry in enumerate((NEW, {**NEW, **TOLD})):
        imported = take(strict, {**entry, "cell": str(cell)})
        assert (imported.taken, imported.lacking) == (1, 0)
        assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.NEW, ())


def test_an_order_that_somebody_works_on_is_not_asked(strict: Book) -> None:
    take(strict, {**PLAIN, "state": "READY"})
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.READY, ())


@pytest.fixture
def packer(strict: Book, organisation: Organisation) -> Scanner:
    scanner = Scanner(organisation, now=NOW)
    strict.enrol(scanner.certificate, scanner.place)
    return scanner


def checked(scanner: Scanner, verdict: int = Verdict.OK, condition: int = 0, after: int = State.ACCEPTED) -> Event:
    more = {Tlv.CONDITION: bytes((condition,))} if condition else {}
    return scanner.record(Action.INTAKE_CHECK, verdict, "A-1", after=after, more=more)


def whys(book: Book) -> list[tuple[str, bool]]:
    rows = book.store.query("SELECT why, disputed FROM effects WHERE event IS NOT NULL ORDER BY position")
    return [(why, bool(disputed)) for why, disputed in rows]


def test_no_scan_takes_an_order_past_what_it_lacks(strict: Book, packer: Scanner) -> None:
    take(strict, NEW)
    picked = packer.record(Action.PICK, Verdict.OK, "A-1", after=State.PICKED)
    accept(strict, checked(packer), picked, checked(packer, Verdict.WRONG_STATE, after=State.NEED_DATA))
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.NEED_DATA, ("recipient", "phone"))
    assert whys(strict) == [("lacking", True), ("lacking", True), ("nothing", False)]
    assert [one.why for one in Differences(strict.store).listed(None, 9)] == ["lacking", "lacking"]
    assert strict.custody.spells("A-1")[-1].owner.kind == "shop", "whoever does not tell it answers for it"


def test_what_was_scanned_counts_once_the_order_is_whole(strict: Book, packer: Scanner) -> None:
    take(strict, NEW)
    accept(strict, checked(packer))
    assert take(strict, {**NEW, "phone": TOLD["phone"]}).unchanged == 1
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.NEED_DATA, ("recipient",))
    assert take(strict, {**NEW, **TOLD}).changed == 1
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.ACCEPTED, ())
    assert whys(strict) == [("moved", False)]
    assert take(strict, {**NEW, **TOLD}).unchanged == 1
    assert refused(strict, {**NEW, **TOLD, "place": "18"}) == [(2, "order", "desk_row_changed")]


def test_what_is_told_of_a_scanned_order_is_what_it_lacked_and_nothing_else(
    tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    (tmp_path / "intake.toml").write_text('[required]\npoint = ["items", "value"]\n', encoding="utf-8")
    book = Book(tmp_path, organisation, clock)
    scanner = Scanner(organisation, now=NOW)
    book.enrol(scanner.certificate, scanner.place)
    take(book, NEW)
    accept(book, checked(scanner))
    assert refused(book, {**NEW, "items": "3", "warehouse": "9"}) == [(2, "order", "desk_row_changed")]
    assert (state(book, "A-1"), view(book, "A-1").lacks) == (State.NEED_DATA, ("items", "value"))
    assert take(book, {**NEW, "items": "3"}).changed == 1
    assert (state(book, "A-1"), view(book, "A-1").lacks) == (State.NEED_DATA, ("value",))
    assert refused(book, {**NEW, "items": "4"}) == [(2, "order", "desk_row_changed")]
    assert take(book, {**NEW, "items": "3", "value": "10.00", "currency": "RUB"}).changed == 1
    assert (state(book, "A-1"), view(book, "A-1").lacks, view(book, "A-1").value) == (State.ACCEPTED, (), 1000)
    book.close()


def test_what_somebody_worked_on_is_not_asked_for_more_by_a_stricter_list(
    tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    for text in ("", REQUIRED):
        (tmp_path / "intake.toml").write_text(text, encoding="utf-8")
        book = Book(tmp_path, organisation, clock)
        scanner = Scanner(organisation, now=NOW)
        book.enrol(scanner.certificate, scanner.place)
        imported = take(book, NEW)
        accept(book, checked(scanner))
        assert (state(book, "A-1"), view(book, "A-1").lacks, imported.lacking) == (State.ACCEPTED, (), 0)
        book.close()


def test_what_the_shop_tells_by_word_of_mouth_is_a_decision_with_its_source(strict: Book, packer: Scanner) -> None:
    take(strict, NEW)
    accept(strict, checked(packer))
    with pytest.raises(UsageError) as caught:
        strict.decide("COMPLETE", "A-1", person="anna", source="phone")
    assert caught.value.code == "desk_decision_field"
    assert strict.decide("COMPLETE", "A-1", person="anna", source="phone", external_id="call 17").moved
    assert (state(strict, "A-1"), whys(strict)) == (State.NEW, [("lacking", True)])
    accept(strict, checked(packer))
    assert state(strict, "A-1") == State.ACCEPTED
    assert take(strict, {**NEW, **TOLD}).unchanged == 1
    assert (state(strict, "A-1"), view(strict, "A-1").lacks) == (State.ACCEPTED, ())


@pytest.mark.parametrize("condition", [Condition.NUMBER_MISMATCH, Condition.DAMAGED])
@pytest.mark.parametrize("after", [State.NEED_DATA, State.NONE])
def test_a_check_that_fails_asks_for_data(book: Book, counter: Scanner, condition: int, after: int) -> None:
    take(book, NEW)
    accept(book, checked(counter, condition=condition, after=after))
    assert (state(book, "A-1"), whys(book)) == (State.NEED_DATA, [("moved", False)])
    accept(book, checked(counter, condition=Condition.INTACT))
    assert (state(book, "A-1"), whys(book)[-1]) == (State.NEED_DATA, ("lacking", True))
    book.decide("COMPLETE", "A-1", person="anna", source="phone", external_id="call 17")
    accept(book, checked(counter, condition=Condition.INTACT))
    assert state(book, "A-1") == State.ACCEPTED


def test_a_check_that_fails_accepts_nothing_whatever_the_terminal_makes_of_it(book: Book, counter: Scanner) -> None:
    take(book, NEW)
    accept(book, checked(counter, condition=Condition.DAMAGED))
    assert (state(book, "A-1"), whys(book)) == (State.NEW, [("claim", True)])


@pytest.mark.parametrize(
    "text",
    [
        "required = 1",
        '[required]\nwindow = ["phone"]',
        '[required]\ndoor = ["fax"]',
        "[requires]",
        "x",
        "[required]\ndoor = 1",
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(
    tmp_path: Path, organisation: Organisation, clock: Clock, text: str
) -> None:
    (tmp_path / "intake.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        Book(tmp_path, organisation, clock)
    assert caught.value.code == "intake_invalid"


# more orders than a manifest holds


def test_a_manifest_lists_first_what_its_terminal_will_meet(
    book: Book, counter: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plomba.desk.expecting.ORDERS_MAX", 5)
    own = [{**PLAIN, "order": f"own-{n}", "place": str(counter.place)} for n in range(3)]
    others = [{**PLAIN, "order": f"other-{n}", "place": str(counter.place + 1)} for n in range(9)]
    take(book, *own, *others)
    _, rows, _ = opened(book, counter)
    refs = {row.ref for row in rows}
    assert len(rows) == 5
    assert {chain.order_ref(entry["order"].encode()) for entry in own} < refs
    assert {chain.order_ref(b"other-7"), chain.order_ref(b"other-8")} < refs
    take(book, *({**PLAIN, "order": f"own-{n}", "place": str(counter.place)} for n in range(3, 9)))
    _, rows, _ = opened(book, counter)
    assert {row.ref for row in rows} == {chain.order_ref(b"own-%d" % n) for n in range(4, 9)}


def test_a_manifest_is_full_when_its_codes_fill_it(
    book: Book, counter: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = manifest.ManifestHead.SIZE + 3 * manifest.OrderRow.SIZE + (3 + 4) * manifest.CodeRow.SIZE
    monkeypatch.setattr("plomba.desk.manifest.SIZE_MAX", full)
    seals = " ".join(f"S{n}" for n in range(4))
    take(book, *({**PLAIN, "order": f"old-{n}"} for n in range(9)), {**PLAIN, "order": "new", "seals": seals})
    _, rows, codes = opened(book, counter)
    assert {row.ref for row in rows} == {chain.order_ref(id) for id in (b"new", b"old-8", b"old-7")}
    assert len(codes) == 7
    assert manifest.ORDERS_MAX * 32 + 42 <= 4096 * 238 < (manifest.ORDERS_MAX + 1) * 32 + 42


def test_a_finished_order_is_listed_for_three_days(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, {**PLAIN, "order": "done"}, {**PLAIN, "order": "open"})
    accept(book, counter.store("done"), counter.retrieve("done"), counter.hand_out("done"))
    assert state(book, "done") in book.lifecycle.ends
    clock.now += 3 * 86400
    take(book, {**PLAIN, "order": "later"})
    accept(book, counter.retrieve("open"))
    assert len(opened(book, counter)[1]) == 2
    clock.now -= 60
    assert len(opened(book, counter)[1]) == 3


# out again


def test_no_cell_of_an_export_is_a_formula(book: Book) -> None:
    hostile = ["=1+1", "+7", "-5", "@SUM(A1)", "'=1", "＝1", "%00", '=cmd|"/C calc"!A0', "a,=b", "a;=b"]
    take(book, *({**PLAIN, "order": text, "shop": text} for text in hostile))
    text = "".join(exports.orders(book.store))
    rows = list(csv.reader(io.StringIO(text.removeprefix(exports.BOM), newline=""), strict=True))
    assert [exports.original(row[0]) for row in rows[1:]] == hostile
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r\n＝＋－＠") and cell]
    again = [{column: exports.original(cell) for column, cell in zip(rows[0], row, strict=True)} for row in rows[1:]]
    for entry in again:
        del entry["now"], entry["holder"]
    assert take(book, *again).unchanged == len(hostile)


def naughty() -> list[str]:
    assert NAUGHTY is not None
    return [base64.b64decode(text).decode(errors="replace") for text in json.loads(NAUGHTY.read_text(encoding="utf-8"))]


def _round_trip(cells: list[str]) -> None:
    text = "".join(exports.table(["text"], ([cell] for cell in cells)))
    (_, *rows) = csv.reader(io.StringIO(text.removeprefix(exports.BOM), newline=""), strict=True)
    assert [exports.original(row[0]) for row in rows] == cells
    assert not [row[0] for row in rows if row[0].lstrip()[:1] in ("=", "+", "-", "@")]
    assert not [row[0] for row in rows if row[0][:1] in ("\t", "\r", "\n")]


@given(st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from("=+-@\t\r\n'\",;"), max_size=12)))
@example(["'", "''", "'=1", " =1", "\t", "\r\n", ""])
def test_what_is_exported_can_be_read_back(cells: list[str]) -> None:
    _round_trip(cells)


@pytest.mark.skipif(NAUGHTY is None, reason="the list of naughty strings is not beside this clone")
def test_naughty_strings_come_back_as_they_were() -> None:
    assert len(naughty()) > 500
    _round_trip(naughty())


@pytest.mark.skipif(NAUGHTY is None, reason="the list of naughty strings is not beside this clone")
def test_naughty_strings_are_taken_as_they_are_or_refused() -> None:
    for text in naughty():
        data = json.dumps([{"order": text, "class": "plain", "place": 1, "shop": text, "recipient": text}])
        try:
            arrivals, found = read_arrivals(json_rows(data.encode()), LIFE)
        except ImportRefused:
            continue
        assert bool(arrivals) != bool(found.total)
        assert [arrival.order.id for arrival in arrivals] == ([text] if arrivals else [])
