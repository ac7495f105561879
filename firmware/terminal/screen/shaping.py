"""Text into glyph numbers, and glyph numbers into lines.

A scanned code is data: each code point without a glyph (control characters, escapes, direction marks) and
each broken UTF-8 sequence becomes one box. UTF-8 is decoded here because `chr` of MicroPython interns every
character it makes for good, and hostile codes would fill the memory.
"""

from .font import BOX, ELLIPSIS, RANGES, SPACE


def shape(text: str | bytes, glyphs: bytearray) -> int:
    """Write the glyph numbers of str or UTF-8 bytes into a bytearray; how many, at most its length."""
    raw = memoryview(text)  # type: ignore[arg-type]  # a str of MicroPython is its UTF-8
    size = len(raw)
    room = len(glyphs)
    i = n = 0
    while i < size and n < room:
        lead = raw[i]
        i += 1
        if lead < 0x80:
            glyphs[n] = _glyph(lead)
        else:
            follow = 0 if lead < 0xC2 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3 if lead < 0xF5 else 0
            least = 0x80 if follow == 1 else 0x800 if follow == 2 else 0x10000
            code = lead & (0x3F >> follow)
            while follow and i < size and raw[i] & 0xC0 == 0x80:
                code = code << 6 | raw[i] & 0x3F
                i += 1
                follow -= 1
            glyphs[n] = _glyph(code) if not follow and code >= least else BOX
        n += 1
    return n


def _glyph(code: int) -> int:
    base = 0
    for k in range(0, len(RANGES), 3):
        past = code - (RANGES[k] << 8 | RANGES[k + 1])
        if past < 0:
            break
        if past < RANGES[k + 2]:
            return base + past
        base += RANGES[k + 2]
    return BOX


def clip(glyphs: bytearray, count: int, columns: int) -> int:
    """The count of a run cut to that many columns; a cut run ends with an ellipsis."""
    if count <= columns:
        return count
    if columns <= 0:
        return 0
    glyphs[columns - 1] = ELLIPSIS
    return columns


def wrap(glyphs: bytearray, count: int, columns: int, spans: bytearray | memoryview) -> int:
    """Break a run at spaces into lines of at most that many columns; how many lines.

    spans has two bytes for each line allowed and gets their starts and ends. A word longer than a line is
    broken where the line ends. When text is left over, the last line ends with an ellipsis.
    """
    lines = start = 0
    while True:
        while start < count and glyphs[start] == SPACE:
            start += 1
        if start == count:
            return lines
        end = min(start + columns, count)
        if end < count and glyphs[end] != SPACE:
            space = end
            while space > start and glyphs[space] != SPACE:
                space -= 1
            if space > start:
                end = space
        after = end
        while end > start and glyphs[end - 1] == SPACE:
            end -= 1
        while after < count and glyphs[after] == SPACE:
            after += 1
        last = 2 * lines + 2 == len(spans)
        if last and after < count:
            end = min(end, start + columns - 1)
            glyphs[end] = ELLIPSIS
            end += 1
        spans[2 * lines] = start
        spans[2 * lines + 1] = end
        lines += 1
        if last:
            return lines
        start = after


def halve(glyphs: bytearray, spans: bytearray) -> None:
    """Move the break between two lines of `wrap` to the space that leaves the longer one shortest."""
    start = spans[0]
    end = spans[3]
    longer = max(spans[1] - start, end - spans[2])
    for k in range(start + 1, end - 1):
        if glyphs[k] == SPACE and max(k - start, end - k - 1) < longer:
            longer = max(k - start, end - k - 1)
            spans[1] = k
            spans[2] = k + 1
