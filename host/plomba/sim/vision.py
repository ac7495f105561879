"""What is in a picture: codes read by zxing-cpp, and by pyzbar where the system has libzbar.

A hardware engine decodes once, and so does `decode`. A camera may look again: `Camera` reports a code with
bars only when two readings agree, because their check digits let about one in a hundred bad pictures
through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from math import hypot
from typing import Any, Final

try:
    import zxingcpp
    from PIL import Image, ImageChops, ImageFilter
except ImportError as error:
    raise ImportError("pictures are read with Pillow and zxing-cpp: pip install plomba[sim]") from error

from plomba.sim.gm65 import SeenCode

# The codes that we print and the one that goods carry. A longer list reads more, and more of it wrongly.
_FORMATS: Final = (
    zxingcpp.BarcodeFormat.QRCode,
    zxingcpp.BarcodeFormat.Code128,
    zxingcpp.BarcodeFormat.DataMatrix,
    zxingcpp.BarcodeFormat.EAN13,
)
_ZBAR_NAMES: Final = {"QRCODE": "QRCode", "CODE128": "Code128", "EAN13": "EAN13"}
_BARS: Final = frozenset({"Code128", "EAN13"})
_SAME_END: Final = 0.1


def readers() -> list[str]:
    """The readers that work here, in the order `decode` asks them."""
    return ["zxing-cpp"] if _zbar() is None else ["zxing-cpp", "pyzbar"]


def decode(image: Image.Image) -> list[SeenCode]:
    """The codes in one picture, nearest to its middle first; the payload as raw bytes.

    Asks zxing-cpp, then zxing-cpp with the lighting taken out, then pyzbar, and stops at the first that
    reads anything. From pyzbar, bars count only if two scan lines agree (zxing-cpp asks for two by itself),
    and a QR code only if it is ASCII: libzbar transcodes the rest. Two readings of the same bars that
    contradict each other are one code: that of the most lines.
    """
    grey = image.convert("L")
    return _by_zxing(grey) or _by_zxing(_evenly_lit(grey)) or _by_zbar(grey)


class Camera:
    """A stream of pictures of which each code counts once it can be trusted.

    A QR code or a Data Matrix carries its error correction and counts at once. Bars count when a second
    reading agrees: another reader on the same picture, or any reader on one of the last `memory` pictures.
    """

    def __init__(self, memory: int = 5) -> None:
        self._recent: deque[frozenset[SeenCode]] = deque(maxlen=memory)

    def look(self, image: Image.Image) -> list[SeenCode]:
        """The codes that count with this picture, nearest to the middle first."""
        grey = image.convert("L")
        found = _by_zxing(grey) or _by_zxing(_evenly_lit(grey))
        second = _by_zbar(grey) if not found or any(code.symbology in _BARS for code in found) else []
        seen_before = set[SeenCode]().union(*self._recent)
        self._recent.append(frozenset((*found, *second)))
        agreed = seen_before | (set(found) & set(second))
        return [code for code in _once((*found, *second)) if code.symbology not in _BARS or code in agreed]


def _by_zxing(grey: Image.Image) -> list[SeenCode]:
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(_FORMATS))
    placed = []
    for barcode in found:
        if not any(_is_shadow(barcode, other) for other in found):
            place = barcode.position
            corners = place.top_left, place.top_right, place.bottom_right, place.bottom_left
            middle = sum(corner.x for corner in corners) / 4, sum(corner.y for corner in corners) / 4
            placed.append((_from_middle(grey, *middle), SeenCode(barcode.format.name, barcode.bytes)))
    return _nearest_first(placed)


def _is_shadow(barcode: zxingcpp.Barcode, other: zxingcpp.Barcode) -> bool:
    """Whether `barcode` is a second reading of the bars of `other`, from less than half as many lines.

    Seen in a published photograph: most lines of an EAN-13 read right, three of them wrong with a valid
    check digit.
    """
    if barcode.format != other.format or barcode.format.name not in _BARS or barcode.bytes == other.bytes:
        return False
    mine, theirs = barcode.position, other.position
    dx, dy = theirs.top_right.x - theirs.top_left.x, theirs.top_right.y - theirs.top_left.y
    length = hypot(dx, dy)
    same_ends = all(
        abs((a.x - b.x) * dx + (a.y - b.y) * dy) <= _SAME_END * length**2
        for a, b in ((mine.top_left, theirs.top_left), (mine.top_right, theirs.top_right))
    )
    return same_ends and 2 * _breadth(mine) < _breadth(theirs)


def _breadth(place: zxingcpp.Position) -> float:
    return hypot(place.bottom_left.x - place.top_left.x, place.bottom_left.y - place.top_left.y)


def _by_zbar(grey: Image.Image) -> list[SeenCode]:
    pyzbar = _zbar()
    if pyzbar is None:
        return []
    symbols = [getattr(pyzbar.ZBarSymbol, name) for name in _ZBAR_NAMES]
    placed = []
    for symbol in pyzbar.decode(grey, symbols=symbols):
        code = SeenCode(_ZBAR_NAMES[symbol.type], bytes(symbol.data))
        if symbol.quality < 2 if code.symbology in _BARS else not code.data.isascii():
            continue
        place = symbol.rect
        middle = place.left + place.width / 2, place.top + place.height / 2
        placed.append((_from_middle(grey, *middle), code))
    return _nearest_first(placed)


@cache
def _zbar() -> Any | None:
    """The module `pyzbar.pyzbar`, or None where it or libzbar is missing."""
    try:
        return import_module("pyzbar.pyzbar")
    except (ImportError, OSError):
        return None


def _evenly_lit(grey: Image.Image) -> Image.Image:
    """The picture less its own background: strong gradients keep zxing-cpp from reading bars at all."""
    return ImageChops.subtract(grey, grey.filter(ImageFilter.BoxBlur(24)), 1, 128)


def _from_middle(image: Image.Image, x: float, y: float) -> float:
    return (x - image.width / 2) ** 2 + (y - image.height / 2) ** 2


def _nearest_first(placed: list[tuple[float, SeenCode]]) -> list[SeenCode]:
    return _once(code for _, code in sorted(placed, key=lambda item: item[0]))


def _once(codes: Iterable[SeenCode]) -> list[SeenCode]:
    return list(dict.fromkeys(codes))
