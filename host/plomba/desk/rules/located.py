"""TOML with the place of everything in it: tomllib reads the values, a scanner over the same text finds the lines."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plomba.errors import PlombaError

Keys = tuple[str | int, ...]
"""The way to a value: names of keys, numbers (from 0) in arrays."""

TEXT_MAX = 65536
"""Bytes of the longest file: a pack of 7800 bytes comes from a quarter of it, and tomllib is slow on hostile text."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\"]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_REPORTED = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Located:
    """`data` as tomllib gives it; `places` has every table, key and array element of it."""

    data: Mapping[str, Any]
    places: Mapping[Keys, Place]

    def place(self, *keys: str | int) -> Place:
        """Where the value stands, or what is missing of it should: the nearest thing around it that is written."""
        while keys not in self.places:
            keys = keys[:-1]
        return self.places[keys]


def read_file(path: Path) -> Located:
    """Raises PlombaError `rules_unreadable`, `rules_syntax`."""
    try:
        with path.open("rb") as file:
            content = file.read(TEXT_MAX + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise PlombaError("rules_unreadable", path=path, reason=error.strerror) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlombaError("rules_syntax", place=Place(str(path), line), reason=error) from error
    return read(text, str(path))


def read(text: str, path: str) -> Located:
    """Raises PlombaError `rules_syntax`."""
    text = text.replace("\r\n", "\n")
    if len(text.encode(errors="replace")) > TEXT_MAX:
        raise PlombaError("rules_syntax", place=Place(path, 1), reason=f"> {TEXT_MAX} B")
    try:
        data = tomllib.loads(text)
        lines = _Scanner(text).lines()
    except RecursionError as error:
        raise PlombaError("rules_syntax", place=Place(path, 1), reason="nested too deep") from error
    except ValueError as error:
        # A number of more digits than Python takes is a plain ValueError, without a place.
        found = _REPORTED.search(str(error))
        last = text.count("\n") + (not text.endswith("\n"))
        line = 1 if found is None else int(found[1]) if found[1] else max(1, last)
        raise PlombaError("rules_syntax", place=Place(path, line), reason=_REPORTED.sub("", str(error))) from error
    return Located(data, {keys: Place(path, line) for keys, line in lines.items()})


class _Scanner:
    """Walks over text that tomllib has taken: only where things begin and end is left to find."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [index for index, char in enumerate(text) if char == "\n"]
        self._lines: dict[Keys, int] = {(): 1}
        self._lengths: dict[Keys, int] = {}

    def lines(self) -> dict[Keys, int]:
        table: Keys = ()
        while self._more():
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Keys:
        line = self._line()
        element = self._peek("[[")
        self._at += 2 if element else 1
        names = self._names()
        self._at += 2 if element else 1
        keys: Keys = ()
        for number, name in enumerate(names, start=1):
            keys = (*keys, name)
            self._lines.setdefault(keys, line)
            if element and number == len(names):
                self._lengths[keys] = self._lengths.get(keys, 0) + 1
            if keys in self._lengths:
                keys = (*keys, self._lengths[keys] - 1)
        # A table that was only implied by one inside it stands where its own header is.
        self._lines[keys] = line
        return keys

    def _pair(self, table: Keys) -> None:
        line = self._line()
        keys = table
        for name in self._names():
            keys = (*keys, name)
            self._lines.setdefault(keys, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(keys)

    def _names(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._peek('"') or self._peek("'"):
                self._string()
                names.append(str(tomllib.loads(f"name = {self._text[start : self._at]}")["name"]))
            else:
                self._skip(_BARE)
                names.append(self._text[start : self._at])
            self._skip(_SPACE)
            if not self._peek("."):
                return names
            self._at += 1

    def _value(self, keys: Keys) -> None:
        if self._peek('"') or self._peek("'"):
            self._string()
        elif self._peek("["):
            self._inside(keys, "]")
        elif self._peek("{"):
            self._inside(keys, "}")
        else:
            self._skip(_SCALAR)

    def _inside(self, keys: Keys, closing: str) -> None:
        self._at += 1
        count = 0
        while self._more() and not self._peek(closing):
            if self._peek(","):
                self._at += 1
            elif closing == "}":
                self._pair(keys)
            else:
                self._lines[(*keys, count)] = self._line()
                self._value((*keys, count))
                count += 1
        self._at += 1

    def _string(self) -> None:
        for pattern in _STRINGS:
            found = pattern.match(self._text, self._at)
            if found is not None:
                self._at = found.end()
                return
        raise ValueError("a string without an end")

    def _more(self) -> bool:
        self._skip(_BETWEEN)
        return self._at < len(self._text)

    def _peek(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _line(self) -> int:
        return bisect_right(self._breaks, self._at) + 1
