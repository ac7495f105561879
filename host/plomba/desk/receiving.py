"""A batch of events into the book: proved, told from what is held, and inserted; each bad one is refused alone."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from plomba.desk.believing import Believing
from plomba.desk.chains import ChainEnd, Chains
from plomba.desk.events import Claimed, named_order
from plomba.desk.links import links
from plomba.desk.replay import Fresh
from plomba.desk.routes import Routes
from plomba.desk.store import Event, Held, Store, Terminal
from plomba.desk.times import made
from plomba.errors import VerificationError
from plomba.trust.keys import verify_each
from plomba.trust.records import Standing, VerifiedRecord
from plomba_wire import chain

KEPT = ("record_conflict", "desk_record_unlinked", "key_revoked")
"""Refused with these codes, a record is kept all the same: it proves a copied terminal, or what was done with one that
was revoked."""

Outcome = VerificationError | bool
"""Why a claim is refused; or whether it is taken, False for one that is held already."""


@dataclass(slots=True)
class _Claim:
    """A claim on its way: `at` is its place in the batch."""

    at: int
    claimed: Claimed
    body_hash: bytes
    digest: bytes


class _Group(NamedTuple):
    """Claims of one chain: those that are not `held`, which is what is here of them and their neighbours."""

    terminal: Terminal
    epoch: int
    fresh: list[_Claim]
    held: dict[int, Held]


class Receiver:
    """Inside a transaction of the store."""

    def __init__(self, store: Store, believing: Believing, clock_error: int) -> None:
        self.chains = Chains(store)
        self._store = store
        self._believing = believing
        self._routes = Routes(store)
        self._error = clock_error

    def receive(self, claims: Sequence[tuple[int, Claimed]], now: int) -> tuple[dict[int, Outcome], list[Fresh]]:
        """(place in the batch -> what became of it, the records that are new, in the order of the batch). Raises
        StoreError."""
        self._believing.trust()
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
        known: dict[tuple[bytes, int], Terminal] = {}
        for key, group in chains.items():
            terminal = self.chains.terminal(key[0])
            if terminal is None:
                error = VerificationError("desk_terminal_unknown", terminal=key[0].hex())
                outcomes |= {claim.at: error for claim in group}
            else:
                known[key] = terminal
        groups: list[_Group] = []
        for key, held in self._held({key: chains[key] for key in known}, known).items():
            fresh = [claim for claim in chains[key] if not _is_held(claim, held)]
            outcomes |= {claim.at: False for claim in chains[key]}
            groups.append(_Group(known[key], key[1], fresh, held))
        unproved = _unproved(groups)
        for terminal, epoch, fresh, held in groups:
            fit = self._fitting(fresh, terminal, held, unproved, outcomes, now)
            if fit:
                in_line = self._mark(terminal, epoch, fit, now, heard, marks)
                taken += [(claim, in_line) for claim in fit]
        taken.sort(key=lambda item: item[0].at)
        came = self._insert(taken, now)
        self._store.put_through(marks)
        self._store.heard(heard)
        return outcomes, came

    def _fitting(
        self,
        fresh: Sequence[_Claim],
        terminal: Terminal,
        held: dict[int, Held],
        unproved: Container[int],
        outcomes: dict[int, Outcome],
        now: int,
    ) -> list[_Claim]:
        """The claims of one chain that are proved, new, and contradict nothing."""
        fit = []
        standing = self._believing.standing(terminal.id)
        for claim in fresh:
            seq = claim.claimed.head.seq
            if _is_held(claim, held):
                # It is twice in this batch.
                continue
            refused = (
                _signature_refused(claim)
                if claim.at in unproved
                else _revoked(claim, standing, now) or contradiction(claim.claimed, claim.digest, held, terminal)
            )
            if refused is None:
                outcomes[claim.at] = True
                held[seq] = Held(claim.body_hash, claim.claimed.previous, claim.digest)
                fit.append(claim)
                continue
            outcomes[claim.at] = refused
            if refused.code in KEPT:
                self._store.add_conflict(refused.code, _record(claim), now)
        return fit

    def _held(
        self, chains: Mapping[tuple[bytes, int], Sequence[_Claim]], known: Mapping[tuple[bytes, int], Terminal]
    ) -> dict[tuple[bytes, int], dict[int, Held]]:
        """What is here of the records of each chain and their neighbours."""
        found: dict[tuple[bytes, int], dict[int, Held]] = {}
        wanted: dict[tuple[bytes, int], set[int]] = {}
        for key, group in chains.items():
            end = self.chains.end(known[key], key[1])
            if all(claim.claimed.head.seq > end.highest for claim in group):
                found[key] = {end.highest: Held(b"", b"", end.digest)} if end.highest else {}
            else:
                seqs = {claim.claimed.head.seq + step for claim in group for step in (-1, 0, 1)}
                wanted[key] = {seq for seq in seqs if 0 < seq < 1 << 32}
        return found | self._store.held_of(wanted)

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
        seqs = set(by_seq)
        if highest != before and before + 1 in seqs:
            seqs.update(self._store.later(terminal.id, epoch, before))
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
            came = [(claim.claimed.head, now) for seq, claim in by_seq.items() if seq <= through]
            if through - before > len(came):
                # What came before the gap was filled proves a moment too, and maybe a later one.
                came += self._store.heads(terminal.id, epoch, before + 1, through)
            moments = [made(head, received, self._error) for head, received in came]
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
        self._routes.take(fresh.event for fresh in came)
        return came


def _is_held(claim: _Claim, held: dict[int, Held]) -> bool:
    here = held.get(claim.claimed.head.seq)
    return here is not None and here.body_hash == claim.body_hash


def _unproved(groups: Sequence[_Group]) -> set[int]:
    """Places in the batch of the claims whose signatures do not hold."""
    claims = [(claim, group.terminal) for group in groups for claim in group.fresh]
    proved = verify_each([(one.public, claim.digest, claim.claimed.signature) for claim, one in claims])
    return {claim.at for (claim, _), holds in zip(claims, proved, strict=True) if not holds}


def _signature_refused(claim: _Claim) -> VerificationError:
    head = claim.claimed.head
    return VerificationError("record_signature", terminal=head.terminal.hex(), seq=head.seq)


def _revoked(claim: _Claim, standing: Standing, now: int) -> VerificationError | None:
    try:
        standing.check(claim.claimed.head, now)
    except VerificationError as error:
        return error
    return None


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
