"""The step that a scan or a key means, by the rules and what is known of parcels: no I/O, no clock of its own.

A decision takes effect only when it is a durable record: `done` is called then, and what is on the counter changes
there. A scan may make two records: a seal that is bound, and the packing that it completes.
"""

import hashlib
import struct

from micropython import const

from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import (
    COMMAND_ACTIONS,
    MODE_ACTIONS,
    Action,
    CodeKind,
    Command,
    Condition,
    Flag,
    Mode,
    State,
    Symbology,
    Tlv,
    Verdict,
)
from terminal.work import cards, codes, counter, handover, ladder, route, seals, shift, steps
from terminal.work.decision import Decision, about, refused, told
from terminal.work.parcels import Parcels
from terminal.work.people import People
from terminal.work.visit import Item, Visit

_BEARER_TAG = b"plomba/bearer/1"
_ID_MAX = const(48)
_UNDOABLE = const(16)
_CELL_MAX = const(12)
_PHOTO_DIGITS = const(32)
_GATHERS = {Command.REASON: Verdict.NEED_REASON, Command.RESULT: Verdict.NEED_RESULT, Command.PHOTO: Verdict.NEED_PHOTO}
_FINAL = (State.DELIVERED, State.PART_DELIVERED)


class Flow:
    """`terminal` is the id that salts what must not be stored. `owner` makes challenges and knows their answers.

    `mode` is what the next parcel is in for, `entry` what is being typed, `pages` a list that the screen shows.
    """

    def __init__(self, rules, manifest, staff, seals, terminal: bytes, clock, owner) -> None:
        self.rules = rules
        self.seals = seals
        self.terminal = terminal
        self.clock = clock
        self.owner = owner
        self.now = 0
        self.mode = Mode.STORE
        self.people = People(staff)
        self.parcels = Parcels(manifest)
        self.visit = Visit()
        self.handover = handover.Handover()
        self.routes = route.Route()
        self.bag = b""
        self.entry = None
        self.pages: "list[bytes]" = []
        self.late = (0, 0)
        self.stale_told = False
        self.closing = False
        self.put_off = 0
        self.badge = (0, 0)
        self.challenge = b""
        self.wrong_answers = 0
        self._loose: "Item | None" = None
        self._undoable: "list[tuple[int, Decision]]" = []

    @property
    def actor(self) -> int:
        return self.people.actor

    @property
    def pointed(self) -> "Item | None":
        """The parcel that a card speaks of."""
        return self._loose or self.visit.current

    @property
    def busy(self) -> bool:
        """Whether a parcel waits on the counter, or a person was asked for something."""
        if self.entry is not None or (self.mode == Mode.HANDOUT and self.visit.items):
            return True
        item = self.pointed
        return item is not None and item.asked is not None

    def scan(self, code: bytes, symbology: int, now: int) -> "list[Decision]":
        """What a code means: one decision, or two; none for a sign of what is being typed. `now` is ms since boot."""
        self.now = now
        decisions = self._decide(code, symbology, codes.kind(code))
        if decisions and not decisions[0].secret:
            first = decisions[0]
            first.symbology = symbology
            if len(code) > CODE_MAX:
                digest = hashlib.sha256(code).digest()
                first.parts[Tlv.LONG_CODE] = struct.pack(">H", min(len(code), 0xFFFF)) + digest + code[:64]
            else:
                first.parts[Tlv.CODE] = code
        return decisions

    def confirm(self, now: int) -> "list[Decision]":
        """The OK key."""
        self.now = now
        if self.entry is not None:
            return ladder.typed(self) if self.entry.take() else []
        if shift.unread(self):
            return shift.acknowledge(self)
        if self.mode == Mode.HANDOUT:
            return counter.hand_out(self)
        return []

    def back(self) -> None:
        """The BACK key: the next sign of the wheel, the next page, or an empty counter."""
        if self.entry is not None:
            self.entry.turn()
        elif self.pages:
            del self.pages[0]
        else:
            self.clear()

    def code(self, code: bytes, symbology: int, typed: bool = False) -> "list[Decision]":
        """What a text that is no card means."""
        fault = codes.fault(code, symbology)
        if code.startswith(seals.PREFIX):
            verdict, name = self.seals.check(code)
            if verdict != Verdict.OK:
                return [seals.rejected(self, verdict, name)]
            return seals.read(self, name, self.parcels.owner(name), True)
        item = self.visit.current
        if symbology == Symbology.QR and seals.binding(self, item) and not self._is_tag(item, code, symbology):
            return seals.bind(self, code, codes.identities(code, symbology))
        identities = codes.identities(code, symbology)
        parcel = self.parcels.find(identities)
        if parcel is not None:
            return self._parcel(parcel)
        owner = self.parcels.owner(code) if len(code) <= seals.LENGTH_MAX else 0
        if owner:
            return seals.read(self, code, owner, False)
        number = codes.item_number(code, symbology) if not typed else code if codes.is_item_number(code) else None
        if number is not None:
            owner = self.parcels.item_owner(number)
            if owner or self._is_tag(item, code, symbology):
                return counter.tag(self, number, owner)
        if fault:
            return [refused(fault, CodeKind.UNKNOWN)]
        if typed:
            # What nobody expects cannot be checked, so it proves nothing.
            return [refused(Verdict.UNKNOWN, CodeKind.TYPED)]
        if seals.binding(self, item) and self.mode == Mode.PACK and len(code) <= seals.LENGTH_MAX:
            return seals.bind(self, code, identities)
        origin = self.rules.origin(self.mode, MODE_ACTIONS[self.mode])
        if self.mode != Mode.HANDOUT and not self.parcels.listed and len(code) <= _ID_MAX and origin:
            return self._parcel(self.parcels.fresh(code, origin))
        if symbology == Symbology.QR and len(code) <= seals.LENGTH_MAX and counter.wants_seal(self, item):
            return seals.read(self, code, 0, False)
        return [refused(Verdict.UNKNOWN, CodeKind.UNKNOWN)]

    def begin(
        self, parcel, action: int, kind: int, item: "Item | None" = None, parts: "dict[int, bytes] | None" = None
    ) -> Decision:
        """A step of one parcel: done, refused, or what it still lacks."""
        if not parcel.here:
            return self._stays(parcel, action, Verdict.KNOWN_NOT_HERE, kind)
        step = self.rules.step(self.mode, action, parcel.state)
        if step is None:
            verdict = Verdict.WRONG_STATE
            if parcel.state == State.HELD:
                verdict = Verdict.HELD
            elif self.rules.leads(self.mode, action, parcel.state):
                verdict = Verdict.REPEAT
            return self._stays(parcel, action, verdict, kind)
        item = item or Item(parcel, self.now)
        if parts:
            for need in parts:
                item.got[need] = parts[need]
        return self.done_or_asked(item, action, step, kind, item.got)

    def done_or_asked(self, item, action: int, step, kind: int, got: "dict[int, bytes]") -> Decision:
        """The step with what was gathered: done when nothing is missing."""
        parcel = item.parcel
        missing = steps.missing(self.rules, item, action, step, self.handover.met, got)
        after = parcel.state if missing else step.to or parcel.state
        verdict = missing or Verdict.OK
        if not missing and got.get(Verdict.NEED_RESULT, _INTACT) != _INTACT:
            verdict = Verdict.HELD if step.fail == State.HELD else Verdict.OK
            after = step.fail or after
        decision = about(action, verdict, kind, parcel, after)
        decision.parts.update(steps.parts(item, got))
        self.handover.mark(decision, self.mode)
        if action == Action.STORE and parcel.cell and not missing:
            decision.parts[Tlv.CELL] = parcel.cell
        if self.bag and self.mode == Mode.BAG:
            decision.parts[Tlv.BAG] = self.bag
        decision.effect = lambda seq: self._took(item, action, step, kind, got, missing, seq)
        return decision

    def bring(self, need: int, value: bytes, kind: int) -> "list[Decision]":
        """Something that a person was asked for: the step goes on, or is done."""
        item = self.pointed
        if item is None or item.asked is None or not steps.asks_for(self.rules, item, need):
            return []
        action, step, _ = item.asked
        got = dict(item.got)
        got[need] = value
        if action == Action.OVERRIDE:
            return [ladder.override(self, item, step, kind, got)]
        return [self.done_or_asked(item, action, step, kind, got)]

    def unreadable(self, tries: int) -> "Decision | None":
        """Nothing was read `tries` times for the parcel on the counter."""
        return ladder.unreadable(self, tries)

    def overdue(self, now: int) -> "Decision | None":
        """A parcel was taken from its cell and its seal was not read in time."""
        item = self.visit.overdue(self.rules, now)
        if item is None:
            return None
        item.waits = False
        return about(Action.NOTE, Verdict.LEFT_UNSCANNED, CodeKind.NONE, item.parcel, item.parcel.state)

    def done(self, decision: Decision, seq: int) -> None:
        """The decision is durable record `seq`."""
        parts = decision.parts
        self.parcels.apply(seq, decision.action, decision.verdict, decision.ref, decision.before, decision.after, parts)
        if decision.effect is not None:
            decision.effect(seq)
        item = self.visit.holds(decision.ref)
        if item is not None:
            item.parcel.state = decision.after
            if self.mode == Mode.HANDOUT and decision.after not in (State.IDENTIFIED, State.VERIFIED):
                self.visit.remove(item)
        self._remember(seq, decision)
        self.routes.record(decision, parts)

    def replay(self, head, parts: "dict[int, bytes]", newer: bool) -> None:
        """A record of before this start. What the manifest knew already moves no state, but a used seal stays used."""
        before = head.state_before if newer else head.state_after
        self.parcels.apply(head.seq, head.action, head.verdict, head.order_ref, before, head.state_after, parts)
        if head.verdict == Verdict.OK:
            if head.action in (Action.SHIFT_OPEN, Action.SHIFT_CLOSE):
                shift.replayed(self, head)
            elif head.action == Action.OVERRIDE:
                self.people.spend("override")
            elif head.flags & Flag.MANUAL and Tlv.CODE in parts:
                self.people.spend("typed")
        decision = Decision(head.action, head.verdict).about(head.order_ref, head.state_before, head.state_after)
        decision.parts = {tag: parts[tag] for tag in (Tlv.ORDER, Tlv.SEAL, Tlv.BAG, Tlv.REF_SEQ) if tag in parts}
        decision.route = head.route
        self._remember(head.seq, decision)
        self.routes.record(decision, parts)
        if head.verdict == Verdict.OK and head.code_kind == CodeKind.TOKEN and head.action == Action.HANDOVER_OUT:
            self.countersigned()

    def clear(self) -> None:
        """Nothing is on the counter."""
        self.visit = Visit()
        self._loose = None
        self.entry = None
        self.pages = []

    def point(self, item: Item) -> None:
        """Cards speak of this parcel from here on."""
        if self.mode == Mode.HANDOUT:
            self._loose = None if self.visit.holds(item.parcel.ref) is item else item
        else:
            self.visit = Visit()
            self.visit.items.append(item)
            self._loose = None

    def countersigned(self) -> None:
        """The other party has proof of what was handed over: it cannot be taken back alone."""
        self._undoable = [(seq, done) for seq, done in self._undoable if done.action != Action.HANDOVER_OUT]
        self.handover.closed = True

    def forget_steps(self) -> None:
        """Another person's steps are not to be taken back."""
        self._undoable = []

    def _decide(self, code: bytes, symbology: int, kind: int) -> "list[Decision]":
        if kind == CodeKind.NONE:
            return [refused(Verdict.REFUSED_CODE, CodeKind.UNKNOWN)]
        if not self.rules.number:
            return [refused(Verdict.NO_RULES, kind)]
        card, value = cards.read(code) if kind == CodeKind.COMMAND else (0, b"")
        if kind == CodeKind.COMMAND and not card:
            return [refused(Verdict.REFUSED_CODE, CodeKind.COMMAND)]
        if card == Command.DIGIT:
            return ladder.typed(self) if self.entry is not None and self.entry.put(value) else []
        if card == Command.ENTER:
            return ladder.typed(self) if self.entry is not None and self.entry.enter() else []
        if card == Command.OK:
            return self.confirm(self.now)
        self.entry = None
        self.pages = []
        if card == Command.BADGE:
            return shift.badge(self, value)
        if self.rules.needs_badge and (not self.actor or self.people.locked):
            return [refused(Verdict.NO_SHIFT, kind)]
        if shift.unread(self) == self.rules.number:
            return [refused(Verdict.NEW_RULE, kind)]
        if card:
            return self._card(card, value)
        stale = self._stale()
        if stale == Verdict.STALE_LIST:
            return [refused(Verdict.STALE_LIST, CodeKind.UNKNOWN)]
        if code.startswith(handover.PREFIX):
            return [handover.token(self, code)]
        decisions = self.code(code, symbology)
        return stale + decisions if stale else decisions

    def _card(self, card: int, value: bytes) -> "list[Decision]":
        if card in MODE_ACTIONS:
            return [self._mode(card)]
        if card in _GATHERS:
            return self._gathered(card, value)
        action = COMMAND_ACTIONS.get(card)
        if card == Command.OVERRIDE:
            return [ladder.begin_override(self)]
        if action is not None:
            return [self._command(card, action, value)]
        handler = _HANDLERS.get(card)
        if handler is None:
            return []
        return handler(self, value)

    def _mode(self, mode: int) -> Decision:
        if not self.rules.may(self.people.hand, mode):
            return refused(Verdict.NOT_ALLOWED, CodeKind.COMMAND)
        decision = told(Action.NOTE, Verdict.OK)
        decision.effect = lambda seq: self.set_mode(mode)
        return decision

    def set_mode(self, mode: int) -> None:
        self.mode = mode
        self.late = (0, 0)
        self.bag = b""
        self.handover = handover.Handover()
        self.clear()

    def _gathered(self, card: int, value: bytes) -> "list[Decision]":
        """A card with a reason, a result or a photo."""
        kind = CodeKind.COMMAND
        if card == Command.PHOTO:
            kind = CodeKind.PHOTO
            content = _photo(value)
        else:
            number = cards.number(value)
            content = b"" if not 0 < number < 0x100 else bytes((number,))
            if card == Command.RESULT and number not in _CONDITIONS:
                content = b""
            if card == Command.REASON and content:
                content = steps.number(number)
        if not content:
            return [refused(Verdict.REFUSED_CODE, kind)]
        need = _GATHERS[card]
        decisions = self.bring(need, content, kind)
        if decisions:
            return decisions
        item = self.pointed
        if item is None or card != Command.PHOTO:
            return [refused(Verdict.NO_VISIT, kind)]
        # A photo that nobody asked for is evidence all the same.
        note = about(Action.NOTE, Verdict.OK, kind, item.parcel, item.parcel.state)
        note.parts[Tlv.PHOTO if len(content) == 16 else Tlv.CAMERA] = content
        note.effect = lambda seq: item.got.update({need: content})
        return [note]

    def _command(self, card: int, action: int, value: bytes) -> Decision:
        """A card that does something to the parcel that was scanned last."""
        item = self.pointed
        if item is None:
            return refused(Verdict.NO_VISIT, CodeKind.COMMAND)
        if card == Command.PART:
            return counter.part(self, item, cards.number(value))
        decision = self.begin(item.parcel, action, CodeKind.COMMAND, item)
        if action == Action.INSPECT and decision.verdict == Verdict.NEED_RESULT:
            item.inspected = True
        return decision

    def _parcel(self, parcel) -> "list[Decision]":
        if self.late[0]:
            return [route.late_entry(self, parcel)]
        if self.mode == Mode.HANDOUT:
            return [counter.retrieve(self, parcel)]
        if self.mode == Mode.ROUTE and not self.routes.number:
            return [refused(Verdict.NO_ROUTE, CodeKind.ORDER)]
        if self.mode == Mode.BAG and not self.bag:
            return [refused(Verdict.NEED_ACT, CodeKind.ORDER)]
        action = MODE_ACTIONS[self.mode]
        decision = self.begin(parcel, action, CodeKind.ORDER)
        if self.handover.has(parcel.ref) and decision.verdict == Verdict.OK and parcel.state == decision.after:
            decision.verdict = Verdict.REPEAT
        return [decision]

    def _stays(self, parcel, action: int, verdict: int, kind: int) -> Decision:
        decision = about(action, verdict, kind, parcel, parcel.state)
        if verdict in (Verdict.HELD, Verdict.WRONG_STATE, Verdict.REPEAT):
            known = self.visit.holds(parcel.ref)
            decision.effect = lambda seq: self.point(known or Item(parcel, self.now))
        return decision

    def _took(self, item, action, step, kind, got, missing, seq) -> None:
        """A step is recorded."""
        item.got = dict(got)
        if missing:
            item.asked = (action, step, kind)
        else:
            item.asked = None
            for need in step.needs:
                if need not in (Verdict.NEED_SEAL, Verdict.NEED_ITEM):
                    item.got.pop(need, None)
        if action in _POINTING or missing:
            self.point(item)
        if not missing:
            self.handover.took(item.parcel.ref, action)

    def _is_tag(self, item, code: bytes, symbology: int) -> bool:
        """Whether an item number is asked for, and this is one."""
        if item is None or codes.item_number(code, symbology) is None:
            return False
        return steps.asks_for(self.rules, item, Verdict.NEED_ITEM)

    def _stale(self):
        """Verdict.STALE_LIST where the rules say that nothing goes by an old list; a note of it, once a shift."""
        how = self.rules.limit("stale")
        made = self.parcels.made
        if not how or not made or not self.clock.trusted:
            return []
        if self.clock.utc() - made <= self.rules.limit("stale_s"):
            return []
        if how > 1:
            return Verdict.STALE_LIST
        if self.stale_told:
            return []
        note = told(Action.NOTE, Verdict.STALE_LIST, CodeKind.NONE)
        note.secret = True
        note.effect = lambda seq: setattr(self, "stale_told", True)
        return [note]

    def _remember(self, seq: int, decision: Decision) -> None:
        """What can be taken back: a step of this shift that moved a parcel, bound a seal or filled a bag."""
        if decision.verdict not in _MOVING:
            return
        if decision.action == Action.UNDO:
            back = decision.parts.get(Tlv.REF_SEQ, b"")
            self._undoable = [step for step in self._undoable if struct.pack(">I", step[0]) != back]
        elif decision.ref and (decision.after != decision.before or decision.action in _BINDING):
            self._undoable.append((seq, decision))
            if len(self._undoable) > _UNDOABLE:
                del self._undoable[0]

    def _undo(self, _: bytes) -> "list[Decision]":
        if not self._undoable:
            taken = self.handover.closed
            return [refused(Verdict.COUNTERSIGNED if taken else Verdict.NOTHING_TO_UNDO, CodeKind.COMMAND)]
        seq, undone = self._undoable[-1]
        decision = told(Action.UNDO, Verdict.OK).about(undone.ref, undone.after, undone.before)
        decision.parts[Tlv.REF_SEQ] = struct.pack(">I", seq)
        for part in (Tlv.ORDER, Tlv.SEAL, Tlv.BAG):
            if part in undone.parts:
                decision.parts[part] = undone.parts[part]
        decision.effect = lambda seq: self._loosen(undone.ref)
        return [decision]

    def _loosen(self, ref: int) -> None:
        """What was gathered for a step that was taken back counts no more."""
        item = self.visit.holds(ref)
        if item is not None:
            item.got = {}
            item.asked = None
            item.allowed = {}

    def _customer(self, secret: bytes) -> "list[Decision]":
        """A customer's code is a bearer secret: only its salted hash is kept."""
        if not self.rules.may(self.people.hand, Mode.HANDOUT):
            return [refused(Verdict.NOT_ALLOWED, CodeKind.COMMAND)]
        decision = told(Action.CUSTOMER_IDENT, Verdict.OK, CodeKind.CUSTOMER)
        digest = hashlib.sha256(_BEARER_TAG)
        digest.update(self.terminal)
        digest.update(secret)
        decision.parts[Tlv.BEARER] = digest.digest()
        decision.secret = True
        decision.effect = lambda seq: self.set_mode(Mode.HANDOUT)
        return [decision]

    def _cell(self, cell: bytes) -> "list[Decision]":
        """The cell that a parcel was put into."""
        item = self.pointed
        if item is None:
            return [refused(Verdict.NO_VISIT, CodeKind.CELL)]
        if len(cell) > _CELL_MAX:
            return [refused(Verdict.REFUSED_CODE, CodeKind.CELL)]
        decision = about(Action.NOTE, Verdict.OK, CodeKind.CELL, item.parcel, item.parcel.state)
        decision.parts[Tlv.CELL] = cell
        return [decision]

    def _cancel(self, _: bytes) -> "list[Decision]":
        """What was asked is not done."""
        item = self.pointed
        if item is None:
            return [refused(Verdict.NO_VISIT, CodeKind.COMMAND)]
        decision = about(Action.NOTE, Verdict.NOTED, CodeKind.COMMAND, item.parcel, item.parcel.state)
        decision.effect = lambda seq: setattr(item, "asked", None)
        return [decision]


