"""What a rule pack says, in the vocabulary's codes, and the compact JSON of it that a terminal reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plomba_wire.vocabulary import State, Verdict

NEEDS = {
    "seal": int(Verdict.NEED_SEAL),
    "item": int(Verdict.NEED_ITEM),
    "result": int(Verdict.NEED_RESULT),
    "reason": int(Verdict.NEED_REASON),
    "photo": int(Verdict.NEED_PHOTO),
    "supervisor": int(Verdict.NEED_SUPERVISOR),
    "act": int(Verdict.NEED_ACT),
    "apply": 0x67,
}
"""What has to be there before a step is done, by the verdict that asks for it; `apply` is asked for as NEED_SEAL."""
GATES = {"never": 0, "inspects": 1, "always": 2}
TYPED = {"no": 0, "yes": 1, "photo": 2}
CLOSE = {"any": 0, "docked": 1}
STALE = {"silent": 0, "warn": 1, "refuse": 2}


@dataclass(frozen=True, slots=True)
class Step:
    """`mode` 0 is every mode, no `origins` any state; `to` 0 stays; `fail` and `part` 0 are none."""

    mode: int
    action: int
    origins: tuple[int, ...]
    to: int
    fail: int
    part: int
    needs: tuple[int, ...]

    def starts_from(self, state: int) -> bool:
        return not self.origins or state in self.origins

    @property
    def ends(self) -> frozenset[int]:
        """States it may lead to."""
        return frozenset({self.to, self.fail, self.part} - {State.NONE})


@dataclass(frozen=True, slots=True)
class ClassRules:
    """Gates 0 never, 1 when the customer inspects, 2 always; `needs` by action. `waived`: the author says why."""

    seal: int = GATES["always"]
    item: int = 0
    siren_s: int = 0
    typed: int = 0
    needs: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    waived: bool = False


UNLISTED = ClassRules()
"""How a class is treated that a pack does not list."""


@dataclass(frozen=True, slots=True)
class Pack:
    """`valid_from` is UTC seconds, 0 = as soon as it arrives; `shift` and `limits` by the names of their JSON."""

    number: int
    valid_from: int
    title: Mapping[str, str]
    news: Mapping[str, str] | None
    shift: Mapping[str, int]
    limits: Mapping[str, int]
    classes: Mapping[int, ClassRules]
    hands: Mapping[int, tuple[int, ...]]
    steps: tuple[Step, ...]

    def of_class(self, order_class: int) -> ClassRules:
        return self.classes.get(order_class, UNLISTED)

    def in_mode(self, mode: int, action: int) -> list[Step]:
        """The steps of an action that hold in a mode: its own, or else those of every mode."""
        of_action = [step for step in self.steps if step.action == action]
        return [step for step in of_action if step.mode == mode] or [step for step in of_action if not step.mode]

    def needs(self, step: Step, order_class: int) -> frozenset[int]:
        """What a step needs for an order of a class."""
        return frozenset(step.needs) | frozenset(self.of_class(order_class).needs.get(step.action, ()))


def body(pack: Pack) -> bytes:
    """The pack as a terminal reads it: sorted keys, compact, UTF-8."""
    said: dict[str, Any] = {
        "number": pack.number,
        "from": pack.valid_from,
        "title": dict(pack.title),
        "shift": dict(pack.shift),
        "limits": dict(pack.limits),
        "classes": {str(code): _class(rules) for code, rules in pack.classes.items()},
        "hands": {str(code): list(modes) for code, modes in pack.hands.items()},
        "steps": [_step(step) for step in pack.steps],
    }
    if pack.news is not None:
        said["news"] = dict(pack.news)
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def from_body(data: bytes) -> Pack:
    """What `body` wrote. Raises ValueError for anything else."""
    try:
        said = json.loads(data)
        pack = Pack(
            number=said["number"],
            valid_from=said["from"],
            title=said["title"],
            news=said.get("news"),
            shift=said["shift"],
            limits=said["limits"],
            classes={int(code): _read_class(rules) for code, rules in said["classes"].items()},
            hands={int(code): tuple(modes) for code, modes in said["hands"].items()},
            steps=tuple(_read_step(step) for step in said["steps"]),
        )
        again = body(pack)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no rule pack of this form: {error}") from error
    if again != data:
        raise ValueError("no rule pack of this form")
    return pack


def _class(rules: ClassRules) -> dict[str, Any]:
    return {
        "seal": rules.seal,
        "item": rules.item,
        "siren_s": rules.siren_s,
        "typed": rules.typed,
        "needs": {str(action): list(needs) for action, needs in rules.needs.items()},
    }


def _read_class(said: Mapping[str, Any]) -> ClassRules:
    needs = {int(action): tuple(codes) for action, codes in said["needs"].items()}
    return ClassRules(said["seal"], said["item"], said["siren_s"], said["typed"], needs)


def _step(step: Step) -> dict[str, Any]:
    return {
        "m": step.mode,
        "a": step.action,
        "f": list(step.origins),
        "t": step.to,
        "x": step.fail,
        "p": step.part,
        "n": list(step.needs),
    }


def _read_step(said: Mapping[str, Any]) -> Step:
    return Step(said["m"], said["a"], tuple(said["f"]), said["t"], said["x"], said["p"], tuple(said["n"]))
