"""Changes of a pack in words of people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from plomba.desk.rules.changes import Change, Outcome
from plomba.desk.rules.pack import CLOSE, GATES, NEEDS, STALE, TYPED
from plomba.desk.words import codes
from plomba.texts import say, words

_CHOICES = {"seal": GATES, "item": GATES, "typed": TYPED, "close": CLOSE, "stale": STALE}
_FLAGS = ("badge", "pin")
_UNITS = {"lock_s": 60, "stale_s": 3600}


def told(change: Change, lang: str) -> str:
    """One sentence."""
    facts = change.facts
    if change.kind == "step":
        return _step(change, lang)
    if change.kind == "hand":
        hand = words("hand", lang)[facts["hand"]]
        modes = [_every("modes", lang) if side is None else _modes(side, lang) for side in (facts["old"], facts["new"])]
        return _say("hand", lang, hand=hand, old=modes[0], new=modes[1])
    if change.kind == "class_needs":
        lines = [_say(key, lang, needs=_needs(facts[key], lang)) for key in ("added", "removed") if facts[key]]
        order_class, action = words("order_class", lang)[facts["class"]], words("action", lang)[facts["action"]]
        return _say("class_needs", lang, order_class=order_class, action=action, what="; ".join(lines))
    if change.kind in ("title", "news"):
        old, new = ((side or {}).get(lang) or "—" for side in (facts["old"], facts["new"]))
    elif change.kind == "valid_from":
        old, new = (_moment(side, lang) for side in (facts["old"], facts["new"]))
    else:
        old, new = (_value(change, side, lang) for side in (facts["old"], facts["new"]))
    name = "most_typed" if change.kind == "limit" and facts["name"] == "typed" else facts["name"]
    sentence = _say("value", lang, label=_say(f"name_{name}", lang), old=old, new=new)
    return f"{words('order_class', lang)[facts['class']]}: {sentence}" if "class" in facts else sentence


def _step(change: Change, lang: str) -> str:
    facts = change.facts
    was, becomes = facts["old"], facts["new"]
    modes, states = facts["modes"], facts["states"]
    about = {
        "action": words("action", lang)[facts["action"]],
        "modes": _every("modes", lang) if len(modes) == len(codes("mode")) else _modes(modes, lang),
        "states": _every("states", lang) if len(states) == len(codes("state")) else _states(states, lang),
    }
    if was is None:
        return _say("step_added", lang, **about, what=_outcome(becomes, lang))
    if becomes is None:
        return _say("step_removed", lang, **about)
    return _say("step_changed", lang, **about, what="; ".join(_differences(was, becomes, lang)))


def _outcome(outcome: Outcome, lang: str) -> str:
    parts = [_say("to", lang, state=_state(outcome.to, lang)) if outcome.to else _say("stays", lang)]
    parts += [
        _say(key, lang, state=_state(end, lang)) for key, end in (("fail", outcome.fail), ("part", outcome.part)) if end
    ]
    if outcome.needs:
        parts.append(_say("needs", lang, needs=_needs(outcome.needs, lang)))
    return "; ".join(parts)


def _differences(was: Outcome, becomes: Outcome, lang: str) -> list[str]:
    parts = []
    for key in ("to", "fail", "part"):
        old, new = getattr(was, key), getattr(becomes, key)
        if old != new:
            label = _say(f"end_{key}", lang)
            parts.append(_say("end", lang, label=label, old=_state(old, lang), new=_state(new, lang)))
    for key, needs in (
        ("added", set(becomes.needs) - set(was.needs)),
        ("removed", set(was.needs) - set(becomes.needs)),
    ):
        if needs:
            parts.append(_say(key, lang, needs=_needs(needs, lang)))
    return parts


def _say(key: str, lang: str, **fields: object) -> str:
    return say("rules", key, lang, **fields)


def _every(what: str, lang: str) -> str:
    return _say(f"every_{what}", lang)


def _modes(modes: Iterable[int], lang: str) -> str:
    return ", ".join(words("mode", lang)[code] for code in modes) or "—"


def _states(states: Iterable[int], lang: str) -> str:
    return ", ".join(_state(code, lang) for code in states)


def _state(code: int, lang: str) -> str:
    return f"«{words('state', lang)[code]}»" if code else "—"


def _needs(needs: Iterable[int], lang: str) -> str:
    return ", ".join(_say(f"need_{name}", lang) for name, code in NEEDS.items() if code in set(needs))


def _moment(seconds: int, lang: str) -> str:
    if not seconds:
        return _say("at_once", lang)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _value(change: Change, value: int, lang: str) -> str:
    name = change.facts["name"]
    if name in _CHOICES and (change.kind, name) != ("limit", "typed"):
        choice = next(key for key, code in _CHOICES[name].items() if code == value)
        return _say(f"choice_{choice}", lang)
    if name in _FLAGS:
        return _say("choice_yes" if value else "choice_no", lang)
    return str(value // _UNITS.get(name, 1))
