"""X11 Portable Compiled Format, as far as the faces of misc-fixed use it. Layout: libXfont, pcfread.c."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

_ACCELERATORS, _METRICS, _BITMAPS, _ENCODINGS = 1 << 1, 1 << 2, 1 << 3, 1 << 5
_BIG_ENDIAN, _HIGH_BIT_LEFT, _COMPRESSED = 1 << 2, 1 << 3, 1 << 8
_NO_GLYPH = 0xFFFF

Bitmap = list[list[int]]


def read_pcf(path: Path) -> tuple[int, dict[int, tuple[int, int, Bitmap]]]:
    """The ascent of a gzipped face and, by code point, each glyph's left bearing, ascent and rows of 0 and 1.

    Raises ValueError for a layout that misc-fixed does not have.
    """
    raw = gzip.decompress(path.read_bytes())
    directory = raw[8 : 8 + 16 * struct.unpack_from("<I", raw, 4)[0]]
    offsets = {kind: offset for kind, _, _, offset in struct.iter_unpack("<4I", directory)}

    def table(kind: int) -> tuple[int, str, int]:
        layout = struct.unpack_from("<I", raw, offsets[kind])[0]
        return layout, ">" if layout & _BIG_ENDIAN else "<", offsets[kind] + 4

    layout, order, at = table(_METRICS)
    if not layout & _COMPRESSED:
        raise ValueError(f"{path}: metrics of 16 bits")
    count = struct.unpack_from(order + "H", raw, at)[0]
    metrics = [[value - 0x80 for value in raw[k : k + 5]] for k in range(at + 2, at + 2 + 5 * count, 5)]

    layout, order, at = table(_BITMAPS)
    padding = 1 << (layout & 3)
    if bool(layout & _BIG_ENDIAN) != bool(layout & _HIGH_BIT_LEFT) and layout >> 4 & 3:
        raise ValueError(f"{path}: bits and bytes of a scan unit in opposite orders")
    starts = struct.unpack_from(f"{order}{count}I", raw, at + 4)
    pixels = at + 4 + 4 * count + 16
    shapes = []
    for (left, right, _, ascent, descent), start in zip(metrics, starts, strict=True):
        stride = -(-(right - left) // (8 * padding)) * padding
        rows = []
        for k in range(pixels + start, pixels + start + (ascent + descent) * stride, stride):
            line = raw[k : k + stride]
            rows.append(
                [line[x >> 3] >> (7 - (x & 7) if layout & _HIGH_BIT_LEFT else x & 7) & 1 for x in range(right - left)]
            )
        shapes.append((left, ascent, rows))

    _, order, at = table(_ENCODINGS)
    low_first, low_last, high_first, high_last, _ = struct.unpack_from(order + "5H", raw, at)
    span = low_last - low_first + 1
    numbers = struct.unpack_from(f"{order}{span * (high_last - high_first + 1)}H", raw, at + 10)
    glyphs = {
        (high_first + k // span) << 8 | low_first + k % span: shapes[number]
        for k, number in enumerate(numbers)
        if number != _NO_GLYPH
    }

    _, order, at = table(_ACCELERATORS)
    return struct.unpack_from(order + "i", raw, at + 8)[0], glyphs
