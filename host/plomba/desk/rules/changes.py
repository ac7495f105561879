"""What a pack changes of the one before it, as what a terminal would do otherwise, and not as lines that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plomba.desk.rules.located import Located
from plomba.desk.rules.pack import TYPED, Pack, Step
from plomba.desk.rules.reading import step_actions
from plomba.desk.rules.table import Mistake, mistake
from plomba.desk.words import codes
from plomba_wire.vocabulary import Action

TALK = ("title", "news", "valid_from")
"""Kinds of change that change nothing a terminal decides."""

_GUARDED = (Action.HANDOUT, Action.RELEASE, Action.OVERRIDE, Action.SEAL_BREAK)
_TYPED_ORDER = {TYPED["no"]: 0, TYPED["photo"]: 1, TYPED["yes"]: 2}


@dataclass(frozen=True, slots=True)
class Change:
    """`loosens`: something that had to be there for a parcel to move need not be any more. `facts` by kind:

    title, news, valid_from, shift, limit, class: `name`, `old`, `new`, and `class` where it is of one;
    class_needs: `class`, `action`, `added`, `removed`; hand: `hand`, `old`, `new` (None = every mode);
    step: `action`, `modes`, `states`, `old`, `new` (None = not possible).
    """

    kind: str
    loosens: bool
    facts: Mapping[str, Any]

    @property
    def behaviour(self) -> bool:
        return self.kind not in TALK


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step does from a state: where it ends, and what it needs for every class of goods."""

    to: int
    fail: int
    part: int
    needs: tuple[int, ...]


def changes(old: Pack, new: Pack) -> list[Change]:
    """Everything that differs, in the order of a pack."""
    return [
        *_talk(old, new),
        *_shift(old, new),
        *_limits(old, new),
        *_classes(old, new),
        *_hands(old, new),
        *_steps(old, new),
    ]


def unsaid(old: Pack, new: Pack, text: Located) -> list[Mistake]:
    """Why `new`, written in `text`, may not come after `old`: a rule that changes without a word, or without a date."""
    found = []
    place = text.place("number")
    if new.number <= old.number:
        found.append(mistake(place, "rules_number_back", number=new.number, held=old.number))
    count = sum(change.behaviour for change in changes(old, new))
    if not count:
        return found
    if new.news is None:
        found.append(mistake(place, "rules_silent", count=count))
    elif new.news == old.news:
        found.append(mistake(text.place("news"), "rules_news_old", count=count))
    if not new.valid_from:
        found.append(mistake(place, "rules_undated"))
    return found


def _talk(old: Pack, new: Pack) -> Iterator[Change]:
    for kind, before, after in (
        ("title", old.title, new.title),
        ("news", old.news, new.news),
        ("valid_from", old.valid_from, new.valid_from),
    ):
        if before != after:
            yield Change(kind, False, {"name": kind, "old": before, "new": after})


def _shift(old: Pack, new: Pack) -> Iterator[Change]:
    for name, before in old.shift.items():
        after = new.shift[name]
        if before != after:
            looser = _later(before, after) if name == "lock_s" else after < before
            yield Change("shift", looser, {"name": name, "old": before, "new": after})


def _limits(old: Pack, new: Pack) -> Iterator[Change]:
    for name, before in old.limits.items():
        after = new.limits[name]
        if before != after:
            # After fewer tries a code may be typed, or let pass, earlier.
            looser = after < before if name in ("tries", "stale") else after > before
            yield Change("limit", looser, _pair(name, before, after))


def _classes(old: Pack, new: Pack) -> Iterator[Change]:
    for order_class in codes("order_class").values():
        before, after = old.of_class(order_class), new.of_class(order_class)
        for name, looser in (
            ("seal", after.seal < before.seal),
            ("item", after.item < before.item),
            ("siren_s", _later(before.siren_s, after.siren_s)),
            ("typed", _TYPED_ORDER[after.typed] > _TYPED_ORDER[before.typed]),
        ):
            pair = _pair(name, getattr(before, name), getattr(after, name))
            if pair["old"] != pair["new"]:
                yield Change("class", looser, {"class": order_class, **pair})
        for action in sorted({*before.needs, *after.needs}):
            held, asked = frozenset(before.needs.get(action, ())), frozenset(after.needs.get(action, ()))
            if held != asked:
                still = [new.needs(step, order_class) for step in new.steps if step.action == action]
                looser = any(held - needs for needs in still)
                facts = {"class": order_class, "action": action, "added": asked - held, "removed": held - asked}
                yield Change("class_needs", looser, facts)


def _hands(old: Pack, new: Pack) -> Iterator[Change]:
    every = frozenset(codes("mode").values())
    for hand in codes("hand").values():
        before, after = old.hands.get(hand), new.hands.get(hand)
        held = every if before is None else frozenset(before)
        given = every if after is None else frozenset(after)
        if held != given:
            yield Change("hand", bool(given - held), {"hand": hand, "old": before, "new": after})


def _steps(old: Pack, new: Pack) -> Iterator[Change]:
    """Each (mode, action, state) is asked of both packs; equal differences are told together."""
    before, after = _outcomes(old), _outcomes(new)
    differences: dict[tuple[int, Outcome | None, Outcome | None], dict[int, set[int]]] = {}
    for where in sorted({*before, *after}):
        mode, action, state = where
        pair = before.get(where), after.get(where)
        if pair[0] != pair[1]:
            differences.setdefault((action, *pair), {}).setdefault(mode, set()).add(state)
    for (action, was, becomes), by_mode in differences.items():
        modes_of: dict[frozenset[int], list[int]] = {}
        for mode, states in by_mode.items():
            modes_of.setdefault(frozenset(states), []).append(mode)
        looser = _looser(old, new, action, was, becomes)
        for origins, modes in modes_of.items():
            scope = {"modes": tuple(modes), "states": tuple(sorted(origins))}
            yield Change("step", looser, {"action": action, **scope, "old": was, "new": becomes})


def _outcomes(pack: Pack) -> dict[tuple[int, int, int], Outcome]:
    found: dict[tuple[int, int, int], Outcome] = {}
    for mode in codes("mode").values():
        for action in step_actions().values():
            for step in pack.in_mode(mode, action):
                outcome = Outcome(step.to, step.fail, step.part, tuple(sorted(step.needs)))
                for state in step.origins or codes("state").values():
                    found[mode, action, state] = outcome
    return found


def _looser(old: Pack, new: Pack, action: int, was: Outcome | None, becomes: Outcome | None) -> bool:
    if becomes is None:
        return False
    if was is None:
        return action in _GUARDED
    if was.fail and not becomes.fail:
        return True
    classes = codes("order_class").values()
    return any(_needs(old, action, was, each) - _needs(new, action, becomes, each) for each in classes)


def _needs(pack: Pack, action: int, outcome: Outcome, order_class: int) -> frozenset[int]:
    return pack.needs(Step(0, action, (), 0, 0, 0, outcome.needs), order_class)


def _later(before: int, after: int) -> bool:
    """Of times where 0 is never."""
    return before != 0 and (after == 0 or after > before)


def _pair(name: str, old: int, new: int) -> dict[str, Any]:
    return {"name": name, "old": old, "new": new}
