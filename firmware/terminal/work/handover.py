"""A hand-over: who gives and who takes, each with the other's head in its records; bags; what is left for tomorrow."""

from micropython import const

from plomba_wire.vocabulary import MODE_ACTIONS, Action, CodeKind, Flag, Mode, State, Tlv, Verdict
from terminal.work import reading, steps
from terminal.work import token as tokens
from terminal.work.decision import Decision, refused, told
from terminal.work.visit import Item

PREFIX = tokens.TOKEN
_ACT_MAX = const(48)
_BAG_MAX = const(32)
ACTIONS = {Mode.GIVE: Action.HANDOVER_OUT, Mode.TAKE: Action.HANDOVER_IN, Mode.ARRIVAL: Action.HANDOVER_IN}
"""Mode of a hand-over -> what is done to each parcel."""
_INTAKES = (Mode.ARRIVAL, Mode.STORE, Mode.TAKE)
_BAGGED = (Mode.BAG, Mode.GIVE, Mode.TAKE, Mode.ARRIVAL, Mode.STAGE, Mode.ROUTE, Mode.STOP)


class Handover:
    """One hand-over. `peer` is the other terminal's head, TLV PEER_HEAD; `act` what stands for a party without one."""

    def __init__(self) -> None:
        self.peer = b""
        self.act = b""
        # Ref -> whether it was done since this mode was chosen; else it was found done.
        self._refs: "dict[int, bool]" = {}

    @property
    def met(self) -> bool:
        return bool(self.peer or self.act)

    @property
    def count(self) -> int:
        """Parcels so far, those included that were handed over before and scanned again."""
        return len(self._refs)

    @property
    def taken(self) -> int:
        """Parcels that were done since this mode was chosen."""
        return sum(self._refs.values())

    def has(self, ref: int) -> bool:
        return ref in self._refs

    def took(self, ref: int, action: int) -> None:
        """A parcel was handed over, or taken."""
        if action in (Action.HANDOVER_OUT, Action.HANDOVER_IN):
            self._refs[ref] = True

    def found(self, ref: int) -> None:
        """A parcel was handed over before: this terminal's head vouches for it too. 0: a bag nobody knows inside."""
        self._refs.setdefault(ref, False)

    def record(self, decision: Decision, mode: int) -> None:
        """What a record of this mode is to the hand-over."""
        ref, verdict = decision.ref, decision.verdict
        if not ref:
            return
        if decision.action == Action.UNDO:
            if verdict == Verdict.OK:
                self._refs.pop(ref, None)
        elif decision.action != MODE_ACTIONS[mode]:
            return
        elif verdict == Verdict.REPEAT and mode in ACTIONS:
            self.found(ref)
        elif verdict == Verdict.OK and mode in _INTAKES:
            self._refs[ref] = True

    def mark(self, decision: Decision, mode: int) -> None:
        """With whom it is, into the record of a parcel."""
        if mode not in ACTIONS:
            return
        if self.peer:
            decision.parts[Tlv.PEER_HEAD] = self.peer
            decision.flags |= Flag.PEER_HEAD
        if self.act:
            decision.parts[Tlv.ACT] = self.act


def token(flow, code: bytes) -> Decision:
    """The code on the other terminal's screen."""
    action = ACTIONS.get(flow.mode)
    if action is None:
        return refused(Verdict.NO_VISIT, CodeKind.TOKEN)
    peer = tokens.peer_head(code)
    if peer is None or peer[:8] == flow.terminal:
        return told(action, Verdict.TOKEN_WRONG, CodeKind.TOKEN)
    decision = told(action, Verdict.OK, CodeKind.TOKEN)
    decision.parts[Tlv.PEER_HEAD] = peer
    decision.flags |= Flag.PEER_HEAD
    decision.count = (flow.handover.count, 0)
    decision.effect = lambda seq: _met(flow, peer)
    return decision


def act(flow, number: bytes) -> "list[Decision]":
    """The act that stands for a party without a terminal."""
    action = ACTIONS.get(flow.mode)
    if action is None:
        return [refused(Verdict.NO_VISIT, CodeKind.ACT)]
    if len(number) > _ACT_MAX:
        return [refused(Verdict.REFUSED_CODE, CodeKind.ACT)]
    decision = told(action, Verdict.OK, CodeKind.ACT)
    decision.parts[Tlv.ACT] = number
    decision.effect = lambda seq: setattr(flow.handover, "act", number)
    return [decision]


