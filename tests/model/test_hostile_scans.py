"""What no label of ours says: control characters, ANSI, HTML, SQL, marks of direction. Each is refused by its own
record, with every byte of it, whatever is on the counter; screens are drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from organisation_scene import Company, World
from people import CODE_128, DATA_MATRIX, HOSTILE, QR
from witness import Witness

from plomba_wire.vocabulary import Action, CodeKind, Tlv, Verdict

_GOES_ON = (Verdict.OK, Verdict.CONFIRM, Verdict.SEAL_OK, Verdict.SEAL_READ, Verdict.ITEM_OK)
_SYMBOLOGIES = (QR, DATA_MATRIX, CODE_128)
_PIECES = (
    *(b"A-1", b"PLB*", b"PLS*", b"PLT*", b"\x1b[", b"\x1d", b"<b>", b"';--", "\u202e".encode(), b"OK", b"\xff", b"0"),
)
_SIGN = b"PLB*DIGIT*12"
"""Without something to type, a card with signs is not read at all: a PIN's last sign may come twice."""


@pytest.fixture(scope="module")
def world(company: Company) -> Iterator[World]:
    world = World(company, Witness(company, company.parcels), company.parcels, ["point"])
    board = world.terminals["point"].board
    board.ask("draw", True)
    world.do("point", "scan", QR, b"PLB*BADGE*22")
    yield world
    world.dock("point")
    board.ask("draw", False)
    world.close()


def refused(world: World, symbology: int, code: bytes) -> None:
    """One scan of it at the counter: refused, recorded whole, and nothing moved."""
    records = world.do("point", "scan", symbology, code)
    # A parcel left without its seal for too long sounds meanwhile.
    (record,) = [record for record in records if record.head.verdict != Verdict.LEFT_UNSCANNED]
    head, parts = record.head, record.parts
    assert head.verdict not in _GOES_ON, head.verdict
    assert head.state_before == head.state_after
    if code.startswith(b"PLB*CUSTOMER*"):
        assert not {Tlv.CODE, Tlv.LONG_CODE} & set(parts), "a bearer's secret, whatever came of it"
    elif len(code) > 300:
        assert parts[Tlv.LONG_CODE] == len(code).to_bytes(2, "big") + hashlib.sha256(code).digest() + code[:64]
    else:
        assert parts[Tlv.CODE] == code


@pytest.mark.parametrize("symbology", _SYMBOLOGIES)
@pytest.mark.parametrize("open", [b"", b"E-1", b"E-2", b"E-3"], ids=["nothing", "plain", "sealed", "sealed with a tag"])
def test_a_hostile_code_is_refused_and_recorded(world: World, open: bytes, symbology: int) -> None:
    # What has no receipt stays in the journal, and it is not endless.
    world.dock("point")
    for code in HOSTILE:
        if code == _SIGN:
            continue
        # Whatever it was, the same text comes at the same counter.
        world.do("point", "scan", QR, b"PLB*HANDOUT")
        if open:
            world.do("point", "scan", CODE_128, open)
        refused(world, symbology, code)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(_PIECES) | st.binary(min_size=1, max_size=4), min_size=1, max_size=8),
    st.sampled_from(_SYMBOLOGIES),
)
def test_no_text_of_any_bytes_is_more_than_data(world: World, pieces: list[bytes], symbology: int) -> None:
    # A letter that begins no code of ours, so that none is met by chance.
    refused(world, symbology, b"\x00".join(pieces) if len(pieces) > 4 else b"~" + b"".join(pieces))


def test_a_hostile_code_in_the_midst_of_typing(world: World) -> None:
    for code in HOSTILE:
        if code.startswith(b"PLB*DIGIT*"):
            continue
        world.do("point", "scan", QR, b"PLB*HANDOUT")
        world.do("point", "scan", CODE_128, b"E-2")
        (asked,) = world.do("point", "scan", QR, b"PLB*TYPE")
        assert (asked.head.action, asked.head.verdict) == (Action.UNREADABLE, Verdict.NEED_DIGITS)
        refused(world, QR, code)
        assert world.terminals["point"].last.head.code_kind != CodeKind.TYPED


def test_they_are_no_more_than_data_at_the_desk(world: World) -> None:
    world.dock("point")
    held = {row[0] for row in world.book.store.query("SELECT body FROM events")}
    assert all(record.body in held for record in world.terminals["point"].records[:-4])
