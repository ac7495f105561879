"""Printed cards: the text "PLB*" and a name of the vocabulary's, and for some "*" and what the card takes."""

from micropython import const

from plomba_wire.vocabulary import COMMANDS, MODES

PREFIX = b"PLB*"
_TAKES = const(64)
"""Commands from here on take something."""
_NUMBER_MAX = const(9)


def read(code: bytes) -> "tuple[int, bytes]":
    """(mode or command, what it takes); (0, b"") for a card that nobody printed."""
    name, mark, value = _parted(code[len(PREFIX) :])
    number = MODES.get(name) or COMMANDS.get(name) or 0
    if not number or bool(mark) != (number >= _TAKES) or bool(mark) != bool(value):
        return 0, b""
    return number, value


def number(value: bytes) -> int:
    """1 to 9 digits as a number; 0 for anything else."""
    return int(value) if value.isdigit() and len(value) <= _NUMBER_MAX else 0


def _parted(text: bytes) -> "tuple[bytes, bytes, bytes]":
    at = text.find(b"*")
    return (text, b"", b"") if at < 0 else (text[:at], b"*", text[at + 1 :])