def sack(flow, bag: bytes) -> "list[Decision]":
    """A bag: opened to be filled, or moved with all that is in it."""
    if len(bag) > _BAG_MAX:
        return [refused(Verdict.REFUSED_CODE, CodeKind.BAG)]
    if flow.mode not in _BAGGED:
        return [refused(Verdict.NO_VISIT, CodeKind.BAG)]
    if not flow.rules.may(flow.people.hand, flow.mode):
        return [refused(Verdict.NOT_ALLOWED, CodeKind.BAG)]
    stale = reading.stale(flow)
    if stale > 1:
        return [refused(Verdict.STALE_LIST, CodeKind.BAG)]
    if flow.mode == Mode.BAG:
        decision = told(Action.BAG_ADD, Verdict.OK, CodeKind.BAG)
        decision.parts[Tlv.BAG] = bag
        decision.effect = lambda seq: setattr(flow, "bag", bag)
    elif flow.mode == Mode.ROUTE and not flow.routes.number:
        decision = refused(Verdict.NO_ROUTE, CodeKind.BAG)
    else:
        decision = _move_bag(flow, bag)
    return [reading.stale_note(flow), decision] if stale else [decision]


def defer(flow, _: bytes) -> "list[Decision]":
    """The rest of an intake waits: what was not scanned stays with whoever had it."""
    if flow.mode not in _INTAKES:
        return [refused(Verdict.NO_VISIT, CodeKind.COMMAND)]
    decision = told(Action.INTAKE_DEFER, Verdict.OK)
    decision.parts[Tlv.QUANTITY] = min(flow.handover.taken, 0xFFFF).to_bytes(2, "big")
    flow.handover.mark(decision, flow.mode)
    decision.effect = lambda seq: flow.set_mode(flow.mode)
    return [decision]


def _met(flow, peer: bytes) -> None:
    flow.handover.peer = peer
    if flow.mode == Mode.GIVE:
        flow.undo.countersign()


def _move_bag(flow, bag: bytes) -> Decision:
    """One record for all that is in a bag: it moves whole, or not at all."""
    action = MODE_ACTIONS[flow.mode]
    members = [flow.parcels.known(ref, b"") for ref in flow.parcels.in_bag(bag)]
    verdict, after, repeated = _bag_step(flow, action, members or _unknown(flow, bag, action))
    if verdict == Verdict.OK and not after and members and all(flow.handover.has(parcel.ref) for parcel in members):
        verdict = Verdict.REPEAT
    decision = told(action, verdict, CodeKind.BAG)
    decision.parts[Tlv.BAG] = bag
    decision.parts[Tlv.QUANTITY] = min(len(members), 0xFFFF).to_bytes(2, "big")
    flow.handover.mark(decision, flow.mode)
    decision.count = (len(members), len(members))
    if verdict == Verdict.OK:
        decision.after = after if members else State.NONE
        decision.effect = lambda seq: _moved(flow, action, members)
    elif repeated:
        decision.effect = lambda seq: flow.handover.found(repeated)
    return decision


def _unknown(flow, bag: bytes, action: int) -> list:
    """What stands for the content of a bag that nobody knows: beside a marketplace's app it is taken as it is, with
    whatever its step needs. Nothing where there is a list."""
    return [] if flow.parcels.listed else [flow.parcels.fresh(bag, flow.rules.origin(flow.mode, action))]


def _bag_step(flow, action: int, members: list) -> "tuple[int, int, int]":
    """(verdict, state that all of it comes to or 0 where it stays, ref of the parcel that was moved before)."""
    if not members:
        return Verdict.UNKNOWN, State.NONE, 0
    moves = State.NONE
    ends = set()
    for parcel in members:
        if flow.elsewhere(parcel):
            return Verdict.KNOWN_NOT_HERE, State.NONE, 0
        step = flow.rules.step(flow.mode, action, parcel.state)
        if step is None:
            if flow.rules.leads(flow.mode, action, parcel.state):
                return Verdict.REPEAT, State.NONE, parcel.ref
            return Verdict.WRONG_STATE, State.NONE, 0
        # A bag brings nothing for any one of them: what lacks something is scanned alone.
        missing = steps.missing(flow.rules, Item(parcel, flow.now), action, step, flow.handover.met)
        if missing:
            return missing, State.NONE, 0
        moves = step.to or moves
        ends.add(step.to or parcel.state)
    # One record has one state for all of them.
    return (Verdict.OK if len(ends) == 1 else Verdict.WRONG_STATE), moves, 0


def _moved(flow, action: int, members: list) -> None:
    for parcel in members:
        flow.handover.took(parcel.ref, action)
    if not members:
        flow.handover.found(0)
