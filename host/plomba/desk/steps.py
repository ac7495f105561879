"""What counts of one record, where an order stands, and what the one did to the other. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from plomba_wire.vocabulary import Action, State, Verdict

MOVED = "moved"
DONE = "done"
TRAINING = "training"
NOTHING = "nothing"
ALREADY = "already"
WRONG_STATE = "wrong_state"
CLAIM = "claim"
GATE = "gate"
SEAL = "seal"
TAKEN = "taken"
INCOMPLETE = "incomplete"
UNDO = "undo"
"""What a record did to its order: moved it; was done, and the order stayed where it was; was made in training mode; an
action and verdict that move nothing. Or why it did nothing: the order was there already; it was elsewhere; the
terminal says it went where it cannot go from there; its class leaves from another state, or unproved; the seal read is
none of its; the seal is another order's, or was broken; the record lacks what it has to say; what it takes back is not
there to be taken back."""

Identity = tuple[bytes, int, int]
"""(terminal, epoch, seq) of a record."""
Taken = Callable[[bytes], bool]
"""Whether a seal is some order's, or was until it was broken."""


# Scan and Step are made for every record: frozen, they would take four times as long to make.


@dataclass(slots=True)
class Scan:
    """What counts of one record. `claim` is the terminal's state_after, `refers` the record it speaks of.

    `seal` is the seal that was read or bound, `need` the verdict that an override answered; `need`, `condition` and
    `quantity` are 0 when it says nothing of them. `whole`:
    it names no order, and stands for every parcel in `bag`. `peer`: the terminal of the other side of a hand-over,
    where the desk knows it, `stranger` where it names one that the desk does not know; `act`: the number that stands
    for a side without one.
    """

    action: int
    verdict: int
    claim: int = State.NONE
    training: bool = False
    overridden: bool = False
    seal: bytes = b""
    bag: bytes = b""
    whole: bool = False
    condition: int = 0
    quantity: int = 0
    need: int = 0
    identity: Identity = (b"", 0, 0)
    refers: Identity | None = None
    actor: int = 0
    place: int = 0
    peer: bytes = b""
    stranger: bool = False
    act: bytes = b""

    @property
    def by_act(self) -> bool:
        """Whether an act is all that stands for the other side."""
        return bool(self.act) and not self.peer

    @property
    def undoes(self) -> Identity | None:
        """The record which this one takes back."""
        return self.refers if self.action == Action.UNDO and self.verdict == Verdict.OK else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Half of a hand-over that waits for the other. `side`: "out", the giver has scanned, or "in", the taker has;
    `entry` is that record, `actor` whose badge it was, `peer` the terminal it names; `kind` and `party`: the taker who
    waits for custody."""

    side: str
    entry: Identity
    peer: bytes
    actor: int
    kind: str = ""
    party: str = ""


class Standing(NamedTuple):
    """Where an order stands. `party`: which of the holders; `pair`: half of a hand-over that is open. `bag` b"" is
    none; `seals` are bound to it, `broken` were. `held`: while it is HELD, the state in which it was held.

    Of the visit it is in: `proved`, whether its seal was read as its class wants; `overrides`, the decisions about it,
    each with the verdict that it answered; `refused`, how many records say that a part was refused.
    """

    state: int
    holder: str
    bag: bytes = b""
    seals: frozenset[bytes] = frozenset()
    broken: frozenset[bytes] = frozenset()
    proved: bool = False
    overrides: frozenset[tuple[Identity, int]] = frozenset()
    refused: int = 0
    party: str = ""
    pair: Pair | None = None
    held: int = State.NONE


@dataclass(slots=True)
class Step:
    """What one record did to its order. `disputed`: the terminal says something that the desk does not; `incident`:
    what the record is the report of, "" for nothing."""

    was: Standing
    now: Standing
    claim: int
    why: str
    disputed: bool
    incident: str = ""

    @property
    def before(self) -> int:
        return self.was.state

    @property
    def after(self) -> int:
        return self.now.state

    @property
    def moved(self) -> bool:
        return self.why == MOVED

    @property
    def counted(self) -> bool:
        """Whether it was done, so that it can be taken back."""
        return self.why in (MOVED, DONE)


_SCALARS = ("state", "holder", "bag", "proved", "refused", "party", "pair", "held")
_SETS = ("seals", "broken", "overrides")


def taken_back(step: Step, standing: Standing) -> Standing | None:
    """`standing` without what `step` did to it; None when something has changed it since."""
    values: dict[str, object] = {}
    for name in _SCALARS:
        was, now, held = (getattr(one, name) for one in (step.was, step.now, standing))
        if was == now:
            values[name] = held
        elif held == now:
            values[name] = was
        else:
            return None
    for name in _SETS:
        was, now, held = (getattr(one, name) for one in (step.was, step.now, standing))
        if not now - was <= held:
            return None
        values[name] = held - (now - was) | (was - now)
    if step.now.seals - step.was.seals:
        # What was proved with a seal is not proved without it.
        values["proved"] = False
    return Standing(**values)  # type: ignore[arg-type]
