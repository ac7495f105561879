"""Pixels of a buffer as (x, y), and regions of the screen."""

from __future__ import annotations

WIDTH, HEIGHT = 128, 64
SMALL, BODY, BOLD, TALL = range(4)

Pixels = set[tuple[int, int]]


def lit(buffer: bytes) -> Pixels:
    assert len(buffer) == WIDTH * HEIGHT // 8
    return {
        (index % WIDTH, index // WIDTH * 8 + bit)
        for index, byte in enumerate(buffer)
        for bit in range(8)
        if byte >> bit & 1
    }


def region(left: int, top: int, right: int = WIDTH, bottom: int = HEIGHT) -> Pixels:
    return {(x, y) for x in range(left, right) for y in range(top, bottom)}


STATUS = region(0, 0, bottom=10)
HEADLINE = region(0, 10, bottom=36)
TAIL = region(0, 52, right=26)
ADVICE = region(32, 36)
