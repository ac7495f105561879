"""What the terminal made of a scan or a key: the content of one record."""

from typing import TYPE_CHECKING

from micropython import const

from plomba_wire.vocabulary import Action, CodeKind, State, Symbology, Tlv

ORDER_MAX = const(48)
"""Bytes of the longest order id, or other code of a parcel, that a record names it by."""

if TYPE_CHECKING:
    from typing import Callable


class Decision:
    """`ref` is the order's index in records (0 = no order); `parts` are the record's TLVs, `flags` bits of its head.

    `route` names another route than the open one; `actor` overrides the badge of the open shift; `effect` is called
    with the record's number once it is durable.
    `next` is the verdict whose next step is told in place of its own, 0 = its own. `count` is (n, N), where there is
    one. `secret`: what was read is not to be recorded, nor shown. `parcel` is the
    one it is about, None = none.
    """

    def __init__(self, action: int, verdict: int) -> None:
        self.action = action
        self.verdict = verdict
        self.code_kind = CodeKind.NONE
        self.symbology = Symbology.NONE
        self.tries = 0
        self.flags = 0
        self.route = 0
        self.ref = 0
        self.before = State.NONE
        self.after = State.NONE
        self.parts: dict[int, bytes] = {}
        self.actor = -1
        self.effect: "Callable[[int], object] | None" = None
        self.next = 0
        self.count: "tuple[int, int] | None" = None
        self.secret = False
        self.parcel = None

    def about(self, ref: int, before: int, after: int) -> "Decision":
        self.ref = ref
        self.before = before
        self.after = after
        return self


def about(action: int, verdict: int, kind: int, parcel, after: int) -> Decision:
    """A decision about a parcel."""
    decision = Decision(action, verdict).about(parcel.ref, parcel.state, after)
    decision.parcel = parcel
    decision.code_kind = kind
    if len(parcel.id) <= ORDER_MAX:
        decision.parts[Tlv.ORDER] = parcel.id
    return decision


def told(action: int, verdict: int, kind: int = CodeKind.COMMAND) -> Decision:
    """A decision about no parcel."""
    decision = Decision(action, verdict)
    decision.code_kind = kind
    return decision


def refused(verdict: int, kind: int) -> Decision:
    """A scan that came to nothing."""
    return told(Action.REFUSED_SCAN, verdict, kind)
