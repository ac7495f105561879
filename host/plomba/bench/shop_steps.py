"""What people do with the parcels of one organisation on one day: every scan, when, at which terminal. Seeded.

Orders go four ways: from the warehouse to a point and out of it, from the warehouse to a door, from what a courier left
at a point to its customer, and from a point's shelf. Some are short of goods at first, or shown with another seal, or
refused, lost and found, taken back, tried in vain, sent back and inspected; some hand-overs have one side only. Nothing
here reads the desk's lifecycle: what it says of a parcel's state is what the people know, and so it is a truth that the
desk can be held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from plomba.desk.orders import Order
from plomba_wire.vocabulary import Action, CodeKind, OrderClass, State, Verdict

MIDNIGHT = 1_789_948_800
"""2026-09-21 00:00 UTC."""
WAREHOUSE = 1
"""The place of the warehouse; points are 101 and on, a courier's is 0."""
_HOUR = 3600
_PAIR_S = 8
"""Between the two scans of one parcel at a hand-over and those of the next."""
_PACE_S = 3
_ROUND_S = 5 * _HOUR
"""Between a courier's two rounds."""
_POINT_COURIERS = 8
_SHORT = 50
_WRONG_SEAL = 25
"""Of one order in so many some goods are short at first, or another seal is read first."""


@dataclass(slots=True)
class Token:
    """What the screen of terminal `of` shows: its bytes once it was scanned."""

    of: int
    shown: bytes = b""


