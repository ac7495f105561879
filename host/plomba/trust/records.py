"""Verification of a terminal's records: the chain from one to the next, every signature or the last one, the dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plomba.errors import VerificationError
from plomba.trust.keys import verify
from plomba_wire import chain, swift, tlv
from plomba_wire.codec import Malformed, RecordHead

if TYPE_CHECKING:
    from plomba.trust.objects import SignedObject
    from plomba.trust.revocations import Revocations

_read_head = swift.reader(RecordHead)


@dataclass(slots=True)
class VerifiedRecord:
    """A record whose place in the chain was checked, and whose signature, or that of a later one, fits.

    `digest` is its chain value h(n).
    """

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


@dataclass(frozen=True, slots=True)
class Standing:
    """When a terminal's key counts: seconds since 1970; `not_after` 0 is no end, `revoked` None never revoked."""

    not_before: int
    not_after: int
    revoked: int | None = None

    @classmethod
    def of(cls, certificate: SignedObject, key_id: bytes, revocations: Revocations | None) -> Standing:
        """The standing of the key in a certificate that was proved already."""
        row = revocations.rows.get(key_id) if revocations is not None else None
        envelope = certificate.envelope
        return cls(envelope.not_before, envelope.not_after, row[0] if row is not None else None)

    def check(self, head: RecordHead, arrived: int) -> None:
        """As of the record's time; one without a time is judged by when it arrived, which is later.

        Raises VerificationError `key_revoked`, `record_dates`.
        """
        at = head.t_utc or arrived
        if self.revoked is not None and at >= self.revoked:
            raise VerificationError("key_revoked", what="record", terminal=head.terminal.hex(), seq=head.seq)
        if at < self.not_before or (self.not_after and at > self.not_after):
            raise VerificationError("record_dates", terminal=head.terminal.hex(), seq=head.seq)


def verify_record(public: bytes, previous: bytes, body: bytes, signature: bytes) -> VerifiedRecord:
    """One record behind `previous` (h(n-1)). Raises VerificationError."""
    record = _joined(chain.key_id(public), previous, body, signature)
    _check_signature(public, record)
    return record


def verify_chain(
    public: bytes,
    epoch: int,
    first_seq: int,
    previous: bytes,
    records: Sequence[tuple[bytes, bytes]],
    *,
    by_head: bool = False,
) -> list[VerifiedRecord]:
    """Records (body, signature) that must follow each other from `first_seq` on. Raises VerificationError.

    With `by_head` only the last signature is checked: it vouches for every body before it, but not for the signatures
    that stand beside them, which whoever hands single records on has to check then.
    """
    verified = []
    key_id = chain.key_id(public)
    for seq, (body, signature) in enumerate(records, start=first_seq):
        record = _joined(key_id, previous, body, signature)
        if not by_head:
            _check_signature(public, record)
        if record.head.seq != seq or record.head.epoch != epoch:
            raise VerificationError(
                "record_out_of_order", terminal=record.head.terminal.hex(), seq=record.head.seq, wanted=seq
            )
        verified.append(record)
        previous = record.digest
    if by_head and verified:
        _check_signature(public, verified[-1])
    return verified


def _joined(key_id: bytes, previous: bytes, body: bytes, signature: bytes) -> VerifiedRecord:
    try:
        head = _read_head(body, 0)
        parts = tlv.unpack(body, RecordHead.SIZE)
    except Malformed as error:
        raise VerificationError("record_malformed", where=error.where) from error
    if head.terminal != key_id:
        raise VerificationError("record_foreign", seq=head.seq, found=head.terminal.hex())
    return VerifiedRecord(head, parts, previous, body, signature, chain.step(previous, body))


def _check_signature(public: bytes, record: VerifiedRecord) -> None:
    if not verify(public, record.digest, record.signature):
        raise VerificationError("record_signature", terminal=record.head.terminal.hex(), seq=record.head.seq)
