"""Proof that a terminal's key signed two different records under one number: it was copied, or rolled back.

Whole and by itself, for anybody who knows the root's fingerprint: `PLBF`, u8 1, the root's X || Y, the certificate,
and of each record what was before it (h(n-1), 32 bytes), its body and its signature (64 bytes). Certificate and bodies
stand behind a u16 length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from plomba.errors import VerificationError
from plomba.trust.keys import fingerprint
from plomba.trust.objects import Trust
from plomba.trust.records import VerifiedRecord, verify_record
from plomba_wire import chain
from plomba_wire.codec import Certificate
from plomba_wire.vocabulary import Role

_MAGIC = b"PLBF\x01"
_HASH = 32
_KEY = 64


@dataclass(frozen=True, slots=True)
class ForkProof:
    """Two records as (h(n-1), body, signature), the certificate of the key, and the root it stands under."""

    root: bytes
    certificate: bytes
    first: tuple[bytes, bytes, bytes]
    second: tuple[bytes, bytes, bytes]

    def pack(self) -> bytes:
        out = [_MAGIC, self.root, struct.pack(">H", len(self.certificate)), self.certificate]
        for previous, body, signature in (self.first, self.second):
            out += [previous, struct.pack(">H", len(body)), body, signature]
        return b"".join(out)

    @classmethod
    def parse(cls, data: bytes) -> ForkProof:
        """Raises VerificationError `fork_proves_nothing`."""
        if not is_fork(data):
            raise VerificationError("fork_proves_nothing", reason="it is no proof of a fork")
        reader = _Reader(data, len(_MAGIC))
        root = reader.take(_KEY)
        certificate = reader.counted()
        records = []
        for _ in range(2):
            records.append((reader.take(_HASH), reader.counted(), reader.take(chain.SIGNATURE)))
        if reader.at != len(data):
            raise VerificationError("fork_proves_nothing", reason="bytes are left over")
        return cls(root, certificate, records[0], records[1])

    def verify(self, pinned: str) -> tuple[Certificate, VerifiedRecord, VerifiedRecord]:
        """The certificate and both records, proved to be one key's under one number.

        `pinned` is the root's fingerprint, 64 hex digits. Raises VerificationError.
        """
        if fingerprint(self.root) != pinned:
            raise VerificationError("root_foreign", what="fork", found=fingerprint(self.root), root=pinned)
        certificate = Trust(self.root).certificate(self.certificate)
        if certificate.role != Role.TERMINAL:
            raise VerificationError("role_wrong", found=certificate.role, wanted=Role.TERMINAL)
        first, second = (
            verify_record(certificate.public, previous, body, signature)
            for previous, body, signature in (self.first, self.second)
        )
        if (first.head.epoch, first.head.seq) != (second.head.epoch, second.head.seq):
            raise VerificationError("fork_proves_nothing", reason="two numbers")
        if first.digest == second.digest:
            raise VerificationError("fork_proves_nothing", reason="one record, twice")
        return certificate, first, second


def is_fork(data: bytes) -> bool:
    """Whether a file says of itself that it is such a proof."""
    return data.startswith(_MAGIC)


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def take(self, count: int) -> bytes:
        if self.at + count > len(self._data):
            raise VerificationError("fork_proves_nothing", reason="it is cut off")
        self.at += count
        return self._data[self.at - count : self.at]

    def counted(self) -> bytes:
        (count,) = struct.unpack(">H", self.take(2))
        return self.take(count)
