"""Reads `lifecycle.toml` and says what a record does to an order. Pure functions: no clock, no disk, no order book."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol, TypeVar

from plomba.desk.words import codes, names
from plomba.errors import PlombaError
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import State

MOVED = "moved"
TRAINING = "training"
NOTHING = "nothing"
ALREADY = "already"
WRONG_STATE = "wrong_state"
GATE = "gate"
SEAL = "seal"
"""Why a record moved its order or did not: moved; made in training mode; an action and verdict that move nothing; the
order was there already; the order was elsewhere; its class leaves from another state; the seal read is none of its."""

_STATE_KEYS = {"holder", "entry", "end"}
_MOVE_KEYS = {"action", "verdicts", "from", "to", "proof", "gate"}


@dataclass(frozen=True, slots=True)
class Scan:
    """What counts of one record. `claim` is the terminal's state_after; `seal_bound`: the seal read is the order's.

    `identity` is (terminal, epoch, seq); `undoes` that of the record which this one takes back.
    """

    action: int
    verdict: int
    claim: int
    training: bool
    seal_bound: bool
    identity: tuple[bytes, int, int] = (b"", 0, 0)
    undoes: tuple[bytes, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one record did to its order."""

    before: int
    after: int
    claim: int
    why: str

    @property
    def moved(self) -> bool:
        return self.why == MOVED

    @property
    def disputed(self) -> bool:
        """Whether the terminal says the order ended up elsewhere."""
        return self.why != TRAINING and self.claim not in (State.NONE, self.after)


@dataclass(frozen=True, slots=True)
class _Move:
    origins: frozenset[int]
    to: int
    proof: str
    gate: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`holder`: state -> who holds an order there. `entries` may be imported; nothing leads out of `ends`."""

    holders: tuple[str, ...]
    holder: Mapping[int, str]
    entries: frozenset[int]
    ends: frozenset[int]
    _moves: Mapping[tuple[int, int], Sequence[_Move]]

    def step(self, order_class: int, state: int, scan: Scan) -> Step:
        """What `scan` does to an order of `order_class` that stands at `state`."""
        if scan.training:
            return Step(state, state, scan.claim, TRAINING)
        moves = self._moves.get((scan.action, scan.verdict), ())
        for move in moves:
            if state not in move.origins:
                continue
            if move.gate.get(order_class, state) != state:
                return Step(state, state, scan.claim, GATE)
            if move.proof == "seal" and not scan.seal_bound:
                return Step(state, state, scan.claim, SEAL)
            return Step(state, move.to, scan.claim, MOVED)
        if not moves:
            return Step(state, state, scan.claim, NOTHING)
        there = any(move.to == state for move in moves)
        return Step(state, state, scan.claim, ALREADY if there else WRONG_STATE)

    def replay(self, order_class: int, state: int, scans: Iterable[Scan]) -> list[Step]:
        """One step for each scan, from the state the order was imported in."""
        steps = []
        moved: dict[tuple[bytes, int, int], Step] = {}
        for scan in scans:
            if scan.undoes is None or scan.training:
                step = self.step(order_class, state, scan)
            else:
                step = _taken_back(moved.pop(scan.undoes, None), state, scan)
            if step.moved:
                moved[scan.identity] = step
            steps.append(step)
            state = step.after
        return steps


def _taken_back(undone: Step | None, state: int, scan: Scan) -> Step:
    """A compensating record: both stay, and the order is back where it was, unless something has moved it since."""
    if undone is None or undone.after != state:
        return Step(state, state, scan.claim, WRONG_STATE)
    return Step(state, undone.before, scan.claim, MOVED)


class Recorded(Protocol):
    """Anything that holds a record's head."""

    @property
    def head(self) -> RecordHead: ...


_R = TypeVar("_R", bound=Recorded)


