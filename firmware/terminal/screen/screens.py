"""The screens of the terminal: functions of a canvas and of what they are told. All words come from data.

From top to bottom: a line of status, a headline that is read at arm's length, an icon and what to do next.
The headline of a refusal is in inverse: with the icon, meaning never rests on colour.
"""

from binascii import hexlify

from micropython import const

from . import icons, qr
from .canvas import BODY, BOLD, HEIGHT, SMALL, TALL, WIDTH, Canvas
from .shaping import halve, wrap

REFUSALS = ("cross", "hand", "question")

_BAR_TOP = const(10)
_BAR_HEIGHT = const(26)
_MIDDLE = const(13)
_SIDE = const(32)
_TAIL = const(4)

_MODULE = const(2)

_three_lines = bytearray(6)
_four_lines = bytearray(8)


def verdict(
    canvas: Canvas,
    *,
    headline: str,
    icon: str = "none",
    code_tail: str | bytes = "",
    progress: tuple[int, int] | None = None,
    next_step: str = "",
    mode: str = "",
    due: str = "",
    journal_count: int = 0,
    battery: int | None = None,
    clock_ok: bool = True,
    latched: bool = False,
):
    """What the clerk sees after a scan.

    headline: up to 16 characters. icon: as in `Canvas.icon`. code_tail: the code or its end, of which four
    characters are shown. progress: (n, N); N = 0 when nobody knows it. next_step: two lines of 16 characters,
    or three in smaller letters. mode: the work or the place, cut where the status line is full.
    due: time to the nearest deadline, as "38м". journal_count: records without a receipt. battery: 0 to 100,
    None on the cable. latched: the screen stays until a key, or until the scan that it asks for.
    """
    canvas.clear()
    _status(canvas, mode, progress, due, journal_count, battery, clock_ok, latched)
    _headline(canvas, headline, icon in REFUSALS)
    canvas.icon(_MIDDLE - 8, 37 if code_tail else 42, icon)
    canvas.centred(52, code_tail[-_TAIL:], BODY, 1, 0, 2 * _MIDDLE)
    _advice(canvas, _SIDE, next_step)


def idle(
    canvas: Canvas,
    *,
    headline: str,
    icon: str = "arrow",
    count: int | None = None,
    hint: str = "",
    progress: tuple[int, int] | None = None,
    mode: str = "",
    due: str = "",
    journal_count: int = 0,
    battery: int | None = None,
    clock_ok: bool = True,
):
    """Ready for a scan. count: a number that stands large before the hint, in the place of the icon."""
    canvas.clear()
    _status(canvas, mode, progress, due, journal_count, battery, clock_ok, False)
    _headline(canvas, headline, False)
    if count is None:
        canvas.icon(_MIDDLE - 8, 42, icon)
        _advice(canvas, _SIDE, hint)
    else:
        _advice(canvas, canvas.text(0, 37, f"{count}", TALL) + 6, hint)


def enrol(canvas: Canvas, fingerprint: bytes, *, title: str, prompt: str):
    """The fingerprint of the organisation root, up to 32 bytes, to compare with what the dock shows."""
    canvas.clear()
    canvas.bar(0, 11)
    canvas.centred(1, title, SMALL, 0)
    digits = hexlify(fingerprint).decode().upper()
    if len(digits) <= 16:
        across, size, top, leading = 2, BOLD, 17, 16
    elif len(digits) <= 32:
        across, size, top, leading = 4, BODY, 18, 15
    else:
        across, size, top, leading = 4, SMALL, 13, 10
    groups = [digits[k : k + 4] for k in range(0, len(digits), 4)]
    for k in range(0, len(groups), across):
        canvas.centred(top, " ".join(groups[k : k + across]), size)
        top += leading
    canvas.centred(54, prompt, SMALL)


