"""The hand-over token: what a terminal shows of its journal, for the other party's terminal to read and to record.

`PLT*` and the base45 of the 20 bytes of the TLV PEER_HEAD: terminal 8, seq u32, first 8 bytes of the chain value
of record seq. 34 characters, all of the alphanumeric mode of a QR code.
"""

import struct

from plomba_wire import base45
from plomba_wire.codec import Malformed

TOKEN = b"PLT*"
"""Opens every token; a code that begins so is a token or nothing."""

_TERMINAL = 8
_HEAD = 8
_TEXT = 34


def text(terminal: bytes, seq: int, head: bytes) -> bytes:
    """The token of a terminal, 8 bytes, whose record `seq` has the chain value `head`, 8 bytes or more.

    Raises ValueError for other lengths, and for a number that no record has.
    """
    if len(terminal) != _TERMINAL or len(head) < _HEAD or not 0 < seq < 1 << 32:
        raise ValueError("not a head")
    return TOKEN + base45.encode(terminal + struct.pack(">I", seq) + head[:_HEAD])


def peer_head(code: bytes) -> "bytes | None":
    """The value of PEER_HEAD, 20 bytes, in what was scanned; None for anything that no terminal shows."""
    if len(code) != _TEXT or not code.startswith(TOKEN):
        return None
    try:
        value = base45.decode(code[len(TOKEN) :])
    except Malformed:
        return None
    return value if value[_TERMINAL : _TERMINAL + 4] != b"\0\0\0\0" else None
