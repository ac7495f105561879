"""The hand-over token: what one terminal shows is what the other records, and no other text is taken for one."""

from __future__ import annotations

import struct

import pytest
from conftest import Ask, ask_cpython, ask_micropython
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba_wire import base45
from terminal.work import token

TERMINALS = st.binary(min_size=8, max_size=8)
NUMBERS = st.integers(1, 2**32 - 1)
HEADS = st.binary(min_size=8, max_size=32)
TERMINAL, HEAD = bytes(range(8)), bytes(range(200, 208))
SHOWN = token.text(TERMINAL, 1204, HEAD)


@given(TERMINALS, NUMBERS, HEADS)
def test_there_and_back(terminal: bytes, seq: int, head: bytes) -> None:
    assert token.peer_head(token.text(terminal, seq, head)) == terminal + struct.pack(">I", seq) + head[:8]


@given(TERMINALS, NUMBERS, HEADS)
def test_it_is_34_signs_of_a_qr_code_and_opens_with_its_name(terminal: bytes, seq: int, head: bytes) -> None:
    shown = token.text(terminal, seq, head)
    assert shown.startswith(b"PLT*") and len(shown) == 34 and set(shown) <= set(base45.ALPHABET)


def test_the_layout_is_the_one_in_the_vocabulary(ask: Ask) -> None:
    """RFC 9285 by hand: 00 01 is 1 = 1 + 0*45 + 0*2025."""
    assert ask([f"token x{'0001' * 4} 65537 x{'0001' * 4}"]) == ["x" + (b"PLT*" + b"100" * 10).hex()]
    assert ask([f"peer_head x{(b'PLT*' + b'100' * 10).hex()}"]) == ["x" + "0001" * 10]


@pytest.mark.parametrize(
    ("terminal", "seq", "head"),
    [
        (TERMINAL[:7], 1, HEAD),
        (TERMINAL + b"\0", 1, HEAD),
        (TERMINAL, 0, HEAD),
        (TERMINAL, -1, HEAD),
        (TERMINAL, 1 << 32, HEAD),
        (TERMINAL, 1, HEAD[:7]),
    ],
)
def test_what_is_no_head_makes_no_token(terminal: bytes, seq: int, head: bytes) -> None:
    with pytest.raises(ValueError, match="not a head"):
        token.text(terminal, seq, head)


HOSTILE = [
    b"",
    b"PLT",
    b"PLT*",
    SHOWN[:-1],
    SHOWN + b"0",
    SHOWN + b"000",
    b" " + SHOWN[:-1],
    SHOWN.lower(),
    b"PLB*" + SHOWN[4:],
    b"PLT*" + b":" * 30,  # over 65535
    b"PLT*" + b"\x00" * 30,
    b"PLT*" + b"\xff" * 30,
    b"PLT*" + "Ж".encode() * 15,
    b"PLT*" + base45.encode(TERMINAL + bytes(4) + HEAD),  # record 0
    b"PLT*" + b"0" * 5000,
]


def test_a_hostile_text_is_no_token(ask: Ask) -> None:
    assert ask(f"peer_head x{code.hex()}" for code in HOSTILE) == ["None"] * len(HOSTILE)


@given(st.binary(max_size=40) | st.binary(max_size=36).map(lambda tail: b"PLT*" + tail))
def test_any_bytes_are_no_token_or_the_only_one(code: bytes) -> None:
    found = token.peer_head(code)
    if found is not None:
        assert token.text(found[:8], int.from_bytes(found[8:12], "big"), found[12:]) == code


@given(st.integers(0, 33), st.integers(1, 255))
def test_a_changed_sign_is_another_head_or_none(at: int, change: int) -> None:
    other = bytearray(SHOWN)
    other[at] ^= change
    assert token.peer_head(bytes(other)) != token.peer_head(SHOWN)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(TERMINALS, NUMBERS, HEADS)), st.lists(st.binary(max_size=40)))
def test_both_interpreters_agree(heads: list[tuple[bytes, int, bytes]], codes: list[bytes]) -> None:
    calls = [f"token x{terminal.hex()} {seq} x{head.hex()}" for terminal, seq, head in heads]
    shown = [bytes.fromhex(answer[1:]) for answer in ask_cpython(calls)]
    calls += [f"peer_head x{code.hex()}" for code in (*shown, *codes, *(b"PLT*" + code for code in codes))]
    assert ask_micropython(calls) == ask_cpython(calls)
