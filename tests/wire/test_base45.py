"""Base45 on both interpreters: the vectors of RFC 9285, and one text for one run of bytes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from plomba_wire import base45
from plomba_wire.codec import Malformed

Ask = Callable[[Iterable[str]], list[str]]
texts = st.one_of(st.binary(max_size=90), st.text(base45.ALPHABET.decode(), max_size=90).map(str.encode))

PUBLISHED = {b"AB": b"BB8", b"Hello!!": b"%69 VD92EX0", b"base-45": b"UJCLQE7W581", b"ietf!": b"QED8WEX0"}
"""RFC 9285 sections 4.3 and 4.4."""
REFUSED = [b"A", b"BB8A", b"bb8", b"BB\x00", b"BB\xff", b"BB,", b"GGW", b":::", b"::", b"V5", b"BB8V5"]
"""Of a wrong length, outside the alphabet, and over 65535 or 255; GGW is the RFC's own (section 6)."""


def call(name: str, data: bytes) -> str:
    return f"{name} x{data.hex()}"


def test_published_vectors(ask: Ask) -> None:
    assert ask(call("base45", data) for data in PUBLISHED) == [f"x{text.hex()}" for text in PUBLISHED.values()]
    assert ask(call("unbase45", text) for text in PUBLISHED.values()) == [f"x{data.hex()}" for data in PUBLISHED]


def test_what_no_bytes_give_is_refused(ask: Ask) -> None:
    assert ask(call("unbase45", text) for text in REFUSED) == ["Malformed"] * len(REFUSED)


def test_the_largest_values_are_taken() -> None:
    assert base45.decode(b"FGW") == b"\xff\xff"
    assert base45.decode(b"U5") == b"\xff"


def test_every_pair_has_its_own_text() -> None:
    """All groups there are: a group is refused, or the one text of its bytes."""
    for size, count in ((2, 256), (3, 65536)):
        taken = 0
        for group in map(bytes, itertools.product(base45.ALPHABET, repeat=size)):
            try:
                data = base45.decode(group)
            except Malformed:
                continue
            assert base45.encode(data) == group
            taken += 1
        assert taken == count


@given(st.binary(max_size=200))
def test_there_and_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@given(texts)
def test_a_text_is_refused_or_the_only_one(text: bytes) -> None:
    try:
        data = base45.decode(text)
    except Malformed:
        return
    assert base45.encode(data) == text


def test_both_interpreters_agree(ask_board: Ask, ask_host: Ask) -> None:
    @settings(max_examples=8, deadline=None)
    @given(st.lists(texts, min_size=50, max_size=90))
    def agree(texts: list[bytes]) -> None:
        calls = [call(name, text) for text in texts for name in ("base45", "unbase45")]
        assert ask_board(calls) == ask_host(calls)

    agree()
