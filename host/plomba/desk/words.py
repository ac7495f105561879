"""The names that stand for the shared vocabulary's codes in data files and in JSON, and a moment's text there."""

from __future__ import annotations

from datetime import UTC, datetime
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


def iso(time: int) -> str | None:
    """RFC 3339, UTC; None for a clock that was not set."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
