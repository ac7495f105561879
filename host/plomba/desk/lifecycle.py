"""Reads `lifecycle.toml` and says what a record does to an order. Pure functions: no clock, no disk, no order book."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from plomba.desk.deadlines import Deadline, Watch, read_deadline, read_incident, read_watch
from plomba.desk.handover import DUAL, POLICIES, completed, completes, contradicts, passed
from plomba.desk.moves import LACKING, WORDS, Move, chosen, disputed, refusal
from plomba.desk.steps import ALREADY, DONE, MOVED, TRAINING, WRONG_STATE, Scan, Standing, Step, Taken
from plomba.desk.words import codes, names
from plomba.errors import PlombaError
from plomba_wire.vocabulary import Action, OrderClass, State

_KEYS = {"watch", "holders", "custody", "state", "decision", "move"}
_STATE_KEYS = {"holder", "entry", "end", "visit", "deadline", "sealed", "act", "lacking"}
_MOVE_KEYS = {
    "action",
    "verdicts",
    "from",
    "to",
    "holder",
    "given",
    "proof",
    "gate",
    "seal",
    "bag",
    "incident",
    "visit",
    "held",
    "bound",
}
_DECISION_KEYS = {"name", "from", "to", "holder", "record", "held"}


@dataclass(frozen=True, slots=True)
class Way:
    """Where a decision leads an order, and whose it is then, "" for whoever held it. `held`: only one that was held in
    one of these, None any."""

    origins: frozenset[int]
    to: int
    holder: str
    held: frozenset[int] | None = None

    def possible(self, standing: Standing) -> bool:
        return standing.state in self.origins and (self.held is None or standing.held in self.held)


@dataclass(frozen=True, slots=True)
class Decided:
    """Where a decision may lead an order: the first of its ways that is possible. `record`: the action whose record it
    has to name, 0 where it needs none."""

    ways: tuple[Way, ...]
    record: int

    @property
    def origins(self) -> frozenset[int]:
        return frozenset().union(*(way.origins for way in self.ways))

    def way(self, standing: Standing) -> Way | None:
        return next((way for way in self.ways if way.possible(standing)), None)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`holder`: state -> who holds an order that enters there; where none enters, who holds it however it came.
    `entries` may be imported; nothing leads out of `ends`. `deadlines`: (state, class) -> how long an order may stay;
    `by_act`: the same of one that is being handed over by an act, None for ever; `policy`: class -> what passes custody
    (handover.py); `decisions` are taken at the desk. `content` is the text that it was read from."""

    content: str
    holders: tuple[str, ...]
    states: tuple[int, ...]
    holder: Mapping[int, str]
    entries: frozenset[int]
    ends: frozenset[int]
    deadlines: Mapping[tuple[int, int], Deadline]
    by_act: Deadline | None
    policy: Mapping[int, str]
    watch: Watch
    decisions: Mapping[str, Decided]
    _visit: frozenset[int]
    _lacking: frozenset[int]
    _moves: Mapping[tuple[int, int], Sequence[Move]]

    def step(self, order_class: int, standing: Standing, scan: Scan, taken: Taken) -> Step:
        """What `scan` does to an order of `order_class`. An UNDO is not of its business: timeline.py."""
        if scan.training:
            return Step(standing, standing, scan.claim, TRAINING, False)
        if completes(standing, scan):
            return Step(standing, completed(standing), scan.claim, DONE, False)
        group = self._moves.get((scan.action, scan.verdict), ())
        move, why = chosen(group, standing, scan)
        now = standing
        incident = ""
        if move is not None:
            why = refusal(move, order_class, standing, scan, taken)
            if not why:
                incident = move.incident
                now = self._after(move, standing, scan, self.policy[order_class])
                why = DONE if now.state == standing.state else MOVED
        elif why in (ALREADY, WRONG_STATE) and standing.state in self._lacking and scan.claim != standing.state:
            why = LACKING
        differs = disputed(group, now, scan, why) or contradicts(standing, scan)
        return Step(standing, now, scan.claim, why, differs, incident)

    def known(self, action: int, verdict: int) -> bool:
        """Whether such a record moves orders from anywhere."""
        return (action, verdict) in self._moves

    def concerns(self, standing: Standing, scan: Scan) -> bool:
        """Whether there is a move by such a record from where the order stands."""
        return any(move.possible(standing, scan) for move in self._moves.get((scan.action, scan.verdict), ()))

    def moves(self) -> Iterator[tuple[int, int, Move]]:
        """(action, verdict, move) of all."""
        for (action, verdict), group in self._moves.items():
            for move in group:
                yield action, verdict, move

    def decide(self, standing: Standing, name: str) -> Standing | None:
        """Where a decision leaves an order; None where it cannot be taken."""
        decided = self.decisions.get(name)
        way = None if decided is None else decided.way(standing)
        if way is None:
            return None
        holder = way.holder or standing.holder
        party = standing.party if holder == standing.holder else ""
        return standing._replace(
            state=way.to, holder=holder, party=party, proved=False, pair=None, held=int(State.NONE)
        )

    def _after(self, move: Move, standing: Standing, scan: Scan, policy: str) -> Standing:
        state = move.target(standing.state)
        named = move.holder
        if not named and move.to and state not in self.entries and standing.state != State.HELD:
            named = self.holder.get(state, "")
        now = passed(standing, standing._replace(state=state), named, scan, policy)
        if state != standing.state and State.HELD in (state, standing.state):
            now = now._replace(held=standing.state if state == State.HELD else State.NONE)
        if move.bag:
            now = now._replace(bag=scan.bag if move.bag == "in" else b"")
        if move.seal == "bind":
            now = now._replace(seals=now.seals | {scan.seal})
        elif move.seal == "break":
            now = now._replace(seals=frozenset(), broken=now.broken | now.seals, proved=False)
        if state not in self._visit or move.visit:
            idle = not (now.proved or now.overrides or now.refused)
            return now if idle else now._replace(proved=False, overrides=frozenset(), refused=0)
        if move.proof:
            now = now._replace(proved=True)
        if move.given == "quantity":
            now = now._replace(refused=now.refused + 1)
        if scan.action == Action.OVERRIDE:
            now = now._replace(overrides=now.overrides | {(scan.identity, scan.need)})
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
        for unknown in sorted(set(data) - _KEYS):
            raise self.wrong(f"{unknown}: {', '.join(sorted(_KEYS))}")
        holders = tuple(self._list(data.get("holders", []), "holders"))
        if not all(isinstance(name, str) and name.isidentifier() for name in holders):
            raise self.wrong("holders")
        states: list[int] = []
        holder: dict[int, str] = {}
        marks: dict[str, set[int]] = {"entry": set(), "end": set(), "visit": set(), "lacking": set()}
        deadlines: dict[tuple[int, int], Deadline] = {}
        by_act = None
        for name, entry in self._table(data.get("state", {}), "state").items():
            code = self._code("state", name, "state")
            if not isinstance(entry, dict) or set(entry) - _STATE_KEYS:
                raise self.wrong(f"state.{name}")
            if "holder" in entry or entry.get("entry"):
                holder[code] = self._holder(entry.get("holder"), holders, f"state.{name}")
            states.append(code)
            self._deadlines(name, code, entry, deadlines)
            if "act" in entry:
                if code != State.HANDING:
                    raise self.wrong(f"state.{name}.act")
                by_act = self._deadline(entry["act"], f"state.{name}.act")
            for mark, members in marks.items():
                if entry.get(mark):
                    members.add(code)
        if set(deadlines) & {
            (end, order_class) for end in marks["end"] for order_class in codes("order_class").values()
        }:
            raise self.wrong("deadline of an end")
        decisions: dict[str, Decided] = {}
        for number, entry in enumerate(self._list(data.get("decision", []), "decision"), start=1):
            self._decision(f"decision {number}", entry, holders, states, marks["end"], decisions)
        moves: dict[tuple[int, int], list[Move]] = {}
        for number, entry in enumerate(self._list(data.get("move", []), "move"), start=1):
            self._add(f"move {number}", entry, holders, states, marks["end"], moves)
        lifecycle = Lifecycle(
            content=content,
            holders=holders,
            states=tuple(states),
            holder=holder,
            entries=frozenset(marks["entry"]),
            ends=frozenset(marks["end"]),
            deadlines=deadlines,
            by_act=by_act,
            policy=self._policy(data.get("custody", {})),
            watch=self._watch(data.get("watch", {})),
            decisions=decisions,
            _visit=frozenset(marks["visit"]),
            _lacking=frozenset(marks["lacking"]),
            _moves=moves,
        )
        self._check_reachable(lifecycle)
        return lifecycle

    def _add(
        self,
        where: str,
        written: object,
        holders: Sequence[str],
        states: Sequence[int],
        ends: set[int],
        moves: dict[tuple[int, int], list[Move]],
    ) -> None:
        entry = self._table(written, where)
        if set(entry) - _MOVE_KEYS or not {"action", "verdicts"} <= set(entry):
            raise self.wrong(where)
        action = self._code("action", entry["action"], where)
        verdicts = self._list(entry["verdicts"], f"{where}: verdicts")
        targets = entry.get("to", [None])
        if not verdicts or targets == []:
            raise self.wrong(f"{where}: verdicts, to")
        for target in targets if isinstance(targets, list) else [targets]:
            move = self._move(where, entry, target, holders, states, ends)
            for name in verdicts:
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
        origins = self._origins(entry["from"], where) if "from" in entry else frozenset(states) - ends
        for key, known in WORDS.items():
            if entry.get(key, "") not in known:
                raise self.wrong(f"{where}: {key}")
        gate = {
            self._code("order_class", name, where): self._code("state", state, where)
            for name, state in self._table(entry.get("gate", {}), f"{where}: gate").items()
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
            self._incident(entry["incident"], where) if "incident" in entry else "",
            entry.get("visit", ""),
            self._held(entry["held"], to, where) if "held" in entry else None,
            frozenset(
                self._code("order_class", name, where) for name in self._list(entry.get("bound", []), f"{where}: bound")
            ),
        )

    def _held(self, written: object, to: int, where: str) -> frozenset[int]:
        return frozenset({to}) if written == "there" else self._origins(written, f"{where}: held")

    def _incident(self, name: object, where: str) -> str:
        try:
            return read_incident(name)
        except ValueError as error:
            raise self.wrong(f"{where}: {error}") from error

    def _deadlines(
        self, name: str, state: int, entry: Mapping[str, Any], deadlines: dict[tuple[int, int], Deadline]
    ) -> None:
        """Of a state, and of its orders of a sealed class where those have one of their own."""
        for key, classes in (("deadline", codes("order_class").values()), ("sealed", (OrderClass.SEALED,))):
            if key in entry:
                deadline = self._deadline(entry[key], f"state.{name}.{key}")
                deadlines |= {(state, order_class): deadline for order_class in classes}

    def _deadline(self, entry: object, where: str) -> Deadline:
        try:
            return read_deadline(entry)
        except ValueError as error:
            raise self.wrong(f"{where}: {error}") from error

    def _policy(self, entry: object) -> Mapping[int, str]:
        classes = {name.lower(): code for name, code in codes("order_class").items()}
        if (
            not isinstance(entry, dict)
            or not entry.keys() <= classes.keys()
            or any(policy not in POLICIES for policy in entry.values())
        ):
            raise self.wrong(f"custody: {', '.join(classes)}: {', '.join(POLICIES)}")
        return {code: entry.get(name, DUAL) for name, code in classes.items()}

    def _watch(self, entry: object) -> Watch:
        try:
            return read_watch(entry)
        except ValueError as error:
            raise self.wrong(f"watch: {error}") from error

    def _decision(
        self,
        where: str,
        written: object,
        holders: Sequence[str],
        states: Sequence[int],
        ends: set[int],
        decisions: dict[str, Decided],
    ) -> None:
        entry = self._table(written, where)
        if set(entry) - _DECISION_KEYS or not {"name", "from", "to"} <= set(entry) or not entry["from"]:
            raise self.wrong(where)
        if not isinstance(entry["name"], str) or not entry["name"].isidentifier():
            raise self.wrong(f"{where}: name")
        origins = self._origins(entry["from"], where)
        to = self._code("state", entry["to"], where)
        if not origins | {to} <= set(states) or origins & ends or to in origins:
            raise self.wrong(f"{where}: from, to")
        holder = self._holder(entry["holder"], holders, where) if "holder" in entry else ""
        record = self._code("action", entry["record"], where) if "record" in entry else 0
        held = self._held(entry["held"], to, where) if "held" in entry else None
        if held is not None and origins != {State.HELD}:
            raise self.wrong(f"{where}: held")
        name = entry["name"]
        before = decisions.get(name, Decided((), record))
        if before.record != record or any(way.held is None and way.origins & origins for way in before.ways):
            raise self.wrong(f"{where}: {name} is there already")
        decisions[name] = Decided((*before.ways, Way(origins, to, holder, held)), record)

    def _check_reachable(self, lifecycle: Lifecycle) -> None:
        ways = [(move.origins, move.to) for _, _, move in lifecycle.moves() if move.to]
        ways += [(way.origins, way.to) for decided in lifecycle.decisions.values() for way in decided.ways]
        reached = set(lifecycle.entries)
        while grown := {to for origins, to in ways if origins & reached} - reached:
            reached |= grown
        for code in sorted(set(lifecycle.states) - reached):
            raise self.wrong(f"state.{names('state')[code]}: nothing leads to it")

    def _holder(self, name: object, holders: Sequence[str], where: str) -> str:
        if not isinstance(name, str) or name not in holders:
            raise self.wrong(f"{where}: holder")
        return name

    def _origins(self, written: object, where: str) -> frozenset[int]:
        return frozenset(self._code("state", name, where) for name in self._list(written, f"{where}: from"))

    def _list(self, written: object, where: str) -> list[Any]:
        if not isinstance(written, list):
            raise self.wrong(where)
        return written

    def _table(self, written: object, where: str) -> dict[str, Any]:
        if not isinstance(written, dict):
            raise self.wrong(where)
        return written

    def _code(self, section: str, name: object, where: str) -> int:
        code = codes(section).get(name) if isinstance(name, str) else None
        if code is None:
            raise self.wrong(f"{where}: {section} {name}")
        return code
