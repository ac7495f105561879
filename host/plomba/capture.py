"""Captures (`.plcap`): the raw bytes of a link or an engine with their times, to look at and to replay in a test.

A file is `PLCAP1\\n`, then chunks: µs since the first one u64, direction u8 (0 from the device, 1 to it), length u32,
bytes.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from plomba.errors import UsageError
from plomba_wire import codec, framing
from plomba_wire.layout import Layout, Malformed

MAGIC = b"PLCAP1\n"
FROM_DEVICE = 0
TO_DEVICE = 1
_HEAD = struct.Struct(">QBI")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that passed at once. `us` is microseconds since the first chunk."""

    us: int
    direction: int
    data: bytes


class Recorder:
    """Writes a capture as it happens; each chunk is in the file when `record` returns."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._file.write(MAGIC)

    def record(self, direction: int, data: bytes) -> None:
        now = self._clock()
        if self._began is None:
            self._began = now
        self._file.write(_HEAD.pack(int((now - self._began) * 1e6), direction, len(data)) + data)

    def close(self) -> None:
        self._file.close()


class Reader:
    """Iterates over the chunks of a capture, one in memory at a time. Raises UsageError `capture_unreadable`.

    `left`, at the end, is what the file has of a last chunk that was cut off, head and all.
    """

    def __init__(self, path: Path) -> None:
        self.left = b""
        self._path = path

    def __iter__(self) -> Iterator[Chunk]:
        try:
            with self._path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise UsageError("capture_unreadable", path=self._path, reason="not a capture")
                while head := file.read(_HEAD.size):
                    us, direction, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0, 0)
                    data = _take(file, length)
                    if len(head) < _HEAD.size or len(data) < length:
                        self.left = head + data
                        return
                    yield Chunk(us, direction, data)
        except OSError as error:
            raise UsageError("capture_unreadable", path=self._path, reason=error.strerror) from error


def read(path: Path) -> list[Chunk]:
    """The chunks of a capture; a last one that was cut off is left out. Raises UsageError `capture_unreadable`."""
    return list(Reader(path))


def messages(chunks: Iterable[Chunk]) -> list[tuple[Chunk, Layout]]:
    """Every message of a link's capture that arrived whole and fits its layout, with the chunk that completed it."""
    ends = {FROM_DEVICE: framing.Deframer(), TO_DEVICE: framing.Deframer()}
    out = []
    for chunk in chunks:
        end = ends.get(chunk.direction)
        for frame in end.feed(chunk.data) if end is not None else ():
            layout = codec.MESSAGES.get(frame.type)
            with suppress(Malformed):
                if layout is not None:
                    out.append((chunk, layout.unpack(frame.body)))
    return out


def _take(file: BinaryIO, size: int) -> bytes:
    """`size` bytes, or what is left: a length that lies must not ask for the memory it names."""
    pieces = []
    while size and (piece := file.read(min(size, _PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
