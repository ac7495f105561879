"""What can be taken back: this person's own steps of this shift, the newest first, as records that compensate. Whether
they were docked does not count; that another party has proof of them does."""

import struct

from micropython import const

from plomba_wire.vocabulary import Action, CodeKind, State, Tlv, Verdict
from terminal.work.decision import Decision, refused, told

_MOST = const(16)
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
_PARTS = (Tlv.ORDER, Tlv.SEAL, Tlv.BAG)


class Undo:
    """The steps of the open shift that can be taken back, at most 16."""

    def __init__(self) -> None:
        self._steps: "list[tuple[int, Decision]]" = []
        self._countersigned = False

    def record(self, seq: int, decision: Decision) -> None:
        """Record `seq` moved a parcel, bound a seal, filled a bag, or took one of those back."""
        if decision.verdict not in _MOVING:
            return
        if decision.action == Action.UNDO:
            back = decision.parts.get(Tlv.REF_SEQ, b"")
            self._steps = [step for step in self._steps if struct.pack(">I", step[0]) != back]
        elif decision.ref and (decision.after != decision.before or decision.action in _BINDING):
            self._steps.append((seq, decision))
            self._countersigned = False
            if len(self._steps) > _MOST:
                del self._steps[0]

    def replayed(self, head, parts: "dict[int, bytes]") -> None:
        """A record of before this start."""
        decision = Decision(head.action, head.verdict).about(head.order_ref, head.state_before, head.state_after)
        decision.parts = {tag: parts[tag] for tag in _PARTS + (Tlv.REF_SEQ,) if tag in parts}
        self.record(head.seq, decision)

    def countersign(self) -> None:
        """The other party has proof of what was handed over: that, and what led there, is not taken back alone."""
        last = -1
        for at in range(len(self._steps)):
            if self._steps[at][1].action == Action.HANDOVER_OUT:
                last = at
        self._steps = self._steps[last + 1 :]
        self._countersigned = last >= 0

    def forget(self) -> None:
        """Another person's steps are not to be taken back."""
        self._steps = []
        self._countersigned = False

    def take_back(self, flow) -> Decision:
        """The newest step is taken back."""
        if not self._steps:
            verdict = Verdict.COUNTERSIGNED if self._countersigned else Verdict.NOTHING_TO_UNDO
            return refused(verdict, CodeKind.COMMAND)
        seq, undone = self._steps[-1]
        if flow.parcels.standing(undone.ref) not in (State.NONE, undone.after):
            # Somebody else has moved it since: a list says so, or it left in its bag.
            return refused(Verdict.NOTHING_TO_UNDO, CodeKind.COMMAND)
        decision = told(Action.UNDO, Verdict.OK).about(undone.ref, undone.after, undone.before)
        decision.parts[Tlv.REF_SEQ] = struct.pack(">I", seq)
        for part in _PARTS:
            if part in undone.parts:
                decision.parts[part] = undone.parts[part]
        decision.effect = lambda seq: _loosen(flow, undone.ref)
        return decision


def _loosen(flow, ref: int) -> None:
    """What was gathered for a step that was taken back counts no more."""
    item = flow.visit.holds(ref)
    if item is not None:
        item.got = {}
        item.asked = None
        item.allowed = {}
        item.part = 0
