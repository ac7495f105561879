"""A courier's route: opened by its card, closed when none of its orders is open. And what is entered afterwards."""

import struct

from micropython import const

from plomba_wire.vocabulary import MODE_ACTIONS, Action, CodeKind, Mode, State, Tlv, Verdict
from terminal.work import cards
from terminal.work.decision import Decision, about, refused, told

_OPEN = (
    State.WITH_COURIER,
    State.ON_ROUTE,
    State.AT_STOP,
    State.IDENTIFIED,
    State.VERIFIED,
    State.FAILED,
    State.REFUSED,
    State.RETURNING,
    # Held at the door, and released there: it is in the courier's hands all the same.
    State.HELD,
    State.READY,
)
_PAGE = const(8)
_TAIL = 6


class Route:
    """`number` is that of the open route, 0 = none; `open` is ref -> the end of the order's id, or of its bag's."""

    def __init__(self, parcels) -> None:
        self._parcels = parcels
        self.number = 0
        self.open: "dict[int, bytes]" = {}
        self._closed: "dict[int, bytes]" = {}

    def record(self, decision: Decision, parts: "dict[int, bytes]") -> None:
        """What a record of this terminal's does to its route."""
        action, verdict = decision.action, decision.verdict
        if action == Action.ROUTE_OPEN and verdict == Verdict.OK:
            self.number = decision.route
        elif action == Action.ROUTE_CLOSE and verdict == Verdict.OK:
            self.number = 0
            self.open = {}
            self._closed = {}
        elif decision.ref:
            self._order(decision, decision.ref, parts.get(Tlv.ORDER, b""))
        elif Tlv.BAG in parts and verdict == Verdict.OK and (decision.after or _ended(decision)):
            for ref in self._parcels.in_bag(parts[Tlv.BAG]):
                self._order(decision, ref, parts[Tlv.BAG])

    def _order(self, decision: Decision, ref: int, name: bytes) -> None:
        action, done = decision.action, decision.verdict == Verdict.OK
        if action == Action.ROUTE_START and done:
            self.open[ref] = name[-_TAIL:]
        elif ref in self.open and (decision.after not in _OPEN or _ended(decision)):
            self._closed[ref] = self.open.pop(ref)
        elif ref in self._closed and action == Action.UNDO and done and decision.after in _OPEN:
            self.open[ref] = self._closed.pop(ref)

    def replayed(self, head, parts: "dict[int, bytes]") -> None:
        """A record of before this start."""
        self.record(_record_of(head), parts)


def _record_of(head) -> Decision:
    decision = Decision(head.action, head.verdict).about(head.order_ref, head.state_before, head.state_after)
    decision.route = head.route
    return decision


def open_route(flow, value: bytes) -> "list[Decision]":
    """The card of a route."""
    number = cards.number(value)
    if not number:
        return [refused(Verdict.REFUSED_CODE, CodeKind.ROUTE)]
    if not flow.rules.may(flow.people.hand, Mode.ROUTE):
        return [refused(Verdict.NOT_ALLOWED, CodeKind.ROUTE)]
    if flow.routes.number not in (0, number):
        return close_route(flow, b"")
    decision = told(Action.ROUTE_OPEN, Verdict.REPEAT if flow.routes.number else Verdict.OK, CodeKind.ROUTE)
    decision.route = number
    decision.effect = lambda seq: flow.set_mode(Mode.ROUTE)
    return [decision]


def close_route(flow, _: bytes) -> "list[Decision]":
    """Refused while an order of the route is open; those are shown."""
    routes = flow.routes
    if not routes.number:
        return [refused(Verdict.NO_ROUTE, CodeKind.COMMAND)]
    decision = told(Action.ROUTE_CLOSE, Verdict.ORDERS_OPEN if routes.open else Verdict.OK)
    decision.parts[Tlv.QUANTITY] = struct.pack(">H", len(routes.open))
    if routes.open:
        tails = list(routes.open.values())
        decision.count = (len(tails), len(tails))
        # The empty page stands for the verdict, which is on the screen until BACK.
        pages = [[]] + [tails[at : at + _PAGE] for at in range(0, len(tails), _PAGE)]
        decision.effect = lambda seq: setattr(flow, "pages", pages)
    return [decision]


def late(flow, value: bytes) -> "list[Decision]":
    """From here on, until the next mode, what is scanned is entered as what was done while a terminal was dead."""
    minutes = cards.number(value)
    if not 0 < minutes < 1000:
        return [refused(Verdict.REFUSED_CODE, CodeKind.COMMAND)]
    action = MODE_ACTIONS[flow.mode]
    decision = told(Action.LATE_ENTRY, Verdict.NOTED)
    decision.parts[Tlv.LATE] = struct.pack(">BH", action, minutes)
    decision.effect = lambda seq: setattr(flow, "late", (action, minutes))
    return [decision]


def late_entry(flow, parcel) -> Decision:
    """An entry, never a scan: it moves nothing by itself."""
    decision = about(Action.LATE_ENTRY, Verdict.OK, CodeKind.ORDER, parcel, parcel.state)
    decision.parts[Tlv.LATE] = struct.pack(">BH", *flow.late)
    return decision


def _ended(decision: Decision) -> bool:
    """Whether an order is the courier's no longer whatever its state: given away, or lost."""
    return decision.action in (Action.HANDOVER_OUT, Action.MISSING) and decision.verdict == Verdict.OK
