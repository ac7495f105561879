"""HMAC-SHA256 (RFC 2104) and the deterministic nonces of RFC 6979."""

import hashlib

_INNER = int.from_bytes(b"\x36" * 64, "big")
_OUTER = int.from_bytes(b"\x5c" * 64, "big")


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The 32-byte tag of a message of any length under a key of any length."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    # As one 512-bit integer: octet by octet the pads would cost more than the hashing.
    padded = int.from_bytes(key + bytes(64 - len(key)), "big")
    inner = hashlib.sha256((padded ^ _INNER).to_bytes(64, "big") + message).digest()
    tag: bytes = hashlib.sha256((padded ^ _OUTER).to_bytes(64, "big") + inner).digest()
    return tag


class Nonces:
    """The candidates for k, in the order of RFC 6979 section 3.2 with SHA-256, for a group order of 256 bits.

    secret is in [1, order - 1], digest is 32 bytes. extra, of any length, enters as the additional data of
    section 3.6. Empty or bad, it leaves the nonce unique to the digest; random, it also keeps two signatures
    of one digest from sharing a nonce, which is what a fault in one of them needs to give the key away.
    """

    def __init__(self, order: int, secret: int, digest: bytes, extra: bytes = b"") -> None:
        self._order = order
        self._key = bytes(32)
        self._value = b"\x01" * 32
        reduced = int.from_bytes(digest, "big") % order
        seed = secret.to_bytes(32, "big") + reduced.to_bytes(32, "big") + extra
        self._update(b"\x00" + seed)
        self._update(b"\x01" + seed)

    def next(self) -> int:
        """The next candidate, in [1, order - 1]."""
        while True:
            self._value = hmac_sha256(self._key, self._value)
            k = int.from_bytes(self._value, "big")
            self._update(b"\x00")
            if 0 < k < self._order:
                return k

    def _update(self, data: bytes) -> None:
        self._key = hmac_sha256(self._key, self._value + data)
        self._value = hmac_sha256(self._key, self._value)
