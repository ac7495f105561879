"""What a day left, held against the signed records in its ledgers: no count is taken from the story's word."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from plomba.evidence.pairs import Pairs, pairs
from plomba.ledger import Ledger
from plomba.sim.vision import decode
from plomba.trust.records import VerifiedRecord, verify_chain
from plomba_wire import base45, seal
from plomba_wire.vocabulary import Action, CodeKind, Flag, State, Tlv, Verdict

Journal = Sequence[VerifiedRecord]
_SAMPLE, _NOON = 1, 2


def check_the_day(facts: dict[str, Any], out: Path) -> None:
    here, there, vehicle = (journal(out / name) for name in ("point-7", "point-8", "vehicle"))
    _staff(here)
    _rules(here, [*there, *vehicle], facts["by_rules"])
    _ladder(here, out / "photos")
    _own_seals(here, out / "org" / "seals.txt")
    _pair(here, vehicle, Path(facts["screens"]))
    _pairs_that_do_not_match(here, vehicle, there[-1])
    assert (facts["pairs"], facts["pairs_matching"]) == pairs([here, there, vehicle])


def journal(folder: Path) -> Journal:
    """A terminal's records, each signature and the chain verified from its genesis on."""
    with Ledger.open(folder / "dock.db") as ledger:
        rows = list(ledger.all_records())
        enrolled = ledger.terminal(rows[0].terminal)
    assert enrolled is not None
    pairs = [(row.body, row.signature) for row in rows]
    return verify_chain(enrolled.public, enrolled.epoch, 1, rows[0].previous, pairs)


def _found(records: Journal, action: int, verdict: int) -> list[VerifiedRecord]:
    return [record for record in records if (record.head.action, record.head.verdict) == (action, verdict)]


def _one(records: Journal, action: int, verdict: int) -> VerifiedRecord:
    [record] = _found(records, action, verdict)
    return record


def _badge(record: VerifiedRecord) -> int:
    return int.from_bytes(record.parts[Tlv.COUNTERPARTY], "big")


def _staff(here: Journal) -> None:
    """Nobody works before the badge on the list is there with its PIN, and the PIN is in no record."""
    stranger, former = (_one(here, Action.SHIFT_OPEN, v) for v in (Verdict.BADGE_UNKNOWN, Verdict.BADGE_REVOKED))
    asked, opened = (_one(here, Action.SHIFT_OPEN, verdict) for verdict in (Verdict.NEED_PIN, Verdict.OK))
    assert stranger.head.seq < former.head.seq < asked.head.seq < opened.head.seq
    assert _badge(asked) == _badge(opened) == opened.head.actor
    assert {_badge(stranger), _badge(former)}.isdisjoint({record.head.actor for record in here})
    assert opened.head.flags & Flag.MANUAL and Tlv.CODE not in opened.parts
    assert all(record.head.actor in (0, opened.head.actor) for record in here)


def _rules(here: Journal, others: Journal, by_rules: dict[str, int]) -> None:
    """From the pack on records carry its number; what it asks for was not asked for before, and is behind it."""
    assert by_rules == {str(number): n for number, n in Counter(r.head.rules for r in [*here, *others]).items()}
    numbers = [record.head.rules for record in here]
    assert numbers == sorted(numbers) and set(numbers) == {0, _SAMPLE, _NOON}
    assert _NOON not in {record.head.rules for record in others if record.head.order_ref}
    shown, read = (_one(here, Action.RULES_ACK, verdict) for verdict in (Verdict.NEW_RULE, Verdict.OK))
    kept = _one(here, Action.REFUSED_SCAN, Verdict.NEW_RULE)
    assert shown.head.seq < kept.head.seq < read.head.seq and read.head.code_kind == CodeKind.KEY
    assert not [r for r in here if shown.head.seq < r.head.seq < read.head.seq and r.head.order_ref]
    before, after = _found(here, Action.REFUSE, Verdict.OK)
    asked = _one(here, Action.REFUSE, Verdict.NEED_REASON)
    assert (before.head.rules, asked.head.rules, after.head.rules) == (_SAMPLE, _NOON, _NOON)
    assert Tlv.REASON not in before.parts and Tlv.REASON in after.parts
    assert read.head.seq < asked.head.seq < after.head.seq


def _ladder(here: Journal, photos: Path) -> None:
    """Three seals nobody could read: one stays, one goes by a decision, one by what a person typed."""
    unread = _found(here, Action.UNREADABLE, Verdict.UNREADABLE)
    assert [record.head.tries for record in unread] == [3, 3, 3]
    held, decided, typed = (
        [record for record in here if record.head.order_ref == first.head.order_ref] for first in unread
    )
    assert held[-1].head.state_after == State.HELD and not _found(held, Action.HANDOUT, Verdict.OK)

    needs = (Verdict.NEED_REASON, Verdict.NEED_PHOTO, Verdict.NEED_SUPERVISOR, Verdict.NEED_PIN, Verdict.OK)
    assert [record.head.verdict for record in decided if record.head.action == Action.OVERRIDE] == list(needs)
    override, gone = _one(decided, Action.OVERRIDE, Verdict.OK), _one(decided, Action.HANDOUT, Verdict.OK)
    assert override.parts[Tlv.REASON] == (20).to_bytes(2, "big")
    assert override.parts[Tlv.PHOTO] == _hash(photos / "worn_seal.png")
    assert int.from_bytes(override.parts[Tlv.SUPERVISOR], "big") not in (0, override.head.actor)
    assert gone.head.flags & Flag.OVERRIDE and gone.parts[Tlv.REF_SEQ] == override.head.seq.to_bytes(4, "big")
    assert not _found(decided, Action.SEAL_CHECK, Verdict.SEAL_OK)

    fits, photo = _one(typed, Action.SEAL_CHECK, Verdict.SEAL_OK), _one(typed, Action.HANDOUT, Verdict.NEED_PHOTO)
    gone = _one(typed, Action.HANDOUT, Verdict.OK)
    assert fits.head.flags & Flag.MANUAL and fits.parts[Tlv.CODE].isdigit()
    assert fits.head.seq < photo.head.seq < gone.head.seq and gone.head.flags & Flag.MANUAL
    assert gone.parts[Tlv.PHOTO] == _hash(photos / "typed_seal.png")


