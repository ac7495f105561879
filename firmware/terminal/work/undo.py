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
_UNMOVING = (Action.SEAL_APPLY, Action.BAG_ADD, Action.DAMAGE, Action.LATE_ENTRY, Action.REFUSE)
_PARTS = (Tlv.ORDER, Tlv.SEAL, Tlv.BAG, Tlv.REF_SEQ, Tlv.PEER_HEAD)


class Undo:
    """The steps of the open shift that can be taken back, at most 16."""

    def __init__(self) -> None:
        self._steps: "list[tuple[int, Decision]]" = []
        self._fixed = 0
        self._why = 0

    def record(self, seq: int, decision: Decision) -> None:
        """Record `seq` moved a parcel, bound a seal, filled a bag, or took one of those back."""
        if decision.verdict not in _MOVING:
            return
        if decision.action == Action.UNDO:
            back = decision.parts.get(Tlv.REF_SEQ, b"")
            self._steps = [step for step in self._steps if struct.pack(">I", step[0]) != back]
        elif decision.ref and (decision.after != decision.before or decision.action in _UNMOVING):
            self._steps.append((seq, decision))
            if len(self._steps) > _MOST:
                del self._steps[0]
            if decision.action == Action.HANDOVER_IN and Tlv.PEER_HEAD in decision.parts:
                # The giver has a record of it too, and only a supervisor's word goes against both.
                self._fixed, self._why = seq, Verdict.COUNTERSIGNED
            elif decision.action == Action.INSPECT:
                self._fixed, self._why = seq, Verdict.NOT_ALLOWED

    def replayed(self, head, parts: "dict[int, bytes]") -> None:
        """A record of before this start."""
        decision = Decision(head.action, head.verdict).about(head.order_ref, head.state_before, head.state_after)
        decision.parts = {tag: parts[tag] for tag in _PARTS if tag in parts}
        self.record(head.seq, decision)

    def countersign(self) -> None:
        """The other party has proof of what was handed over: that, and what led there, is not taken back alone."""
        for seq, step in self._steps:
            if step.action == Action.HANDOVER_OUT:
                self._fixed, self._why = seq, Verdict.COUNTERSIGNED

    def forget(self) -> None:
        """Another person's steps are not to be taken back."""
        self._steps = []

    def take_back(self, flow) -> Decision:
        """The newest step is taken back."""
        if not self._steps:
            return refused(Verdict.NOTHING_TO_UNDO, CodeKind.COMMAND)
        seq, undone = self._steps[-1]
        if seq <= self._fixed:
            return refused(self._why, CodeKind.COMMAND)
        if flow.parcels.standing(undone.ref) not in (State.NONE, undone.after):
            # Somebody else has moved it since: a list says so, or it left in its bag.
            return refused(Verdict.NOTHING_TO_UNDO, CodeKind.COMMAND)
        decision = told(Action.UNDO, Verdict.OK).about(undone.ref, undone.after, undone.before)
        decision.parts[Tlv.REF_SEQ] = struct.pack(">I", seq)
        decision.parts.update(bound(undone.action, undone.parts))
        decision.effect = lambda seq: _loosen(flow, undone)
        return decision


def bound(action: int, parts: "dict[int, bytes]") -> "dict[int, bytes]":
    """What the record of a step that is taken back says beside its number: the order, and what that step bound. A seal
    that only was read stays bound, and so does a bag."""
    kept = {Tlv.ORDER: parts[Tlv.ORDER]} if Tlv.ORDER in parts else {}
    if action in (Action.SEAL_APPLY, Action.HANDOUT) and Tlv.SEAL in parts:
        kept[Tlv.SEAL] = parts[Tlv.SEAL]
    if action == Action.BAG_ADD and Tlv.BAG in parts:
        kept[Tlv.BAG] = parts[Tlv.BAG]
    return kept


def _loosen(flow, undone: Decision) -> None:
    """What was gathered for a step that was taken back counts no more."""
    item = flow.visit.holds(undone.ref)
    if item is not None:
        item.got = {}
        item.asked = None
        item.allowed = {}
        item.part = 0
        if undone.action == Action.SEAL_APPLY:
            item.parcel.live = item.parcel.bound = False
