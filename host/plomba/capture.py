"""Captures (`.plcap`): the raw bytes of a link or an engine with their times, to look at and to replay in a test.

A file is `PLCAP1\\n`, then chunks: µs since the first one u64, direction u8 (0 from the device, 1 to it), length u32,
bytes.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from plomba.errors import UsageError
from plomba_wire import codec, framing
from plomba_wire.layout import Layout

MAGIC = b"PLCAP1\n"
FROM_DEVICE = 0
TO_DEVICE = 1
_HEAD = struct.Struct(">QBI")


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


def read(path: Path) -> list[Chunk]:
    """The chunks of a capture; a last one that was cut off is left out. Raises UsageError `capture_unreadable`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError("capture_unreadable", path=path, reason=error.strerror) from error
    if not raw.startswith(MAGIC):
        raise UsageError("capture_unreadable", path=path, reason="not a capture")
    chunks = []
    at = len(MAGIC)
    while at + _HEAD.size <= len(raw):
        us, direction, length = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        if at + length > len(raw):
            break
        chunks.append(Chunk(us, direction, raw[at : at + length]))
        at += length
    return chunks


def messages(chunks: list[Chunk]) -> list[tuple[Chunk, Layout]]:
    """Every message of a link's capture that arrived whole, with the chunk that completed it."""
    ends = {FROM_DEVICE: framing.Deframer(), TO_DEVICE: framing.Deframer()}
    out = []
    for chunk in chunks:
        for frame in ends[chunk.direction].feed(chunk.data):
            layout = codec.MESSAGES.get(frame.type)
            if layout is not None:
                out.append((chunk, layout.unpack(frame.body)))
    return out
