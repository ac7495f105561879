"""By what a record is found again beside the order it names."""

from __future__ import annotations

from typing import NamedTuple

from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Tlv, Verdict

BAG_MAX = 32
"""Bytes of the longest bag id."""
_PEER_HEAD = 20
_NAMED = 12
"""Bytes of the TLV PEER_HEAD, and of terminal and seq in it."""


class Links(NamedTuple):
    """Its bag, the seal that it binds, the seq of the record that it takes back, the record of another terminal that it
    names (terminal 8, seq u32); None where it has none."""

    bag: bytes | None
    seal: bytes | None
    undoes: int | None
    peer: bytes | None


def links(head: RecordHead, parts: dict[int, bytes]) -> Links:
    """Those of one record."""
    bag = parts.get(Tlv.BAG) or None
    seal = parts.get(Tlv.SEAL) or None
    reference = parts.get(Tlv.REF_SEQ, b"")
    what = (head.action, head.verdict)
    peer = peer_head(parts)
    return Links(
        bag if bag is not None and len(bag) <= BAG_MAX else None,
        seal if what == (Action.SEAL_APPLY, Verdict.OK) else None,
        int.from_bytes(reference, "big") if what == (Action.UNDO, Verdict.OK) and len(reference) == 4 else None,
        None if peer is None else named(peer.terminal, peer.seq),
    )


class PeerHead(NamedTuple):
    """The newest record that another terminal had, `head` the first 8 bytes of its chain value."""

    terminal: bytes
    seq: int
    head: bytes


def peer_head(parts: dict[int, bytes]) -> PeerHead | None:
    """The one a record names, None where it names none."""
    value = parts.get(Tlv.PEER_HEAD, b"")
    if len(value) != _PEER_HEAD:
        return None
    return PeerHead(value[:8], int.from_bytes(value[8:_NAMED], "big"), value[_NAMED:])


def named(terminal: bytes, seq: int) -> bytes:
    """How a record is named in Links.peer."""
    return terminal + seq.to_bytes(4, "big")
