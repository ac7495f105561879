"""A pack that is written as what it changes of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plomba.desk.rules.located import Keys, Located, Place

OWN = ("base", "number", "valid_from", "news")
"""What speaks of one pack alone and is never taken over from its base."""


def laid_over(base: Located, top: Located) -> Located:
    """`base` with what `top` changes: tables key by key, a step in place of the one with the same mode, action and
    `from`, each once, other steps behind, any other value in place of the former. Nothing can be taken away."""
    places: dict[Keys, Place] = {keys: place for keys, place in base.places.items() if keys[:1] not in _own()}
    places[()] = top.places[()]
    data = {key: value for key, value in base.data.items() if key not in OWN}
    for key, value in top.data.items():
        if key == "step" and _is_steps(value) and _is_steps(data.get(key)):
            data[key] = _steps(data[key], value, places, top)
        else:
            data[key] = _merged((key,), data.get(key), value, places, top)
    return Located(data, places)


def _own() -> set[Keys]:
    return {(key,) for key in OWN}


def _merged(keys: Keys, under: Any, over: Any, places: dict[Keys, Place], top: Located) -> Any:
    if not isinstance(under, Mapping) or not isinstance(over, Mapping):
        _replace(keys, keys, places, top)
        return over
    merged = dict(under)
    places[keys] = top.places[keys]
    for key, value in over.items():
        merged[key] = _merged((*keys, key), under.get(key), value, places, top)
    return merged


def _steps(under: list[Any], over: list[Any], places: dict[Keys, Place], top: Located) -> list[Any]:
    steps = list(under)
    for number, step in enumerate(over):
        at = next((at for at, held in enumerate(under) if held is steps[at] and _same(held, step)), len(steps))
        steps[at : at + 1] = [step]
        _replace(("step", number), ("step", at), places, top)
    return steps


def _same(held: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    return all(held.get(key) == step.get(key) for key in ("mode", "action", "from"))


def _replace(source: Keys, target: Keys, places: dict[Keys, Place], top: Located) -> None:
    for keys in [keys for keys in places if keys[: len(target)] == target]:
        del places[keys]
    for keys, place in top.places.items():
        if keys[: len(source)] == source:
            places[(*target, *keys[len(source) :])] = place


def _is_steps(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(step, dict) for step in value)
