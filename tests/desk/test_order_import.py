from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba.desk import lifecycle
from plomba.desk.order_files import rows_of
from plomba.desk.orders import ImportRefused, Order, read_orders
from plomba.desk.views import decimal
from plomba_wire.vocabulary import OrderClass, State

LIFE = lifecycle.load()
HEADER = "order,class,place,value,currency,shop,cell,seals,uins\n"
ROW = "A-1,sealed,17,48900.00,RUB,Север,A-12,PLB:1 PLB:2,6431000000000018\n"


def read(data: bytes | str, media_type: str = "text/csv") -> list[Order]:
    raw = data.encode() if isinstance(data, str) else data
    return [order for _, order in read_orders(rows_of(raw, media_type), LIFE)]


def refused(data: bytes | str, media_type: str = "text/csv") -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        read(data, media_type)
    for bad in caught.value.bad:
        for lang in ("ru", "uk", "en"):
            assert bad.error.what(lang) and "?" not in bad.error.what(lang)
            assert bad.error.next_step(lang)
    return [(bad.row, bad.column, bad.error.code) for bad in caught.value.bad]


WHOLE = Order(
    id="A-1",
    order_class=OrderClass.SEALED,
    state=State.AT_POINT,
    place=17,
    value=4890000,
    currency="RUB",
    shop="Север",
    cell="A-12",
    seals=("PLB:1", "PLB:2"),
    uins=("6431000000000018",),
)


def test_a_row_becomes_an_order() -> None:
    assert read(HEADER + ROW) == [WHOLE]


def test_the_same_in_json() -> None:
    entry = {
        "order": "A-1",
        "class": "sealed",
        "place": 17,
        "value": 48900.00,
        "currency": "RUB",
        "shop": "Север",
        "cell": "A-12",
        "seals": ["PLB:2", "PLB:1"],
        "uins": "6431000000000018",
    }
    assert read(json.dumps([entry]), "application/json") == [WHOLE]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + (HEADER + ROW).encode(),
        (HEADER + ROW).replace("\n", "\r\n").encode(),
        (HEADER + ROW).replace(",", ";").replace("48900.00", "48900,00").encode(),
        (HEADER + ROW).replace(",", "\t").encode(),
        (HEADER + "\n" + ROW + "\n").encode(),
    ],
    ids=["bom", "crlf", "semicolons", "tabs", "blank lines"],
)
def test_how_tables_are_saved_in_practice(data: bytes) -> None:
    assert read(data) == [WHOLE]


def test_what_is_not_told_has_a_default() -> None:
    (order,) = read("order,class,place\nB-2,plain,0\n")
    assert (order.state, order.value, order.currency, order.seals) == (State.AT_POINT, None, "", ())


@pytest.mark.parametrize("cell", ["=1+1", "+7", "-5", "@SUM(A1)", '=cmd|"/C calc"!A0', "%00", "'; DROP TABLE orders"])
def test_a_formula_is_data(cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    (order,) = read(f"order,class,place,shop\n{quoted},plain,1,{quoted}\n")
    assert (order.id, order.shop) == (cell, cell)


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("order", "", "desk_row_missing"),
        ("order", "x" * 49, "desk_row_long"),
        ("order", "ы" * 25, "desk_row_long"),
        ("order", " A-1", "desk_row_spaces"),
        ("order", "A\u202e1", "desk_row_control"),
        ("order", "A\u200b1", "desk_row_control"),
        ("order", "A\x1d1", "desk_row_control"),
        ("order", '"A\n1"', "desk_row_control"),
        ("order", "PLB*HANDOUT", "desk_row_command"),
        ("class", "", "desk_row_missing"),
        ("class", "Sealed", "desk_row_class"),
        ("class", "fragile", "desk_row_class"),
        ("state", "DELIVERED", "desk_row_state"),
        ("state", "VERIFIED", "desk_row_state"),
        ("state", "ready", "desk_row_state"),
        ("place", "", "desk_row_missing"),
        ("place", "-1", "desk_row_place"),
        ("place", "4294967296", "desk_row_place"),
        ("place", "٣", "desk_row_place"),
        ("value", "1e3", "desk_row_value"),
        ("value", "-5", "desk_row_value"),
        ("value", "1.005", "desk_row_value"),
        ("value", "1 000", "desk_row_value"),
        ("value", "NaN", "desk_row_value"),
        ("value", "123456789012", "desk_row_value"),
        ("value", "", "desk_row_value"),
        ("currency", "", "desk_row_currency"),
        ("currency", "XXX", "desk_row_currency"),
        ("cell", "ячейка", "desk_row_long"),
        ("shop", "х" * 61, "desk_row_long"),
        ("seals", "x" * 65, "desk_row_long"),
        ("seals", "S1 S1", "desk_row_twice"),
        ("seals", "PLB*STORE", "desk_row_command"),
        ("seals", " ".join(f"S{n}" for n in range(256)), "desk_row_many"),
        ("uins", "643100000000001", "desk_row_uin"),
        ("uins", "64310000000000١٨", "desk_row_uin"),
    ],
)
def test_a_bad_cell_is_named(column: str, cell: str, code: str) -> None:
    good = {"order": "A-1", "class": "plain", "state": "READY", "place": "1", "value": "5", "currency": "RUB"}
    good |= {"shop": "S", "cell": "C", "seals": "S9", "uins": "6431000000000018"}
    assert read(",".join(good) + "\n" + ",".join(good.values()) + "\n")
    bad = good | {column: cell}
    text = (
        ",".join(bad)
        + "\n"
        + ",".join(good.values()).replace("A-1", "A-0").replace("S9", "").replace("6431000000000018", "")
        + "\n"
        + ",".join(bad.values())
        + "\n"
    )
    assert refused(text) == [(3, column, code)]


