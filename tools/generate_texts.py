"""The terminal's texts, one module a language, from the vocabulary."""

from __future__ import annotations

import json
from typing import Any

from plomba_wire.schema import VOCABULARY

_HEADLINE_MAX = 16
_CHECKS = VOCABULARY["check"]


def render() -> dict[str, str]:
    """Language -> source of `texts_<language>.py`. Raises ValueError for a headline the screen cannot hold."""
    return {language: _module(language) for language in VOCABULARY["languages"]}


def _module(language: str) -> str:
    verdicts: dict[Any, Any] = {}
    for name, entry in VOCABULARY["verdict"].items():
        verdicts[0, entry["code"]] = _presentation(name, entry, entry, language)
        for action, special in entry.get("on", {}).items():
            key = (VOCABULARY["action"][action]["code"], entry["code"])
            verdicts[key] = _presentation(f"{name}.on.{action}", special, entry, language)
        for action, special in entry.get("met", {}).items():
            key = (VOCABULARY["action"][action]["code"] | 0x100, entry["code"])
            verdicts[key] = _presentation(f"{name}.met.{action}", special, entry, language)
    lines = [
        f'"""What the screen says ({language}). Generated from vocabulary.toml: python3 tools gen."""',
        "# fmt: off",
        "",
        "# (action or 0, verdict): headline, next step, icon, tone, lamp, latched; action | 0x100: both parties",
        "VERDICTS = {",
        *(f"    ({action:#04x}, {verdict:#04x}): {_literal(value)}," for (action, verdict), value in verdicts.items()),
        "}",
        "",
        "# bit: shows, headline, next step",
        "CHECKS = {",
        *(f"    {entry['code']:#x}: {_literal(_check(name, language))}," for name, entry in _CHECKS.items()),
        "}",
        "",
        "MODES = {",
        *(f"    {entry['code']}: {_literal(entry[language])}," for entry in VOCABULARY["mode"].values()),
        "}",
        "",
        "UI = {",
        *(f"    {_literal(name)}: {_literal(entry[language])}," for name, entry in VOCABULARY["ui"].items()),
        "}",
        "",
    ]
    return "\n".join(lines)


def _check(name: str, language: str) -> tuple[str, str, str]:
    entry = _CHECKS[name]
    headline, next_step = entry[language]
    if len(headline) > _HEADLINE_MAX:
        raise ValueError(f"check {name}: {headline!r} is longer than {_HEADLINE_MAX} characters")
    return (entry["shows"], headline, next_step)


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ")"
    return json.dumps(value, ensure_ascii=False)


def _presentation(name: str, entry: dict[str, Any], base: dict[str, Any], language: str) -> tuple[Any, ...]:
    headline, next_step = entry[language]
    if len(headline) > _HEADLINE_MAX:
        raise ValueError(f"verdict {name}: {headline!r} is longer than {_HEADLINE_MAX} characters")
    value = {**base, **entry}
    return (headline, next_step, value["icon"], value["tone"], value["lamp"], int(value.get("latch", False)))
