"""The parts behind a record's fixed head: type u8, length u16, value; types ascending, each at most once."""

import struct

from plomba_wire.codec import Malformed

CODE_MAX = 300
"""Bytes of the longest code that can be one of ours; it is never cut."""


def pack(parts: "dict[int, bytes]") -> bytes:
    """The parts in the one order they may have."""
    out = []
    for type in sorted(parts):
        out.append(struct.pack(">BH", type, len(parts[type])))
        out.append(parts[type])
    return b"".join(out)


def unpack(data: bytes, at: int) -> "dict[int, bytes]":
    """Parts from `at` to the end. Raises Malformed for a length that lies and for types out of order."""
    parts: "dict[int, bytes]" = {}
    last = -1
    end = len(data)
    while at < end:
        if at + 3 > end:
            raise Malformed("TLV")
        type = data[at]
        length = data[at + 1] << 8 | data[at + 2]
        at += 3
        if type <= last or at + length > end:
            raise Malformed("TLV")
        parts[type] = bytes(data[at : at + length])
        at += length
        last = type
    return parts
