"""One direction's bytes, cut at their zeros. Every byte is in exactly one run, whatever the bytes are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from plomba_wire.framing import LIMIT

_ZEROS = re.compile(rb"\0*")


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes from `offset` on, `size` of them with the delimiter; `us` is when the last one passed.

    `data` is what stands before the delimiter, at most its first LIMIT bytes. `ended` is whether there is a delimiter.
    """

    offset: int
    size: int
    us: int
    data: bytes
    ended: bool

    @property
    def overlong(self) -> bool:
        """More than a frame can be: a receiver drops it."""
        return self.size - self.ended > LIMIT


class Runs:
    """Cuts as plomba_wire.framing.Deframer does, and keeps what that one drops."""

    def __init__(self) -> None:
        self._offset = 0
        self._size = 0
        self._data = bytearray()
        self._us = 0

    def feed(self, data: bytes, us: int) -> Iterator[Run]:
        """The runs that `data` ends. Zeros that end nothing are one run without data."""
        at = 0
        while at < len(data):
            self._us = us
            if not self._size and not data[at]:
                begin, at = at, _zeros_end(data, at)
                yield self._cut(at - begin, True)
                continue
            zero = data.find(b"\0", at)
            stop = zero if zero >= 0 else len(data)
            self._data += data[at : min(stop, at + LIMIT - len(self._data))]
            self._size += stop - at
            at = stop
            if zero >= 0:
                at += 1
                yield self._cut(self._size + 1, True)

    def end(self) -> Iterator[Run]:
        """A run that has not ended."""
        if self._size:
            yield self._cut(self._size, False)

    def _cut(self, size: int, ended: bool) -> Run:
        run = Run(self._offset, size, self._us, bytes(self._data), ended)
        self._offset += size
        self._size = 0
        self._data.clear()
        return run


def _zeros_end(data: bytes, at: int) -> int:
    zeros = _ZEROS.match(data, at)
    assert zeros is not None
    return zeros.end()
