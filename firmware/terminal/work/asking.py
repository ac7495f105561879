"""A step of one parcel: done at once, or asked for, piece by piece, until nothing is missing."""

from micropython import const

from plomba_wire.vocabulary import Action, CodeKind, Command, Condition, Mode, State, Tlv, Verdict
from terminal.objects.rules import APPLY
from terminal.work import cards, correction, counter, ladder, steps
from terminal.work.decision import ORDER_MAX, Decision, about, refused
from terminal.work.visit import Item

_PHOTO_HASH = const(16)
_BRINGS = {Command.REASON: Verdict.NEED_REASON, Command.RESULT: Verdict.NEED_RESULT, Command.PHOTO: Verdict.NEED_PHOTO}
_KEEPS = (Verdict.NEED_SEAL, Verdict.NEED_ITEM, APPLY)
"""What was read of a parcel counts for the whole visit; a reason or a photo for one step."""


def begin(flow, parcel, action: int, kind: int, item: "Item | None" = None) -> Decision:
    """A step of one parcel: done, refused, or what it still lacks."""
    if flow.elsewhere(parcel):
        return _stays(flow, parcel, action, Verdict.KNOWN_NOT_HERE, kind)
    step = flow.rules.step(flow.mode, action, parcel.state)
    if step is None:
        verdict = Verdict.WRONG_STATE
        if parcel.state == State.HELD:
            verdict = Verdict.HELD
        elif flow.rules.leads(flow.mode, action, parcel.state):
            verdict = Verdict.REPEAT
        return _stays(flow, parcel, action, verdict, kind)
    item = item or Item(parcel, flow.now)
    return go_on(flow, item, action, step, kind, at_hand(item, action))


def at_hand(item, action: int) -> "dict[int, bytes]":
    """What counts for a step that begins: what was read of the parcel, and a photo. Whoever gave a reason or a
    supervisor's word for another step did not give it for this one."""
    if item.asked is not None and item.asked[0] == action:
        return item.got
    return {need: item.got[need] for need in item.got if need in _KEEPS or need == Verdict.NEED_PHOTO}


def go_on(flow, item, action: int, step, kind: int, got: "dict[int, bytes]") -> Decision:
    """The step with what was gathered: done when nothing is missing."""
    parcel = item.parcel
    missing = steps.missing(flow.rules, item, action, step, flow.handover.met, got)
    after = parcel.state if missing else step.to or parcel.state
    verdict = missing or Verdict.OK
    if not missing and got.get(Verdict.NEED_RESULT, _INTACT) != _INTACT:
        verdict = Verdict.HELD if step.fail == State.HELD else Verdict.OK
        after = step.fail or after
    decision = about(action, verdict, kind, parcel, after)
    decision.parts.update(steps.parts(item, got))
    flow.handover.mark(decision, flow.mode)
    if action == Action.STORE and parcel.cell and not missing:
        decision.parts[Tlv.CELL] = parcel.cell
    if flow.bag and flow.mode == Mode.BAG:
        decision.parts[Tlv.BAG] = flow.bag
    if action == Action.INSPECT and verdict == Verdict.OK:
        decision.next = counter.lacking(flow, item, after, looked=True) or Verdict.CONFIRM
    decision.effect = lambda seq: _took(flow, item, action, step, kind, got, missing)
    return decision


def bring(flow, need: int, value: bytes, kind: int) -> "list[Decision]":
    """Something that a person was asked for: the step goes on, or is done. Nothing where nobody asked."""
    item = flow.pointed
    if not steps.asks_for(flow.rules, item, need):
        return []
    action, _, _ = item.asked
    # The rules may be others since it was asked.
    step = flow.rules.step(flow.mode, action, item.parcel.state)
    if step is None:
        return [about(action, Verdict.WRONG_STATE, kind, item.parcel, item.parcel.state)]
    got = dict(item.got)
    got[need] = value
    if action == Action.HANDOUT:
        return [counter.nearer(flow, item, step, kind, got)]
    if action == Action.OVERRIDE:
        return [ladder.override(flow, item, step, kind, got)]
    if action == Action.UNDO:
        return [correction.go_on(flow, item, step, kind, got)]
    return [go_on(flow, item, action, step, kind, got)]


