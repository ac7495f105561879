"""A root with what it can sign, right and wrong: certificates, objects, revocation lists, the hand-over to another."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable

from plomba.trust.keys import PrivateKey
from plomba.trust.objects import bundle, issue, package, seal
from plomba.trust.organisation import Signer
from plomba_wire import chain
from plomba_wire.codec import RevokedRow, RootRotation
from plomba_wire.vocabulary import ObjectKind, Protection, Revocation, Role

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HOUR = 3600


class Authority:
    """Times are seconds since 1970; what is signed holds from an hour ago, without an end, unless told otherwise."""

    def __init__(self, root: PrivateKey | None = None) -> None:
        self.root = root or PrivateKey.generate()
        self.now = int(time.time())

    @property
    def id(self) -> bytes:
        return chain.key_id(self.root.public)

    def signer(self, role: int, *, not_before: int = 1, not_after: int = 0) -> Signer:
        """A new key with a certificate for `role`."""
        key = PrivateKey.generate()
        return Signer(key, self.certificate(key.public, role, not_before=not_before, not_after=not_after))

    def certificate(
        self, public: bytes, role: int, *, epoch: int = 1, serial: int = 1, not_before: int = 1, not_after: int = 0
    ) -> bytes:
        return issue(
            self.root,
            public,
            role=role,
            protection=Protection.OPEN,
            epoch=epoch,
            label="bench",
            serial=serial,
            not_before=not_before,
            not_after=not_after,
        )

    def for_terminal(self, public: bytes, epoch: int, serial: int = 1) -> bytes:
        return self.certificate(public, Role.TERMINAL, epoch=epoch, serial=serial)

    def sealed(self, kind: int, body: bytes, number: int, *, not_before: int = 0, not_after: int = 0) -> bytes:
        """Signed by the root itself: a bundle without a certificate."""
        not_before = not_before or self.now - HOUR
        return bundle(b"", seal(kind, body, self.root, version=number, not_before=not_before, not_after=not_after))

    def revocations(self, number: int, keys: Iterable[bytes], *, not_before: int = 0, not_after: int = 0) -> bytes:
        body = rows(sorted(keys), self.now)
        return self.sealed(ObjectKind.REVOCATIONS, body, number, not_before=not_before, not_after=not_after)

    def hands_over(self, new: PrivateKey, number: int, *, not_before: int = 0, not_after: int = 0) -> bytes:
        body = rotation(self.root.public, new, number)
        return self.sealed(ObjectKind.ROOT, body, number, not_before=not_before, not_after=not_after)


def rows(keys: Iterable[bytes], since: int) -> bytes:
    """Body of a revocation list, in the order given."""
    return b"".join(RevokedRow(key, since, Revocation.STOLEN).pack() for key in keys)


def rotation(old: bytes, new: PrivateKey, number: int) -> bytes:
    """Body of a rotation: the new root's own word over both keys and the number."""
    return RootRotation(new.public, new.sign(chain.rotation_digest(old, new.public, number))).pack()


def by(signer: Signer, kind: int, body: bytes, version: int, *, not_before: int = 0, not_after: int = 0) -> bytes:
    """A package by a signer."""
    not_before = not_before or int(time.time()) - HOUR
    return package(
        kind, body, signer.key, signer.certificate, version=version, not_before=not_before, not_after=not_after
    )


def high_s(signed: bytes) -> bytes:
    """The same with the other s: as valid to the standard, and refused on this wire."""
    return signed[:-32] + (N - int.from_bytes(signed[-32:], "big")).to_bytes(32, "big")


def other_algorithm(signed: bytes, key: PrivateKey) -> bytes:
    """The same object with algorithm 2, signed anew: the signature is good, the algorithm unknown."""
    unsigned = bytearray(signed[: -chain.SIGNATURE])
    unsigned[5] = 2
    return bytes(unsigned) + key.sign(chain.object_digest(bytes(unsigned)))


def behind(certificate: bytes, signed: bytes) -> bytes:
    """A bundle of any two things."""
    return struct.pack(">H", len(certificate)) + certificate + signed
