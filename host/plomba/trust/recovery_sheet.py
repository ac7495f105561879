"""The root's private key on paper: seven numbered lines, each with a check of its own.

A line is eight digits of base 32 and two check digits: the number of the line and its digits, read as one number,
modulo 1021. 1021 is prime, and no power of 32 below the tenth is 1 modulo it: one wrong digit and two digits swapped
are always found, of other slips all but one in a thousand. The alphabet is Crockford's, without I, L, O, U: who types
O means 0, who types I or L means 1. Whether the whole is right the organisation's fingerprint decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from plomba.errors import UsageError
from plomba.texts import say
from plomba.trust.keys import PrivateKey, fingerprint

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OILАВСЕНКМОРТХУ", "011ABCEHKM0PTXY", " -\t")
"""Also the letters of a Cyrillic layout that look the same."""
_PRIME = 1021
LINES = 7
"""Numbered lines of a sheet."""
_DIGITS = 8
_VERSION = 1
_LINE = re.compile(r"\s*(\d)[.):]?\s+(\S.*)")
_FINGERPRINT = re.compile(r"\b(?:[0-9A-F]{4} ){15}[0-9A-F]{4}\b")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that was read: every line's check holds. `fingerprint` is the one printed on it, where it is legible."""

    key: PrivateKey
    fingerprint: str | None


def write(root: PrivateKey, *, made: str, lang: str) -> str:
    """The sheet as text: what it is, the fingerprint, the seven lines. It is the root: whoever reads it has it.

    `made` is the day that stands on it; `lang` one of plomba.texts.LANGUAGES.
    """
    payload = bytes((_VERSION,)) + root.number + root.id[:2]
    value = int.from_bytes(payload, "big")
    digits = "".join(_ALPHABET[value >> 5 * at & 31] for at in range(LINES * _DIGITS - 1, -1, -1))
    lines = []
    for number in range(1, LINES + 1):
        line = digits[(number - 1) * _DIGITS : number * _DIGITS]
        lines.append(f"  {number}   {line[:4]} {line[4:]}  {_check(number, line)}")
    shown = fingerprint(root.public).upper()
    groups = " ".join(shown[at : at + 4] for at in range(0, 64, 4))
    return say("recovery_sheet", "sheet", lang, made=made, fingerprint=groups, lines="\n".join(lines)) + "\n"


def read(text: str) -> Sheet:
    """Reads a sheet, typed in or as it was written; what is not a numbered line is passed over.

    Raises UsageError `sheet_line_missing`, `sheet_line_twice`, `sheet_line_wrong` with the number of the line,
    `sheet_unreadable` when the lines are right one by one and not together.
    """
    lines: dict[int, str] = {}
    for each in text.splitlines():
        match = _LINE.fullmatch(each.strip("\ufeff"))
        if match is None or not 1 <= (number := int(match[1])) <= LINES:
            continue
        digits = read_line(number, match[2])
        if lines.setdefault(number, digits) != digits:
            raise UsageError("sheet_line_twice", line=number)
    for number in range(1, LINES + 1):
        if number not in lines:
            raise UsageError("sheet_line_missing", line=number)
    payload = _value("".join(lines[number] for number in sorted(lines))).to_bytes(35, "big")
    try:
        key = PrivateKey.from_number(payload[1:33])
    except ValueError:
        raise UsageError("sheet_unreadable") from None
    if payload[0] != _VERSION or payload[33:] != key.id[:2]:
        raise UsageError("sheet_unreadable")
    printed = _FINGERPRINT.search(text.upper())
    return Sheet(key, printed[0].replace(" ", "").lower() if printed else None)


def read_line(number: int, typed: str) -> str:
    """The digits of one line without its check. Raises UsageError `sheet_line_wrong`; the text of it names no digit."""
    digits = typed.upper().translate(_READ_AS)
    if len(digits) != _DIGITS + 2 or set(digits) - set(_ALPHABET):
        raise UsageError("sheet_line_wrong", line=number)
    if _check(number, digits[:_DIGITS]) != digits[_DIGITS:]:
        raise UsageError("sheet_line_wrong", line=number)
    return digits[:_DIGITS]


def _check(number: int, digits: str) -> str:
    value = ((number << 5 * _DIGITS) | _value(digits)) % _PRIME
    return _ALPHABET[value >> 5] + _ALPHABET[value & 31]


def _value(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value << 5 | _ALPHABET.index(digit)
    return value
