"""By what a record is found again beside the order it names."""

from __future__ import annotations

from typing import NamedTuple

from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Tlv, Verdict

BAG_MAX = 32
"""Bytes of the longest bag id."""


class Links(NamedTuple):
    """Its bag, the seal that it binds, the seq of the record that it takes back; None where it has none."""

    bag: bytes | None
    seal: bytes | None
    undoes: int | None


def links(head: RecordHead, parts: dict[int, bytes]) -> Links:
    """Those of one record."""
    bag = parts.get(Tlv.BAG) or None
    seal = parts.get(Tlv.SEAL) or None
    reference = parts.get(Tlv.REF_SEQ, b"")
    what = (head.action, head.verdict)
    return Links(
        bag if bag is not None and len(bag) <= BAG_MAX else None,
        seal if what == (Action.SEAL_APPLY, Verdict.OK) else None,
        int.from_bytes(reference, "big") if what == (Action.UNDO, Verdict.OK) and len(reference) == 4 else None,
    )
