"""Pictures of the terminal's screen from its buffer: pages of eight rows, one byte a column, bit 0 on top."""

from __future__ import annotations

import struct
import zlib

INK = bytes((160, 220, 255))
GLASS = bytes((8, 12, 24))
_HALVES = " ▀▄█"


def to_png(buffer: bytes, width: int = 128, height: int = 64, scale: int = 4) -> bytes:
    """A PNG, each pixel a square of `scale`. Raises ValueError for a buffer that is not of that size."""
    rows = bytearray()
    for y in range(height):
        line = b"".join((INK if lit else GLASS) * scale for lit in _row(buffer, width, height, y))
        rows += (b"\0" + line) * scale
    header = struct.pack(">IIBBBBB", width * scale, height * scale, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def to_text(buffer: bytes, width: int = 128, height: int = 64) -> str:
    """The same for a console, in half blocks: one line for two rows, no trailing blanks. Raises as above."""
    lines = []
    for y in range(0, height, 2):
        pairs = zip(_row(buffer, width, height, y), _row(buffer, width, height, y + 1), strict=True)
        lines.append("".join(_HALVES[upper | lower << 1] for upper, lower in pairs).rstrip())
    return "\n".join(lines)


def _row(buffer: bytes, width: int, height: int, y: int) -> list[int]:
    if len(buffer) != width * ((height + 7) // 8):
        raise ValueError(f"{len(buffer)} bytes are not a screen of {width}x{height}")
    page = y // 8 * width
    return [byte >> (y & 7) & 1 for byte in buffer[page : page + width]] if y < height else [0] * width


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
