"""Seals: which one was read, to which parcel it is bound, and which may never be let go with."""

from micropython import const

from plomba_wire.vocabulary import Action, CodeKind, Mode, OrderClass, Verdict
from plomba_wire.vocabulary import Tlv as Part
from terminal.objects.rules import APPLY
from terminal.work import asking, counter, steps
from terminal.work.decision import Decision, about, refused

PREFIX = b"PLS*"
"""Opens a seal of our own making: it is verified before it is compared."""
LENGTH_MAX = const(64)


def rejected(flow, verdict: int, name: bytes) -> Decision:
    """A seal of our own that is none: forged, void, never issued, by somebody who may not."""
    item = flow.visit.current
    if item is None:
        return refused(verdict, CodeKind.SEAL)
    decision = about(Action.SEAL_CHECK, verdict, CodeKind.SEAL, item.parcel, item.parcel.state)
    if name:
        decision.parts[Part.SEAL] = name
    return decision


def read(flow, seal: bytes, owner: int, signed: bool) -> "list[Decision]":
    """A seal was read. `owner` as of Parcels.owner; `signed`: it is of our own making, and genuine."""
    current = flow.visit.current
    if binding(flow, current) and owner in (0, current.parcel.ref):
        return _bind(flow, current, seal)
    item = flow.visit.holds(owner) or current
    if item is None:
        return [refused(Verdict.NO_VISIT, CodeKind.SEAL)]
    parcel = item.parcel
    step = flow.rules.step(flow.mode, Action.SEAL_CHECK, parcel.state)
    after = parcel.state
    elsewhere = [other for other in flow.visit.items if other is not item and other.seal == seal]
    if flow.parcels.used(seal):
        verdict = Verdict.SEAL_USED
    elif elsewhere or (owner != parcel.ref and (owner or parcel.bound)):
        verdict = Verdict.WRONG_SEAL
    elif step is None:
        verdict = Verdict.WRONG_STATE if flow.mode == Mode.HANDOUT else Verdict.NO_VISIT
    else:
        verdict = Verdict.SEAL_OK if owner == parcel.ref else Verdict.SEAL_READ
        after = step.to or after
    decision = about(Action.SEAL_CHECK, verdict, CodeKind.SEAL, parcel, after)
    if signed:
        decision.parts[Part.SEAL] = seal
    if verdict in (Verdict.SEAL_OK, Verdict.SEAL_READ):
        decision.next = counter.lacking(flow, item, after, Verdict.NEED_SEAL, seal)
        decision.effect = lambda seq: item.got.update({Verdict.NEED_SEAL: seal})
    return [decision]


def mark_sealed(flow, _: bytes) -> "list[Decision]":
    """The card «с пломбой»: at intake the next QR is this parcel's seal, at hand-out any seal has to be read."""
    item = flow.pointed
    if item is None:
        return [refused(Verdict.NO_VISIT, CodeKind.COMMAND)]
    verdict = Verdict.SEAL_READ if item.seal else Verdict.NEED_SEAL
    decision = about(Action.INTAKE_CHECK, verdict, CodeKind.COMMAND, item.parcel, item.parcel.state)
    decision.effect = lambda seq: _sealed(flow, item)
    return [decision]


def binding(flow, item) -> bool:
    """Whether the next seal is to be bound to this parcel."""
    if item is None or item.asked is None:
        return False
    if item.asked[0] == Action.SEAL_APPLY:
        return True
    return APPLY not in item.got and steps.asks_for(flow.rules, item, APPLY)


def bind(flow, seal: bytes, identities: "list[tuple[int, bytes]]") -> "list[Decision]":
    """A text that is to be a parcel's seal."""
    item = flow.visit.current
    if flow.parcels.find(identities) is not None or len(seal) > LENGTH_MAX:
        return [refused(Verdict.REFUSED_CODE, CodeKind.SEAL)]
    return _bind(flow, item, seal)


def _bind(flow, item, seal: bytes) -> "list[Decision]":
    parcel = item.parcel
    owner = flow.parcels.owner(seal)
    verdict = Verdict.OK
    if flow.parcels.used(seal):
        verdict = Verdict.SEAL_USED
    elif owner not in (0, parcel.ref) or (parcel.live and owner != parcel.ref):
        # Another one is bound already: it comes off first, by an undo or a breaking.
        verdict = Verdict.WRONG_SEAL
    decision = about(Action.SEAL_APPLY, verdict, CodeKind.SEAL, parcel, parcel.state)
    if verdict != Verdict.OK:
        return [decision]
    decision.parts[Part.SEAL] = seal
    decision.effect = lambda seq: _bound(item, seal)
    if item.asked[0] == Action.SEAL_APPLY:
        return [decision]
    action, step, kind = item.asked
    got = dict(item.got)
    got[APPLY] = seal
    return [decision, asking.go_on(flow, item, action, step, kind, got)]


def _bound(item, seal: bytes) -> None:
    item.parcel.bound = item.parcel.live = True
    if item.asked is not None and item.asked[0] == Action.SEAL_APPLY:
        item.asked = None
    else:
        item.got[APPLY] = seal


def _sealed(flow, item) -> None:
    item.parcel.order_class = OrderClass.SEALED
    if flow.mode != Mode.HANDOUT:
        item.asked = (Action.SEAL_APPLY, None, CodeKind.SEAL)
