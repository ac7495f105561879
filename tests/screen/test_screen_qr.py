"""The QR code on the screen: module for module what ISO/IEC 18004 says, and read by the decoders that people have."""

from __future__ import annotations

import io
import itertools

import pytest
import segno
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pixels import HEIGHT, WIDTH, lit, region
from pyzbar import pyzbar
from screen_rig import Screen

from plomba.sim.screen_png import GLASS, to_png

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
TEXTS = st.text(SIGNS, min_size=1, max_size=61)
# Where the terminator ends on the border of a codeword segno writes eight zeros more, which 7.4.10 does not ask for.
SEGNO_TEXTS = TEXTS.filter(lambda text: len(text) not in {7, 10, 23, 26, 39, 42, 55, 58})
# A shorter text zxing-cpp raises to level H.
ZXING_TEXTS = st.text(SIGNS, min_size=30, max_size=38) | st.text(SIGNS, min_size=48, max_size=61)
WORDS = ("КОД ПЕРЕДАЧИ", ["Терминал 7Q2M", "№ 1204"])

Modules = list[list[int]]


def symbol(screen: Screen, text: str) -> Modules:
    rows = screen.ask("symbol", text.encode())
    return [[row >> j & 1 for j in range(len(rows))] for row in rows]


def mask_of(modules: Modules) -> int:
    """The mask that the format information beside the first finder names (ISO/IEC 18004, 7.9.1)."""
    bits = "".join(str(modules[8][j]) for j in (0, 1, 2, 3, 4))
    return (int(bits, 2) ^ 0b10101) & 7


def by_segno(text: str, version: int, mask: int) -> Modules:
    made = segno.make_qr(text, version=version, error="m", mode="alphanumeric", mask=mask, boost_error=False)
    return [[int(module) for module in row] for row in made.matrix]


def by_zxing(text: str, version: int, mask: int) -> Modules:
    options = f"ecLevel=M,version={version},dataMask={mask}"
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, options=options)
    drawn = made.to_image(scale=1, add_quiet_zones=False)
    return [[int(not level) for level in row] for row in memoryview(drawn).tolist()]


@settings(deadline=None, max_examples=300)
@given(SEGNO_TEXTS)
def test_every_module_is_as_segno_has_it(screen: Screen, text: str) -> None:
    ours = symbol(screen, text)
    assert ours == by_segno(text, 2 if len(text) <= 38 else 3, mask_of(ours))


@settings(deadline=None, max_examples=100)
@given(ZXING_TEXTS)
def test_every_module_is_as_zxing_has_it(screen: Screen, text: str) -> None:
    # Digits it packs in a mode of their own.
    text = "".join("ABCDEFGHIJ"[int(sign)] if sign.isdecimal() else sign for sign in text)
    ours = symbol(screen, text)
    assert ours == by_zxing(text, 2 if len(text) <= 38 else 3, mask_of(ours))


def points(modules: Modules) -> int:
    """The penalty of ISO/IEC 18004, table 11, read off module by module; what lies outside is light."""
    size = len(modules)
    total = 0
    lines = ["".join(map(str, line)) for line in (*modules, *zip(*modules, strict=True))]
    for line in lines:
        runs = [len(list(run)) for _, run in itertools.groupby(line)]
        total += sum(3 + run - 5 for run in runs if run >= 5)
        wide = "0000" + line + "0000"
        for at in range(4, size - 2):
            if wide[at : at + 7] == "1011101" and "0000" in (wide[at - 4 : at], wide[at + 7 : at + 11]):
                total += 40
    for i, j in itertools.product(range(size - 1), repeat=2):
        total += 3 * (len({modules[i][j], modules[i][j + 1], modules[i + 1][j], modules[i + 1][j + 1]}) == 1)
    dark = sum(map(sum, modules))
    return total + 10 * int(abs(100 * dark / size**2 - 50) / 5)


@settings(deadline=None, max_examples=100)
@given(SEGNO_TEXTS)
@example("P0")  # too many dark modules decide
def test_the_mask_is_the_first_with_the_fewest_points(screen: Screen, text: str) -> None:
    ours = symbol(screen, text)
    scores = [points(by_segno(text, len(ours) // 4 - 4, mask)) for mask in range(8)]
    assert mask_of(ours) == scores.index(min(scores))


def shot(buffer: bytes, scale: int) -> Image.Image:
    """The screen in its dark bezel."""
    return ImageOps.expand(Image.open(io.BytesIO(to_png(buffer, scale=scale))), 12 * scale, tuple(GLASS))


def read_by_both(picture: Image.Image) -> tuple[list[str], list[str]]:
    grey = picture.convert("L")
    zxing = [code.text for code in zxingcpp.read_barcodes(picture)]
    zbar = [code.data.decode() for code in pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE])]
    return zxing, zbar


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.integers(3, 6))
def test_both_decoders_read_it_from_the_screen(screen: Screen, text: str, scale: int) -> None:
    buffer = screen.draw("token", text.encode(), *WORDS)
    assert read_by_both(shot(buffer, scale)) == ([text], [text])


@pytest.mark.parametrize(("length", "side"), [(1, 25), (38, 25), (39, 29), (61, 29)])
def test_the_version_is_the_smaller_that_holds_the_text(screen: Screen, length: int, side: int) -> None:
    assert len(symbol(screen, "Z" * length)) == side


FOREIGN = [bytes((byte,)) for byte in range(256) if chr(byte) not in SIGNS]


def test_what_the_mode_has_no_sign_for_is_refused(screen: Screen) -> None:
    for foreign in FOREIGN:
        for text in (foreign, b"PLT*" + foreign, b"PLT*A" + foreign + b"B"):
            assert screen.ask("symbol", text) == "ValueError", text
    for length in (0, 62, 5000):
        assert screen.ask("symbol", b"A" * length) == "ValueError"


@given(st.binary(max_size=70))
@settings(deadline=None)
def test_any_bytes_are_a_symbol_or_refused(screen: Screen, text: bytes) -> None:
    fits = 1 <= len(text) <= 61 and all(byte in SIGNS.encode() for byte in text)
    assert (screen.ask("symbol", text) != "ValueError") == fits


def test_a_refused_text_leaves_the_screen_alone(screen: Screen) -> None:
    assert screen.ask("after_refused_token", b"plt*") == screen.draw("idle", headline="СКАНИРУЙ").hex()


@pytest.mark.parametrize("length", [34, 61])
@pytest.mark.parametrize("text", ["Ж" * 5000, "\x1b[2J\u202e\0" * 40, "слово " * 90, ""])
def test_no_words_reach_the_quiet_zone(screen: Screen, length: int, text: str) -> None:
    code = b"A" * length
    quiet = region(WIDTH - HEIGHT - (5 if length > 38 else 1), 0)
    bare = lit(screen.draw("token", code, "", []))
    assert lit(screen.draw("token", code, text, [text] * 5)) & quiet == bare & quiet


def test_each_word_shows(screen: Screen) -> None:
    code = b"PLT*" + b"A" * 30
    title, lines = WORDS
    shown = [
        screen.draw("token", code, title, lines),
        screen.draw("token", code, title[:-1], lines),
        screen.draw("token", code, title, [lines[0][:-1], lines[1]]),
        screen.draw("token", code, title, [lines[0], lines[1][:-1]]),
    ]
    assert len(set(shown)) == len(shown)


def test_a_symbol_takes_little_memory(screen: Screen) -> None:
    assert max(screen.ask("symbol_garbage", b"A" * length) for length in (34, 61)) <= 6144
