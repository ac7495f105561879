"""The step that a scan or a key means, by the rules and what is known of parcels: no I/O, no clock of its own.

A decision takes effect only when it is a durable record: `done` is called then, and what is on the counter changes
there. A scan may make two records: a seal that is bound, and the packing that it completes.
"""

import hashlib

from micropython import const

from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import (
    COMMAND_ACTIONS,
    MODE_ACTIONS,
    Action,
    CodeKind,
    Command,
    Flag,
    Mode,
    State,
    Tlv,
    Verdict,
)
from terminal.work import asking, cards, codes, correction, counter, handover, ladder, reading, route, seals, shift
from terminal.work.decision import Decision, about, refused, told
from terminal.work.parcels import Parcels
from terminal.work.people import People
from terminal.work.undo import Undo
from terminal.work.visit import Item, Visit

_BEARER_TAG = b"plomba/bearer/1"
_BEARER = cards.PREFIX + b"CUSTOMER*"
_CELL_MAX = const(12)
_LEFT = const(32)


class Flow:
    """`terminal` is the id that salts what must not be stored. `owner` makes challenges and knows their answers.

    `mode` is what the next parcel is in for, `entry` what is being typed, `pages` what BACK turns through; the
    first is shown; while it is empty, the verdict stays.
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
        self.routes = route.Route(self.parcels)
        self.undo = Undo()
        self.bag = b""
        self.entry = None
        self.pages: "list[list[bytes]]" = []
        self.late = (0, 0)
        self.stale_told = False
        self.closing = False
        self.rule_shown = self.rule_on_screen = 0
        self.put_off = 0
        self.badge = (0, 0)
        self.challenge = b""
        self.wrong_answers = 0
        self.left: "list[Item]" = []
        self._loose: "Item | None" = None

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
        if code.startswith(_BEARER):
            for decision in decisions:
                # Whatever came of it: it opens a door, and stands nowhere in clear text.
                decision.secret = True
        # A note that the list is old stands before what was read.
        first = next((decision for decision in decisions if decision.verdict != Verdict.STALE_LIST), None)
        if first is None and decisions:
            first = decisions[0]
        if first is not None and not first.secret:
            first.symbology = symbology
            if len(code) > CODE_MAX:
                first.parts[Tlv.LONG_CODE] = codes.long_code(code)
            else:
                first.parts[Tlv.CODE] = code
        return decisions

    def confirm(self, now: int) -> "list[Decision]":
        """The OK key."""
        self.now = now
        if self.entry is not None:
            return ladder.typed(self) if self.entry.take() else []
        number = shift.unread(self)
        if number and number == self.rule_on_screen:
            return shift.acknowledge(self, number)
        if number and number == self.rules.number:
            return [shift.read_first(self, CodeKind.KEY)]
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

    def done(self, decision: Decision, seq: int) -> None:
        """The decision is durable record `seq`."""
        parts = decision.parts
        self.parcels.apply(seq, decision.action, decision.verdict, decision.ref, decision.before, decision.after, parts)
        if decision.effect is not None:
            decision.effect(seq)
        # One record may move what another code is pointed at: a bag moves whole.
        for there in self.visit.items + ([self._loose] if self._loose is not None else []):
            there.parcel.state = self.parcels.state(there.parcel.ref) or there.parcel.state
        item = self.visit.holds(decision.ref)
        if item is not None and self.mode == Mode.HANDOUT and decision.after not in (State.IDENTIFIED, State.VERIFIED):
            self.visit.remove(item)
        if self.left and decision.ref and decision.after not in (State.IDENTIFIED, State.VERIFIED):
            self.left = [item for item in self.left if item.parcel.ref != decision.ref]
        self.undo.record(seq, decision)
        self.routes.record(decision, parts)
        self.handover.record(decision, self.mode)

    def replay(self, head, parts: "dict[int, bytes]", newer: bool, started: bool) -> None:
        """A record of before this manifest or, with `started`, before this start. What the manifest knew already moves
        no state, but a used seal stays used."""
        before = head.state_before if newer else head.state_after
        self.parcels.apply(head.seq, head.action, head.verdict, head.order_ref, before, head.state_after, parts)
        if not started:
            return
        if head.flags & Flag.MANUAL and Tlv.CODE in parts:
            self.people.spend("typed")
        if head.verdict == Verdict.OK:
            if head.action in (Action.SHIFT_OPEN, Action.SHIFT_CLOSE):
                shift.replayed(self, head)
            elif head.action == Action.OVERRIDE:
                self.people.spend("override")
        self.undo.replayed(head, parts)
        self.routes.replayed(head, parts)
        if head.verdict == Verdict.OK and head.code_kind == CodeKind.TOKEN and head.action == Action.HANDOVER_OUT:
            self.undo.countersign()

    def clear(self) -> None:
        """Nothing is on the counter; a parcel whose seal was never read is still waited for."""
        waiting = [item for item in self.visit.items if item.waits and counter.owes_seal(self, item)]
        self.left = (self.left + waiting)[-_LEFT:]
        self.visit = Visit()
        self._loose = None
        self.entry = None
        self.pages = []

    def relisted(self) -> None:
        """A fresh list is in force: a parcel that is gone by now is waited for no longer."""
        for item in self.left:
            item.parcel.state = self.parcels.standing(item.parcel.ref) or item.parcel.state
        self.left = [item for item in self.left if item.parcel.state in (State.IDENTIFIED, State.VERIFIED)]

    def point(self, item: Item) -> None:
        """Cards speak of this parcel from here on."""
        if self.mode == Mode.HANDOUT:
            self._loose = None if self.visit.holds(item.parcel.ref) is item else item
        else:
            self.visit = Visit()
            self.visit.items.append(item)
            self._loose = None

    def elsewhere(self, parcel) -> bool:
        """Whether the list says of a parcel that a place takes in or gives out that it belongs to another place. On its
        way it belongs to none."""
        if parcel.here or self.mode not in _AT_PLACE:
            return False
        return parcel.state != State.AT_STOP and not self.parcels.state(parcel.ref)

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
        self.rule_on_screen = 0
        self.closing = self.closing and card == Command.BADGE
        if card == Command.BADGE:
            return shift.badge(self, value)
        if self.rules.needs_badge and (not self.actor or self.people.locked):
            return [refused(Verdict.NO_SHIFT, kind)]
        if shift.unread(self) == self.rules.number:
            return [shift.read_first(self, kind)]
        if card:
            return self._card(card, value)
        stale = reading.stale(self)
        if stale > 1:
            return [refused(Verdict.STALE_LIST, CodeKind.UNKNOWN)]
        if code.startswith(handover.PREFIX):
            return [handover.token(self, code)]
        decisions = reading.text(self, code, symbology)
        return [reading.stale_note(self)] + decisions if stale else decisions

    def _card(self, card: int, value: bytes) -> "list[Decision]":
        if card in MODE_ACTIONS:
            return [self._mode(card)]
        if asking.brings(card):
            return asking.card(self, card, value)
        action = COMMAND_ACTIONS.get(card)
        if card == Command.OVERRIDE:
            return [ladder.begin_override(self)]
        if card == Command.CORRECT:
            return [correction.begin(self)]
        if action is not None:
            return [asking.command(self, card, action, value)]
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

    def _undo(self, _: bytes) -> "list[Decision]":
        return [self.undo.take_back(self)]

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
        if len(cell) > _CELL_MAX or not _readable(cell):
            return [refused(Verdict.REFUSED_CODE, CodeKind.CELL)]
        decision = about(Action.NOTE, Verdict.NOTED, CodeKind.CELL, item.parcel, item.parcel.state)
        decision.parts[Tlv.CELL] = cell
        return [decision]


def _readable(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeError:
        return False
    return True


_AT_PLACE = (Mode.ARRIVAL, Mode.STORE, Mode.HANDOUT)
_HANDLERS = {
    Command.CUSTOMER: Flow._customer,
    Command.UNDO: Flow._undo,
    Command.CELL: Flow._cell,
    Command.CANCEL: asking.cancel,
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
