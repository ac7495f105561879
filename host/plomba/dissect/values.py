"""Values as a dump shows them: codes and bits with their names, text from paper, a number's meaning."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from plomba_wire.schema import VOCABULARY

Fields = dict[str, object]
"""Name -> int, bytes, text of our own, one of the classes below, a list or Fields again."""

_TURNING = ("R", "AL", "AN")
"""Directions that would turn what stands around them (Unicode, UAX #9)."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code; `name` is its word in the vocabulary, None when there is none."""

    code: int
    name: str | None

    def __str__(self) -> str:
        return f"{self.name or '?'} (0x{self.code:02X})"


@dataclass(frozen=True, slots=True)
class Bits:
    """Flag bits; one without a name is called by its place, `b5`."""

    bits: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{'|'.join(self.names)} (0x{self.bits:X})" if self.bits else "0"


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes that should be UTF-8. Whoever printed a code or typed a label chose them: they are never shown raw."""

    raw: bytes

    def __str__(self) -> str:
        return '"' + "".join(map(_shown, self.raw.decode(errors="surrogateescape"))) + '"'


@dataclass(frozen=True, slots=True)
class Meant:
    """A number, and what it means to a person."""

    value: int
    meaning: str

    def __str__(self) -> str:
        return f"{self.value} ({self.meaning})"


def code(section: str, value: int) -> Code:
    """A code of one section of the vocabulary."""
    words = VOCABULARY[section]
    return Code(value, next((name for name, entry in words.items() if entry["code"] == value), None))


def bits(section: str, value: int) -> Bits:
    """Bits that a section of the vocabulary names."""
    return named_bits({entry["code"]: name for name, entry in VOCABULARY[section].items()}, value)


def named_bits(names: Mapping[int, str], value: int) -> Bits:
    """Bits named by their values."""
    places = [place for place in range(value.bit_length()) if value >> place & 1]
    return Bits(value, tuple(names.get(1 << place, f"b{place}") for place in places))


def moment(value: int) -> Meant:
    """Seconds since 1970; 0 is a clock that was never set, or a date that does not end."""
    return Meant(value, f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}" if value else "none")


def as_json(value: object) -> object:
    """What json.dumps takes: bytes are hexadecimal text, text keeps its bytes beside it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Code):
        return {"code": value.code, "name": value.name}
    if isinstance(value, Bits):
        return {"bits": value.bits, "names": list(value.names)}
    if isinstance(value, Text):
        return {"text": _utf8(value.raw), "hex": value.raw.hex()}
    if isinstance(value, Meant):
        return {"value": value.value, "meaning": value.meaning}
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _shown(char: str) -> str:
    """A character as it is, unless it could hide, move or end what is shown around it."""
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    if char in '"\\':
        return "\\" + char
    if char.isprintable() and unicodedata.category(char)[0] != "M" and unicodedata.bidirectional(char) not in _TURNING:
        return char
    return f"\\u{{{number:x}}}"
