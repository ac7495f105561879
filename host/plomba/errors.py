"""Every error a person meets: the thing, the reason, the next step, a stable code, an exit status.

The texts are data (`texts/errors.toml`); a code, once published, keeps its meaning.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from plomba.texts import language


class PlombaError(Exception):
    """Base of all. `code` names the entry in `texts/errors.toml`; `fields` fill its text."""

    def __init__(self, code: str, **fields: object) -> None:
        self.code = code
        self.fields = {name: _printable(value) for name, value in fields.items()}
        super().__init__(self.what("en"))

    @property
    def exit_status(self) -> int:
        """1 failed, 2 usage, 3 terminal, 4 verification, 5 queued but not forwarded."""
        status: int = _entry(self.code)["exit"]
        return status

    def what(self, lang: str | None = None) -> str:
        """The thing and the reason."""
        return self._text(0, lang)

    def next_step(self, lang: str | None = None) -> str:
        """What to do now."""
        return self._text(1, lang)

    def _text(self, part: int, lang: str | None) -> str:
        template: str = _entry(self.code)[lang or language()][part]
        return template.format_map(_Fields(self.fields))


class UsageError(PlombaError):
    """The request itself is wrong (exit 2)."""


class TerminalError(PlombaError):
    """A port or a terminal does not do what was asked (exit 3)."""


class VerificationError(PlombaError):
    """Something does not prove what it claims (exit 4)."""


class NotForwarded(PlombaError):
    """Stored and receipted, but the order system has not taken it yet (exit 5)."""


class StoreError(PlombaError):
    """A ledger or a file could not be read or written (exit 1)."""


class _Fields(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def _printable(value: object) -> str:
    """A field may come from paper or from the wire: control characters and direction marks become escapes."""
    text = str(value)
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return shown if len(shown) <= 300 else shown[:297] + "..."


@cache
def _entries() -> dict[str, Any]:
    text = resources.files("plomba.texts").joinpath("errors.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _entry(code: str) -> dict[str, Any]:
    entry: dict[str, Any] = _entries()[code]
    return entry


def codes() -> list[str]:
    """Every stable code."""
    return list(_entries())
