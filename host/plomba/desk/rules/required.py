"""What a pack must not drop: `required.toml`, held against a pack."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from plomba.desk.rules.located import Keys
from plomba.desk.rules.pack import NEEDS, Pack, Step
from plomba.desk.words import codes, names


@dataclass(frozen=True, slots=True)
class Required:
    """One thing that has to be there; see required.toml. `error` is its stable code, `mode` 0 is any."""

    error: str
    action: int
    mode: int
    optional: bool
    needs: tuple[int, ...]
    covers: bool
    then: bool
    away: str
    left_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing, as it would be written in TOML, and the keys it would stand at."""

    error: str
    keys: Keys
    lack: str


@cache
def _data() -> dict[str, Any]:
    text = resources.files("plomba.desk").joinpath("rules", "required.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def required() -> tuple[Required, ...]:
    """Everything a pack has to keep."""
    actions = codes("action")

    def one(entry: dict[str, Any]) -> Required:
        return Required(
            error=entry["error"],
            action=actions[entry["action"]],
            mode=codes("mode")[entry["mode"]] if "mode" in entry else 0,
            optional=entry.get("optional", False),
            needs=tuple(NEEDS[name] for name in entry.get("needs", ())),
            covers=entry.get("covers", False),
            then=entry.get("then", False),
            away=entry.get("away", ""),
            left_by=tuple(actions[name] for name in entry.get("left_by", ())),
        )

    return tuple(one(entry) for entry in _data()["required"])


@cache
def states(name: str) -> frozenset[int]:
    """The states of a list in required.toml: ends, listed, counter, given."""
    return frozenset(codes("state")[state] for state in _data()[name])


def giving() -> tuple[int, int]:
    """The one (mode, action) that gives a parcel to a customer."""
    return codes("mode")[_data()["gives"]], codes("action")[_data()["gives"]]


def given_from(pack: Pack) -> frozenset[int]:
    """States that a parcel can be given away from."""
    return _origins(pack.in_mode(*giving()))


def lacks(pack: Pack) -> Iterator[Lack]:
    """Everything required that `pack` drops."""
    for wanted in required():
        steps = [(at, step) for at, step in enumerate(pack.steps) if step.action == wanted.action]
        here = [(at, step) for at, step in steps if step in pack.in_mode(wanted.mode, wanted.action)]
        yield from _needs(pack, wanted, steps)
        if here:
            yield from _ways(pack, wanted, here)
        elif not wanted.optional:
            mode, action = names("mode")[wanted.mode], names("action")[wanted.action]
            yield Lack(wanted.error, ("step",), f'[[step]] mode = "{mode}", action = "{action}"')


def _needs(pack: Pack, wanted: Required, steps: Iterable[tuple[int, Step]]) -> Iterator[Lack]:
    for at, step in steps:
        held = frozenset.intersection(*(pack.needs(step, each) for each in codes("order_class").values()))
        missing = [f'"{name}"' for name, code in NEEDS.items() if code in wanted.needs and code not in held]
        if missing:
            yield Lack(wanted.error, ("step", at, "needs"), f"needs = [{', '.join(missing)}]")


def _ways(pack: Pack, wanted: Required, here: list[tuple[int, Step]]) -> Iterator[Lack]:
    given = given_from(pack)
    uncovered = given - _origins(step for _, step in here)
    if wanted.covers and uncovered:
        yield Lack(wanted.error, ("step", here[0][0], "from"), f"from = [{_named(uncovered, ', ')}]")
    for at, step in here:
        if wanted.then and step.to and step.to not in given:
            yield Lack(wanted.error, ("step", at, "to"), f"to = {_named(given, ' | ')}")
        end = step.fail if wanted.away == "fail" else step.to
        if wanted.away and (not end or end in given):
            yield Lack(wanted.error, ("step", at, wanted.away), f'{wanted.away} = "…"')
        if not wanted.left_by or not end:
            continue
        for other_at, other in enumerate(pack.steps):
            if other.action not in wanted.left_by and other.starts_from(end) and other.ends - {end}:
                yield Lack(wanted.error, ("step", other_at, "from"), f'from ≠ "{names("state")[end]}"')


def _origins(steps: Iterable[Step]) -> frozenset[int]:
    steps = tuple(steps)
    return frozenset(state for state in codes("state").values() if any(step.starts_from(state) for step in steps))


def _named(states: Iterable[int], between: str) -> str:
    return between.join(f'"{names("state")[code]}"' for code in sorted(states))
