"""The screen room as a line server: [name, arguments, keywords] in JSON on stdin, an answer a line on stdout.

A drawing is answered with its 1024 bytes in hexadecimal. It is made in the middle of a larger memory, and it
is an error when anything outside the picture was written. {"bytes": "..."} stands for bytes in hexadecimal.
"""

import gc
import json
import sys

from terminal.screen import qr, screens, shaping
from terminal.screen.canvas import Canvas

_MARGIN = 512
_area = bytearray(b"\xa5" * (1024 + 2 * _MARGIN))
_margin = bytes(b"\xa5" * _MARGIN)
_canvas = Canvas(memoryview(_area)[_MARGIN : _MARGIN + 1024])


def value(given):
    if isinstance(given, dict):
        return bytes.fromhex(given["bytes"])
    return given


def spans(text, columns, lines):
    """Start and end of each line of a wrapped text, then the same after `halve` when there are two."""
    run = bytearray(96)
    found = bytearray(2 * lines)
    used = shaping.wrap(run, shaping.shape(text, run), columns, found)
    wrapped = list(found[: 2 * used])
    if used == 2:
        shaping.halve(run, found)
    return [wrapped, list(found[: 2 * used])]


def garbage(**keywords):
    """Bytes of heap that drawing one verdict takes."""
    screens.verdict(_canvas, **keywords)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    screens.verdict(_canvas, **keywords)
    taken = gc.mem_alloc() - before
    gc.enable()
    return taken


def kept(first, count):
    """Bytes of heap that are gone for good after codes of that many different three-byte characters."""
    gc.collect()
    before = gc.mem_alloc()
    for point in range(first, first + count):
        code = bytes((0xE0 | point >> 12, 0x80 | point >> 6 & 0x3F, 0x80 | point & 0x3F))
        screens.verdict(_canvas, headline="", code_tail=str(code, "utf-8") * 4)
    code = None
    gc.collect()
    return gc.mem_alloc() - before


def symbol(text):
    """The lines of modules of a QR code as numbers, or "ValueError"."""
    try:
        return list(qr.rows[: qr.encode(text)])
    except ValueError:
        return "ValueError"


def symbol_garbage(text):
    """Bytes of heap that making the modules of a QR code takes."""
    qr.encode(text)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    qr.encode(text)
    taken = gc.mem_alloc() - before
    gc.enable()
    return taken


def after_refused_token(text):
    """The picture after a QR code that could not be made was to be drawn over the idle screen."""
    screens.idle(_canvas, headline="СКАНИРУЙ")
    try:
        screens.token(_canvas, text, "", [])
    except ValueError:
        return bytes(_canvas.buffer).hex()


def draw(name, arguments, keywords):
    if name in ("verdict", "idle", "enrol", "message", "token"):
        getattr(screens, name)(_canvas, *arguments, **keywords)
    else:
        _canvas.clear()
        getattr(_canvas, name)(*arguments, **keywords)
    if _area[:_MARGIN] != _margin or _area[-_MARGIN:] != _margin:
        raise ValueError("drawn outside the picture")
    return bytes(_canvas.buffer).hex()


for line in sys.stdin:
    name, arguments, keywords = json.loads(line)
    arguments = [value(given) for given in arguments]
    keywords = {key: value(given) for key, given in keywords.items()}
    try:
        if name in ("spans", "garbage", "kept", "symbol", "symbol_garbage", "after_refused_token"):
            answer = globals()[name](*arguments, **keywords)
        else:
            answer = draw(name, arguments, keywords)
    except Exception as error:
        print("!", repr(error))
    else:
        print(json.dumps(answer))
