"""The base table is what its generator makes, and what OpenSSL makes of the same scalars."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

import generate_comb
from terminal.keys import comb


def test_the_table_is_up_to_date() -> None:
    assert generate_comb.TARGET.read_text(encoding="utf-8") == generate_comb.render()


def test_the_entries() -> None:
    assert len(comb.TABLE) == 63 * 64
    for i in range(1, 64):
        scalar = sum(1 << (43 * j) for j in range(6) if i >> j & 1)
        numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
        entry = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        assert comb.TABLE[64 * (i - 1) : 64 * i] == entry
