"""Digests: the chain of records, signed objects, proofs of possession. Pure functions, both interpreters."""

import hashlib
import struct

SIGNATURE = 64
"""Bytes of a signature."""


def key_id(public: bytes) -> bytes:
    """First 8 bytes of SHA-256 over X || Y."""
    return hashlib.sha256(public).digest()[:8]


def genesis(public: bytes, epoch: int) -> bytes:
    """h(0) of an epoch."""
    return _sha256(b"plomba/genesis/1", public, struct.pack(">H", epoch))


def step(previous: bytes, body: bytes) -> bytes:
    """h(n) from h(n-1) and the body of record n. It is also the digest that record n's signature is over."""
    return hashlib.sha256(b"plomba/record/1" + previous + body).digest()


def object_digest(unsigned: bytes) -> bytes:
    """Digest a signed object's signature is over; `unsigned` is everything before it."""
    return _sha256(b"plomba/object/1", unsigned)


def possession_digest(nonce: bytes, public: bytes, epoch: int, protection: int) -> bytes:
    """Digest by which a terminal proves that it holds its key."""
    return _sha256(b"plomba/enroll/1", nonce, public, struct.pack(">HB", epoch, protection))


def head_digest(nonce: bytes, terminal: bytes, epoch: int, next_seq: int, head: bytes) -> bytes:
    """Digest by which a terminal vouches for the end of its chain."""
    return _sha256(b"plomba/head/1", nonce, terminal, struct.pack(">HI", epoch, next_seq), head)


def rotation_digest(old: bytes, new: bytes, version: int) -> bytes:
    """Digest by which a root that takes over says that it knows from whom."""
    return _sha256(b"plomba/rotate/1", old, new, struct.pack(">I", version))


def seal_digest(unsigned: bytes) -> bytes:
    """Digest an issuer's signature on a seal is over; `unsigned` is everything before it."""
    return _sha256(b"plomba/seal/1", unsigned)


def order_ref(order: bytes) -> int:
    """First 4 bytes of SHA-256 of an order id: an index, not an identity."""
    return int.from_bytes(hashlib.sha256(order).digest()[:4], "big")


def code_tag(salt: bytes, kind: int, code: bytes) -> bytes:
    """Tag under which a manifest lists a code, 12 bytes."""
    return _sha256(salt, bytes((kind,)), code)[:12]


def _sha256(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()
