"""RFC 6979 against an implementation from the RFC's text over the standard library's hmac."""

from __future__ import annotations

import hmac
import random
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

Ask = Callable[[list[str]], list[str]]

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# The second rejects half of all candidates, so that the retry runs; with P-256 it runs once in 2**32.
ORDERS = [N, 2**255 + 95]


def rfc6979(q: int, x: int, h1: bytes, extra: bytes) -> Iterator[int]:
    """Section 3.2 step by step, with the additional data of section 3.6, for qlen = hlen = 256."""

    def mac(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, "sha256")

    z1 = int.from_bytes(h1, "big")
    z2 = z1 - q if z1 >= q else z1
    seed = x.to_bytes(32, "big") + z2.to_bytes(32, "big") + extra
    v, k = b"\x01" * 32, b"\x00" * 32
    k = mac(k, v + b"\x00" + seed)
    v = mac(k, v)
    k = mac(k, v + b"\x01" + seed)
    v = mac(k, v)
    while True:
        v = mac(k, v)
        if 1 <= int.from_bytes(v, "big") < q:
            yield int.from_bytes(v, "big")
        k = mac(k, v + b"\x00")
        v = mac(k, v)


@pytest.mark.parametrize("order", ORDERS, ids=["P-256", "half rejected"])
def test_candidates(ask: Ask, order: int) -> None:
    rng = random.Random(3279)
    cases = [
        (rng.randrange(1, order), digest, rng.randbytes(size))
        for size in (0, 1, 31, 32, 33, 64, 200)
        for digest in (rng.randbytes(32), bytes(32), b"\xff" * 32, order.to_bytes(32, "big"))
    ]
    calls = [f"nonces {order:x} {x:x} {h1.hex()} {extra.hex() or '-'} 6" for x, h1, extra in cases]
    expected = [",".join(f"{k:064x}" for k in islice(rfc6979(order, x, h1, extra), 6)) for x, h1, extra in cases]
    assert ask(calls) == expected


def test_hmac_at_every_length_around_the_block(ask: Ask) -> None:
    rng = random.Random(2104)
    cases = [(rng.randbytes(key), rng.randbytes(size)) for key in range(60, 70) for size in (0, 1, 64, 300)]
    calls = [f"hmac {key.hex()} {message.hex() or '-'}" for key, message in cases]
    assert ask(calls) == [hmac.digest(key, message, "sha256").hex() for key, message in cases]
