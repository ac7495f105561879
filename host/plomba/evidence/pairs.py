"""Hand-overs from both sides: whether each terminal holds the other's head, as it was when the parcel changed hands."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from plomba.trust.records import VerifiedRecord
from plomba_wire.vocabulary import Action, Tlv, Verdict

_PEER_HEAD = struct.Struct(">8sI8s")


class Pairs(NamedTuple):
    """`given`: parcels that a terminal handed over. `matching`: those of them that another terminal took, each of the
    two with a record that names a head of the other's, at or behind its record of this parcel."""

    given: int
    matching: int


def pairs(journals: Iterable[Sequence[VerifiedRecord]]) -> Pairs:
    """Over the verified records of several terminals, one epoch of each."""
    records = [record for journal in journals for record in journal]
    digests = {(record.head.terminal, record.head.seq): record.digest for record in records}
    out, taken = _done(records, Action.HANDOVER_OUT), _done(records, Action.HANDOVER_IN)
    given = [record for record in out if record.head.order_ref]
    matching = sum(
        any(
            _names(take, give, digests)
            and any(close.head.terminal == give.head.terminal and _names(close, take, digests) for close in out)
            for take in taken
            if take.head.order_ref == give.head.order_ref and take.head.terminal != give.head.terminal
        )
        for give in given
    )
    return Pairs(len(given), matching)


def _done(records: Iterable[VerifiedRecord], action: int) -> list[VerifiedRecord]:
    return [record for record in records if (record.head.action, record.head.verdict) == (action, Verdict.OK)]


def _names(record: VerifiedRecord, other: VerifiedRecord, digests: dict[tuple[bytes, int], bytes]) -> bool:
    """Whether `record` names a true head of the terminal that made `other`, with `other` in what stands behind it."""
    peer = record.parts.get(Tlv.PEER_HEAD, b"")
    if len(peer) != _PEER_HEAD.size:
        return False
    terminal, seq, head = _PEER_HEAD.unpack(peer)
    if terminal != other.head.terminal or seq < other.head.seq:
        return False
    digest = digests.get((terminal, seq))
    return digest is not None and digest.startswith(head)
