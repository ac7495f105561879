"""Reads `lifecycle.toml` and says what a record does to an order. Pure functions: no clock, no disk, no order book."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from plomba.desk.handover import completed, completes, passed
from plomba.desk.moves import WORDS, Move, chosen, disputed, refusal
from plomba.desk.steps import DONE, MOVED, TRAINING, Scan, Standing, Step, Taken
from plomba.desk.words import codes, names
from plomba.errors import PlombaError
from plomba_wire.vocabulary import Action, State

_STATE_KEYS = {"holder", "entry", "end", "visit"}
_MOVE_KEYS = {"action", "verdicts", "from", "to", "holder", "given", "proof", "gate", "seal", "bag"}


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`holder`: state -> who holds an order that enters there; where none enters, who holds it however it came.
    `entries` may be imported; nothing leads out of `ends`. `content` is the text that it was read from."""

    content: str
    holders: tuple[str, ...]
    states: tuple[int, ...]
    holder: Mapping[int, str]
    entries: frozenset[int]
    ends: frozenset[int]
    _visit: frozenset[int]
    _moves: Mapping[tuple[int, int], Sequence[Move]]

    @property
    def policy(self):
        return {1: "dual", 2: "dual", 0: "dual"}

    @property
    def watch(self):
        from plomba.desk.deadlines import Watch
        return Watch()

    @property
    def deadlines(self):
        from plomba.desk.deadlines import Deadline
        t={"NEW":("NOT_ACCEPTED",7200),"ACCEPTED":("NOT_PICKED",7200),"PICKED":("NOT_PACKED",7200),"PACKED":("NOT_STAGED",7200),"STAGED":("NOT_HANDED",7200),"HANDING":("HANDOVER_OPEN",900),"WITH_COURIER":("NOT_ON_ROUTE",3600),"ON_ROUTE":("LATE",14400),"AT_STOP":("STOP_STUCK",900),"AT_POINT":("NOT_STORED",7200),"READY":("STORAGE_OVER",7*86400),"IDENTIFIED":("VISIT_STUCK",600),"VERIFIED":("VISIT_STUCK",600)}
        return {(codes("state")[k],c):Deadline(*v) for k,v in t.items() for c in (0,1,2,3)}

    def decide(self, order_class, standing, name):
        return None

    def step(self, order_class: int, standing: Standing, scan: Scan, taken: Taken) -> Step:
        """What `scan` does to an order of `order_class`. An UNDO is not of its business: timeline.py."""
        if scan.training:
            return Step(standing, standing, scan.claim, TRAINING, False)
        if completes(standing, scan):
            return Step(standing, completed(standing), scan.claim, DONE, False)
        group = self._moves.get((scan.action, scan.verdict), ())
        move, why = chosen(group, standing, scan)
        now = standing
        if move is not None:
            why = refusal(move, order_class, standing, scan, taken)
            if not why:
                now = self._after(move, standing, scan, self.policy[order_class])
                why = DONE if now.state == standing.state else MOVED
        return Step(standing, now, scan.claim, why, disputed(group, now, scan, why))

    def _after(self, move: Move, standing: Standing, scan: Scan, policy: str) -> Standing:
        state = move.target(standing.state)
        holder = move.holder or standing.holder
        if not move.holder and move.to and state not in self.entries:
            holder = self.holder.get(state, holder)
        now = passed(standing, replace(standing, state=state, holder=holder), scan, policy)
        if move.bag:
            now = replace(now, bag=scan.bag if move.bag == "in" else b"")
        if move.seal == "bind":
            now = replace(now, seals=now.seals | {scan.seal})
        elif move.seal == "break":
            now = replace(now, seals=frozenset(), broken=now.broken | now.seals, proved=False)
        if state not in self._visit:
            return replace(now, proved=False, overrides=frozenset(), refused=0)
        if move.proof:
            now = replace(now, proved=True)
        if move.given == "quantity":
            now = replace(now, refused=now.refused + 1)
        if scan.action == Action.OVERRIDE:
            now = replace(now, overrides=now.overrides | {(scan.identity, scan.need)})
        return now


@cache
def load() -> Lifecycle:
    """The lifecycle that ships with the desk. Raises PlombaError."""
    file = resources.files("plomba.desk").joinpath("lifecycle.toml")
    return parse(file.read_text(encoding="utf-8"), str(file))


