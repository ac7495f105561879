"""What the terminal's key and another share is what OpenSSL makes of the same two; what is no point is refused."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.keys import p256

Ask = Callable[[list[str]], list[str]]

P, N = p256.P, p256.N
REFUSED = "ValueError: not a point of P-256"


def key(d: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(d, ec.SECP256R1())


def public(d: int) -> str:
    numbers = key(d).public_key().public_numbers()
    return f"{numbers.x:064x}{numbers.y:064x}"


def openssl(d: int, other: int) -> str:
    return key(d).exchange(ec.ECDH(), key(other).public_key()).hex()


@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def test_openssl_agrees(ask_board: Ask, count: int) -> None:
    rng = random.Random(5)
    pairs = [(rng.randrange(1, N), rng.randrange(1, N)) for _ in range(count)]
    assert ask_board([f"agree {d:x} {public(other)}" for d, other in pairs]) == [openssl(*pair) for pair in pairs]


def test_numbers_at_their_limits(ask: Ask) -> None:
    """Few bits, near the order, whole columns of the comb, and where neither d nor N - d has the highest bit."""
    few = [*range(1, 20), *range(N - 20, N), *(1 << bit for bit in range(0, 256, 5))]
    columns = [sum(1 << (64 * row) for row in range(4) if tooth >> row & 1) % N for tooth in range(1, 16)]
    neither = [N - (1 << 255), N - (1 << 255) + 1, (1 << 255) - 1, N // 2]
    assert all(max(d, N - d) < 1 << 255 for d in neither[1:3])
    others = (1, 2, N - 1, 0xC0FFEE)
    pairs = [(d, other) for d in few + columns + neither for other in others]
    assert ask([f"agree {d:x} {public(other)}" for d, other in pairs]) == [openssl(*pair) for pair in pairs]


@given(st.integers(1, N - 1), st.integers(1, N - 1))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_both_sides_share_the_same(d: int, other: int) -> None:
    """The other's point turned round shares it too: x is all there is."""
    found = p256.agree(d, bytes.fromhex(public(other)))
    assert found == p256.agree(other, bytes.fromhex(public(d))) == p256.agree(N - d, bytes.fromhex(public(other)))


def test_the_shape_is_the_same_whatever_the_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """63 doublings: what a key's leading zeros would tell is not in the time."""
    doublings = []
    double, table = p256._double, p256.Table(bytes.fromhex(public(7)))
    monkeypatch.setattr(p256, "Table", lambda public: table)
    monkeypatch.setattr(p256, "_double", lambda x, y, z: doublings.append(1) or double(x, y, z))
    seen = set()
    for d in (1, 2, 3, 1 << 100, 1 << 254, N - 1, N // 3, 0xDEADBEEF):
        doublings.clear()
        p256.agree(d, b"")
        seen.add(len(doublings))
    assert seen == {63}


def test_what_is_no_point_is_refused(ask: Ask) -> None:
    """Off the curve, of another curve, over the field, infinity as zeros, of a wrong length."""
    point = public(0xC0FFEE)
    x, y = int(point[:64], 16), int(point[64:], 16)
    flipped = [f"{int(point, 16) ^ 1 << bit:0128x}" for bit in range(0, 512, 7)]
    twist = next(
        f"{at:064x}{pow(at**3 - 3 * at + p256.B + 1, (P + 1) // 4, P):064x}"
        for at in range(2, 99)
        if pow(at**3 - 3 * at + p256.B + 1, (P - 1) // 2, P) == 1
    )
    bad = ["00" * 64, "ff" * 64, f"{y:064x}{x:064x}", f"{x:064x}{0:064x}", twist, "-", point[:-2], "04" + point]
    bad += [f"{x + P:064x}{y:064x}"] if x + P < 1 << 256 else []
    bad += [f"{5:064x}{at:064x}" for at in (0, 1, P, P + 1)]
    answers = ask([f"agree abcdef {at}" for at in bad + flipped])
    assert set(answers) == {REFUSED}
    assert ask([f"agree abcdef {point}"]) == [openssl(0xABCDEF, 0xC0FFEE)]


def test_a_number_out_of_range_is_refused(ask: Ask) -> None:
    for d in (0, N, N + 1, 1 << 256):
        assert ask([f"agree {d:x} {public(3)}"]) == ["ValueError: private key out of range"]
