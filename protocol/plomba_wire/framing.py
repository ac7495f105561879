"""Frames on a byte stream: head, body, CRC-32, in COBS, ended by 00.

COBS: Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999. It is written with find and slices, so that its
cost follows the zeros, not the bytes, and with one buffer: a list of the runs of a 2000-byte frame of records took
50 KB of a terminal's heap.
"""

import binascii
import struct
import sys

from plomba_wire.codec import FrameHead, Malformed

BODY_MAX = 4096
"""Bytes of the longest body."""
OVERHEAD = FrameHead.SIZE + 4
"""Bytes of a frame that are not body, before COBS."""
LIMIT = 4608
"""Bytes of one encoded frame, delimiter excluded. Longer ones are dropped: body 4096, head, CRC, COBS and slack."""


def cobs_encode(data: bytes) -> bytes:
    """`data` without a zero byte and with a zero behind it, len + 2 + len // 254 bytes at most."""
    end = len(data)
    out = bytearray(end + 2 + end // 254)
    at = 0
    to = 0
    while True:
        zero = data.find(b"\0", at)
        stop = zero if zero >= 0 else end
        while stop - at >= 254:
            out[to] = 255
            out[to + 1 : to + 255] = data[at : at + 254]
            at += 254
            to += 255
        size = stop - at
        out[to] = size + 1
        out[to + 1 : to + 1 + size] = data[at:stop]
        to += size + 1
        if zero < 0:
            break
        at = zero + 1
    return bytes(memoryview(out)[: to + 1])


def cobs_decode(data: "bytes | memoryview") -> bytes:
    """Raises Malformed."""
    end = len(data)
    out = bytearray(end)
    at = 0
    to = 0
    while at < end:
        code = data[at]
        if code == 0 or at + code > end:
            raise Malformed("COBS")
        out[to : to + code - 1] = data[at + 1 : at + code]
        at += code
        to += code - 1
        if code != 255 and at < end:
            to += 1
    return bytes(memoryview(out)[:to])


cobs_decode_in_one_buffer = cobs_decode
if sys.implementation.name == "cpython":
    from plomba_wire.swift import cobs_decode


def frame_bytes(type: int, flags: int, session: int, tag: int, body: bytes) -> bytes:
    """One frame as it is before COBS: head, body, CRC-32."""
    head = struct.pack(">BBHH", type, flags, session, tag)
    crc = binascii.crc32(body, binascii.crc32(head))
    return b"".join((head, body, struct.pack(">I", crc)))


def encode(type: int, flags: int, session: int, tag: int, body: bytes) -> bytes:
    """One frame, delimiter included."""
    return cobs_encode(frame_bytes(type, flags, session, tag, body))


def longest(body: int) -> int:
    """The most bytes that a frame with a body of so many takes on the wire, delimiter included."""
    frame = OVERHEAD + body
    return frame + 2 + frame // 254


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


def read_frame(data: "bytes | memoryview", size: int) -> "Frame | None":
    """The frame that `data` is before COBS, None when it is damaged or too long. `size` is what it took on the wire."""
    if not OVERHEAD <= len(data) <= OVERHEAD + BODY_MAX:
        return None
    view = memoryview(data)
    if binascii.crc32(view[:-4]) != struct.unpack(">I", view[-4:])[0]:
        return None
    type, flags, session, tag = struct.unpack_from(">BBHH", view, 0)
    return Frame(type, flags, session, tag, bytes(view[FrameHead.SIZE : -4]), size)


class Deframer:
    """Cuts a byte stream into frames. Damage is counted in `bad`, never raised.

    Its one buffer is made at the start: under a megabyte of garbage a buffer that grew piece by piece left a heap of
    128 Ki words in crumbs.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.bad = 0
        self._buffer = bytearray(limit)
        self._fill = 0
        self._skip = False

    def drop(self) -> None:
        """Forgets a frame that has begun and will not end."""
        self.bad += self._fill > 0
        self._fill = 0
        self._skip = False

    def feed(self, data: bytes) -> "list[Frame]":
        """The frames that `data` completes."""
        frames: "list[Frame]" = []
        start = 0
        while True:
            zero = data.find(b"\0", start)
            stop = zero if zero >= 0 else len(data)
            if not self._skip:
                self._take(data, start, stop)
            if zero < 0:
                return frames
            start = zero + 1
            if self._fill:
                frame = self._frame(memoryview(self._buffer)[: self._fill])
                if frame is None:
                    self.bad += 1
                else:
                    frames.append(frame)
            self._fill = 0
            self._skip = False

    def _take(self, data: bytes, start: int, stop: int) -> None:
        end = self._fill + stop - start
        if end > len(self._buffer):
            self.bad += 1
            self._skip = True
            self._fill = 0
            return
        self._buffer[self._fill : end] = memoryview(data)[start:stop]
        self._fill = end

    def _frame(self, encoded: "bytes | memoryview") -> "Frame | None":
        try:
            return read_frame(cobs_decode(encoded), len(encoded) + 1)
        except Malformed:
            return None
