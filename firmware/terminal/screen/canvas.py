"""A picture of 128x64 pixels in the memory order of an SSD1306 (MONO_VLSB), and what can be drawn on it."""

import framebuf
from micropython import const

from . import font, icons
from .font import SPACE
from .shaping import clip, shape

WIDTH = const(128)
HEIGHT = const(64)

# Sizes of text: cells of 6x10, 6x13, 8x13 and 8x26, the last being the third with every row twice.
SMALL = const(0)
BODY = const(1)
BOLD = const(2)
TALL = const(3)

_LONGEST = const(96)
_TWICE = b"\x00\x03\x0c\x0f\x30\x33\x3c\x3f\xc0\xc3\xcc\xcf\xf0\xf3\xfc\xff"


class _Pen:
    """One glyph at a time, taken from its table into an image that can be blitted."""

    def __init__(self, width: int, height: int, table: bytes, tall: bool = False):
        bands = (height + 7) // 8
        self.width = width
        # Tall words stand apart with less, and a headline of 16 characters then keeps off the bezel.
        self.space = width - 2 if tall else width
        self._table = table
        self._bytes = width * bands
        self._tall = tall
        self._cell = bytearray(self._bytes * (2 if tall else 1))
        self.image = framebuf.FrameBuffer(self._cell, width, bands * (16 if tall else 8), framebuf.MONO_VLSB)

    def load(self, glyph: int):
        table = self._table
        cell = self._cell
        at = glyph * self._bytes
        if not self._tall:
            for k in range(self._bytes):
                cell[k] = table[at + k]
            return
        width = self.width
        for k in range(self._bytes):
            column = table[at + k]
            to = k // width * width * 2 + k % width
            cell[to] = _TWICE[column & 15]
            cell[to + width] = _TWICE[column >> 4]


class Canvas:
    """No text can make drawing raise or leave the picture, and drawing takes no memory per pixel or glyph.

    buffer: 1024 bytes, page after page, ready for the display. fb: the framebuf over it, for lines and fills.
    glyphs: the run that `shape` took last.
    """

    def __init__(self, buffer=None):
        self.buffer = buffer or bytearray(WIDTH * HEIGHT // 8)
        self.fb = framebuf.FrameBuffer(self.buffer, WIDTH, HEIGHT, framebuf.MONO_VLSB)
        self.glyphs = bytearray(_LONGEST)
        self._pens = (
            _Pen(*font.SMALL),
            _Pen(*font.BODY),
            _Pen(*font.BOLD),
            _Pen(*font.BOLD, True),
        )
        self._icon = _Pen(16, 16, icons.ICONS)
        self._mark = _Pen(8, 8, icons.MARKS)
        self._dark = framebuf.FrameBuffer(bytearray(b"\x01\x00"), 2, 1, framebuf.MONO_VLSB)

    def clear(self):
        self.fb.fill(0)

    def shape(self, text: str | bytes) -> int:
        """Take str or UTF-8 bytes into `glyphs`; how many glyphs, at most 96."""
        return shape(text, self.glyphs)

    def run(self, x: int, y: int, start: int, end: int, size: int, ink: int = 1) -> int:
        """Draw glyphs[start:end] with the top left corner at x, y; the x after the last one."""
        pen = self._pens[size]
        for k in range(start, end):
            glyph = self.glyphs[k]
            if glyph == SPACE:
                x += pen.space
                continue
            pen.load(glyph)
            self._stamp(pen, x, y, ink)
            x += pen.width
        return x

    def text(self, x: int, y: int, text: str | bytes, size: int = BODY, ink: int = 1, right: int = WIDTH) -> int:
        """Draw one line, cut with an ellipsis at the column `right`; the x after it."""
        end = clip(self.glyphs, self.shape(text), (right - x) // self._pens[size].width)
        return self.run(x, y, 0, end, size, ink)

    def centred(self, y: int, text: str | bytes, size: int = BODY, ink: int = 1, left: int = 0, right: int = WIDTH):
        """Draw one line in the middle between two columns, cut with an ellipsis when it is longer."""
        pen = self._pens[size]
        end = clip(self.glyphs, self.shape(text), (right - left) // pen.width)
        width = 0
        for k in range(end):
            width += pen.space if self.glyphs[k] == SPACE else pen.width
        self.run((left + right + 1 - width) // 2, y, 0, end, size, ink)

    def bar(self, y: int, height: int):
        """A filled strip over the whole width, to write on with ink 0."""
        self.fb.fill_rect(0, y, WIDTH, height, 1)

    def icon(self, x: int, y: int, name: str, ink: int = 1):
        """Draw a 16x16 icon by its name in `icons.NUMBERS`; "none" draws nothing, any other an empty box."""
        if name == "none":
            return
        if name not in icons.NUMBERS:
            self.fb.rect(x, y, 16, 16, ink)
            return
        self._icon.load(icons.NUMBERS[name])
        self._stamp(self._icon, x, y, ink)

    def mark(self, x: int, y: int, number: int, ink: int = 1):
        """Draw an 8x8 mark, one of the numbers in `icons`."""
        self._mark.load(number)
        self._stamp(self._mark, x, y, ink)

    def _stamp(self, pen, x, y, ink):
        if ink:
            self.fb.blit(pen.image, x, y, 0)
        else:
            self.fb.blit(pen.image, x, y, 1, self._dark)
