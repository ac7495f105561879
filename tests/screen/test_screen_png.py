"""The pictures of the screen on the host show its pixels and nothing else."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pixels import HEIGHT, WIDTH, lit

from plomba.sim.screen_png import GLASS, INK, to_png, to_text

BUFFERS = st.binary(min_size=1024, max_size=1024)


@settings(deadline=None)
@given(BUFFERS, st.integers(1, 3))
def test_a_png_holds_each_pixel_as_a_square(buffer: bytes, scale: int) -> None:
    image = Image.open(io.BytesIO(to_png(buffer, scale=scale)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (WIDTH * scale, HEIGHT * scale))
    pixels = lit(buffer)
    expected = Image.new("RGB", (WIDTH, HEIGHT), tuple(GLASS))
    for pixel in pixels:
        expected.putpixel(pixel, tuple(INK))
    assert image.tobytes() == expected.resize(image.size, Image.Resampling.NEAREST).tobytes()


@settings(deadline=None)
@given(BUFFERS)
def test_half_blocks_hold_each_pixel(buffer: bytes) -> None:
    found = set()
    for row, line in enumerate(to_text(buffer).split("\n")):
        for x, block in enumerate(line):
            found |= {(x, 2 * row + half) for half in (0, 1) if " ▀▄█".index(block) >> half & 1}
    assert found == lit(buffer)


def test_a_height_that_is_no_multiple_of_eight() -> None:
    assert to_text(b"\x1f\x01", width=2, height=5) == "█▀\n█\n▀"
    assert Image.open(io.BytesIO(to_png(b"\x1f\x01", 2, 5, 1))).size == (2, 5)


@pytest.mark.parametrize("size", [0, 1023, 1025])
def test_another_size_is_refused(size: int) -> None:
    for draw in (to_png, to_text):
        with pytest.raises(ValueError, match="not a screen"):
            draw(bytes(size))
