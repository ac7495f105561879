"""How a seal of ours stands on paper: a text for the QR code, and a name for people.

The text is `PLS*` and base45: 121 characters, all of them of a QR code's alphanumeric mode, which version 5-M holds.
`PLS*` is the format's number too: another layout would open with another word. The name `01-0017-000123-7` is issuer,
batch, number and a check digit; it is the seal's identity everywhere, and can be typed with digits alone.
"""

from plomba_wire import base45
from plomba_wire.codec import Malformed, Seal

PREFIX = b"PLS*"
"""Opens the text of every seal of ours."""
NAME = 16
"""Bytes of a name."""
ISSUER_MAX = 99
BATCH_MAX = 9999
NUMBER_MAX = 999999
_TEXT = len(PREFIX) + Seal.SIZE // 2 * 3
_DIGITS = 13

# H. M. Damm, Total anti-symmetrische Quasigruppen (2004): it finds each wrong digit and each two swapped neighbours.
_DAMM = b"0317598642709215486342068713591750983426612304597836742095815869720134894536201794386172052581436790"


def text(payload: bytes) -> bytes:
    """What the QR code holds, from the bytes of codec.Seal."""
    return PREFIX + base45.encode(payload)


def payload(text: bytes) -> bytes:
    """The bytes of codec.Seal. Raises Malformed."""
    if len(text) != _TEXT or not text.startswith(PREFIX):
        raise Malformed("seal")
    return base45.decode(text[len(PREFIX) :])


def name(issuer: int, batch: int, number: int) -> bytes:
    """The name; empty for numbers that no seal has."""
    if not (0 < issuer <= ISSUER_MAX and 0 < batch <= BATCH_MAX and 0 < number <= NUMBER_MAX):
        return b""
    digits = b"%02d%04d%06d" % (issuer, batch, number)
    return _grouped(digits + bytes((0x30 + _damm(digits),)))


def typed(name: bytes) -> bytes:
    """The name that somebody typed, with or without its hyphens. Raises Malformed, where the check digit does not fit
    above all."""
    return _grouped(_digits(name))


def numbers(name: bytes) -> "tuple[int, int, int]":
    """Issuer, batch and number of a name, typed or printed. Raises Malformed."""
    digits = _digits(name)
    return int(digits[:2]), int(digits[2:6]), int(digits[6:12])


def _digits(name: bytes) -> bytes:
    digits = name.replace(b"-", b"")
    if len(digits) != _DIGITS or not digits.isdigit() or _damm(digits):
        raise Malformed("seal name")
    if not (int(digits[:2]) and int(digits[2:6]) and int(digits[6:12])):
        raise Malformed("seal name")
    return digits


def _grouped(digits: bytes) -> bytes:
    return digits[:2] + b"-" + digits[2:6] + b"-" + digits[6:12] + b"-" + digits[12:]


def _damm(digits: bytes) -> int:
    """The check digit; over digits that end with theirs, 0."""
    row = 0
    for digit in digits:
        row = _DAMM[row * 10 + digit - 0x30] - 0x30
    return row
