"""What a scanned text is. A code read from paper is hostile: it is compared, hashed and stored, never interpreted.

`identities` and `fault` are those of the table that terminal and desk share.
"""

import hashlib
import struct

from plomba_wire.carriers import UIN
from plomba_wire.carriers import fault as fault
from plomba_wire.carriers import identities as identities
from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import CodeKind

COMMAND = b"PLB*"
"""Opens every printed command code; the rest names the command."""

_GS = 0x1D


def kind(code: bytes) -> int:
    """COMMAND, UNKNOWN for a text that has to be looked up, NONE for one that is refused unseen."""
    if not code or len(code) > CODE_MAX:
        return CodeKind.NONE
    for byte in code:
        if (byte < 0x20 and byte != _GS) or byte == 0x7F:
            return CodeKind.NONE
    return CodeKind.COMMAND if code.startswith(COMMAND) else CodeKind.UNKNOWN


def item_number(code: bytes, symbology: int) -> "bytes | None":
    """The УИН in a tag: exactly one run of exactly 16 digits, bare or inside a URL, from a 2-D code."""
    return UIN.only_run(code) if symbology in UIN.symbologies else None


def packed_digits(digits: bytes) -> bytes:
    """Digits as packed BCD, two a byte."""
    return bytes((digits[at] - 48) << 4 | (digits[at + 1] - 48) for at in range(0, len(digits), 2))


def is_item_number(code: bytes) -> bool:
    """Whether a typed text is an item number."""
    return UIN.only_run(code) == code


def long_code(code: bytes) -> bytes:
    """The TLV LONG_CODE of a text that a record does not hold whole."""
    return struct.pack(">H", min(len(code), 0xFFFF)) + hashlib.sha256(code).digest() + code[:64]