@dataclass(slots=True)
class Step:
    """One scan or key. `order` is an index, None where it is about none; `seal` is read or bound; `undoes` an earlier
    one of the same terminal. `seq` is there once it was signed."""

    time: int
    terminal: int
    action: int
    verdict: int = Verdict.OK
    order: int | None = None
    before: int = State.NONE
    after: int = State.NONE
    kind: int = CodeKind.ORDER
    seal: str = ""
    token: Token | None = None
    undoes: Step | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Staff:
    """Indexes of terminals by whose they are; `points` are (place, its terminals)."""

    warehouse: Sequence[int]
    couriers: Sequence[int]
    points: Sequence[tuple[int, Sequence[int]]]

    @classmethod
    def of(cls, terminals: int) -> Staff:
        """A sixth is the warehouse's, a third are couriers'; the others stand at points, two by two."""
        warehouse = range(max(1, terminals // 6))
        couriers = range(len(warehouse), len(warehouse) + max(2, terminals // 3))
        at = range(couriers.stop, max(terminals, couriers.stop + 2), 2)
        return cls(warehouse, couriers, [(101 + n, (first, first + 1)) for n, first in enumerate(at)])

    @property
    def count(self) -> int:
        return self.points[-1][1][-1] + 1

    @property
    def for_points(self) -> Sequence[int]:
        return self.couriers[: max(1, len(self.couriers) * _POINT_COURIERS // 20)]

    @property
    def for_doors(self) -> Sequence[int]:
        return self.couriers[len(self.for_points) :]

    def place(self, terminal: int) -> int:
        if terminal in self.couriers:
            return 0
        return next((place for place, terminals in self.points if terminal in terminals), WAREHOUSE)


@dataclass(slots=True)
class Day:
    """The steps of a day, in no order yet, and where each order is after all of them."""

    orders: Sequence[Order]
    staff: Staff
    random: Random
    steps: list[Step] = field(default_factory=list)
    state: list[int] = field(default_factory=list)
    seal: dict[int, str] = field(default_factory=dict)

    @classmethod
    def plan(cls, orders: Sequence[Order], staff: Staff, seed: int) -> Day:
        day = cls(orders, staff, Random(seed), state=[order.state for order in orders])
        day.seal = {at: order.seals[0] for at, order in enumerate(orders) if order.seals}
        day._run()
        return day

    def _run(self) -> None:
        for terminal in range(self.staff.count):
            self.steps.append(Step(MIDNIGHT + 5 * _HOUR - 600 + terminal, terminal, Action.SHIFT_OPEN))
        points = {place: n for n, (place, _) in enumerate(self.staff.points)}
        runs: dict[int, list[int]] = {}
        for at, order in enumerate(self.orders):
            point = points.get(order.place)
            if order.state == State.NEW:
                self._pack(at)
            if order.state in (State.NEW, State.STAGED):
                couriers = self.staff.for_doors if point is None else self.staff.for_points
                runs.setdefault(couriers[(at if point is None else point) % len(couriers)], []).append(at)
            elif point is not None:
                self._wait_at(at, point)
        for number, (courier, run) in enumerate(sorted(runs.items())):
            leaves = MIDNIGHT + 9 * _HOUR + number % 10 * 240
            if courier in self.staff.for_points:
                self._bring(courier, self._leave(courier, run, leaves), points)
                continue
            # To doors in two rounds: what is promised within hours cannot wait in the car all day.
            half = len(run) // 2
            for at, parcels in ((leaves, run[:half]), (leaves + _ROUND_S, run[half:])):
                self._doors(courier, self._leave(courier, parcels, at), at + 4800)
        self._way_back(points)

    def _scan(self, time: int, terminal: int, action: int, at: int, after: int, **more: object) -> Step:
        step = Step(int(time), terminal, action, order=at, before=self.state[at], after=after, **more)  # type: ignore[arg-type]
        self.state[at] = after
        self.steps.append(step)
        return step

    def _pack(self, at: int) -> None:
        """From the shop's list to the ramp."""
        terminal = self.random.choice(self.staff.warehouse)
        time = MIDNIGHT + self.random.randrange(7 * _HOUR, 8 * _HOUR + 1200)
        for action, after in (
            (Action.INTAKE_CHECK, State.ACCEPTED),
            (Action.PICK, State.PICKED),
            (Action.PACK, State.PACKED),
            (Action.STAGE, State.STAGED),
        ):
            if action == Action.PACK and self.orders[at].order_class == OrderClass.SEALED:
                self.seal[at] = f"PLA-{self.orders[at].id}"
                self._scan(
                    *(time - 20, terminal, Action.SEAL_APPLY, at, State.PICKED), kind=CodeKind.SEAL, seal=self.seal[at]
                )
            if action == Action.PICK and at % _SHORT == 0:
                # It is found in another place.
                self._scan(time - 30, terminal, Action.MISSING, at, State.HELD, kind=CodeKind.COMMAND)
                self._scan(time - 10, terminal, Action.RELEASE, at, State.ACCEPTED, kind=CodeKind.COMMAND)
            self._scan(time, terminal, action, at, after)
            time += self.random.randrange(40, 300)

    def _hand_over(
        self, giver: int, taker: int, run: Sequence[int], time: int, given: int, taken: int, lost: float = 0.0
    ) -> tuple[list[int], int]:
        """Each side scans the other's token, and then every parcel is scanned by both; `lost`: by one of them only.
        Returns what the taker has, and when it is over."""
        shown, answered = Token(taker), Token(giver)
        self.steps.append(Step(time, giver, Action.HANDOVER_OUT, kind=CodeKind.TOKEN, token=shown))
        self.steps.append(Step(time + 4, taker, Action.HANDOVER_IN, kind=CodeKind.TOKEN, token=answered))
        has = []
        for at in run:
            time += _PAIR_S
            one_side = self.random.random()
            if one_side >= lost / 3:
                self._scan(time, giver, Action.HANDOVER_OUT, at, given, token=shown)
            if one_side < lost / 3 or one_side >= lost:
                self._scan(time + 3, taker, Action.HANDOVER_IN, at, taken, token=answered)
                has.append(at)
        return has, time + _PAIR_S

    def _leave(self, courier: int, run: Sequence[int], time: int) -> list[int]:
        """The courier takes the parcels of a route and starts."""
        giver = self.staff.warehouse[courier % len(self.staff.warehouse)]
        has, time = self._hand_over(giver, courier, run, time, State.HANDING, State.WITH_COURIER, lost=0.015)
        for at in has:
            time += _PACE_S
            self._scan(time, courier, Action.ROUTE_START, at, State.ON_ROUTE)
        return has

    def _doors(self, courier: int, run: Sequence[int], begins: int) -> None:
        gap = min(600, 3 * _HOUR // max(1, len(run)))
        for number, at in enumerate(run):
            time = begins + number * gap
            if self.random.random() < 0.01:
                self._scan(time, courier, Action.ATTEMPT_FAILED, at, State.FAILED)
                continue
            self._scan(time, courier, Action.ARRIVE, at, State.AT_STOP)
            if self.random.random() < 0.05:
                self._scan(time + 30, courier, Action.ATTEMPT_FAILED, at, State.FAILED)
            else:
                self._visit(at, courier, time + 4, min(6, gap // 8 or 1))

    def _bring(self, courier: int, run: Sequence[int], points: dict[int, int]) -> None:
        """From the van to the shelves of its points."""
        time = MIDNIGHT + 11 * _HOUR
        by_point: dict[int, list[int]] = {}
        for at in run:
            by_point.setdefault(points[self.orders[at].place], []).append(at)
        for point, parcels in sorted(by_point.items()):
            for at in parcels:
                time += _PACE_S
                self._scan(time, courier, Action.ARRIVE, at, State.AT_STOP)
            terminal = self.staff.points[point][1][0]
            has, time = self._hand_over(courier, terminal, parcels, time, State.HANDING, State.AT_POINT, lost=0.003)
            for at in has:
                self._shelve(at, terminal, self.random.randrange(time + 60, time + 1800))
                if self.random.random() < 0.6:
                    self._fetched(at, point, max(time + 2000, MIDNIGHT + 14 * _HOUR))
            time += 1500

    def _wait_at(self, at: int, point: int) -> None:
        if self.state[at] == State.AT_POINT:
            terminal = self.random.choice(self.staff.points[point][1])
            self._shelve(at, terminal, MIDNIGHT + self.random.randrange(6 * _HOUR, 9 * _HOUR))
        if self.random.random() < 0.93:
            self._fetched(at, point, MIDNIGHT + 9 * _HOUR + 1800)

    def _shelve(self, at: int, terminal: int, time: int) -> None:
        stored = self._scan(time, terminal, Action.STORE, at, State.READY)
        if self.random.random() < 0.01:
            self._scan(*(time + 9, terminal, Action.UNDO, at, State.AT_POINT), kind=CodeKind.COMMAND, undoes=stored)
            self._scan(time + 30, terminal, Action.STORE, at, State.READY)

    def _fetched(self, at: int, point: int, opens: int) -> None:
        """The customer comes; or it is not on its shelf, and is found."""
        terminal = self.random.choice(self.staff.points[point][1])
        time = self.random.randrange(opens, MIDNIGHT + 20 * _HOUR + 1200)
        if self.random.random() < 0.01:
            self._scan(time, terminal, Action.MISSING, at, State.HELD, kind=CodeKind.COMMAND)
            time += 400
            self._scan(time, terminal, Action.RELEASE, at, State.READY, kind=CodeKind.COMMAND)
            time += 30
        self._visit(at, terminal, time, self.random.randrange(5, 20))

    def _visit(self, at: int, terminal: int, time: int, pace: int) -> None:
        sealed = self.orders[at].order_class == OrderClass.SEALED
        self.steps.append(Step(time, terminal, Action.CUSTOMER_IDENT, kind=CodeKind.CUSTOMER))
        verdict = Verdict.NEED_SEAL if sealed else Verdict.CONFIRM
        self._scan(time + pace, terminal, Action.RETRIEVE, at, State.IDENTIFIED, verdict=verdict)
        if sealed and at % _WRONG_SEAL == 0:
            self._scan(
                *(time + 2 * pace - 1, terminal, Action.SEAL_CHECK, at, State.IDENTIFIED),
                verdict=Verdict.WRONG_SEAL,
                kind=CodeKind.SEAL,
                seal=f"{self.seal[at]}-",
            )
        if sealed:
            self._scan(
                *(time + 2 * pace, terminal, Action.SEAL_CHECK, at, State.VERIFIED),
                verdict=Verdict.SEAL_OK,
                kind=CodeKind.SEAL,
                seal=self.seal[at],
            )
        if self.random.random() < 0.03:
            self._scan(time + 3 * pace, terminal, Action.REFUSE, at, State.REFUSED, kind=CodeKind.COMMAND)
        else:
            seal = self.seal[at] if sealed else ""
            self._scan(time + 3 * pace, terminal, Action.HANDOUT, at, State.DELIVERED, kind=CodeKind.KEY, seal=seal)

    def _way_back(self, points: dict[int, int]) -> None:
        """In the evening: what was refused at points goes to the warehouse with a courier, what was in vain at doors
        comes back with its own; most of it is inspected."""
        by_point: dict[int, list[int]] = {}
        back = []
        for at, state in enumerate(self.state):
            point = points.get(self.orders[at].place)
            if (state == State.FAILED and self.random.random() < 0.5) or (state == State.REFUSED and point is None):
                back.append(at)
            elif state == State.REFUSED and point is not None and self.random.random() < 0.6:
                by_point.setdefault(point, []).append(at)
        for point, parcels in sorted(by_point.items()):
            terminal = self.staff.points[point][1][0]
            time = MIDNIGHT + 20 * _HOUR + 2400
            for at in parcels:
                self._scan(time, terminal, Action.RETURN_OPEN, at, State.RETURNING, kind=CodeKind.COMMAND)
                time += _PACE_S
            courier = self.staff.for_points[point % len(self.staff.for_points)]
            has, _ = self._hand_over(terminal, courier, parcels, time, State.RETURNING, State.RETURNING)
            back += has
        for number, at in enumerate(back):
            terminal = self.staff.warehouse[number % len(self.staff.warehouse)]
            time = MIDNIGHT + 22 * _HOUR + number * _PACE_S
            self._scan(time, terminal, Action.RETURN_IN, at, State.RETURNED)
            if self.random.random() < 0.7:
                self._scan(time + 1800, terminal, Action.RETURN_INSPECT, at, State.INSPECTED)

    def idle(self, records: int) -> None:
        """Customers' codes read twice, until there are so many records."""
        at_points = [terminal for _, terminals in self.staff.points for terminal in terminals]
        while len(self.steps) < records:
            time = MIDNIGHT + self.random.randrange(9 * _HOUR, 20 * _HOUR)
            self.steps.append(Step(time, self.random.choice(at_points), Action.CUSTOMER_IDENT, kind=CodeKind.CUSTOMER))

    def in_time(self) -> Iterator[Step]:
        """As they were done; at one time in the order of the plan."""
        yield from sorted(self.steps, key=lambda step: step.time)
