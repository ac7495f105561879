"""The step that a scan or a key means, by the rules and the manifest: no I/O, no clock, one decision for each input.

Thin: intake and the hand-out of one parcel at a time.
"""

import hashlib
import struct

from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import Action, CodeKind, State, Symbology, Tlv, Verdict
from terminal.work import codes
from terminal.work.decision import Decision

STORE = "store"
HANDOUT = "handout"

_MODES = {b"PLB*STORE": STORE, b"PLB*HANDOUT": HANDOUT}
_VOID = 0x01


class Flow:
    """`states` holds what this terminal did since the manifest was made; `current` is the parcel on the counter."""

    def __init__(self, rules, manifest) -> None:
        self.mode = STORE
        self.current = -1
        self.states: dict[int, int] = {}
        self._rules = rules
        self._manifest = manifest
        self._current_id = b""

    def scan(self, code: bytes, symbology: int) -> Decision:
        """The one answer to a code."""
        kind = codes.kind(code)
        decision = self._decide(code, symbology, kind)
        decision.symbology = symbology
        if len(code) > CODE_MAX:
            digest = hashlib.sha256(code).digest()
            decision.parts[Tlv.LONG_CODE] = struct.pack(">H", min(len(code), 0xFFFF)) + digest + code[:64]
        else:
            decision.parts[Tlv.CODE] = code
        return decision

    def hand_out(self) -> "Decision | None":
        """The OK key: lets go of the parcel on the counter, or says why not. None when there is none."""
        if self.mode != HANDOUT or self.current < 0:
            return None
        row = self._manifest.order(self.current)
        state = self._state(self.current, row)
        step = self._rules.step(HANDOUT, Action.HANDOUT)
        if step is None or state not in step[0]:
            decision = Decision(Action.HANDOUT, Verdict.WRONG_STATE).about(row.ref, state, state)
        elif self._rules.needs_seal(row.order_class) and state != State.VERIFIED:
            decision = Decision(Action.HANDOUT, Verdict.NEED_SEAL).about(row.ref, state, state)
        else:
            decision = Decision(Action.HANDOUT, Verdict.OK).about(row.ref, state, step[1])
        decision.code_kind = CodeKind.KEY
        decision.parts[Tlv.ORDER] = self._current_id
        if decision.verdict == Verdict.OK:
            self.close()
        return decision

    def close(self) -> None:
        """Nothing is on the counter."""
        self.current = -1
        self._current_id = b""

    def done(self, decision: Decision) -> None:
        """The decision is a durable record: its state holds from now on."""
        if decision.ref and decision.after != decision.before:
            self.replay(decision.ref, decision.after)

    def replay(self, ref: int, state: int) -> None:
        """A record of this terminal's that is newer than the manifest."""
        index = self._manifest.index_of(ref)
        if index >= 0:
            self.states[index] = state

    def _decide(self, code: bytes, symbology: int, kind: int) -> Decision:
        if kind == CodeKind.NONE:
            return self._refused(Verdict.REFUSED_CODE, CodeKind.UNKNOWN)
        if kind == CodeKind.COMMAND:
            return self._command(code)
        if not self._rules.number or self._manifest.head is None:
            return self._refused(Verdict.NO_RULES, CodeKind.UNKNOWN)
        found = self._manifest.find(code, CodeKind.ORDER)
        if found is not None:
            return self._order(found[0], code)
        found = self._manifest.find(code, CodeKind.SEAL)
        if found is not None:
            return self._seal(code, found[0] if not found[1].flags & _VOID else -1)
        number = codes.item_number(code, symbology)
        if number is not None:
            found = self._manifest.find(number, CodeKind.UIN)
            if found is not None:
                return self._item(number, found[0])
        if symbology == Symbology.QR and self._waits_for_seal():
            return self._seal(code, -1)
        return self._refused(Verdict.UNKNOWN, CodeKind.UNKNOWN)

    def _command(self, code: bytes) -> Decision:
        mode = _MODES.get(code)
        if mode is None:
            return self._refused(Verdict.REFUSED_CODE, CodeKind.COMMAND)
        self.mode = mode
        self.close()
        decision = Decision(Action.NOTE, Verdict.OK)
        decision.code_kind = CodeKind.COMMAND
        return decision

    def _order(self, index: int, code: bytes) -> Decision:
        row = self._manifest.order(index)
        state = self._state(index, row)
        action = Action.STORE if self.mode == STORE else Action.RETRIEVE
        step = self._rules.step(self.mode, action)
        after = state
        if not row.here:
            verdict = Verdict.KNOWN_NOT_HERE
        elif step is not None and state in step[0]:
            after = step[1]
            verdict = Verdict.OK if action == Action.STORE else self._next_of(row, after)
        elif self.mode == STORE:
            verdict = Verdict.REPEAT if step is not None and state == step[1] else Verdict.WRONG_STATE
        elif state in (State.IDENTIFIED, State.VERIFIED):
            verdict = Verdict.REPEAT if index == self.current else self._next_of(row, state)
        else:
            verdict = Verdict.WRONG_STATE
        if self.mode == HANDOUT and verdict in (Verdict.CONFIRM, Verdict.NEED_SEAL):
            self.current = index
            self._current_id = code
        decision = Decision(action, verdict).about(row.ref, state, after)
        decision.code_kind = CodeKind.ORDER
        decision.parts[Tlv.ORDER] = code
        cell = row.cell.rstrip(b"\0")
        if cell and action == Action.STORE:
            decision.parts[Tlv.CELL] = cell
        return decision

    def _seal(self, code: bytes, owner: int) -> Decision:
        """`owner` is the order this seal is bound to, -1 when it is bound to none or void."""
        if self.current < 0 or self.mode != HANDOUT:
            return self._refused(Verdict.NO_VISIT, CodeKind.SEAL)
        row = self._manifest.order(self.current)
        state = self._state(self.current, row)
        step = self._rules.step(HANDOUT, Action.SEAL_CHECK)
        after = state
        if owner != self.current:
            verdict = Verdict.WRONG_SEAL
        elif step is None or state not in step[0]:
            verdict = Verdict.WRONG_STATE
        else:
            after = step[1]
            verdict = Verdict.SEAL_OK
        return self._about_current(Action.SEAL_CHECK, verdict, CodeKind.SEAL, row.ref, state, after)

    def _item(self, number: bytes, owner: int) -> Decision:
        if self.current < 0 or self.mode != HANDOUT:
            return self._refused(Verdict.NO_VISIT, CodeKind.UIN)
        row = self._manifest.order(self.current)
        state = self._state(self.current, row)
        right = owner == self.current
        decision = self._about_current(
            Action.INSPECT if right else Action.MISMATCH,
            Verdict.ITEM_OK if right else Verdict.WRONG_ITEM,
            CodeKind.UIN,
            row.ref,
            state,
            state,
        )
        decision.parts[Tlv.UIN] = codes.packed_digits(number)
        return decision

    def _about_current(self, action: int, verdict: int, kind: int, ref: int, before: int, after: int) -> Decision:
        decision = Decision(action, verdict).about(ref, before, after)
        decision.code_kind = kind
        decision.parts[Tlv.ORDER] = self._current_id
        return decision

    def _refused(self, verdict: int, kind: int) -> Decision:
        decision = Decision(Action.REFUSED_SCAN, verdict)
        decision.code_kind = kind
        return decision

    def _next_of(self, row, state: int) -> int:
        if self._rules.needs_seal(row.order_class) and state != State.VERIFIED:
            return Verdict.NEED_SEAL
        return Verdict.CONFIRM

    def _waits_for_seal(self) -> bool:
        if self.mode != HANDOUT or self.current < 0:
            return False
        row = self._manifest.order(self.current)
        return self._next_of(row, self._state(self.current, row)) == Verdict.NEED_SEAL

    def _state(self, index: int, row) -> int:
        return self.states.get(index, row.state)
