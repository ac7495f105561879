"""What has to be true of every record, worked out from the records alone: the promises, not the program."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from organisation_scene import LIMITS, SUPERVISORS, Company, Parcel, Record, Terminal, World

from plomba.desk.differences import Differences
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Action, CodeKind, Flag, State, Tlv, Verdict

VISIT = (State.IDENTIFIED, State.VERIFIED)
GIVEN = (State.DELIVERED, State.PART_DELIVERED)
PROVES = (Verdict.SEAL_OK, Verdict.SEAL_READ)
DONE = (Verdict.OK, Verdict.CONFIRM, Verdict.HELD, *PROVES)
_VERDICTS = {entry["code"]: entry for entry in VOCABULARY["verdict"].values()}
_ACTIONS = {entry["code"]: name for name, entry in VOCABULARY["action"].items()}
_STATES = {entry["code"]: name for name, entry in VOCABULARY["state"].items()}
_ASKS = ("refused", "next", "siren")
IMPORTED = {
    "ACCEPTED": "shop",
    "STAGED": "warehouse",
    "WITH_COURIER": "courier",
    "AT_POINT": "point",
    "READY": "point",
    "EXPIRED": "point",
}
PASSES = {
    (Action.PICK, State.PICKED): "warehouse",
    (Action.HANDOVER_IN, State.WITH_COURIER): "courier",
    (Action.HANDOVER_IN, State.RETURNING): "courier",
    (Action.HANDOVER_IN, State.AT_POINT): "point",
    (Action.HANDOUT, State.DELIVERED): "customer",
    (Action.RETURN_IN, State.RETURNED): "warehouse",
}
"""By what, and to where, an order passes to whom; nothing else passes it."""
TAKES = {"shop": "courier", "warehouse": "courier", "courier": "point", "point": "courier"}
"""To whom each gives when the other side has no terminal, and an act stands for it."""


class Breach(AssertionError):
    """A promise that was not kept."""


def need(true: object, what: str, *told: object) -> None:
    if not true:
        raise Breach(" ".join([what, *map(str, told)]))


@dataclass
class Seen:
    """What one terminal's records have said so far. Orders are keyed by ref. `mine`: what this shift may take back."""

    state: dict[int, int] = field(default_factory=dict)
    bag: dict[int, bytes] = field(default_factory=dict)
    proof: dict[int, Record] = field(default_factory=dict)
    overrides: dict[int, set[int]] = field(default_factory=dict)
    applied: dict[int, set[bytes]] = field(default_factory=dict)
    broken: dict[int, set[bytes]] = field(default_factory=dict)
    used: dict[bytes, int] = field(default_factory=dict)
    challenges: set[bytes] = field(default_factory=set)
    actor: int = 0
    overridden: int = 0
    typed: int = 0
    mine: set[int] = field(default_factory=set)
    moves: dict[int, Record] = field(default_factory=dict)
    countersigned: int = 0
    listed: bool = False
    sealed: set[int] = field(default_factory=set)
    next_seq: int = 1


class _Custody(NamedTuple):
    """`given`: the giver's terminal, badge, and the terminal that he names; `waits`: for whose scan, and who then has
    it; `acted`: it went by an act."""

    holder: str
    given: tuple[bytes, int, bytes] | None = None
    waits: tuple[bytes, str] = (b"", "")
    acted: bool = False


