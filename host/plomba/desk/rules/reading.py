"""From a pack's TOML to what it says: names, kinds, limits and texts. What it means is for `meaning.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from plomba.desk.rules.located import Located
from plomba.desk.rules.pack import CLOSE, GATES, NEEDS, STALE, TYPED, ClassRules, Pack, Step
from plomba.desk.rules.screen_text import line_count, strangers
from plomba.desk.rules.table import Mistake, Table
from plomba.desk.words import codes
from plomba.texts import LANGUAGES
from plomba_wire.schema import VOCABULARY

TITLE_MAX = 48
"""Signs of a title."""
NEWS_MAX = 84
NEWS_LINES = 4
"""Signs and lines of the screen that a new rule is told in."""

_NUMBER_MAX = 0xFFFF
_FROM_MAX = 0xFFFF_FFFF
_SIREN_MAX = 3600
_LOCK_MAX = 1440
_STALE_MAX = 8760
_KEYS = ("base", "number", "valid_from", "title", "news", "shift", "limits", "class", "hands", "step")
_SHIFT = ("badge", "pin", "close", "lock_min")
_LIMITS = ("tries", "override", "typed", "stale_h", "stale")
_CLASS = ("seal", "item", "siren_s", "typed", "needs", "waiver")
_STEP = ("mode", "action", "from", "to", "fail", "part", "needs")

BY_SCAN = ("SEAL_CHECK", "HANDOUT")
"""Actions that a scan or a key of a visit does, and no card names."""


def step_actions() -> dict[str, int]:
    """The actions a step may be of: those of the modes, of the cards, and BY_SCAN."""
    sections = (*VOCABULARY["mode"].values(), *VOCABULARY["command"].values())
    named = {entry["action"] for entry in sections if "action" in entry} | set(BY_SCAN)
    return {name: code for name, code in codes("action").items() if name in named}


def read_pack(text: Located) -> tuple[Pack, list[Mistake]]:
    """The pack as far as it can be read, and every mistake found in reading it."""
    mistakes: list[Mistake] = []
    top = Table(text, (), mistakes)
    top.only(_KEYS)
    pack = Pack(
        number=top.whole("number", 1, _NUMBER_MAX),
        valid_from=_moment(top),
        title=_words(top.table("title"), TITLE_MAX, 0),
        news=_words(news, NEWS_MAX, NEWS_LINES) if (news := top.table("news", required=False)) else None,
        shift=_shift(top.table("shift")),
        limits=_limits(top.table("limits")),
        classes=_classes(top.table("class")),
        hands=_hands(top.table("hands", required=False)),
        steps=tuple(_step(step) for step in top.tables("step")),
    )
    return pack, mistakes


def _moment(top: Table) -> int:
    value = top.value("valid_from")
    if value is None:
        return 0
    # A time without its zone would come into force at another moment on every PC.
    if isinstance(value, datetime) and value.tzinfo is not None:
        seconds = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        if 0 < seconds <= _FROM_MAX:
            return seconds
    top.bad("valid_from", "2026-12-01T09:00:00+03:00")
    return 0


def _words(table: Table | None, longest: int, lines: int) -> dict[str, str]:
    if table is None:
        return {}
    table.only(LANGUAGES)
    said = {}
    for language in LANGUAGES:
        text = table.value(language)
        if not isinstance(text, str) or not text.strip():
            table.bad(language, f'"…" (1…{longest})')
            continue
        said[language] = text
        unknown = strangers(text)
        if unknown:
            shown = " ".join(f"U+{ord(char):04X}" for char in unknown[:5])
            table.wrong("rules_text_signs", language, key=language, found=shown)
        if len(text) > longest:
            table.wrong("rules_text_long", language, key=language, count=len(text), longest=longest)
        elif lines and line_count(text) > lines:
            table.wrong("rules_text_lines", language, key=language, count=line_count(text), lines=lines)
    return said


def _shift(table: Table | None) -> dict[str, int]:
    if table is None:
        return {}
    table.only(_SHIFT)
    return {
        "badge": table.flag("badge"),
        "pin": table.flag("pin"),
        "close": table.choice("close", CLOSE),
        "lock_s": table.whole("lock_min", 0, _LOCK_MAX) * 60,
    }


def _limits(table: Table | None) -> dict[str, int]:
    if table is None:
        return {}
    table.only(_LIMITS)
    return {
        "tries": table.whole("tries", 1, 9),
        "override": table.whole("override", 0, 99),
        "typed": table.whole("typed", 0, 99),
        "stale_s": table.whole("stale_h", 0, _STALE_MAX) * 3600,
        "stale": table.choice("stale", STALE),
    }


def _classes(table: Table | None) -> dict[int, ClassRules]:
    if table is None:
        return {}
    known = {name.lower(): code for name, code in codes("order_class").items()}
    found = {}
    for name in table.names:
        entry = table.table(name)
        assert entry is not None
        if name not in known:
            table.wrong("rules_name", name, section="class", found=f"“{name}”", known=", ".join(known))
            continue
        entry.only(_CLASS)
        waiver = entry.value("waiver")
        if waiver is not None and (not isinstance(waiver, str) or not waiver.strip()):
            entry.bad("waiver", '"…"')
        found[known[name]] = ClassRules(
            seal=entry.choice("seal", GATES),
            item=entry.choice("item", GATES),
            siren_s=entry.whole("siren_s", 0, _SIREN_MAX, 0),
            typed=entry.choice("typed", TYPED),
            needs=_class_needs(entry.table("needs", required=False)),
            waived=waiver is not None,
        )
    return found


def _class_needs(table: Table | None) -> dict[int, tuple[int, ...]]:
    if table is None:
        return {}
    actions = step_actions()
    needs = {}
    for name in table.names:
        if name not in actions:
            table.wrong("rules_name", name, section="action", found=f"“{name}”", known=", ".join(actions))
            continue
        listed = table.codes(name, "needs", NEEDS)
        if listed:
            needs[actions[name]] = listed
    return needs


def _hands(table: Table | None) -> dict[int, tuple[int, ...]]:
    if table is None:
        return {}
    known = {name.lower(): code for name, code in codes("hand").items()}
    found = {}
    for name in table.names:
        if name not in known:
            table.wrong("rules_name", name, section="hands", found=f"“{name}”", known=", ".join(known))
            continue
        found[known[name]] = table.codes(name, "mode", codes("mode"))
    return found


def _step(table: Table) -> Step:
    table.only(_STEP)
    states = _states()
    if "from" in table.names and table.value("from") == []:
        table.bad("from", '["…"]')
    return Step(
        mode=table.code("mode", "mode", codes("mode")),
        action=table.code("action", "action", step_actions(), required=True),
        origins=table.codes("from", "state", states),
        to=table.code("to", "state", states),
        fail=table.code("fail", "state", states),
        part=table.code("part", "state", states),
        needs=table.codes("needs", "needs", NEEDS),
    )


def _states() -> Mapping[str, int]:
    return {name: code for name, code in codes("state").items() if code}
