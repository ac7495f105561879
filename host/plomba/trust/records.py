"""Verification of a terminal's records: every signature, and the chain from one record to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plomba.errors import VerificationError
from plomba.trust.keys import verify
from plomba_wire import chain, tlv
from plomba_wire.codec import Malformed, RecordHead


@dataclass(frozen=True, slots=True)
class VerifiedRecord:
    """A record whose signature and place in the chain were checked. `digest` is its chain value h(n)."""

    head: RecordHead
    parts: dict[int, bytes]
    previous: bytes
    body: bytes
    signature: bytes
    digest: bytes

    @property
    def identity(self) -> str:
        """`terminal-epoch-seq`: the same for every copy of this record, whatever its signature."""
        return f"{self.head.terminal.hex()}-{self.head.epoch}-{self.head.seq}"


def verify_record(public: bytes, previous: bytes, body: bytes, signature: bytes) -> VerifiedRecord:
    """One record behind `previous` (h(n-1)). Raises VerificationError."""
    try:
        head = RecordHead.read(body, 0)
        parts = tlv.unpack(body, RecordHead.SIZE)
    except Malformed as error:
        raise VerificationError("record_malformed", where=error.where) from error
    if head.terminal != chain.key_id(public):
        raise VerificationError("record_foreign", seq=head.seq, found=head.terminal.hex())
    digest = chain.step(previous, body)
    if not verify(public, digest, signature):
        raise VerificationError("record_signature", terminal=head.terminal.hex(), seq=head.seq)
    return VerifiedRecord(head, parts, previous, body, signature, digest)


def verify_chain(
    public: bytes, epoch: int, first_seq: int, previous: bytes, records: Sequence[tuple[bytes, bytes]]
) -> list[VerifiedRecord]:
    """Records (body, signature) that must follow each other from `first_seq` on. Raises VerificationError."""
    verified = []
    for seq, (body, signature) in enumerate(records, start=first_seq):
        record = verify_record(public, previous, body, signature)
        if record.head.seq != seq or record.head.epoch != epoch:
            raise VerificationError(
                "record_out_of_order", terminal=record.head.terminal.hex(), seq=record.head.seq, wanted=seq
            )
        verified.append(record)
        previous = record.digest
    return verified