def test_every_bad_cell_of_a_file_is_listed_at_once() -> None:
    text = "order,class,place\nA-1,plain,1\nA-1,plain,1\n,fragile,x\nA-2,plain,y\n"
    assert refused(text) == [
        (3, "order", "desk_row_duplicate"),
        (4, "order", "desk_row_missing"),
        (4, "class", "desk_row_class"),
        (4, "place", "desk_row_place"),
        (5, "place", "desk_row_place"),
    ]


def test_a_seal_or_an_item_belongs_to_one_order() -> None:
    text = "order,class,place,seals,uins\nA,sealed,1,S1,6431000000000018\nB,sealed,1,S2 S1,6431000000000018\n"
    assert refused(text) == [(3, "seals", "desk_row_code_taken"), (3, "uins", "desk_row_code_taken")]


@pytest.mark.parametrize(
    ("data", "bad"),
    [
        (b"", (1, "", "desk_import_empty")),
        (b"\xef\xbb\xbf", (1, "", "desk_import_empty")),
        ((HEADER + ROW)[:-1].encode(), (2, "", "desk_import_truncated")),
        ((HEADER + ROW)[:-20].encode(), (2, "", "desk_import_truncated")),
        (b'order,class,place\n"A-1,plain,1\n', (2, "", "desk_import_truncated")),
        (b'order,class,place\nA-1,"pl"ain,1\n', (2, "", "desk_import_syntax")),
        ("order,class,place\nA-1,plain,1\nЗ-2,plain,1\n".encode("cp1251"), (3, "", "desk_import_encoding")),
        ((HEADER + ROW).encode("utf-16"), (1, "", "desk_import_encoding")),
        (b"order,class,place\nA\x00,plain,1\n", (2, "", "desk_import_encoding")),
        (b"order,class,place\nA-1,plain\n", (2, "", "desk_row_width")),
        (b"order,class,place\nA-1,plain,1,\n", (2, "", "desk_row_width")),
        (b"order,class,place,pLace\nA-1,plain,1,1\n", (1, "pLace", "desk_import_column_unknown")),
        (b"order,class,place,place\nA-1,plain,1,1\n", (1, "place", "desk_import_column_unknown")),
        (b"order,class\nA-1,plain\n", (1, "place", "desk_import_column_missing")),
        (b"order,class,place\n" + b"A" * 200000 + b",plain,1\n", (2, "", "desk_import_syntax")),
        (b"order,class,place\n" + b"A,plain,1\n" * 1_000_001, (1_000_002, "", "desk_import_long")),
    ],
)
def test_a_bad_csv_file_is_refused_whole(data: bytes, bad: tuple[int, str, str]) -> None:
    assert refused(data) == [bad]


GOOD: dict[str, Any] = {"order": "A-1", "class": "plain", "place": 1}


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("", (1, "", "desk_import_truncated")),
        ("[", (1, "", "desk_import_truncated")),
        (json.dumps([GOOD])[:-1], (1, "", "desk_import_truncated")),
        (json.dumps([GOOD])[:12], (1, "", "desk_import_truncated")),
        ("{}", (1, "", "desk_import_syntax")),
        ("[{]", (1, "", "desk_import_syntax")),
        ("[NaN]", (1, "", "desk_import_syntax")),
        ("[" * 100000, (1, "", "desk_import_syntax")),
        ('[{"order": "A", "order": "B"}]', (1, "", "desk_import_syntax")),
        ("[17]", (1, "", "desk_row_type")),
        (json.dumps([GOOD, GOOD | {"order": "B", "placee": 1}]), (2, "placee", "desk_import_column_unknown")),
        ('[{"order": "A", "class": "plain", "place": 1, "\\ud800": 1}]', (1, "\\xd800", "desk_import_column_unknown")),
        (json.dumps([GOOD | {"order": 18042}]), (1, "order", "desk_row_type")),
        (json.dumps([GOOD | {"order": 1.5}]), (1, "order", "desk_row_type")),
        (json.dumps([GOOD | {"place": True}]), (1, "place", "desk_row_type")),
        (json.dumps([GOOD | {"place": 1.0}]), (1, "place", "desk_row_place")),
        (json.dumps([GOOD | {"seals": ["A B"]}]), (1, "seals", "desk_row_type")),
        (json.dumps([GOOD | {"seals": [1]}]), (1, "seals", "desk_row_type")),
        (json.dumps([GOOD | {"shop": ["A"]}]), (1, "shop", "desk_row_type")),
        (json.dumps([GOOD | {"order": "\ud800"}]), (1, "order", "desk_row_control")),
        ('[{"order": "A", "class": "plain", "place": 1, "value": 1e999999999, "currency": "RUB"}]',
         (1, "value", "desk_row_value")),
    ],
)  # fmt: skip
def test_a_bad_json_file_is_refused_whole(text: str, bad: tuple[int, str, str]) -> None:
    assert refused(text, "application/json") == [bad]


@given(st.integers(0, 10**13 - 1))
def test_money_is_exact_both_ways(minor: int) -> None:
    shown = decimal(minor, "RUB")
    (order,) = read(f"order,class,place,value,currency\nA,plain,1,{shown},RUB\n")
    assert order.value == minor


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for media_type in ("text/csv", "application/json"):
        try:
            read(data, media_type)
        except ImportRefused as refused:
            assert refused.bad


@given(st.text(max_size=60))
def test_an_order_id_is_taken_as_it_is_or_refused(id: str) -> None:
    entry = json.dumps([GOOD | {"order": id}])
    try:
        (order,) = read(entry, "application/json")
    except ImportRefused:
        return
    assert order.id == id and id.isprintable() and 1 <= len(id.encode()) <= 48
