"""Every error a person meets: the thing, the reason, the next step, a stable code, an exit status.

The texts are data (`texts/errors.toml`); a code, once published, keeps its meaning.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from plomba.texts import language
from plomba_wire.schema import VOCABULARY


class PlombaError(Exception):
    """Base of all. `code` names the entry in `texts/errors.toml`; `fields` fill its text."""

    def __init__(self, code: str, **fields: object) -> None:
        self.code = code
        self.fields = {name: _printable(value) for name, value in fields.items()}
        super().__init__(self.what("en"))

    @property
    def blame(self) -> str:
        """Whose doing it is: "ours" (this side, its input or its place), "theirs" (the other end's), "link"."""
        blame: str = _entry(self.code).get("blame", "ours")
        return blame

    @property
    def terminal(self) -> str | None:
        """Id of the terminal it is about, 16 hex digits, where that is known."""
        return self.fields.get("terminal")

    @property
    def position(self) -> int | None:
        """The record number, or the offset, it is about."""
        found = self.fields.get("seq", "")
        return int(found) if found.isdecimal() else None

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


class TerminalRefused(TerminalError):
    """A terminal answered with an Error. `code` is `refused_` and its name (SPEC.md, section 7); `retry` whether the
    same may be asked again, after `retry_after` ms at the soonest; `detail` is the number that belongs to the code."""

    def __init__(self, link_code: int, request: str, detail: int, retry_after: int, terminal: str) -> None:
        name, entry = next((name, entry) for name, entry in _refusals().items() if entry["code"] == link_code)
        self.link_code = link_code
        self.detail = detail
        self.retry = bool(entry.get("retry"))
        self.retry_after = retry_after
        self._name, self._reasons = name, entry
        super().__init__("terminal_refused", request=request, link_code=link_code, detail=detail, terminal=terminal)
        self.code = f"refused_{name.lower()}"

    @property
    def blame(self) -> str:
        blame: str = self._reasons["blame"]
        return blame

    @property
    def position(self) -> int | None:
        """`detail`, where the code makes it a record number or an offset."""
        return self.detail if self._reasons.get("place") else None

    @property
    def exit_status(self) -> int:
        status: int = _entry("terminal_refused")["exit"]
        return status

    def _text(self, part: int, lang: str | None) -> str:
        lang = lang or language()
        template: str = _entry("terminal_refused")[lang][part]
        return template.format_map(_Fields({**self.fields, "reason": self._reasons[lang]}))


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


def _refusals() -> dict[str, Any]:
    refusals: dict[str, Any] = VOCABULARY["error"]
    return refusals


def codes() -> list[str]:
    """Every stable code."""
    return [*_entries(), *(f"refused_{name.lower()}" for name in _refusals())]
