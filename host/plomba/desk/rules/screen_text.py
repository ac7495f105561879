"""Whether a text fits the terminal's screen: its signs, its columns, its lines."""

from __future__ import annotations

GLYPHS = frozenset(
    "".join(map(chr, range(0x20, 0x7F)))
    + "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    + "ҐґЄєІіЇї"
    + "№—«»·…→↑₴"
)
"""What the font of the firmware can draw; anything else is a box."""
COLUMNS = 21
"""Signs in a line of the small face."""


def strangers(text: str) -> list[str]:
    """The signs of `text` that the screen cannot draw, each once."""
    return sorted(set(text) - GLYPHS)


def line_count(text: str) -> int:
    """Lines of the small face that `text` takes: broken at spaces, a word longer than a line where the line ends."""
    lines = 0
    while text := text.lstrip(" "):
        end = min(COLUMNS, len(text))
        if end < len(text) and text[end] != " ":
            space = text.rfind(" ", 0, end)
            end = space if space > 0 else end
        text = text[end:]
        lines += 1
    return lines
