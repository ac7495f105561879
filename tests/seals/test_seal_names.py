"""A seal's name: what was mistyped is found, and one seal has one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba_wire import seal
from plomba_wire.codec import Malformed

numbers = st.tuples(st.integers(1, seal.ISSUER_MAX), st.integers(1, seal.BATCH_MAX), st.integers(1, seal.NUMBER_MAX))


def is_name(digits: str) -> bool:
    try:
        seal.typed(digits.encode())
    except Malformed:
        return False
    return True


def test_the_published_check_digit() -> None:
    """Damm's own example: 572 has the check digit 4; zeros before it change nothing."""
    assert seal.name(1, 2, 3) != seal.name(1, 2, 4)
    assert seal._damm(b"572") == 4
    assert seal._damm(b"0000000005724") == 0


@given(numbers)
def test_there_and_back(wanted: tuple[int, int, int]) -> None:
    name = seal.name(*wanted)
    assert len(name) == seal.NAME
    assert seal.numbers(name) == wanted
    assert seal.typed(name.replace(b"-", b"")) == seal.typed(name) == name


@given(numbers)
def test_each_wrong_digit_and_each_two_swapped_are_found(wanted: tuple[int, int, int]) -> None:
    digits = seal.name(*wanted).replace(b"-", b"").decode()
    for at in range(len(digits)):
        for other in "0123456789":
            if other != digits[at]:
                assert not is_name(digits[:at] + other + digits[at + 1 :])
        if at and digits[at] != digits[at - 1]:
            assert not is_name(digits[: at - 1] + digits[at] + digits[at - 1] + digits[at + 1 :])


@pytest.mark.parametrize(
    "wanted", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (100, 1, 1), (1, 10_000, 1), (1, 1, 1_000_000), (1, 1, 1 << 32)]
)
def test_numbers_that_no_seal_has(wanted: tuple[int, int, int]) -> None:
    assert seal.name(*wanted) == b""


@pytest.mark.parametrize("typed", ["", "-", "0" * 13, "0" * 12 + "-", "01-0017-000123-8", "1-17-123-7", "٠١٠٠١٧٠"])
def test_what_is_no_name(typed: str) -> None:
    assert not is_name(typed)


@given(st.binary(max_size=40))
def test_no_text_raises_anything_else(typed: bytes) -> None:
    for read in (seal.typed, seal.numbers, seal.payload):
        try:
            read(typed)
        except Malformed:
            continue
