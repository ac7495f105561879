"""The records of a capture against their chains: one is signed over h(n-1) too, and waits until that is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from plomba.dissect.entry import OK, UNCHECKED, Signature
from plomba.dissect.keys import KeyRing
from plomba_wire import chain, codec


@dataclass(slots=True)
class Chain:
    """What is known of one epoch of one terminal. `values` are h(n); `waiting` holds records whose h(n-1) is not.

    `size` is the bytes of its records, each counted once; `again` how many came once more.
    """

    values: dict[int, bytes] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    waiting: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    size: int = 0
    again: int = 0


class Chains:
    """`of` is (terminal id, epoch) -> Chain, in the order in which they turned up."""

    def __init__(self, keys: KeyRing) -> None:
        self.of: dict[tuple[bytes, int], Chain] = {}
        self._keys = keys

    @property
    def waiting(self) -> int:
        """Records that could not be checked to the end."""
        return sum(len(known.waiting) for known in self.of.values())

    def value(self, terminal: bytes, epoch: int, seq: int) -> bytes | None:
        """h(seq); h(0) follows from the terminal's key."""
        known = self.of.get((terminal, epoch))
        found = known.values.get(seq) if known is not None else None
        if found is None and seq == 0:
            key = self._keys.terminal(terminal)
            found = chain.genesis(key[0], epoch) if key is not None else None
        return found

    def take(
        self, head: codec.RecordHead, body: bytes, signature: bytes, claimed: bytes | None
    ) -> tuple[list[Signature], bool, bool]:
        """The verdicts that a record brings, on itself and on those that waited for it; whether it was seen before, and
        whether it had another body then. `claimed` is h(n-1) in the words of the dock, where it said that."""
        known = self.of.setdefault((head.terminal, head.epoch), Chain())
        before = known.bodies.get(head.seq)
        seen, fork = before is not None, before is not None and before != body
        if seen:
            known.again += 1
        else:
            known.size += 2 + len(body) + len(signature)
            known.bodies[head.seq] = body
        previous = self.value(head.terminal, head.epoch, head.seq - 1) or claimed
        what = f"record {head.seq}"
        if previous is None:
            known.waiting[head.seq] = body, signature
            reason = f"waits for record {head.seq - 1}"
            return [Signature(what, UNCHECKED, reason, head.terminal, waits=True)], seen, fork
        signatures = []
        seq = head.seq
        while True:
            digest = chain.step(previous, body)
            signatures.append(self._keys.check(f"record {seq}", head.terminal, digest, signature))
            if signatures[-1].verdict == OK or seq not in known.values:
                known.values[seq] = digest
            known.waiting.pop(seq, None)
            seq += 1
            if seq not in known.waiting:
                return signatures, seen, fork
            previous = digest
            body, signature = known.waiting[seq]
