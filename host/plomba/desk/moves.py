"""One way that a record leads an order, and how the one that a record means is found. Values and pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plomba.desk.steps import (
    ALREADY,
    CLAIM,
    GATE,
    INCOMPLETE,
    MOVED,
    NOTHING,
    SEAL,
    TAKEN,
    WRONG_STATE,
    Scan,
    Standing,
    Taken,
)
from plomba_wire.vocabulary import Condition, State, Verdict

WORDS = {
    "given": ("", "quantity", "refused", "condition", "sound"),
    "proof": ("", "seal", "unsealed"),
    "seal": ("", "bind", "break"),
    "bag": ("", "in", "out"),
    "visit": ("", "anew"),
}
"""What a move in the file may say of each, "" when it says nothing."""
LACKING = "lacking"
UNSEALED = "unsealed"
"""Why a record did nothing, beside those in steps.py: the order lacks data that no scan can tell; no seal is bound to
it, and its class goes on with one only."""
_ALWAYS_LISTED = (CLAIM, SEAL, TAKEN, INCOMPLETE, LACKING, UNSEALED)
_SOUND = (0, Condition.INTACT)


@dataclass(frozen=True, slots=True)
class Move:
    """`to` State.NONE: the order stays where it is; `holder` "": it passes to nobody (lifecycle.toml). `incident`: what
    its record is the report of. `held`: only of an order that was held in one of these, None of any. `bound`: the
    classes that need a seal bound to them."""

    origins: frozenset[int]
    to: int
    holder: str
    given: str
    proof: str
    gate: Mapping[int, int]
    seal: str
    bag: str
    incident: str = ""
    visit: str = ""
    held: frozenset[int] | None = None
    bound: frozenset[int] = frozenset()

    def target(self, state: int) -> int:
        return self.to or state

    def possible(self, standing: Standing, scan: Scan) -> bool:
        """Whether an order that stands there may go this way by a record that says so much."""
        if standing.state not in self.origins or (self.held is not None and standing.held not in self.held):
            return False
        if self.given == "quantity":
            return scan.quantity > 0
        if self.given == "refused":
            return standing.refused > 0
        if self.given == "condition":
            return scan.condition not in _SOUND
        if self.given == "sound":
            return scan.condition in _SOUND
        return True


def chosen(group: Sequence[Move], standing: Standing, scan: Scan) -> tuple[Move | None, str]:
    """The one move a record means. Where several are possible, or others would be elsewhere, its claim picks."""
    if not group:
        return None, NOTHING
    state = standing.state
    possible = [move for move in group if move.possible(standing, scan)]
    claimed = [move for move in possible if move.target(state) == scan.claim]
    if claimed:
        return claimed[0], ""
    if not possible:
        if any(state in move.origins for move in group):
            return None, CLAIM if len(group) > 1 else INCOMPLETE
        return None, ALREADY if any(move.to == state for move in group) else WRONG_STATE
    if scan.claim == state and any(move.to == state for move in group):
        return None, ALREADY
    if scan.whole:
        # What is said of a bag is said of most that is in it: a parcel that only changes hands does so.
        possible = [move for move in possible if not move.to or scan.claim == State.NONE]
    elif scan.claim != State.NONE and any(scan.claim in (move.to, move.target(state)) for move in group):
        possible = []
    return (possible[0], "") if len(possible) == 1 else (None, CLAIM)


def refusal(move: Move, order_class: int, standing: Standing, scan: Scan, taken: Taken) -> str:
    """Why the move is not made, "" when it is."""
    if order_class in move.gate and not _let_go(move.gate[order_class], standing, scan):
        return GATE
    if order_class in move.bound and not standing.seals:
        return UNSEALED
    if move.proof == "seal" and scan.seal not in standing.seals:
        return SEAL
    if move.proof == "unsealed" and (standing.seals or standing.broken):
        return SEAL
    if (move.bag == "in" and not scan.bag) or (move.seal == "bind" and not scan.seal):
        return INCOMPLETE
    if move.seal == "bind" and scan.seal not in standing.seals and (scan.seal in standing.broken or taken(scan.seal)):
        return TAKEN
    return ""


def _let_go(state: int, standing: Standing, scan: Scan) -> bool:
    """Whether an order leaves from `state`, with its seal read or by a decision about the seal. A record that goes by
    decisions names the newest one of the visit, whatever that was about."""
    if standing.state != state:
        return False
    if not scan.overridden:
        return standing.proved
    here = {identity: need for identity, need in standing.overrides if identity[:2] == scan.identity[:2]}
    return scan.refers in here and (standing.proved or Verdict.NEED_SEAL in here.values())


def disputed(group: Sequence[Move], now: Standing, scan: Scan, why: str) -> bool:
    """Whether the terminal says something that the desk does not."""
    if why in _ALWAYS_LISTED:
        return True
    if why == WRONG_STATE and (scan.whole or any(move.seal or move.bag == "in" for move in group)):
        # What was not done shows in no state.
        return True
    if scan.whole:
        return why == GATE or (why == MOVED and scan.claim not in (State.NONE, now.state))
    return scan.claim not in (State.NONE, now.state)