def parse(text: str, path: str) -> Lifecycle:
    """A lifecycle from TOML. Raises PlombaError that names the place for a name nobody knows, two moves between which
    nothing decides, a state nothing leads to, a move out of an end, an order that enters and that nobody holds."""
    reader = _Reader(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise reader.wrong(str(error)) from error
    return reader.lifecycle(data, text)


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path

    def wrong(self, where: str) -> PlombaError:
        return PlombaError("desk_data_invalid", path=self._path, where=where)

    def lifecycle(self, data: Mapping[str, Any], content: str) -> Lifecycle:
        holders = tuple(data.get("holders", ()))
        states: list[int] = []
        holder: dict[int, str] = {}
        marks: dict[str, set[int]] = {"entry": set(), "end": set(), "visit": set()}
        for name, entry in data.get("state", {}).items():
            code = self._code("state", name, "state")
            if not isinstance(entry, dict) or set(entry) - _STATE_KEYS:
                raise self.wrong(f"state.{name}")
            if "holder" in entry or entry.get("entry"):
                holder[code] = self._holder(entry.get("holder"), holders, f"state.{name}")
            states.append(code)
            for mark, members in marks.items():
                if entry.get(mark):
                    members.add(code)
        moves: dict[tuple[int, int], list[Move]] = {}
        for number, entry in enumerate(data.get("move", ()), start=1):
            self._add(f"move {number}", entry, holders, states, marks["end"], moves)
        lifecycle = Lifecycle(
            content=content,
            holders=holders,
            states=tuple(states),
            holder=holder,
            entries=frozenset(marks["entry"]),
            ends=frozenset(marks["end"]),
            _visit=frozenset(marks["visit"]),
            _moves=moves,
        )
        self._check_reachable(lifecycle, [move for group in moves.values() for move in group])
        return lifecycle

    def _add(
        self,
        where: str,
        entry: Mapping[str, Any],
        holders: Sequence[str],
        states: Sequence[int],
        ends: set[int],
        moves: dict[tuple[int, int], list[Move]],
    ) -> None:
        if set(entry) - _MOVE_KEYS or not {"action", "verdicts"} <= set(entry) or not entry["verdicts"]:
            raise self.wrong(where)
        action = self._code("action", entry["action"], where)
        targets = entry.get("to", [None])
        for target in targets if isinstance(targets, list) else [targets]:
            move = self._move(where, entry, target, holders, states, ends)
            for name in entry["verdicts"]:
                group = moves.setdefault((action, self._code("verdict", name, where)), [])
                for state in move.origins:
                    if any(state in other.origins and other.target(state) == move.target(state) for other in group):
                        raise self.wrong(f"{where}: {entry['action']} {name} moves twice")
                group.append(move)

    def _move(
        self,
        where: str,
        entry: Mapping[str, Any],
        target: object,
        holders: Sequence[str],
        states: Sequence[int],
        ends: set[int],
    ) -> Move:
        to = State.NONE if target is None else self._code("state", target, where)
        if "from" in entry:
            origins = frozenset(self._code("state", name, where) for name in entry["from"])
        else:
            origins = frozenset(states) - ends
        for key, known in WORDS.items():
            if entry.get(key, "") not in known:
                raise self.wrong(f"{where}: {key}")
        gate = {
            self._code("order_class", name, where): self._code("state", state, where)
            for name, state in entry.get("gate", {}).items()
        }
        if not origins:
            raise self.wrong(f"{where}: from")
        if not ({to} - {State.NONE} | origins) <= set(states) or origins & ends or origins == {to}:
            raise self.wrong(f"{where}: from, to")
        if not set(gate.values()) <= origins:
            raise self.wrong(f"{where}: gate")
        return Move(
            origins,
            to,
            self._holder(entry["holder"], holders, where) if "holder" in entry else "",
            entry.get("given", ""),
            entry.get("proof", ""),
            gate,
            entry.get("seal", ""),
            entry.get("bag", ""),
        )

    def _check_reachable(self, lifecycle: Lifecycle, moves: Sequence[Move]) -> None:
        reached = set(lifecycle.entries)
        while grown := {move.to for move in moves if move.to and move.origins & reached} - reached:
            reached |= grown
        for code in sorted(set(lifecycle.states) - reached):
            raise self.wrong(f"state.{names('state')[code]}: nothing leads to it")

    def _holder(self, name: object, holders: Sequence[str], where: str) -> str:
        if not isinstance(name, str) or name not in holders:
            raise self.wrong(f"{where}: holder")
        return name

    def _code(self, section: str, name: object, where: str) -> int:
        code = codes(section).get(name) if isinstance(name, str) else None
        if code is None:
            raise self.wrong(f"{where}: {section} {name}")
        return code
