"""What cannot be undone any more, because the shift is over or somebody else did it, a supervisor corrects: the newest
step of the parcel on this terminal is taken back, with a reason."""

import struct

from plomba_wire.vocabulary import Action, CodeKind, Flag, Tlv, Verdict
from terminal.work import asking, steps, undo
from terminal.work.decision import Decision, about, refused


def begin(flow) -> Decision:
    """The card «исправить», for the parcel that was scanned last."""
    item = flow.pointed
    if item is None:
        return refused(Verdict.NO_VISIT, CodeKind.COMMAND)
    step = flow.rules.step(flow.mode, Action.UNDO, item.parcel.state)
    if step is None:
        return about(Action.UNDO, Verdict.NOT_ALLOWED, CodeKind.COMMAND, item.parcel, item.parcel.state)
    return go_on(flow, item, step, CodeKind.COMMAND, asking.at_hand(item, Action.UNDO))


def go_on(flow, item, step, kind: int, got: "dict[int, bytes]") -> Decision:
    """The correction with what was gathered for it: what it lacks, or done."""
    parcel = item.parcel
    found = flow.owner.newest_move(parcel.ref)
    if found is None or found[1].state_after != parcel.state:
        return about(Action.UNDO, Verdict.NOTHING_TO_UNDO, kind, parcel, parcel.state)
    seq, head, parts = found
    missing = steps.missing(flow.rules, item, Action.UNDO, step, False, got)
    after = parcel.state if missing else head.state_before
    decision = about(Action.UNDO, missing or Verdict.OK, kind, parcel, after)
    decision.parts.update(steps.parts(item, got))
    decision.parts.pop(Tlv.SEAL, None)
    decision.parts[Tlv.REF_SEQ] = struct.pack(">I", seq)
    if not missing:
        decision.flags |= Flag.OVERRIDE
        decision.parts.update(undo.bound(head.action, parts))
    decision.effect = lambda seq: _took(flow, item, step, kind, got, missing)
    return decision


def _took(flow, item, step, kind: int, got: "dict[int, bytes]", missing: int) -> None:
    if missing:
        item.asked = (Action.UNDO, step, kind)
        item.got = dict(got)
        flow.point(item)
        return
    flow.clear()
