"""The step that a scan or a key means, by the rules and what is known of parcels: no I/O, no clock of its own.

A decision takes effect only when it is a durable record: `done` is called then, and the visit changes there.
"""

import hashlib
import struct

from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import Action, CodeKind, State, Symbology, Tlv, Verdict
from terminal.work import codes
from terminal.work.decision import Decision
from terminal.work.parcels import Parcels
from terminal.work.visit import Visit

STORE = "store"
HANDOUT = "handout"

_BADGE = b"PLB*BADGE*"
_CUSTOMER = b"PLB*CUSTOMER*"
_MODES = {b"PLB*STORE": STORE, b"PLB*HANDOUT": HANDOUT}
_SEAL_MAX = 64
_BEARER_TAG = b"plomba/bearer/1"


class Flow:
    """`actor` is the badge of the open shift, 0 when none is; `terminal` the id that salts what must not be stored."""

    def __init__(self, rules, manifest, terminal: bytes) -> None:
        self.mode = STORE
        self.actor = 0
        self.parcels = Parcels(manifest)
        self.visit = Visit()
        self._rules = rules
        self._terminal = terminal
        self._stored = None
        self._binding = False
        self._last: "tuple[int, Decision] | None" = None

    def scan(self, code: bytes, symbology: int, now: int) -> Decision:
        """The one answer to a code. `now` is ms since boot."""
        kind = codes.kind(code)
        decision = self._decide(code, symbology, kind, now)
        decision.symbology = symbology
        if Tlv.BEARER in decision.parts:
            return decision
        if len(code) > CODE_MAX:
            digest = hashlib.sha256(code).digest()
            decision.parts[Tlv.LONG_CODE] = struct.pack(">H", min(len(code), 0xFFFF)) + digest + code[:64]
        else:
            decision.parts[Tlv.CODE] = code
        return decision

    def hand_out(self) -> "list[Decision]":
        """The OK key: lets go of every parcel on the counter, or says of the first one why not."""
        if self.mode != HANDOUT:
            return []
        decisions = []
        for parcel in self.visit.parcels:
            step = self._rules.step(HANDOUT, Action.HANDOUT)
            verdict = Verdict.OK
            if step is None or parcel.state not in step[0]:
                verdict = Verdict.WRONG_STATE
            elif self._wants_seal(parcel):
                verdict = Verdict.NEED_SEAL
            after = step[1] if verdict == Verdict.OK else parcel.state
            decision = self._about(Action.HANDOUT, verdict, CodeKind.KEY, parcel, after)
            if verdict != Verdict.OK:
                return [decision]
            if self.visit.seal_of(parcel):
                decision.parts[Tlv.SEAL] = self.visit.seal_of(parcel)
            decisions.append(decision)
        return decisions

    def unreadable(self, tries: int) -> "Decision | None":
        """Nothing was read `tries` times for the parcel on the counter."""
        parcel = self.visit.current
        if parcel is None:
            return None
        decision = self._about(Action.UNREADABLE, Verdict.UNREADABLE, CodeKind.NONE, parcel, parcel.state)
        decision.tries = tries
        return decision

    def overdue(self, now: int) -> "Decision | None":
        """A parcel was taken from its cell and its seal was not read in time."""
        parcel = self.visit.overdue(self._rules, now)
        if parcel is None:
            return None
        return self._about(Action.NOTE, Verdict.LEFT_UNSCANNED, CodeKind.NONE, parcel, parcel.state)

    def done(self, decision: Decision, seq: int) -> None:
        """The decision is durable record `seq`."""
        self.parcels.apply(
            seq, decision.action, decision.verdict, decision.ref, decision.before, decision.after, decision.parts
        )
        if decision.effect is not None:
            decision.effect()
        parcel = self.visit.holds(decision.ref)
        if parcel is not None:
            parcel.state = decision.after
            if decision.after not in (State.IDENTIFIED, State.VERIFIED):
                self.visit.remove(parcel)
        if decision.action == Action.UNDO and decision.verdict == Verdict.OK:
            self._last = None
        elif decision.after != decision.before:
            self._last = (seq, decision)

    def replay(self, head, parts: "dict[int, bytes]", newer: bool) -> None:
        """A record of before this start. What the manifest knew already moves no state, but a used seal stays used."""
        before = head.state_before if newer else head.state_after
        self.parcels.apply(head.seq, head.action, head.verdict, head.order_ref, before, head.state_after, parts)

    def new_visit(self) -> None:
        """Nothing is on the counter."""
        self.visit = Visit()

    def _decide(self, code: bytes, symbology: int, kind: int, now: int) -> Decision:
        if kind == CodeKind.NONE:
            return self._refused(Verdict.REFUSED_CODE, CodeKind.UNKNOWN)
        if not self._rules.number:
            return self._refused(Verdict.NO_RULES, kind)
        if code.startswith(_BADGE):
            return self._badge(code[len(_BADGE) :])
        if self._rules.needs_shift and not self.actor:
            return self._refused(Verdict.NO_SHIFT, kind)
        if kind == CodeKind.COMMAND:
            return self._command(code)
        if self._binding and symbology == Symbology.QR:
            return self._bind(code)
        parcel = self.parcels.find(code)
        if parcel is not None:
            return self._store(parcel) if self.mode == STORE else self._retrieve(parcel, now)
        owner = self.parcels.owner(code) if len(code) <= _SEAL_MAX else 0
        if owner:
            return self._seal(code, owner)
        number = codes.item_number(code, symbology)
        if number is not None:
            owner = self.parcels.item_owner(number)
            if owner:
                return self._item(number, owner)
        if self.mode == STORE and not self.parcels.listed and len(code) <= 48:
            return self._store(self.parcels.fresh(code))
        if symbology == Symbology.QR and len(code) <= _SEAL_MAX and self._wants_seal(self.visit.current):
            return self._seal(code, 0)
        return self._refused(Verdict.UNKNOWN, CodeKind.UNKNOWN)

    def _badge(self, number: bytes) -> Decision:
        if not number.isdigit() or not 0 < len(number) <= 9:
            return self._refused(Verdict.REFUSED_CODE, CodeKind.BADGE)
        badge = int(number)
        decision = Decision(Action.SHIFT_OPEN, Verdict.REPEAT if badge == self.actor else Verdict.OK)
        decision.code_kind = CodeKind.BADGE
        decision.actor = badge
        decision.effect = lambda: self._open_shift(badge)
        return decision

    def _open_shift(self, badge: int) -> None:
        self.actor = badge
        self._last = None
        self.new_visit()

    def _command(self, code: bytes) -> Decision:
        if code.startswith(_CUSTOMER):
            return self._customer(code[len(_CUSTOMER) :])
        handler = _COMMANDS.get(code)
        if handler is not None:
            return handler(self)
        mode = _MODES.get(code)
        if mode is None:
            return self._refused(Verdict.REFUSED_CODE, CodeKind.COMMAND)
        decision = self._noted(Action.NOTE)
        decision.effect = lambda: self._set_mode(mode)
        return decision

    def _set_mode(self, mode: str) -> None:
        self.mode = mode
        self._stored = None
        self._binding = False
        self.new_visit()

    def _customer(self, secret: bytes) -> Decision:
        """A customer's code is a bearer secret: only its salted hash is kept."""
        decision = self._noted(Action.CUSTOMER_IDENT)
        decision.code_kind = CodeKind.CUSTOMER
        digest = hashlib.sha256(_BEARER_TAG)
        digest.update(self._terminal)
        digest.update(secret)
        decision.parts[Tlv.BEARER] = digest.digest()
        decision.effect = lambda: self._set_mode(HANDOUT)
        return decision

    def _close_shift(self) -> Decision:
        decision = self._noted(Action.SHIFT_CLOSE)
        decision.effect = lambda: self._open_shift(0)
        return decision

    def _mark_sealed(self) -> Decision:
        """The card «с пломбой»: at intake the next QR is this parcel's seal, at hand-out any seal has to be read."""
        parcel = self._stored if self.mode == STORE else self.visit.current
        if parcel is None:
            return self._refused(Verdict.NO_VISIT, CodeKind.COMMAND)
        verdict = Verdict.SEAL_READ if self.visit.seal_of(parcel) else Verdict.NEED_SEAL
        decision = self._about(Action.INTAKE_CHECK, verdict, CodeKind.COMMAND, parcel, parcel.state)
        decision.effect = lambda: self._sealed(parcel)
        return decision

    def _sealed(self, parcel) -> None:
        parcel.order_class = 1
        self._binding = self.mode == STORE

    def _bind(self, seal: bytes) -> Decision:
        parcel = self._stored
        if self.parcels.find(seal) is not None or len(seal) > _SEAL_MAX or parcel is None:
            return self._refused(Verdict.REFUSED_CODE, CodeKind.SEAL)
        if self.parcels.used(seal):
            return self._about(Action.SEAL_APPLY, Verdict.SEAL_USED, CodeKind.SEAL, parcel, parcel.state)
        if self.parcels.owner(seal) not in (0, parcel.ref):
            return self._about(Action.SEAL_APPLY, Verdict.WRONG_SEAL, CodeKind.SEAL, parcel, parcel.state)
        decision = self._about(Action.SEAL_APPLY, Verdict.OK, CodeKind.SEAL, parcel, parcel.state)
        decision.parts[Tlv.SEAL] = seal
        decision.effect = self._bound
        return decision

    def _bound(self) -> None:
        self._binding = False

    def _store(self, parcel) -> Decision:
        step = self._rules.step(STORE, Action.STORE)
        after = parcel.state
        if not parcel.here:
            verdict = Verdict.KNOWN_NOT_HERE
        elif step is not None and parcel.state in step[0]:
            verdict, after = Verdict.OK, step[1]
        elif step is not None and parcel.state == step[1]:
            verdict = Verdict.REPEAT
        else:
            verdict = Verdict.WRONG_STATE
        decision = self._about(Action.STORE, verdict, CodeKind.ORDER, parcel, after)
        if parcel.cell and verdict == Verdict.OK:
            decision.parts[Tlv.CELL] = parcel.cell
        decision.effect = lambda: self._last_stored(parcel, after)
        return decision

    def _last_stored(self, parcel, state: int) -> None:
        parcel.state = state
        self._stored = parcel
        self._binding = False

    def _retrieve(self, parcel, now: int) -> Decision:
        step = self._rules.step(HANDOUT, Action.RETRIEVE)
        after = parcel.state
        if not parcel.here:
            verdict = Verdict.KNOWN_NOT_HERE
        elif parcel.state == State.HELD:
            verdict = Verdict.HELD
        elif step is not None and parcel.state in step[0]:
            after = step[1]
            verdict = self._next_of(parcel)
        elif parcel.state in (State.IDENTIFIED, State.VERIFIED):
            on_counter = self.visit.holds(parcel.ref) is not None
            verdict = Verdict.REPEAT if on_counter else self._next_of(parcel)
        else:
            verdict = Verdict.WRONG_STATE
        decision = self._about(Action.RETRIEVE, verdict, CodeKind.ORDER, parcel, after)
        if verdict in (Verdict.CONFIRM, Verdict.NEED_SEAL):
            decision.effect = lambda: self.visit.add(parcel, now)
        return decision

    def _seal(self, code: bytes, owner: int) -> Decision:
        """`owner` as of Parcels.owner."""
        current = self.visit.current
        if current is None or self.mode != HANDOUT:
            return self._refused(Verdict.NO_VISIT, CodeKind.SEAL)
        parcel = self.visit.holds(owner) or current
        step = self._rules.step(HANDOUT, Action.SEAL_CHECK)
        after = parcel.state
        if self.parcels.used(code):
            verdict = Verdict.SEAL_USED
        elif owner != parcel.ref and (owner or parcel.bound):
            verdict = Verdict.WRONG_SEAL
        elif step is None or parcel.state not in step[0]:
            verdict = Verdict.WRONG_STATE
        else:
            verdict = Verdict.SEAL_OK if owner == parcel.ref else Verdict.SEAL_READ
            after = step[1]
        decision = self._about(Action.SEAL_CHECK, verdict, CodeKind.SEAL, parcel, after)
        if verdict in (Verdict.SEAL_OK, Verdict.SEAL_READ):
            decision.effect = lambda: self.visit.read_seal(parcel, code)
        return decision

    def _item(self, number: bytes, owner: int) -> Decision:
        current = self.visit.current
        if current is None or self.mode != HANDOUT:
            return self._refused(Verdict.NO_VISIT, CodeKind.UIN)
        parcel = self.visit.holds(owner)
        action = Action.INSPECT if parcel else Action.MISMATCH
        verdict = Verdict.ITEM_OK if parcel else Verdict.WRONG_ITEM
        parcel = parcel or current
        decision = self._about(action, verdict, CodeKind.UIN, parcel, parcel.state)
        decision.parts[Tlv.UIN] = codes.packed_digits(number)
        return decision

    def _refuse(self) -> Decision:
        return self._leave(Action.REFUSE)

    def _hold(self) -> Decision:
        return self._leave(Action.HOLD)

    def _leave(self, action: int) -> Decision:
        """The current parcel leaves the counter another way than through the customer's hands."""
        parcel = self.visit.current
        if parcel is None:
            return self._refused(Verdict.NO_VISIT, CodeKind.COMMAND)
        step = self._rules.step(HANDOUT, action)
        if step is None or parcel.state not in step[0]:
            return self._about(action, Verdict.WRONG_STATE, CodeKind.COMMAND, parcel, parcel.state)
        return self._about(action, Verdict.OK, CodeKind.COMMAND, parcel, step[1])

    def _undo(self) -> Decision:
        if self._last is None:
            return self._refused(Verdict.NOTHING_TO_UNDO, CodeKind.COMMAND)
        seq, undone = self._last
        decision = Decision(Action.UNDO, Verdict.OK).about(undone.ref, undone.after, undone.before)
        decision.code_kind = CodeKind.COMMAND
        decision.parts[Tlv.REF_SEQ] = struct.pack(">I", seq)
        for part in (Tlv.ORDER, Tlv.SEAL):
            if part in undone.parts:
                decision.parts[part] = undone.parts[part]
        return decision

    def _about(self, action: int, verdict: int, kind: int, parcel, after: int) -> Decision:
        decision = Decision(action, verdict).about(parcel.ref, parcel.state, after)
        decision.code_kind = kind
        decision.parts[Tlv.ORDER] = parcel.id
        return decision

    def _noted(self, action: int) -> Decision:
        decision = Decision(action, Verdict.OK)
        decision.code_kind = CodeKind.COMMAND
        return decision

    def _refused(self, verdict: int, kind: int) -> Decision:
        decision = Decision(Action.REFUSED_SCAN, verdict)
        decision.code_kind = kind
        return decision

    def _next_of(self, parcel) -> int:
        return Verdict.NEED_SEAL if self._wants_seal(parcel) else Verdict.CONFIRM

    def _wants_seal(self, parcel) -> bool:
        """Whether its seal has to be read still, in this visit: what an earlier visit read does not count."""
        if parcel is None or not self._rules.needs_seal(parcel.order_class):
            return False
        return not self.visit.seal_of(parcel)


_COMMANDS = {
    b"PLB*SEALED": Flow._mark_sealed,
    b"PLB*REFUSE": Flow._refuse,
    b"PLB*HOLD": Flow._hold,
    b"PLB*UNDO": Flow._undo,
    b"PLB*CLOSE": Flow._close_shift,
}
