"""One order's course: where it stands, who answers for it since when, what it waits for. Pure: no clock, no disk.

It is taken record by record, from the import on, or from where a former course was kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from plomba.desk.calendars import Calendar
from plomba.desk.deadlines import Deadline, Plan, due
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.steps import Identity, Scan, Standing, Step, Taken
from plomba.desk.timeline import Timeline
from plomba.desk.times import Made
from plomba_wire.vocabulary import State

IMPORT = "import"
"""What begins the first deadline of an order."""
LATE = "late"
ON_TIME = "on_time"
UNPROVED = "unproved"
TAKEN_BACK = "taken_back"
REPORTED = "reported"
"""What became of a deadline: what it waited for was done after it, or before, or by a clock that does not tell; what
had begun it was taken back. Or the record itself reports what went wrong."""


class Wait(msgspec.Struct, array_like=True):
    """A deadline that runs. `entry` is what began it: a record's identity, "import" or "decision-N". `told`: whether it
    has passed and the incident is there. `terminal`: whose next record may be the one that it waits for, b"" for any
    near the order."""

    entry: str
    kind: str
    state: int
    due: int
    terminal: bytes
    told: bool = False


class Ended(msgspec.Struct, frozen=True):
    """What became of a deadline, by `record`; `late` is in s. The holder is whoever answered for the order then."""

    wait: Wait
    what: str
    record: str
    late: int
    holder: str
    party: str


class Spell(msgspec.Struct, frozen=True):
    """Who answers for the order from effect `position` on, at `since`; `owed`: whether somebody still does."""

    position: int
    since: int
    kind: str
    party: str
    owed: bool


class Effect(msgspec.Struct, frozen=True):
    """What one record or decision did. `number` is that of its row."""

    position: int
    number: int
    decided: bool
    at: int
    step: Step


class Kept(msgspec.Struct, array_like=True):
    """What the next record goes on from. `lone`: it may just be added, when it counts after all that is known."""

    standing: Standing
    at: int
    waits: list[Wait]
    records: int
    lone: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What of an order decides its course. `opened`: when the desk heard of it, s since 1970."""

    id: str
    order_class: int
    entered: int
    party: str
    plan: Plan
    calendar: Calendar
    seals: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Course:
    """`spells` and `effects` hold what came since it was begun or resumed; `ended` what became of deadlines."""

    order: Order
    lifecycle: Lifecycle
    timeline: Timeline
    at: int
    waits: list[Wait]
    records: int = 0
    lone: bool = True
    effects: list[Effect] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    ended: dict[tuple[str, str], Ended] = field(default_factory=dict)
    _by_record: dict[Identity, list[Wait]] = field(default_factory=dict)
    _reopened: dict[Identity, list[Ended]] = field(default_factory=dict)

    @classmethod
    def begun(cls, order: Order, lifecycle: Lifecycle, opened: int) -> Course:
        """As imported; `opened` is when it began."""
        timeline = Timeline(lifecycle, order.order_class, order.entered, order.seals, order.party)
        course = cls(order, lifecycle, timeline, opened, [])
        course._spell(-1, timeline.standing)
        course._wait(IMPORT, order.entered, b"")
        return course

    @classmethod
    def resumed(cls, order: Order, lifecycle: Lifecycle, kept: bytes) -> Course:
        """From where `keep` left it."""
        held = _KEPT.decode(kept)
        timeline = Timeline.resumed(lifecycle, order.order_class, held.standing)
        return cls(order, lifecycle, timeline, held.at, held.waits, held.records, held.lone)

    def keep(self) -> bytes:
        return msgspec.json.encode(Kept(self.standing, self.at, self.waits, self.records, self.lone))

    @property
    def standing(self) -> Standing:
        return self.timeline.standing

    @property
    def open(self) -> bool:
        """Whether somebody still answers for it."""
        return self.standing.state not in self.lifecycle.ends

    @property
    def check_at(self) -> int | None:
        """When its next deadline passes."""
        return min((wait.due for wait in self.waits if not wait.told), default=None)

    def take(self, number: int, scan: Scan, made: Made | None, taken: Taken) -> bool:
        """One more record; False when it is of a whole bag, or of a route, and this parcel is not in there."""
        step = self.timeline.take(scan, taken)
        if step is None:
            return False
        self.lone = self.lone and made is not None
        self._account(number, step, made, identity(scan.identity), scan)
        return True

    def decide(self, number: int, kind: str, at: int) -> None:
        """A decision at the desk."""
        step = self.timeline.decide(kind)
        self._account(number, step, Made(at, at, at), f"decision-{number}", None)

    def _account(self, number: int, step: Step, made: Made | None, entry: str, scan: Scan | None) -> None:
        was, now = step.was, step.now
        if made is not None and made.when > self.at:
            self.at = made.when
        position = self.records
        self.records += 1
        self.effects.append(Effect(position, number, scan is None, self.at, step))
        if (was.holder, was.party, was.state in self.lifecycle.ends) != (now.holder, now.party, not self.open):
            self._spell(position, now)
        if scan is not None and scan.undoes is not None and step.counted:
            self._undo(scan, scan.undoes, entry, was)
            return
        terminal = b"" if scan is None else scan.identity[0]
        if was.pair != now.pair:
            self._finish(entry, made, was, scan, pairs=True)
        if was.state != now.state:
            self._finish(entry, made, was, scan, pairs=False)
        if now.pair is not None and was.pair != now.pair:
            self._wait(entry, State.HANDING, now.pair.peer)
        if was.state != now.state:
            if now.state != State.HANDING:
                self._wait(entry, now.state, terminal)
            elif scan is not None and scan.by_act:
                self._begin(entry, State.HANDING, self.at, b"", self.lifecycle.by_act)
            elif now.pair is None:
                self._wait(entry, State.HANDING, b"" if scan is None else scan.peer)
        if step.incident:
            told = Wait(entry, step.incident, now.state, self.at, terminal, True)
            self._remember(scan, [told], Ended(told, REPORTED, entry, 0, was.holder, was.party))

    def _wait(self, entry: str, state: int, terminal: bytes) -> None:
        self._begin(entry, state, self.at, terminal, self.lifecycle.deadlines.get((state, self.order.order_class)))

    def _begin(self, entry: str, state: int, since: int, terminal: bytes, deadline: Deadline | None) -> None:
        if deadline is not None:
            moment = due(deadline, since, self.order.plan, self.order.calendar)
            self.waits.append(Wait(entry, deadline.incident, state, moment, terminal))

    def _finish(self, entry: str, made: Made | None, was: Standing, scan: Scan | None, *, pairs: bool) -> None:
        """Ends the deadline of the open pair, or of the state that was left. In HANDING without a pair, what is waited
        for is that it is left."""
        ended = [wait for wait in self.waits if (wait.state == State.HANDING and was.pair is not None) == pairs]
        self.waits = [wait for wait in self.waits if wait not in ended]
        for wait in ended:
            what, by = UNPROVED if made is None else ON_TIME, 0
            if made is not None and made.earliest > wait.due:
                what, by = LATE, made.when - wait.due
            self._remember(scan, [wait], Ended(wait, what, entry, by, was.holder, was.party))

    def _remember(self, scan: Scan | None, waits: list[Wait], ended: Ended) -> None:
        self.ended[ended.wait.entry, ended.wait.kind] = ended
        if scan is not None:
            self._by_record.setdefault(scan.identity, []).extend(waits)

    def _undo(self, scan: Scan, undone: Identity, entry: str, was: Standing) -> None:
        """What had begun with the record is taken back, and what had ended with it runs again. Of a record that takes
        something back itself it is the other way round."""
        again = self._reopened.setdefault(scan.identity, [])
        began = identity(undone)
        dropped = [wait for wait in self.waits if wait.entry == began]
        for wait in self._by_record.pop(undone, ()):
            held = self.ended[wait.entry, wait.kind]
            if held.what == REPORTED:
                dropped.append(wait)
            else:
                del self.ended[wait.entry, wait.kind]
                self.waits.append(wait)
            if held.what != TAKEN_BACK:
                again.append(held)
        for ended in self._reopened.pop(undone, ()):
            if ended.wait in self.waits:
                self.waits.remove(ended.wait)
            self.ended[ended.wait.entry, ended.wait.kind] = ended
        # An order that went round and came back since is where it was, and waits for what it waited for there.
        dropped += [wait for wait in self.waits if wait not in dropped and not self._runs(wait)]
        self.waits = [wait for wait in self.waits if wait not in dropped]
        for wait in dropped:
            self._remember(scan, [wait], Ended(wait, TAKEN_BACK, entry, 0, was.holder, was.party))

    def _runs(self, wait: Wait) -> bool:
        if wait.state == State.HANDING:
            return self.standing.pair is not None or self.standing.state == State.HANDING
        return wait.state == self.standing.state

    def _spell(self, position: int, now: Standing) -> None:
        self.spells.append(Spell(position, self.at, now.holder, now.party, self.open))


_KEPT = msgspec.json.Decoder(Kept)


def identity(record: Identity) -> str:
    """A record's identity as text: `terminal-epoch-seq`."""
    terminal, epoch, seq = record
    return f"{terminal.hex()}-{epoch}-{seq}"


def opening(imported: int, moments: Iterable[Made | None]) -> int:
    """When an order began: a scan of it may be older than its import."""
    return min([imported, *(made.when for made in moments if made is not None)])
