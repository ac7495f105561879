"""A hand-over: who gives and who takes, each with the other's head in its records; bags; what is left for tomorrow."""

from micropython import const

from plomba_wire.vocabulary import MODE_ACTIONS, Action, CodeKind, Flag, Mode, State, Tlv, Verdict
from terminal.work import token as tokens
from terminal.work.decision import Decision, refused, told

PREFIX = tokens.TOKEN
_ACT_MAX = const(48)
_BAG_MAX = const(32)
ACTIONS = {Mode.GIVE: Action.HANDOVER_OUT, Mode.TAKE: Action.HANDOVER_IN, Mode.ARRIVAL: Action.HANDOVER_IN}
"""Mode of a hand-over -> what is done to each parcel."""
_BAGGED = (Mode.GIVE, Mode.TAKE, Mode.ARRIVAL, Mode.STAGE, Mode.ROUTE, Mode.STOP)


class Handover:
    """One hand-over. `peer` is the other terminal's head, TLV PEER_HEAD; `act` what stands for a party without one."""

    def __init__(self) -> None:
        self.peer = b""
        self.act = b""
        self._refs: "set[int]" = set()

    @property
    def met(self) -> bool:
        return bool(self.peer or self.act)

    @property
    def count(self) -> int:
        """Parcels so far."""
        return len(self._refs)

    def has(self, ref: int) -> bool:
        return ref in self._refs

    def took(self, ref: int, action: int) -> None:
        """A parcel was handed over, or taken."""
        if action in (Action.HANDOVER_OUT, Action.HANDOVER_IN):
            self._refs.add(ref)

    def drop(self, ref: int) -> None:
        """A parcel's step was taken back."""
        self._refs.discard(ref)

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
    if flow.mode == Mode.BAG:
        decision = told(Action.BAG_ADD, Verdict.OK, CodeKind.BAG)
        decision.parts[Tlv.BAG] = bag
        decision.effect = lambda seq: setattr(flow, "bag", bag)
        return [decision]
    if flow.mode not in _BAGGED:
        return [refused(Verdict.NO_VISIT, CodeKind.BAG)]
    return [_move_bag(flow, bag)]


def defer(flow, _: bytes) -> "list[Decision]":
    """The rest of an intake waits: what was not scanned stays with whoever had it."""
    if flow.mode not in (Mode.ARRIVAL, Mode.STORE, Mode.TAKE):
        return [refused(Verdict.NO_VISIT, CodeKind.COMMAND)]
    decision = told(Action.INTAKE_DEFER, Verdict.OK)
    decision.parts[Tlv.QUANTITY] = min(flow.handover.count, 0xFFFF).to_bytes(2, "big")
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
    members = flow.parcels.in_bag(bag)
    verdict = Verdict.OK
    after = State.NONE
    if not members:
        # Beside a marketplace's app nobody knows what is in it: the bag is taken as it is.
        verdict = Verdict.UNKNOWN if flow.parcels.listed else Verdict.OK
    for ref in members:
        step = flow.rules.step(flow.mode, action, members[ref])
        if step is None:
            verdict = Verdict.REPEAT if flow.rules.leads(flow.mode, action, members[ref]) else Verdict.WRONG_STATE
            break
        if Verdict.NEED_ACT in step.needs and not flow.handover.met:
            verdict = Verdict.NEED_ACT
            break
        after = step.to
    decision = told(action, verdict, CodeKind.BAG)
    decision.parts[Tlv.BAG] = bag
    decision.parts[Tlv.QUANTITY] = min(len(members), 0xFFFF).to_bytes(2, "big")
    flow.handover.mark(decision, flow.mode)
    decision.count = (len(members), len(members))
    if verdict == Verdict.OK:
        decision.after = after
        decision.effect = lambda seq: [flow.handover.took(ref, action) for ref in members]
    return decision
