"""The names that stand for the shared vocabulary's codes in data files and in JSON."""

from __future__ import annotations

from functools import cache

from plomba_wire.schema import VOCABULARY


@cache
def codes(section: str) -> dict[str, int]:
    """Name -> code."""
    return {name: entry["code"] for name, entry in VOCABULARY[section].items()}


@cache
def names(section: str) -> dict[int, str]:
    """Code -> name."""
    return {code: name for name, code in codes(section).items()}