def in_order(records: Iterable[_R]) -> list[_R]:
    """Records in the order they count, whatever the order they came in.

    One terminal's records stand by (epoch, seq), always. Several terminals are merged by t_utc, where a record counts
    as no earlier than the ones before it on its own terminal; ties go by terminal. A clock that was wrong can still
    misplace records of *different* terminals: repaired times with bounds are not here yet.
    """
    latest: dict[bytes, int] = {}
    placed = []
    for record in sorted(records, key=lambda record: (record.head.terminal, record.head.epoch, record.head.seq)):
        head = record.head
        time = max(latest.get(head.terminal, 0), head.t_utc)
        latest[head.terminal] = time
        placed.append(((time, head.terminal, head.epoch, head.seq), record))
    placed.sort(key=lambda pair: pair[0])
    return [record for _, record in placed]


@cache
def load() -> Lifecycle:
    """The lifecycle that ships with the desk. Raises PlombaError."""
    file = resources.files("plomba.desk").joinpath("lifecycle.toml")
    return parse(file.read_text(encoding="utf-8"), str(file))


def parse(text: str, path: str) -> Lifecycle:
    """A lifecycle from TOML. Raises PlombaError that names the place for a name nobody knows, two moves that
    contradict each other, a state nothing leads to, a move out of an end."""
    reader = _Reader(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise reader.wrong(str(error)) from error
    return reader.lifecycle(data)


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path

    def wrong(self, where: str) -> PlombaError:
        return PlombaError("desk_data_invalid", path=self._path, where=where)

    def lifecycle(self, data: Mapping[str, Any]) -> Lifecycle:
        holders = tuple(data.get("holders", ()))
        holder: dict[int, str] = {}
        marks: dict[str, set[int]] = {"entry": set(), "end": set()}
        for name, entry in data.get("state", {}).items():
            code = self._code("state", name, "state")
            if not isinstance(entry, dict) or set(entry) - _STATE_KEYS or entry.get("holder") not in holders:
                raise self.wrong(f"state.{name}")
            holder[code] = entry["holder"]
            for mark, members in marks.items():
                if entry.get(mark):
                    members.add(code)
        moves: dict[tuple[int, int], list[_Move]] = {}
        for number, entry in enumerate(data.get("move", ()), start=1):
            self._move(f"move {number}", entry, holder, marks["end"], moves)
        lifecycle = Lifecycle(holders, holder, frozenset(marks["entry"]), frozenset(marks["end"]), moves)
        self._check_reachable(lifecycle, [move for group in moves.values() for move in group])
        return lifecycle

    def _move(
        self,
        where: str,
        entry: Mapping[str, Any],
        states: Mapping[int, str],
        ends: set[int],
        moves: dict[tuple[int, int], list[_Move]],
    ) -> None:
        if set(entry) - _MOVE_KEYS or not {"action", "verdicts", "from", "to"} <= set(entry):
            raise self.wrong(where)
        action = self._code("action", entry["action"], where)
        origins = frozenset(self._code("state", name, where) for name in entry["from"])
        to = self._code("state", entry["to"], where)
        gate = {
            self._code("order_class", name, where): self._code("state", state, where)
            for name, state in entry.get("gate", {}).items()
        }
        if not origins or not entry["verdicts"] or entry.get("proof", "") not in ("", "seal"):
            raise self.wrong(where)
        if not ({to} | origins) <= set(states) or origins & ends or to in origins:
            raise self.wrong(f"{where}: from, to")
        if not set(gate.values()) <= origins:
            raise self.wrong(f"{where}: gate")
        move = _Move(origins, to, entry.get("proof", ""), gate)
        for name in entry["verdicts"]:
            group = moves.setdefault((action, self._code("verdict", name, where)), [])
            if any(other.origins & origins for other in group):
                raise self.wrong(f"{where}: {entry['action']} {name} moves twice")
            group.append(move)

    def _check_reachable(self, lifecycle: Lifecycle, moves: Sequence[_Move]) -> None:
        reached = set(lifecycle.entries)
        while grown := {move.to for move in moves if move.origins & reached} - reached:
            reached |= grown
        for code in sorted(set(lifecycle.holder) - reached):
            raise self.wrong(f"state.{names('state')[code]}: nothing leads to it")

    def _code(self, section: str, name: object, where: str) -> int:
        code = codes(section).get(name) if isinstance(name, str) else None
        if code is None:
            raise self.wrong(f"{where}: {section} {name}")
        return code
