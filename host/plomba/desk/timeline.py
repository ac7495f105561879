"""The records of orders in the order they count, and where they leave each order. Pure: no clock, no disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from plomba.desk.handover import agreed, left_open
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.steps import (
    DONE,
    MOVED,
    NOTHING,
    UNDO,
    WRONG_STATE,
    Identity,
    Scan,
    Standing,
    Step,
    Taken,
    taken_back,
)
from plomba_wire.vocabulary import Action, State


class Head(Protocol):
    """By what a record is put in order."""

    @property
    def terminal(self) -> bytes: ...
    @property
    def epoch(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def t_utc(self) -> int: ...


class Recorded(Protocol):
    """Anything that holds a head."""

    @property
    def head(self) -> Head: ...


_R = TypeVar("_R", bound=Recorded)


def in_order(records: Iterable[_R], behind: Callable[[_R], Identity | None]) -> list[_R]:
    """Records in the order they count, whatever the order they came in.

    One terminal's records stand by (epoch, seq), always. A record that proves to have been made behind another
    terminal's, `behind`, counts after that one and all before it there. Else terminals are merged by t_utc, ties by
    terminal: a clock that was wrong can still misplace records of different terminals that know nothing of each other.
    """
    queues: dict[bytes, deque[tuple[_R, Identity | None]]] = {}
    for record in sorted(records, key=lambda record: (record.head.terminal, record.head.epoch, record.head.seq)):
        queues.setdefault(record.head.terminal, deque()).append((record, behind(record)))
    merged = []
    while queues:
        terminal = _next(queues)
        merged.append(queues[terminal].popleft()[0])
        if not queues[terminal]:
            del queues[terminal]
    return merged


def _next(queues: Mapping[bytes, Sequence[tuple[_R, Identity | None]]]) -> bytes:
    """The terminal whose first record is next. It is the earliest of those that wait for nobody's; where terminals
    claim to wait for each other in a ring, one of them lies, and the earliest in the ring waits for nobody."""
    waits: dict[bytes, bytes] = {}
    for terminal, queue in queues.items():
        _, named = queue[0]
        if named is not None and named[0] in queues:
            first = queues[named[0]][0][0].head
            if (first.epoch, first.seq) <= named[1:]:
                waits[terminal] = named[0]

    def time(terminal: bytes) -> tuple[int, bytes]:
        return queues[terminal][0][0].head.t_utc, terminal

    free = queues.keys() - waits.keys()
    for terminal in waits:
        ring = [terminal]
        while (other := waits.get(ring[-1])) is not None and other not in ring:
            ring.append(other)
        if other == terminal:
            free.add(min(ring, key=time))
    return min(free, key=time)


class Timeline:
    """One order from its import on, record by record."""

    def __init__(
        self, lifecycle: Lifecycle, order_class: int, state: int, seals: Iterable[bytes] = (), party: str = ""
    ) -> None:
        """`seals` were bound to it when it was imported in `state`; `party` held it."""
        self.standing = Standing(state, lifecycle.holder[state], seals=frozenset(seals), party=party)
        self._lifecycle = lifecycle
        self._order_class = order_class
        self._counted: dict[Identity, Step] = {}
        self._idle: set[Identity] = set()

    @classmethod
    def resumed(cls, lifecycle: Lifecycle, order_class: int, standing: Standing) -> Timeline:
        """From where it stood. What records did before that cannot be taken back here."""
        timeline = cls.__new__(cls)
        timeline.standing = standing
        timeline._lifecycle = lifecycle
        timeline._order_class = order_class
        timeline._counted = {}
        timeline._idle = set()
        return timeline

    def owns(self, seal: bytes) -> bool:
        """Whether the seal is bound to it, or was until it was broken."""
        return seal in self.standing.seals or seal in self.standing.broken

    def take(self, scan: Scan, taken: Taken) -> Step | None:
        """What the record did; None when it is of a whole bag, or of a route, and this parcel is not in there."""
        undoes = scan.undoes
        if scan.whole and not self._inside(scan):
            return None
        if undoes is not None and not scan.training:
            step = self._take_back(undoes, scan)
        else:
            step = self._lifecycle.step(self._order_class, self.standing, scan, taken)
        if step.counted:
            self._counted[scan.identity] = step
        else:
            self._idle.add(scan.identity)
        self.standing = step.now
        return step

    def decide(self, kind: str) -> Step:
        """What a decision at the desk does."""
        here = self.standing
        now = self._lifecycle.decide(here, kind)
        if now is None:
            return Step(here, here, State.NONE, WRONG_STATE, True)
        self.standing = now
        return Step(here, now, State.NONE, MOVED, False)

    def _inside(self, scan: Scan) -> bool:
        if scan.undoes is not None:
            return scan.undoes in self._counted or scan.undoes in self._idle
        if scan.action == Action.ROUTE_CLOSE:
            return left_open(self.standing, scan) and self._lifecycle.concerns(self.standing, scan)
        return bool(scan.bag) and scan.bag == self.standing.bag

    def _take_back(self, undoes: Identity, scan: Scan) -> Step:
        """A compensating record: both stay, and what the other one did is undone, unless it was changed since."""
        here = self.standing
        step = self._counted.get(undoes)
        if step is None:
            # What did nothing here has nothing to be taken back; a record that is not here may have done something.
            differs = undoes not in self._idle or _differs(scan, here)
            return Step(here, here, scan.claim, NOTHING if undoes in self._idle else UNDO, differs)
        now = taken_back(step, here)
        if now is None or (agreed(step.was, step.now) and not scan.overridden):
            # What both sides have signed only a supervisor corrects.
            return Step(here, here, scan.claim, UNDO, True)
        del self._counted[undoes]
        return Step(here, now, scan.claim, MOVED if now.state != here.state else DONE, _differs(scan, now))


def _differs(scan: Scan, now: Standing) -> bool:
    """A record of a whole bag cannot say where each parcel was before."""
    return not scan.whole and scan.claim not in (State.NONE, now.state)
