"""Texts for people, in Russian, Ukrainian and English; all of them are data files in this folder.

The language is `PLOMBA_LANG`, else the locale's, else English. Output for programs is never translated.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from plomba_wire.schema import VOCABULARY

LANGUAGES = ("ru", "uk", "en")


def language() -> str:
    """The language to speak: ru, uk or en."""
    for name in ("PLOMBA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")[:2].lower()
        if value in LANGUAGES:
            return value
        if value:
            break
    return "en"


@cache
def _catalogue(name: str) -> dict[str, Any]:
    text = resources.files("plomba.texts").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def say(name: str, key: str, lang: str | None = None, **fields: object) -> str:
    """The text `key` of catalogue `name` with its fields filled in. Raises KeyError for an unknown key."""
    template: str = _catalogue(name)[key][lang or language()]
    return template.format(**fields)


@cache
def words(section: str, lang: str) -> dict[int, str]:
    """Code -> word, for a section of the shared vocabulary; of a verdict its headline, whatever the action."""
    texts = {entry["code"]: entry[lang] for entry in VOCABULARY[section].values()}
    return {code: text if isinstance(text, str) else text[0] for code, text in texts.items()}


@cache
def verdict_word(action: int, verdict: int, lang: str) -> str:
    """The headline that the terminal showed for a verdict of an action."""
    entry = next(entry for entry in VOCABULARY["verdict"].values() if entry["code"] == verdict)
    for name, special in entry.get("on", {}).items():
        if VOCABULARY["action"][name]["code"] == action and lang in special:
            return str(special[lang][0])
    return str(entry[lang][0])