def _own_seals(here: Journal, batch: Path) -> None:
    """The forged one has the right number, so only its signature gives it away."""
    name, text = batch.read_bytes().splitlines()[0].split(b"\t")
    forged = _one(here, Action.SEAL_CHECK, Verdict.SEAL_FORGED)
    [genuine] = [r for r in _found(here, Action.SEAL_CHECK, Verdict.SEAL_OK) if Tlv.SEAL in r.parts]
    assert genuine.parts[Tlv.CODE] == text and genuine.parts[Tlv.SEAL] == name
    read, true = seal.payload(forged.parts[Tlv.CODE]), seal.payload(text)
    assert read[:14] == true[:14] and read[14:] != true[14:]
    assert forged.head.order_ref == genuine.head.order_ref and forged.head.seq < genuine.head.seq
    assert forged.head.state_after == forged.head.state_before


def _pair(here: Journal, vehicle: Journal, screens: Path) -> None:
    """What each screen showed is what the other terminal recorded, and a head that the first one had."""
    [taken] = [r for r in _found(here, Action.HANDOVER_IN, Verdict.OK) if r.head.code_kind == CodeKind.TOKEN]
    [closed] = [r for r in _found(vehicle, Action.HANDOVER_OUT, Verdict.OK) if r.head.code_kind == CodeKind.TOKEN]
    for record, other, name in ((taken, vehicle, "courier_code"), (closed, here, "clerk_code")):
        [path] = screens.glob(f"*-{name}.png")
        [seen] = decode(Image.open(io.BytesIO(path.read_bytes())))
        peer = base45.decode(seen.data.removeprefix(b"PLT*"))
        seq = int.from_bytes(peer[8:12], "big")
        assert record.parts[Tlv.PEER_HEAD] == peer == other[0].head.terminal + peer[8:12] + other[seq - 1].digest[:8]
    given = [r for r in _found(vehicle, Action.HANDOVER_OUT, Verdict.OK) if r.head.order_ref]
    arrived = [r for r in _found(here, Action.HANDOVER_IN, Verdict.OK) if r.head.order_ref]
    assert [r.head.order_ref for r in given] == [r.head.order_ref for r in arrived] and len(given) == 2
    assert all(r.parts[Tlv.PEER_HEAD] == taken.parts[Tlv.PEER_HEAD] for r in arrived)
    assert {r.head.state_after for r in arrived} == {State.AT_POINT}


def _pairs_that_do_not_match(here: Journal, vehicle: Journal, third: VerifiedRecord) -> None:
    *_, last, closed = _found(vehicle, Action.HANDOVER_OUT, Verdict.OK)
    assert pairs([here, vehicle]) == Pairs(2, 2)
    assert pairs([here, [r for r in vehicle if r is not closed]]) == Pairs(2, 0), "the giver has not read the code"
    assert pairs([vehicle]) == Pairs(2, 0)
    assert pairs([here]) == Pairs(0, 0)
    for head, why in (
        (closed.parts[Tlv.PEER_HEAD][:12] + bytes(8), "a head that was none"),
        (_head(third), "a third terminal's"),
        (closed.parts[Tlv.PEER_HEAD][:8], "half of it"),
        (closed.parts[Tlv.PEER_HEAD] + bytes(1), "more than it"),
    ):
        other = replace(closed, parts={**closed.parts, Tlv.PEER_HEAD: head})
        changed = [other if record is closed else record for record in vehicle]
        assert pairs([here, changed, [third]]) == Pairs(2, 0), why
    theirs = [_as_if(record, terminal=third.head.terminal) if record is closed else record for record in vehicle]
    assert pairs([here, theirs]) == Pairs(2, 0), "a third terminal has read the code"
    early = {Tlv.PEER_HEAD: _head(vehicle[last.head.seq - 2])}
    late = [replace(record, parts={**record.parts, **early}) for record in here]
    assert pairs([late, vehicle]) == Pairs(2, 1), "the last parcel was given behind that head"
    arrived = _found(here, Action.HANDOVER_IN, Verdict.OK)[-1]
    another = [_as_if(record, order_ref=1) if record is arrived else record for record in here]
    assert pairs([another, vehicle]) == Pairs(2, 1), "another parcel was taken"
    itself = replace(closed, parts={Tlv.PEER_HEAD: _head(vehicle[-1])})
    giver = vehicle[0].head.terminal
    mine = [_as_if(record, terminal=giver) for record in _found(here, Action.HANDOVER_IN, Verdict.OK)]
    assert pairs([mine, [itself if record is closed else record for record in vehicle]]) == Pairs(2, 0), "with itself"


def _as_if(record: VerifiedRecord, **fields: object) -> VerifiedRecord:
    """With other fields in its head."""
    head = copy(record.head)
    for name, value in fields.items():
        setattr(head, name, value)
    return replace(record, head=head)


def _head(record: VerifiedRecord) -> bytes:
    """What PEER_HEAD says of it."""
    return record.head.terminal + record.head.seq.to_bytes(4, "big") + record.digest[:8]


def _hash(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()[:16]