def card(flow, number: int, value: bytes) -> "list[Decision]":
    """A card with a reason, a result or a photo."""
    kind = CodeKind.PHOTO if number == Command.PHOTO else CodeKind.COMMAND
    content = _photo(value) if number == Command.PHOTO else _numbered(number, value)
    if not content:
        return [refused(Verdict.REFUSED_CODE, kind)]
    need = _BRINGS[number]
    decisions = bring(flow, need, content, kind)
    if decisions:
        return decisions
    item = flow.pointed
    if item is None or number != Command.PHOTO:
        return [refused(Verdict.NO_VISIT, kind)]
    # A photo that nobody asked for is evidence all the same.
    note = about(Action.NOTE, Verdict.NOTED, kind, item.parcel, item.parcel.state)
    note.parts[Tlv.PHOTO if len(content) == _PHOTO_HASH else Tlv.CAMERA] = content
    note.next = counter.lacking(flow, item, item.parcel.state, need, content)
    if not note.next and flow.visit.holds(item.parcel.ref) is item and flow.mode == Mode.HANDOUT:
        note.next = Verdict.CONFIRM
    note.effect = lambda seq: item.got.update({need: content})
    return [note]


def brings(number: int) -> bool:
    """Whether a card brings what may have been asked for."""
    return number in _BRINGS


def command(flow, number: int, action: int, value: bytes) -> Decision:
    """A card that does something to the parcel that was scanned last."""
    item = flow.pointed
    if item is None:
        return refused(Verdict.NO_VISIT, CodeKind.COMMAND)
    if number == Command.PART:
        return counter.part(flow, item, cards.number(value))
    return begin(flow, item.parcel, action, CodeKind.COMMAND, item)


def cancel(flow, _: bytes) -> "list[Decision]":
    """What was asked is not done."""
    item = flow.pointed
    if item is None:
        return [refused(Verdict.NO_VISIT, CodeKind.COMMAND)]
    decision = about(Action.NOTE, Verdict.NOTED, CodeKind.COMMAND, item.parcel, item.parcel.state)
    decision.effect = lambda seq: _gave_up(item)
    return [decision]


def spent(flow, item, action: int, step) -> None:
    """What was gathered for a step that is done counts for no other."""
    for need in steps.wanted(flow.rules, item, action, step):
        if need not in _KEEPS:
            item.got.pop(need, None)


def _gave_up(item) -> None:
    item.got = at_hand(item, Action.NOTE)
    item.asked = None


def _stays(flow, parcel, action: int, verdict: int, kind: int) -> Decision:
    decision = about(action, verdict, kind, parcel, parcel.state)
    if verdict != Verdict.KNOWN_NOT_HERE:
        item = flow.visit.holds(parcel.ref) or Item(parcel, flow.now)
        decision.effect = lambda seq: flow.point(item)
    return decision


def _took(flow, item, action: int, step, kind: int, got: "dict[int, bytes]", missing: int) -> None:
    """A step is recorded."""
    item.got = dict(got)
    item.asked = (action, step, kind) if missing else None
    if action == Action.INSPECT:
        item.inspected = True
        item.looked = not missing
    flow.point(item)
    if missing:
        return
    flow.handover.took(item.parcel.ref, action)
    spent(flow, item, action, step)
    if action == Action.SEAL_BREAK:
        item.got.pop(Verdict.NEED_SEAL, None)
        item.parcel.live = False
        item.parcel.bound = True


def _numbered(number: int, value: bytes) -> bytes:
    """What a reason's or a result's card brings; empty for one that nobody printed."""
    count = cards.number(value)
    if number == Command.RESULT:
        return bytes((count,)) if count in _CONDITIONS else b""
    return steps.number(count) if 0 < count < 0x100 else b""


def _photo(value: bytes) -> bytes:
    """16 bytes of a photo's hash, or what to look up at a camera."""
    if len(value) == 2 * _PHOTO_HASH:
        try:
            return bytes.fromhex(value.decode())
        except ValueError:
            pass
    return value if len(value) <= ORDER_MAX and len(value) != _PHOTO_HASH else b""


_INTACT = bytes((Condition.INTACT,))
_CONDITIONS = range(Condition.INTACT, Condition.DAMAGED + 1)
