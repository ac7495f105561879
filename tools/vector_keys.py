"""The keys of the vectors, and the digests that they sign."""

from __future__ import annotations

import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
EPOCH = 3
"""Key epoch of the terminal."""

_DETERMINISTIC = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class Key:
    """A key whose private half is the SHA-256 of its name: for vectors, and for nothing else.

    Signatures are deterministic (RFC 6979), so that the vectors come out the same each time.
    """

    def __init__(self, name: str) -> None:
        self.d = int.from_bytes(hashlib.sha256(f"plomba/vectors/1 key {name}".encode()).digest(), "big")
        self._key = ec.derive_private_key(self.d, ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.public = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.id = hashlib.sha256(self.public).digest()[:8]

    def sign(self, message: bytes) -> bytes:
        """Over the SHA-256 of `message`; the smaller of s and n - s."""
        r, s = decode_dss_signature(self._key.sign(message, _DETERMINISTIC))
        return r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")


KEYS = {name: Key(name) for name in ("root", "dock", "desk", "terminal", "other root")}
ROOT, DOCK, DESK, TERMINAL, OTHER = KEYS.values()


def genesis(key: Key, epoch: int) -> bytes:
    return sha256(b"plomba/genesis/1", key.public, struct.pack(">H", epoch))


def step(previous: bytes, body: bytes) -> bytes:
    return sha256(b"plomba/record/1", previous, body)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