class Witness:
    """`stats` counts what was seen, so that a run can say that it came to anything."""

    def __init__(self, company: Company, parcels: Sequence[Parcel]) -> None:
        self.parcels = {parcel.ref: parcel for parcel in parcels}
        self.void = {company.own[2].name.encode()}
        self.seen: dict[str, Seen] = {}
        self.applied: dict[int, set[bytes]] = {}
        self.stats: dict[tuple[int, int], int] = {}

    def begins(self, terminal: Terminal) -> None:
        self.seen[terminal.name] = Seen()

    def restarted(self, terminal: Terminal) -> None:
        """What lay on the counter has to be scanned anew; what was bound, used, counted and done stays."""
        seen = self.seen[terminal.name]
        seen.challenges.clear()

    def saw(self, terminal: Terminal, record: Record) -> None:
        seen, head = self.seen[terminal.name], record.head
        try:
            self.stats[head.action, head.verdict] = self.stats.get((head.action, head.verdict), 0) + 1
            need(head.seq == seen.next_seq, "a record is missing before")
            seen.next_seq += 1
            self._speaks(record)
            self._is_whole(seen, record)
            for check in (self._shift, self._gate, self._custody, self._override, self._seal, self._hold, self._undo):
                check(seen, record)
            self._remember(seen, record)
        except Breach as breach:
            raise Breach(f"{breach}\n  at {terminal.name} {spoken(record)}") from None

    def listed(self, world: World, terminal: Terminal) -> None:
        """A fresh list says where everything is."""
        seen = self.seen[terminal.name]
        seen.bag.clear()
        seen.listed = True
        ids = [parcel.id for parcel in self.parcels.values()]
        told = terminal.board.ask("orders", [id.encode().hex() for id in ids])["states"]
        desk, listed = world.states(), _listed(world)
        bags = dict(world.book.store.query("SELECT id, bag FROM orders"))
        for id, state in zip(ids, told, strict=True):
            # The desk gives no new list where nothing changed: then what is listed as a difference stays one.
            need(state == desk[id][0] or id in listed, f"after a fresh list {id} is {_STATES[state]}, not", desk[id])
            ref = next(parcel.ref for parcel in self.parcels.values() if parcel.id == id)
            self._moves(seen, ref, state)
            if bags[id]:
                seen.bag[ref] = bags[id]
        for ref, seals in self.applied.items():
            seen.applied.setdefault(ref, set()).update(seals)

    def docked(self, world: World, terminal: Terminal) -> None:
        """Before the fresh list: the desk and this terminal agree, or the desk lists where they do not; and custody
        moved by the records that move it."""
        desk = world.states()
        listed = _listed(world)
        last = dict(world.book.store.query("SELECT o.id, e.terminal FROM orders o JOIN events e ON e.number = o.last"))
        seen = self.seen[terminal.name]
        for parcel in self.parcels.values():
            mine = seen.state.get(parcel.ref, 0)
            if mine and last.get(parcel.id) == terminal.id and mine != desk[parcel.id][0]:
                need(
                    parcel.id in listed,
                    f"{parcel.id}: {terminal.name} says {_STATES[mine]}, the desk {_STATES[desk[parcel.id][0]]},",
                    "and no difference is listed",
                )
            holder = self._holder(world, parcel)
            need(holder == desk[parcel.id][1], f"{parcel.id} is with", desk[parcel.id][1], "and was passed to", holder)

    def _holder(self, world: World, parcel: Parcel) -> str:
        """Who holds an order: whom the last record passed it to that passes custody, as the desk has them in order. A
        taker who names the giver's terminal has it when the giver has scanned too, before or after, and the two name
        each other; one who goes by an act has it at once, unless a giver waits for another."""
        rows = world.book.store.query(
            "SELECT e.body, e.terminal, f.after FROM effects f JOIN events e ON e.number = f.event"
            " WHERE f.order_id = :id AND f.why IN ('moved', 'done') ORDER BY f.position",
            {"id": parcel.id},
        )
        now = _Custody(IMPORTED[parcel.state])
        before: dict[tuple[bytes, int], _Custody] = {}
        for body, terminal, after in rows:
            record = Record.read(body, b"")
            head = record.head
            if head.action == Action.UNDO:
                (undone,) = struct.unpack(">I", record.parts[Tlv.REF_SEQ])
                now = before.get((terminal, undone), now)
                continue
            passes = PASSES.get((head.action, after))
            before[terminal, head.seq] = now
            peer = record.parts.get(Tlv.PEER_HEAD, b"")[:8]
            if head.action == Action.HANDOVER_OUT and now.waits[0] == terminal:
                now = _Custody(now.waits[1])
            elif head.action == Action.HANDOVER_OUT and not peer and Tlv.ACT in record.parts:
                now = _Custody(TAKES[now.holder], acted=True)
            elif head.action == Action.HANDOVER_OUT:
                now = _Custody(now.holder, (terminal, head.actor, peer))
            elif head.action == Action.HANDOVER_IN and passes is not None and now.given is not None:
                giver, actor, named = now.given
                if (giver, actor) != (terminal, head.actor) and peer in (b"", giver) and named in (b"", terminal):
                    now = _Custody(passes)
            elif head.action == Action.HANDOVER_IN and passes is not None and peer and not now.acted:
                now = _Custody(now.holder, waits=(peer, passes))
            elif passes is not None:
                now = _Custody(passes)
        return now.holder

    def _speaks(self, record: Record) -> None:
        """A refusal says in each language what is wrong and what to do next."""
        verdict = _VERDICTS.get(record.head.verdict)
        action = _ACTIONS.get(record.head.action)
        need(verdict is not None and action is not None, "a word that nobody knows")
        assert verdict is not None
        special = verdict.get("on", {}).get(action, {})
        if {**verdict, **special}["tone"] not in _ASKS:
            return
        for language in VOCABULARY["languages"]:
            headline, next_step = special.get(language, verdict[language])
            need(headline and next_step, "a refusal without a next step in", language)

    def _is_whole(self, seen: Seen, record: Record) -> None:
        head, ref = record.head, record.head.order_ref
        if not ref:
            return
        # The siren is nobody's step: it goes on when the shift is over.
        need(head.actor or head.verdict == Verdict.LEFT_UNSCANNED, "a parcel's step by nobody")
        known = seen.state.get(ref)
        if known:
            need(head.state_before == known, "before it the order was", _STATES[known])

    def _shift(self, seen: Seen, record: Record) -> None:
        head = record.head
        for code in (record.parts.get(Tlv.CODE, b""), record.parts.get(Tlv.LONG_CODE, b"")):
            need(b"7391" not in code and b"8264" not in code, "a PIN is in a record")
        if head.verdict == Verdict.OK and head.action in (Action.SHIFT_OPEN, Action.SHIFT_CLOSE):
            actor = head.actor if head.action == Action.SHIFT_OPEN else 0
            if actor != seen.actor:
                seen.actor, seen.overridden, seen.typed, seen.countersigned = actor, 0, 0, 0
                seen.mine.clear()
        if head.flags & Flag.MANUAL and Tlv.CODE in record.parts and head.action != Action.SHIFT_OPEN:
            seen.typed += 1
            need(seen.typed <= LIMITS[head.rules][1], "typed more often than a shift may")

    def _gate(self, seen: Seen, record: Record) -> None:
        """No sealed order is given without its seal read, or somebody's decision on record."""
        head, parts = record.head, record.parts
        ref = head.order_ref
        gives = head.state_after in GIVEN and head.state_after != head.state_before and head.action != Action.UNDO
        if not gives:
            return
        need(head.action == Action.HANDOUT and head.verdict == Verdict.OK, "given by something else than a hand-out")
        need(seen.state.get(ref) in VISIT, "given from where nothing is given")
        # Without a list it knows of a seal only by what it was told itself.
        if ref not in seen.sealed and not (seen.listed and ref in self.parcels and self.parcels[ref].sealed):
            return
        if head.flags & Flag.OVERRIDE:
            (seq,) = struct.unpack(">I", parts[Tlv.REF_SEQ])
            need(seq in seen.overrides.get(ref, ()), "given by a decision that is not there")
            return
        proof = seen.proof.get(ref)
        need(proof is not None, "given without its seal")
        assert proof is not None
        need(parts.get(Tlv.SEAL) == seal_of(proof), "given with another seal than was read")
        if proof.head.flags & Flag.MANUAL:
            need(head.flags & Flag.MANUAL, "given by a typed seal, and it does not say so")
            need(Tlv.PHOTO in parts or Tlv.CAMERA in parts, "given by a typed seal without a photo")

    def _custody(self, seen: Seen, record: Record) -> None:
        head, parts = record.head, record.parts
        if head.action == Action.HANDOVER_IN and head.verdict == Verdict.OK and (head.order_ref or Tlv.BAG in parts):
            need(Tlv.PEER_HEAD in parts or Tlv.ACT in parts, "taken over from nobody")
            need(parts.get(Tlv.PEER_HEAD, b"")[:8] != head.terminal, "taken over from itself")

    def _override(self, seen: Seen, record: Record) -> None:
        head, parts = record.head, record.parts
        if Tlv.CHALLENGE in parts and head.verdict == Verdict.NEED_ANSWER:
            seen.challenges.add(parts[Tlv.CHALLENGE])
        if head.verdict == Verdict.LIMIT and head.action == Action.OVERRIDE:
            need(seen.overridden >= LIMITS[head.rules][0], "refused before the limit is reached")
        if head.verdict == Verdict.LIMIT and head.action == Action.UNREADABLE:
            need(seen.typed >= LIMITS[head.rules][1], "refused before the limit is reached")
        if head.verdict != Verdict.OK or head.action not in (Action.OVERRIDE, Action.RELEASE, Action.SEAL_BREAK):
            return
        self._decided(seen, record)
        if head.action == Action.OVERRIDE:
            need(Tlv.PHOTO in parts or Tlv.CAMERA in parts, "decided without a photo")
            missing = parts.get(Tlv.NEED)
            need(missing in (bytes((Verdict.NEED_SEAL,)), bytes((Verdict.NEED_ITEM,))), "decided on nothing")
            seen.overridden += 1
            need(seen.overridden <= LIMITS[head.rules][0], "decided more often than a shift may")

    def _decided(self, seen: Seen, record: Record) -> None:
        """Somebody else than who works here stands behind it, and says why."""
        head, parts = record.head, record.parts
        need(Tlv.REASON in parts, "decided without a reason")
        (supervisor,) = struct.unpack(">I", parts.get(Tlv.SUPERVISOR, b"\xff\xff\xff\xff"))
        if supervisor:
            need(supervisor in SUPERVISORS and supervisor != head.actor, "decided by", supervisor)
        else:
            need(parts.get(Tlv.CHALLENGE) in seen.challenges, "answered to what nobody was asked")

    def _seal(self, seen: Seen, record: Record) -> None:
        head, ref = record.head, record.head.order_ref
        parcel = self.parcels.get(ref)
        seal = seal_of(record)
        if head.action == Action.SEAL_APPLY and head.verdict == Verdict.OK:
            need(seal not in seen.used, "a seal that left already is bound again")
        if head.action != Action.SEAL_CHECK or parcel is None:
            return
        listed = {text.encode() for text in parcel.seals} if seen.listed else set()
        own = listed | seen.applied.get(ref, set())
        if head.verdict == Verdict.WRONG_SEAL and ref not in seen.broken:
            need(seal not in listed, "the right seal is called wrong")
        if head.verdict not in PROVES:
            return
        need(seal not in seen.used, "a seal that left already counts")
        need(seal not in self.void, "a void seal counts")
        need(seal not in seen.broken.get(ref, ()), "a broken seal counts")
        if head.verdict == Verdict.SEAL_OK:
            need(seal in own, "a seal counts that is not its own")
        else:
            need(not own - seen.broken.get(ref, set()), "any seal counts, and its own is known")
            for other in self.parcels.values() if seen.listed else ():
                need(other.ref == ref or seal.decode(errors="replace") not in other.seals, "another's seal counts")

    def _hold(self, seen: Seen, record: Record) -> None:
        head = record.head
        if head.order_ref and head.state_before == State.HELD and head.state_after != State.HELD:
            need(head.action in (Action.RELEASE, Action.RETURN_OPEN, Action.UNDO), "out of a hold without a release")

    def _undo(self, seen: Seen, record: Record) -> None:
        """The person's own last step of this shift, never what another party has signed for."""
        head, parts = record.head, record.parts
        if head.action == Action.HANDOVER_OUT and head.code_kind == CodeKind.TOKEN and head.verdict == Verdict.OK:
            seen.countersigned = head.seq
        if head.action != Action.UNDO or head.verdict != Verdict.OK:
            return
        (seq,) = struct.unpack(">I", parts[Tlv.REF_SEQ])
        undone = seen.moves.pop(seq, None)
        need(undone is not None, "takes back what is not there to be taken back:", seq)
        assert undone is not None
        was = undone.head
        need(was.order_ref == head.order_ref, "takes back a step of another order")
        if Tlv.SUPERVISOR in parts:
            self._decided(seen, record)
        else:
            need(seq in seen.mine, "takes back what is not this shift's:", seq)
            need(was.actor == head.actor, "takes back another's step")
            if was.action == Action.HANDOVER_OUT:
                need(seq > seen.countersigned, "takes back what the other side signed for")
        seen.mine.discard(seq)
        need((was.state_before, was.state_after) == (head.state_after, head.state_before), "goes back elsewhere")
        ref = head.order_ref
        if was.action == Action.HANDOUT:
            seen.used.pop(undone.parts.get(Tlv.SEAL, b""), None)
        if was.action == Action.SEAL_APPLY:
            seen.applied.get(ref, set()).discard(seal_of(undone))
        seen.proof.pop(ref, None)
        seen.overrides.pop(ref, None)

    def _remember(self, seen: Seen, record: Record) -> None:
        head, parts = record.head, record.parts
        ref, seal = head.order_ref, seal_of(record)
        bag = parts.get(Tlv.BAG)
        if not ref:
            if bag is not None and head.state_after and head.verdict == Verdict.OK:
                for member in [member for member, held in seen.bag.items() if held == bag]:
                    self._moves(seen, member, head.state_after)
            return
        if head.state_after != head.state_before or ref not in seen.state:
            self._moves(seen, ref, head.state_after)
        if head.verdict in PROVES and head.action == Action.SEAL_CHECK:
            seen.proof[ref] = record
        if head.action != Action.UNDO and head.verdict not in (Verdict.NOTED,):
            seen.mine.add(head.seq)
            seen.moves[head.seq] = record
        if head.action == Action.INTAKE_CHECK and head.verdict in (Verdict.NEED_SEAL, Verdict.SEAL_READ):
            seen.sealed.add(ref)
        if head.verdict != Verdict.OK:
            return
        if head.action == Action.OVERRIDE:
            seen.overrides.setdefault(ref, set()).add(head.seq)
        elif head.action == Action.SEAL_APPLY:
            seen.applied.setdefault(ref, set()).add(seal)
            seen.sealed.add(ref)
            seen.broken.get(ref, set()).discard(seal)
            self.applied.setdefault(ref, set()).add(seal)
        elif head.action == Action.SEAL_BREAK:
            parcel = self.parcels.get(ref)
            texts = {text.encode() for text in parcel.seals} if parcel is not None else set()
            seen.broken.setdefault(ref, set()).update(texts | seen.applied.get(ref, set()))
            seen.proof.pop(ref, None)
        elif head.action == Action.HANDOUT and Tlv.SEAL in parts:
            seen.used[parts[Tlv.SEAL]] = ref
        if head.action == Action.BAG_ADD and bag is not None:
            seen.bag[ref] = bag
        elif head.action in (Action.STORE, Action.RETURN_IN, Action.HANDOUT) or (head.action == Action.UNDO and bag):
            seen.bag.pop(ref, None)

    def _moves(self, seen: Seen, ref: int, state: int) -> None:
        seen.state[ref] = state
        if state not in VISIT:
            seen.proof.pop(ref, None)
            seen.overrides.pop(ref, None)


def _listed(world: World) -> set[str]:
    """Orders that the desk lists a difference for."""
    return {row.order_id for row in Differences(world.book.store).listed(None, 10_000)}


def seal_of(record: Record) -> bytes:
    """The seal that a record speaks of."""
    return record.parts.get(Tlv.SEAL) or record.parts.get(Tlv.CODE, b"")


def spoken(record: Record) -> str:
    head = record.head
    verdict = next((name for name, entry in VOCABULARY["verdict"].items() if entry["code"] == head.verdict), "?")
    named = record.parts.get(Tlv.ORDER, b"").decode(errors="replace")
    code = record.parts.get(Tlv.CODE, b"")
    states = f"{_STATES.get(head.state_before)}→{_STATES.get(head.state_after)}" if head.order_ref else ""
    return f"#{head.seq} {_ACTIONS.get(head.action)} {verdict} {named} {states} actor {head.actor} {code!r}"