def _photo(value: bytes) -> bytes:
    """16 bytes of a photo's hash, or what to look up at a camera, at most 48 bytes."""
    if len(value) == _PHOTO_DIGITS:
        try:
            return bytes.fromhex(value.decode())
        except ValueError:
            pass
    return value if len(value) <= _ID_MAX and len(value) != 16 else b""


_INTACT = bytes((Condition.INTACT,))
_CONDITIONS = range(Condition.INTACT, Condition.DAMAGED + 1)
_MOVING = (
    Verdict.OK,
    Verdict.CONFIRM,
    Verdict.NEED_SEAL,
    Verdict.NEED_ITEM,
    Verdict.NEED_RESULT,
    Verdict.SEAL_OK,
    Verdict.SEAL_READ,
    Verdict.HELD,
)
_BINDING = (Action.SEAL_APPLY, Action.BAG_ADD)
_POINTING = tuple(action for mode, action in MODE_ACTIONS.items() if mode != Mode.HANDOUT)
_HANDLERS = {
    Command.CUSTOMER: Flow._customer,
    Command.UNDO: Flow._undo,
    Command.CELL: Flow._cell,
    Command.CANCEL: Flow._cancel,
    Command.CLOSE: shift.close,
    Command.SEALED: seals.mark_sealed,
    Command.DEFER: handover.defer,
    Command.ACT: handover.act,
    Command.SACK: handover.sack,
    Command.WAY: route.open_route,
    Command.ENDROUTE: route.close_route,
    Command.LATE: route.late,
    Command.TYPE: ladder.begin_typing,
    Command.CALL: ladder.call,
}