def message(canvas: Canvas, title: str, lines):
    """Boot, self-test, faults: a title of up to 16 characters, four lines of 21; a longer line runs on."""
    canvas.clear()
    canvas.bar(0, 14)
    canvas.centred(0, title, BOLD, 0)
    row = 0
    for line in lines:
        used = wrap(canvas.glyphs, canvas.shape(line), WIDTH // 6, memoryview(_four_lines)[: 8 - 2 * row])
        for k in range(used):
            canvas.run(1, 15 + 12 * (row + k), _four_lines[2 * k], _four_lines[2 * k + 1], BODY)
        row += used
        if row == 4:
            return


def token(canvas: Canvas, text: bytes, title: str, lines):
    """A QR code on the right for another terminal to read, words on the left.

    text: 1 to 61 characters of the alphanumeric mode, up to 38 of which leave room for words of ten letters, more
    for nine. title: two lines. lines: three or four, with the title's; a longer line runs on. Raises ValueError as
    `qr.encode`, and then nothing is drawn.
    """
    count = qr.encode(text)
    margin = (HEIGHT - count * _MODULE) // 2
    x = WIDTH - HEIGHT + margin
    canvas.clear()
    qr.draw(canvas, count, x, margin, _MODULE)
    columns = (x - qr.QUIET * _MODULE - 1) // 6
    y = _column(canvas, title, columns, 0, BODY, 12, 2)
    canvas.fb.hline(1, y + 1, columns * 6, 1)
    y += 3
    for line in lines:
        y = _column(canvas, line, columns, y, SMALL, 10, (HEIGHT - y) // 10)


def _column(canvas, text, columns, y, size, leading, most):
    """A text broken into at most that many lines from the row y on; the row below."""
    used = wrap(canvas.glyphs, canvas.shape(text), columns, memoryview(_four_lines)[: 2 * most]) if most else 0
    for k in range(used):
        canvas.run(1, y + leading * k, _four_lines[2 * k], _four_lines[2 * k + 1], size)
    return y + leading * used


def _headline(canvas, text, refused):
    if refused:
        canvas.bar(_BAR_TOP, _BAR_HEIGHT)
    canvas.centred(_BAR_TOP, text, TALL, 0 if refused else 1)


def _advice(canvas, x, text):
    """One or two lines of body text, or three of the smaller, which is equally wide."""
    spans = _three_lines
    lines = wrap(canvas.glyphs, canvas.shape(text), (WIDTH - x) // 6, spans)
    if lines == 2:
        halve(canvas.glyphs, spans)
    size, y, leading = (BODY, 44 if lines == 1 else 37, 13) if lines < 3 else (SMALL, 36, 9)
    for k in range(lines):
        canvas.run(x, y + leading * k, spans[2 * k], spans[2 * k + 1], size)


def _status(canvas, mode, progress, due, journal_count, battery, clock_ok, latched):
    x = WIDTH - 13
    if battery is None:
        x = WIDTH - 8
        canvas.mark(x, 0, icons.PLUG)
    else:
        canvas.fb.rect(x, 1, 12, 7, 1)
        canvas.fb.vline(x + 12, 3, 3, 1)
        canvas.fb.fill_rect(x + 2, 3, min(max(battery, 0), 100) * 8 // 100, 3, 1)
    x = _before(canvas, x - 2, f"↑{journal_count}")
    if latched:
        x -= 10
        canvas.mark(x, 0, icons.LOCK)
    if not clock_ok:
        x = _before(canvas, x - 2, "?") - 9
        canvas.mark(x, 0, icons.CLOCK)
    if due:
        x = _before(canvas, x - 4, due)
    if progress:
        x = _before(canvas, x - 4, f"{progress[0]}/{progress[1]}" if progress[1] else f"{progress[0]}")
    if x >= 3 * 6:
        canvas.text(0, 0, mode, SMALL, 1, x - 3)


def _before(canvas, right, text):
    """A piece of the status line that ends at a column; the column where it begins."""
    x = right - 6 * len(text)
    canvas.text(x, 0, text, SMALL)
    return x
