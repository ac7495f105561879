"""Frames on a byte stream: head, body, CRC-32, in COBS, ended by 00.

COBS: Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999. It is written with split and slices, so that its
cost follows the zeros, not the bytes: about ten times faster than a byte loop under MicroPython.
"""

import binascii
import struct

from plomba_wire.codec import FrameHead, Malformed

OVERHEAD = FrameHead.SIZE + 4
"""Bytes of a frame that are not body, before COBS."""
LIMIT = 4608
"""Bytes of one encoded frame, delimiter excluded. Longer ones are dropped: body 4096, head, CRC, COBS and slack."""


def cobs_encode(data: bytes) -> bytes:
    """`data` without a zero byte, len + 1 + len // 254 bytes at most."""
    out = []
    for run in data.split(b"\0"):
        at = 0
        left = len(run)
        while left >= 254:
            out.append(b"\xff")
            out.append(run[at : at + 254])
            at += 254
            left -= 254
        out.append(bytes((left + 1,)))
        out.append(run[at:])
    return b"".join(out)


def cobs_decode(data: bytes) -> bytes:
    """Raises Malformed."""
    out = []
    at = 0
    end = len(data)
    while at < end:
        code = data[at]
        if code == 0 or at + code > end:
            raise Malformed("COBS")
        out.append(data[at + 1 : at + code])
        at += code
        if code != 255 and at < end:
            out.append(b"\0")
    return b"".join(out)


def encode(type: int, flags: int, session: int, tag: int, body: bytes) -> bytes:
    """One frame, delimiter included."""
    head = struct.pack(">BBHH", type, flags, session, tag)
    crc = binascii.crc32(body, binascii.crc32(head))
    return cobs_encode(head + body + struct.pack(">I", crc)) + b"\0"


class Frame:
    """A frame that arrived whole. `size` is what it took on the wire, delimiter included."""

    __slots__ = ("type", "flags", "session", "tag", "body", "size")

    def __init__(self, type: int, flags: int, session: int, tag: int, body: bytes, size: int) -> None:
        self.type = type
        self.flags = flags
        self.session = session
        self.tag = tag
        self.body = body
        self.size = size


class Deframer:
    """Cuts a byte stream into frames. Damage is counted in `bad`, never raised; memory stays below `limit`."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.bad = 0
        self._limit = limit
        self._part = b""
        self._skip = False

    def feed(self, data: bytes) -> "list[Frame]":
        """The frames that `data` completes."""
        frames = []
        pieces = data.split(b"\0")
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            if not self._skip:
                self._part = self._part + piece if self._part else bytes(piece)
                if len(self._part) > self._limit:
                    self.bad += 1
                    self._skip = True
                    self._part = b""
            if index == last:
                break
            if self._part:
                frame = self._frame(self._part)
                if frame is None:
                    self.bad += 1
                else:
                    frames.append(frame)
            self._part = b""
            self._skip = False
        return frames

    def _frame(self, encoded: bytes) -> "Frame | None":
        try:
            data = cobs_decode(encoded)
        except Malformed:
            return None
        if len(data) < OVERHEAD or binascii.crc32(data[:-4]) != struct.unpack(">I", data[-4:])[0]:
            return None
        type, flags, session, tag = struct.unpack_from(">BBHH", data, 0)
        return Frame(type, flags, session, tag, data[FrameHead.SIZE : -4], len(encoded) + 1)
