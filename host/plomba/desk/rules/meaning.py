"""What a pack that can be read contradicts in itself, what it drops, and what its author may not have meant."""

from __future__ import annotations

from collections.abc import Iterator

from plomba.desk.rules.located import Located
from plomba.desk.rules.pack import GATES, NEEDS, STALE, TYPED, ClassRules, Pack, Step
from plomba.desk.rules.reading import step_actions
from plomba.desk.rules.required import giving, lacks, required, states
from plomba.desk.rules.table import Mistake, doubt, mistake
from plomba.desk.words import codes, names
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Action, OrderClass, State

_INSPECTIONS = (Action.INSPECT, Action.RETURN_INSPECT)


def judge(pack: Pack, text: Located) -> list[Mistake]:
    """Every contradiction, everything required that is missing, and the warnings, by their places."""
    found = list(_Judge(pack, text).all())
    return sorted(found, key=lambda mistake: (mistake.warning, mistake.place, mistake.error.code))


class _Judge:
    def __init__(self, pack: Pack, text: Located) -> None:
        self._pack = pack
        self._text = text
        self._steps = tuple(enumerate(pack.steps))

    def all(self) -> Iterator[Mistake]:
        for lack in lacks(self._pack):
            yield mistake(self._text.place(*lack.keys), lack.error, lack=lack.lack)
        for at, step in self._steps:
            yield from self._step(at, step)
        yield from self._overlaps()
        yield from self._ways()
        yield from self._modes()
        for name, code in codes("order_class").items():
            rules = self._pack.classes.get(code)
            if rules is None:
                yield self._warn("rules_class_unlisted", "class", name=name.lower())
            else:
                yield from self._class(name.lower(), code, rules)
        yield from self._shift_and_limits()

    def _wrong(self, code: str, *keys: str | int, **fields: object) -> Mistake:
        return mistake(self._text.place(*keys), code, **fields)

    def _warn(self, code: str, *keys: str | int, **fields: object) -> Mistake:
        return doubt(self._text.place(*keys), code, **fields)

    def _step(self, at: int, step: Step) -> Iterator[Mistake]:
        action = names("action")[step.action]
        modes = {code: entry["action"] for code, entry in zip(names("mode"), VOCABULARY["mode"].values(), strict=True)}
        own = [code for code, principal in modes.items() if principal == action]
        if step.mode and own and step.mode not in own:
            known = ", ".join(names("mode")[code] for code in own)
            yield self._wrong("rules_mode_action", "step", at, "mode", action=action, known=known)
        if step.to and set(step.origins) == {step.to}:
            yield self._wrong("rules_stays", "step", at, "to", state=names("state")[step.to])
        if step.ends:
            for end in sorted(states("ends")):
                if step.starts_from(end) and step.ends != {end}:
                    yield self._wrong("rules_end", "step", at, "from", action=action, state=names("state")[end])
                    break
        for key, end in (("to", step.to), ("part", step.part), ("fail", step.fail)):
            if end in states("given") and step.action != giving()[1]:
                yield self._wrong("rules_gives", "step", at, key, action=action, state=names("state")[end])
        away = sorted(set(step.origins) - states("counter")) if step.action == giving()[1] else []
        if away or (step.action == giving()[1] and not step.origins):
            shown = ", ".join(names("state")[code] for code in away) or "*"
            yield self._wrong("rules_counter", "step", at, "from", action=action, states=shown)
        if step.fail and (step.action not in _INSPECTIONS or NEEDS["result"] not in step.needs):
            yield self._wrong("rules_fail", "step", at, "fail", action=action)
        if step.part and step.action != giving()[1]:
            yield self._wrong("rules_part", "step", at, "part", action=action)

    def _overlaps(self) -> Iterator[Mistake]:
        for at, step in self._steps:
            for _, other in self._steps[:at]:
                if (step.mode, step.action) != (other.mode, other.action):
                    continue
                shared = set(step.origins) & set(other.origins)
                if shared or not step.origins or not other.origins:
                    line = self._text.place("step", self._pack.steps.index(other)).line
                    shown = ", ".join(names("state")[code] for code in sorted(shared)) or "*"
                    name = names("action")[step.action]
                    yield self._wrong("rules_overlap", "step", at, "from", action=name, states=shown, line=line)
                    break

    def _ways(self) -> Iterator[Mistake]:
        """Dead ends, and steps from where no order ever is."""
        reached = {end: (at, key) for at, step in reversed(self._steps) for key, end in _ends(step)}
        for state, (at, key) in sorted(reached.items()):
            if state in states("ends"):
                continue
            if not any(step.starts_from(state) and step.ends - {state} for _, step in self._steps):
                yield self._wrong("rules_dead_end", "step", at, key, state=names("state")[state])
        known = set(reached) | states("listed")
        for at, step in self._steps:
            for number, state in enumerate(step.origins):
                if state not in known:
                    yield self._warn("rules_nowhere", "step", at, "from", number, state=names("state")[state])

    def _modes(self) -> Iterator[Mistake]:
        """A mode whose own action has no step: whoever is in it can do nothing."""
        for name, entry in VOCABULARY["mode"].items():
            if self._pack.in_mode(entry["code"], codes("action")[entry["action"]]):
                continue
            for hand, modes in self._pack.hands.items():
                if entry["code"] in modes:
                    hand_name = names("hand")[hand].lower()
                    number = modes.index(entry["code"])
                    keys = ("hands", hand_name, number)
                    yield self._wrong("rules_mode_empty", *keys, mode=name, action=entry["action"])
                    break
            else:
                used = next((at for at, step in self._steps if step.mode == entry["code"]), None)
                if used is None:
                    yield self._warn("rules_mode_unused", "step", mode=name, action=entry["action"])
                else:
                    yield self._wrong("rules_mode_empty", "step", used, "mode", mode=name, action=entry["action"])

    def _class(self, name: str, code: int, rules: ClassRules) -> Iterator[Mistake]:
        pack = self._pack
        sealed = code == OrderClass.SEALED
        keys = ("class", name)
        if sealed and rules.seal != GATES["always"] and not rules.waived:
            yield self._wrong("rules_waiver", *keys, "seal", name=name)
        elif rules.waived and (not sealed or rules.seal == GATES["always"]):
            yield self._warn("rules_waiver_idle", *keys, "waiver", name=name)
        mode = giving()[0]
        for gate, value in (("seal", rules.seal), ("item", rules.item)):
            missing = [Action.SEAL_CHECK] if gate == "seal" and value else []
            missing += [Action.INSPECT] if value == GATES["inspects"] else []
            for action in missing:
                if not pack.in_mode(mode, action):
                    about = {"name": name, "gate": gate, "action": names("action")[action]}
                    yield self._wrong("rules_gate_shut", *keys, gate, **about)
        for action in rules.needs:
            if not any(step.action == action for step in pack.steps):
                idle = names("action")[action]
                yield self._warn("rules_needs_idle", *keys, "needs", idle, action=idle)
        if rules.siren_s and rules.seal != GATES["always"]:
            yield self._warn("rules_siren_idle", *keys, "siren_s", name=name)
        if rules.seal == GATES["always"] and not rules.siren_s:
            yield self._warn("rules_siren_none", *keys, name=name)
        if rules.typed != TYPED["no"] and not pack.limits["typed"]:
            yield self._warn("rules_typed_none", *keys, "typed", name=name)
        packs = [step for step in pack.steps if step.action == Action.PACK]
        if rules.seal and any(NEEDS["apply"] not in pack.needs(step, code) for step in packs):
            yield self._warn("rules_seal_unbound", *keys, name=name)

    def _shift_and_limits(self) -> Iterator[Mistake]:
        pack = self._pack
        if pack.limits["stale"] != STALE["silent"] and not pack.limits["stale_s"]:
            yield self._wrong("rules_stale", "limits", "stale_h")
        if pack.news is not None and not pack.shift["badge"]:
            yield self._warn("rules_news_nobody", "shift", "badge")
        if pack.shift["pin"] and not pack.shift["badge"]:
            yield self._warn("rules_pin_idle", "shift", "pin")
        if not pack.limits["override"]:
            yield self._warn("rules_override_none", "limits", "override")
        # Of modes `_modes` tells, of what is required `lacks`.
        told = {codes("action")[entry["action"]] for entry in VOCABULARY["mode"].values()}
        told |= {wanted.action for wanted in required() if not wanted.optional}
        for code in sorted(set(step_actions().values()) - {step.action for step in pack.steps} - told):
            yield self._warn("rules_card_unused", "step", action=names("action")[code])


def _ends(step: Step) -> list[tuple[str, int]]:
    ends = (("to", step.to), ("fail", step.fail), ("part", step.part))
    return [(key, end) for key, end in ends if end != State.NONE]
