"""A batch of events into the book: proved, told from what is held, and inserted; each bad one is refused alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from plomba.desk.chains import ChainEnd, Chains
from plomba.desk.events import Claimed, named_order
from plomba.desk.links import links
from plomba.desk.replay import Fresh
from plomba.desk.store import Event, Held, Store, Terminal
from plomba.desk.times import made
from plomba.errors import VerificationError
from plomba.trust.keys import verify
from plomba.trust.records import VerifiedRecord
from plomba_wire import chain

CONTRADICTIONS = ("record_conflict", "desk_record_unlinked")
"""Refused with these codes, a record is kept all the same: it proves a copied terminal."""

Outcome = VerificationError | bool
"""Why a claim is refused; or whether it is taken, False for one that is held already."""


@dataclass(slots=True)
class _Claim:
    """A claim on its way: `at` is its place in the batch."""

    at: int
    claimed: Claimed
    body_hash: bytes
    digest: bytes


class Receiver:
    """Inside a transaction of the store."""

    def __init__(self, store: Store, clock_error: int) -> None:
        self.chains = Chains(store)
        self._store = store
        self._error = clock_error

    def receive(self, claims: Sequence[tuple[int, Claimed]], now: int) -> tuple[dict[int, Outcome], list[Fresh]]:
        """(place in the batch -> what became of it, the records that are new, in the order of the batch)."""
        outcomes: dict[int, Outcome] = {}
        chains: dict[tuple[bytes, int], list[_Claim]] = {}
        for at, claimed in claims:
            head = claimed.head
            digest = chain.step(claimed.previous, claimed.body)
            claim = _Claim(at, claimed, hashlib.sha256(claimed.body).digest(), digest)
            chains.setdefault((head.terminal, head.epoch), []).append(claim)
        self.chains.check()
        taken: list[tuple[_Claim, bool]] = []
        marks: list[tuple[bytes, int, int]] = []
        heard: dict[bytes, int] = {}
        for (id, epoch), group in chains.items():
            terminal = self.chains.terminal(id)
            if terminal is None:
                error = VerificationError("desk_terminal_unknown", terminal=id.hex())
                outcomes |= {claim.at: error for claim in group}
                continue
            fit = self._fitting(group, terminal, outcomes, now)
            if fit:
                in_line = self._mark(terminal, epoch, fit, now, heard, marks)
                taken += [(claim, in_line) for claim in fit]
        taken.sort(key=lambda item: item[0].at)
        came = self._insert(taken, now)
        self._store.put_through(marks)
        self._store.heard(heard)
        return outcomes, came

    def _fitting(
        self, group: Sequence[_Claim], terminal: Terminal, outcomes: dict[int, Outcome], now: int
    ) -> list[_Claim]:
        """The claims of one chain that are proved, new, and contradict nothing."""
        held = self._held(group, terminal)
        fit = []
        for claim in group:
            seq = claim.claimed.head.seq
            here = held.get(seq)
            if here is not None and here.body_hash == claim.body_hash:
                outcomes[claim.at] = False
                continue
            refused = _unproved(claim, terminal) or contradiction(claim.claimed, claim.digest, held, terminal)
            if refused is None:
                outcomes[claim.at] = True
                held[seq] = Held(claim.body_hash, claim.claimed.previous, claim.digest)
                fit.append(claim)
                continue
            outcomes[claim.at] = refused
            if refused.code in CONTRADICTIONS:
                self._store.add_conflict(refused.code, _record(claim), now)
        return fit

    def _held(self, group: Sequence[_Claim], terminal: Terminal) -> dict[int, Held]:
        """What is here of the records of a group and their neighbours."""
        epoch = group[0].claimed.head.epoch
        end = self.chains.end(terminal, epoch)
        if all(claim.claimed.head.seq > end.highest for claim in group):
            return {end.highest: Held(b"", b"", end.digest)} if end.highest else {}
        seqs = {claim.claimed.head.seq + step for claim in group for step in (-1, 0, 1)}
        return self._store.held(terminal.id, epoch, [seq for seq in seqs if 0 < seq < 1 << 32])

    def _mark(
        self,
        terminal: Terminal,
        epoch: int,
        fit: Sequence[_Claim],
        now: int,
        heard: dict[bytes, int],
        marks: list[tuple[bytes, int, int]],
    ) -> bool:
        """Moves the mark of a chain; whether its records follow all that was held of the terminal, in time too."""
        end = self.chains.end(terminal, epoch)
        before, highest = end.through, end.highest
        by_seq = {claim.claimed.head.seq: claim for claim in fit}
        seqs = set(by_seq) if highest == before else {*by_seq, *self._store.later(terminal.id, epoch, before)}
        through = before
        while through + 1 in seqs:
            through += 1
        top = max(highest, *by_seq)
        newest = self.chains.newest_epoch(terminal.id)
        self.chains.moved(
            terminal.id, epoch, ChainEnd(through, top, by_seq[top].digest if top in by_seq else end.digest)
        )
        if through > before or not before:
            # An epoch that has a mark is one whose records are looked up (traces.behind).
            marks.append((terminal.id, epoch, through))
        if through > before:
            moments = [made(claim.claimed.head, now, self._error) for claim in fit if claim.claimed.head.seq <= through]
            earliest = [moment.earliest for moment in moments if moment is not None]
            heard[terminal.id] = max([heard.get(terminal.id, 0), *earliest])
        if highest != before or through - before != len(fit) or newest > epoch:
            return False
        times = [by_seq[seq].claimed.head.t_utc for seq in sorted(by_seq)]
        return all(first <= second for first, second in pairwise(times))

    def _insert(self, taken: Sequence[tuple[_Claim, bool]], now: int) -> list[Fresh]:
        rows: list[dict[str, Any]] = []
        came: list[Fresh] = []
        for number, (claim, in_line) in enumerate(taken, start=self._store.next_event() if taken else 0):
            claimed = claim.claimed
            head, parts = claimed.head, claimed.parts
            order_id = named_order(head, parts)
            if order_id is not None and chain.order_ref(order_id.encode()) != head.order_ref:
                # The parcel was found by another code of its order.
                order_id = self._store.labelled(order_id, head.order_ref) or order_id
            own = links(head, parts)
            rows.append(
                {
                    "number": number,
                    "terminal": head.terminal,
                    "epoch": head.epoch,
                    "seq": head.seq,
                    "body_hash": claim.body_hash,
                    "previous": claimed.previous,
                    "digest": claim.digest,
                    "body": claimed.body,
                    "signature": claimed.signature,
                    "order_id": order_id,
                    "order_ref": head.order_ref,
                    "received": now,
                    "bag": own.bag,
                    "seal": own.seal,
                    "undoes": own.undoes,
                    "peer": own.peer,
                }
            )
            event = Event.of(number, claimed, claim.digest, order_id, now, own.bag)
            came.append(Fresh(event, in_line))
        self._store.add_events(rows)
        return came


def _unproved(claim: _Claim, terminal: Terminal) -> VerificationError | None:
    """Why its signature does not hold, None when it does."""
    if verify(terminal.public, claim.digest, claim.claimed.signature):
        return None
    head = claim.claimed.head
    return VerificationError("record_signature", terminal=head.terminal.hex(), seq=head.seq)


def contradiction(
    record: Claimed | VerifiedRecord, digest: bytes, held: Mapping[int, Held], terminal: Terminal
) -> VerificationError | None:
    """Whether it is another record than the one that is held, or does not run on through its neighbours. `digest` is
    its chain value."""
    head, previous = record.head, record.previous
    if head.seq in held:
        return VerificationError("record_conflict", terminal=head.terminal.hex(), seq=head.seq)
    before, after = held.get(head.seq - 1), held.get(head.seq + 1)
    fits = head.seq > 0 and (after is None or after.previous == digest)
    if head.seq == 1:
        fits = fits and previous == chain.genesis(terminal.public, head.epoch)
    elif before is not None:
        fits = fits and before.digest == previous
    return None if fits else VerificationError("desk_record_unlinked", terminal=head.terminal.hex(), seq=head.seq)


def _record(claim: _Claim) -> VerifiedRecord:
    claimed = claim.claimed
    return VerifiedRecord(claimed.head, claimed.parts, claimed.previous, claimed.body, claimed.signature, claim.digest)
