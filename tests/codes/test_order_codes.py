"""The codes of an order's row: read by the terminal's table, found by it under the kind they are listed as."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from code_samples import CSET82, chestny_znak, digits, element_strings, gtin14, postal, sscc
from hypothesis import given
from hypothesis import strategies as st

from plomba.desk import lifecycle, manifest, order_codes
from plomba.desk.manifest import Expected
from plomba.desk.order_files import rows_of
from plomba.desk.orders import ImportRefused, Order, read_orders
from plomba.desk.store import Store
from plomba_wire import carriers, chain
from plomba_wire.codec import CodeRow, ManifestHead, OrderRow
from plomba_wire.vocabulary import CodeKind, Symbology

LIFE = lifecycle.load()
MARK = "0104600439931256215a1b2c3d4e5f6"
TAIL = "\x1d91EE06\x1d92" + "A" * 44


def read(*rows: tuple[str, str]) -> list[Order]:
    listed = [{"order": order, "class": "plain", "place": 7, "codes": cell} for order, cell in rows]
    data = json.dumps(listed).encode()
    return [order for _, order in read_orders(rows_of(data, "application/json"), LIFE)]


def refused(*rows: tuple[str, str]) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        read(*rows)
    for bad in caught.value.bad:
        for lang in ("ru", "uk", "en"):
            assert "?" not in bad.error.what(lang) + bad.error.next_step(lang)
            assert bad.error.what(lang).isprintable()
    return [(bad.row, bad.column, bad.error.code) for bad in caught.value.bad]


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ("sscc:106141411234567897", (CodeKind.SSCC, "106141411234567897")),
        ("sscc:00106141411234567897", (CodeKind.SSCC, "106141411234567897")),
        ("sscc:]C100106141411234567897", (CodeKind.SSCC, "106141411234567897")),
        ("gtin:010952123454321321A7", (CodeKind.GTIN, "010952123454321321A7")),
        ("gtin:https://id.gs1.org/01/9521234543213/21/A7", (CodeKind.GTIN, "010952123454321321A7")),
        (f"cz:{MARK}", (CodeKind.CZ, MARK)),
        (f"cz:{MARK}{TAIL}", (CodeKind.CZ, MARK)),
        ("cz:0104600439931256215a1b", (CodeKind.CZ, "0104600439931256215a1b")),
        ("cz:00000046198488X?io+qCABm8wAYa", (CodeKind.CZ, "010000004619848821X?io+qCABm8")),
        ("s10:ra123456785ru", (CodeKind.S10, "RA123456785RU")),
        ("post:10100080000017", (CodeKind.RUSSIAN_POST, "10100080000017")),
        ("np:20450059800767", (CodeKind.NOVA_POSHTA, "20450059800767")),
        ("label:%101%806044518", (CodeKind.ORDER, "%101%806044518")),
        ("label:https://seal.example/a", (CodeKind.ORDER, "https://seal.example/a")),
        ("label:!uKEtQZVx", (CodeKind.ORDER, "!uKEtQZVx")),
    ],
)
def test_a_code_is_listed_in_its_canonical_form(item: str, wanted: tuple[int, str]) -> None:
    (order,) = read(("A-1", item))
    assert order.further == (wanted,)
    assert wanted in order.codes


def test_the_examples_in_the_errors_are_right_themselves() -> None:
    (order,) = read(("A-1", " ".join(f"{prefix}:{code}" for prefix, (_, code) in order_codes.PREFIXES.items())))
    assert {kind for kind, _ in order.further} == {kind for kind, _ in order_codes.PREFIXES.values()}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("106141411234567897", "desk_row_code_prefix"),
        ("SSCC:106141411234567897", "desk_row_code_prefix"),
        ("uin:6431000000000018", "desk_row_code_prefix"),
        (":", "desk_row_code_prefix"),
        ("sscc:", "desk_row_code_form"),
        ("sscc:10614141123456789", "desk_row_code_form"),
        ("sscc:10614141123456789x", "desk_row_code_form"),
        ("sscc:106141411234567890", "desk_row_code_check"),
        ("gtin:0109521234543213", "desk_row_code_form"),
        ("gtin:9521234543213", "desk_row_code_form"),
        ("gtin:010952123454321421A7", "desk_row_code_check"),
        (f"cz:{MARK}91EE0692{'A' * 44}", "desk_row_code_form"),
        ("cz:0104600439931257215a1b2c3d4e5f6", "desk_row_code_check"),
        ("s10:RA12345678RU", "desk_row_code_form"),
        ("s10:RA123456780RU", "desk_row_code_check"),
        ("post:10100080000018", "desk_row_code_check"),
        ("post:1010008000001", "desk_row_code_form"),
        ("np:2045005980076", "desk_row_code_form"),
        ("np:2045005980076٧", "desk_row_code_form"),
        ("label:", "desk_row_code_form"),
        ("label:a\x1db", "desk_row_code_form"),
        ("label:PLB*HANDOUT", "desk_row_command"),
        ("label:" + "x" * 65, "desk_row_long"),
        ("label:a label:a", "desk_row_twice"),
        ("sscc:106141411234567897 sscc:00106141411234567897", "desk_row_twice"),
        ("label:a\x1b[2J", "desk_row_control"),
        ("label:a\u202eb", "desk_row_control"),
        ("label:a ", "desk_row_spaces"),
        (" ".join(f"label:{at}" for at in range(256)), "desk_row_many"),
    ],
)
def test_a_wrong_code_is_named_with_its_row_and_reason(item: str, code: str) -> None:
    assert refused(("A-1", "label:ok"), ("A-2", item)) == [(2, "codes", code)]


def test_a_separator_has_no_place_in_other_columns() -> None:
    assert refused(("A\x1d1", ""))[0][2] == "desk_row_control"


def test_a_code_belongs_to_one_order() -> None:
    assert refused(("A", "s10:RA123456785RU"), ("B", "s10:ra123456785ru")) == [(2, "codes", "desk_row_code_taken")]
    assert refused(("A", ""), ("B", "label:A")) == [(2, "codes", "desk_row_code_taken")]
    assert refused(("A", "label:B"), ("B", "")) == [(2, "order", "desk_row_code_taken")]
    assert read(("A", "label:A"))[0].further == ()
    assert len(read(("A", "label:10100080000017"), ("B", "post:10100080000017"))) == 2


def test_the_desk_keeps_them_and_who_has_them(tmp_path: Path) -> None:
    (order,) = read(("A", f"s10:RA123456785RU label:%1 cz:{MARK}{TAIL} label:2"))
    store = Store(tmp_path)
    with store.transaction():
        store.put_order(order, 0)
    assert store.order("A") == order
    assert store.owner(CodeKind.S10, "RA123456785RU") == store.owner(CodeKind.ORDER, "%1") == "A"
    assert store.owner(CodeKind.ORDER, "A") == "A" and store.owner(CodeKind.ORDER, "B") is None
    store.close()


def codes_in(body: bytes) -> set[tuple[bytes, int]]:
    head = ManifestHead.read(body, 0)
    at = ManifestHead.SIZE + head.orders * OrderRow.SIZE
    rows = [CodeRow.read(body, at + n * CodeRow.SIZE) for n in range(head.codes)]
    return {(row.tag, row.kind) for row in rows}


listed = st.one_of(
    sscc.map(lambda code: (f"sscc:{code}", f"]C100{code}", Symbology.CODE_128)),
    postal.map(lambda code: (f"s10:{code.lower()}", code, Symbology.CODE_128)),
    gtin14.map(lambda code: (f"post:{code}", code, Symbology.OTHER)),
    digits(14).map(lambda code: (f"np:{code}", code, Symbology.CODE_128)),
    chestny_znak.map(lambda code: (f"cz:{code}", code, Symbology.DATA_MATRIX)),
    chestny_znak.map(lambda code: (f"cz:{code[: code.index(chr(29))]}", code, Symbology.DATA_MATRIX)),
    chestny_znak.map(lambda code: (f"gtin:{code[: code.index(chr(29))]}", f"]d2{code}", Symbology.OTHER)),
    element_strings.filter(lambda code: code[16:18] == "21" and code[:2] == "01").map(
        lambda code: (f"gtin:{code}", f"]Q1{code}", Symbology.QR)
    ),
    st.text(CSET82, min_size=1, max_size=40).map(lambda code: (f"label:{code}", code, Symbology.QR)),
)


@given(listed)
def test_a_terminal_finds_it_by_one_of_its_identities(made: tuple[str, str, int]) -> None:
    item, scanned, symbology = made
    (order,) = read(("A-1", item))
    expected = [Expected(order, order.state)]
    body = manifest.build(bytes(8), epoch=1, through=0, place=7, salt=bytes(16), expected=expected)
    rows = codes_in(body)
    assert len(rows) == 2
    found = [
        kind
        for kind, value in carriers.identities(scanned.encode(), symbology)
        if (chain.code_tag(bytes(16), kind, value), kind) in rows
    ]
    assert found == [order.further[0][0]]
