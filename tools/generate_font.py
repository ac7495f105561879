"""Write firmware/terminal/screen/font.py and icons.py.

    python tools/generate_font.py            write the files
    python tools/generate_font.py --check    exit 1 when a file differs

Glyphs come from X11 misc-fixed (font-misc-misc: "Public domain font. Share and enjoy."), read from the PCF
files of xfonts-base 1:1.0.5. What misc-fixed lacks, and the icons, are drawn below.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import sys
from pathlib import Path

from pcf import Bitmap, read_pcf

PCF_FOLDER = Path("/usr/share/fonts/X11/misc")
SCREEN = Path(__file__).resolve().parents[1] / "firmware" / "terminal" / "screen"
FACES = {"SMALL": "6x10", "BODY": "6x13", "BOLD": "8x13B"}

RUSSIAN = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя"
UKRAINIAN_ONLY = "ҐґЄєІіЇї"
SIGNS = "№—«»·…→↑₴"
CHARSET = sorted({*map(chr, range(0x20, 0x7F)), *RUSSIAN, *UKRAINIAN_ONLY, *SIGNS})

# The hryvnia sign is younger than these faces.
HRYVNIA = {
    "SMALL": (1, "###.. ...#. ##### ..#.. ##### .#... ..###"),
    "BODY": (2, ".###. #...# ....# ##### ..#.. ##### #.... #...# .###."),
    "BOLD": (2, ".#####. ##...## .....## ####### ..###.. ####### ##..... ##...## .#####."),
}
ICONS = {
    "ok": """
        ................
        .............##.
        ............####
        ............####
        ...........####.
        ..........####..
        .##......####...
        ####....####....
        ####...####.....
        .####.####......
        ..#######.......
        ...#####........
        ....###.........
        .....#..........
        ................
        ................""",
    "cross": """
        ................
        .##..........##.
        ####........####
        #####......#####
        .#####....#####.
        ..#####..#####..
        ...##########...
        ....########....
        .....######.....
        ....########....
        ...##########...
        ..#####..#####..
        .#####....#####.
        #####......#####
        ####........####
        .##..........##.""",
    "arrow": """
        ................
        ........##......
        ........###.....
        ........####....
        ........#####...
        #############...
        ##############..
        ###############.
        ###############.
        ##############..
        #############...
        ........#####...
        ........####....
        ........###.....
        ........##......
        ................""",
    "seal": """
        .......##.......
        ......####......
        ..############..
        ..############..
        ..############..
        ..#########.##..
        .#########..###.
        ####.####..#####
        ####..##..######
        .####....######.
        ..####..######..
        ..############..
        ..############..
        ..############..
        ......####......
        .......##.......""",
    "question": """
        ....########....
        ..############..
        .#####....#####.
        .####......####.
        .####......####.
        ..........#####.
        .........#####..
        .......#####....
        ......####......
        ......####......
        ......####......
        ................
        ................
        ......####......
        ......####......
        ......####......""",
    "hand": """
        .......##.......
        ....##.##.##....
        ....##.##.##....
        .##.##.##.##....
        .##.##.##.##....
        .##.##.##.##....
        .##.##.##.##....
        .##.##.##.##..##
        .###########.###
        .##############.
        .#############..
        .############...
        .###########....
        ..#########.....
        ..########......
        ...#######......""",
}
MARKS = {
    "LOCK": "..###... .#...#.. .#...#.. #######. #######. ###.###. #######. ........",
    "CLOCK": "..###... .#.#.#.. #..#..#. #..##.#. #.....#. .#...#.. ..###... ........",
    "PLUG": "..#.#... ..#.#... .#####.. .#####.. .#####.. ..###... ...#.... ........",
}


def place(cell: Bitmap, left: int, top: int, rows: Bitmap) -> None:
    for y, row in enumerate(rows, top):
        for x, bit in enumerate(row, left):
            if bit:
                cell[y][x] = 1


def drawing(art: str) -> Bitmap:
    return [[int(mark == "#") for mark in row] for row in art.split()]


def columns(cell: Bitmap) -> bytes:
    """MONO_VLSB: bands of eight rows, in each band one byte a column, bit 0 on top."""
    bands = range(0, len(cell), 8)
    return bytes(
        sum(cell[band + bit][x] << bit for bit in range(8) if band + bit < len(cell))
        for band in bands
        for x in range(len(cell[0]))
    )


def face(name: str) -> tuple[int, int, bytes]:
    """Width, height and the glyphs of one face in the order of CHARSET, then the box for everything else."""
    width, height = map(int, FACES[name].rstrip("B").split("x"))
    ascent, glyphs = read_pcf(PCF_FOLDER / f"{FACES[name]}.pcf.gz")
    data = b""
    for char in CHARSET:
        cell = [[0] * width for _ in range(height)]
        if char == "₴":
            top, art = HRYVNIA[name]
            place(cell, 0, top, drawing(art))
        else:
            left, above, rows = glyphs[ord(char)]
            place(cell, left, ascent - above, rows)
        data += columns(cell)
    box = [[0] * width for _ in range(height)]
    tall = 7 if name == "SMALL" else 9
    edge, side = "#" * (width - 1), "#" + "." * (width - 3) + "# "
    place(box, 0, ascent - tall, drawing(f"{edge} {side * (tall - 2)}{edge}"))
    return width, height, data + columns(box)


def ranges() -> bytes:
    """CHARSET as runs of code points: first (two bytes, big-endian), length (one byte)."""
    runs: list[list[int]] = []
    for code in map(ord, CHARSET):
        if runs and runs[-1][0] + runs[-1][1] == code:
            runs[-1][1] += 1
        else:
            runs.append([code, 1])
    return b"".join(struct.pack(">HB", *run) for run in runs)


def literal(data: bytes) -> str:
    lines = ("".join(f"\\x{byte:02x}" for byte in data[k : k + 24]) for k in range(0, len(data), 24))
    return "(\n" + "".join(f'    b"{line}"\n' for line in lines) + ")"


def font_module() -> str:
    parts = [
        '"""Three faces as (width, height, glyphs): bands of eight rows, one byte a column, bit 0 on top.\n\n'
        'X11 misc-fixed (public domain) and a few signs of our own. Written by tools/generate_font.py.\n"""\n'
        "# fmt: off\n",
        "# Runs of code points in glyph order: first (big-endian u16), length (u8). BOX is any other.",
        f"RANGES = {literal(ranges())}",
        f"SPACE = {CHARSET.index(' ')}\nELLIPSIS = {CHARSET.index('…')}\nBOX = {len(CHARSET)}\n",
    ]
    for name in FACES:
        width, height, data = face(name)
        parts.append(f"{name} = ({width}, {height}, {literal(data)})")
    return "\n".join(parts) + "\n"


def icons_module() -> str:
    icons = b"".join(columns(drawing(art)) for art in ICONS.values())
    marks = b"".join(columns(drawing(art)) for art in MARKS.values())
    numbers = ", ".join(f'"{name}": {number}' for number, name in enumerate(ICONS))
    names = "".join(f"{name} = {number}\n" for number, name in enumerate(MARKS))
    return (
        '"""Icons of 16x16 and marks of 8x8, laid out as the font. Written by tools/generate_font.py."""\n'
        "# fmt: off\n\n"
        f"NUMBERS = {{{numbers}}}\nICONS = {literal(icons)}\n\n{names}MARKS = {literal(marks)}\n"
    )


def render() -> dict[str, str]:
    """The text of each generated file by name.

    Where misc-fixed is not installed, font.py is returned as it stands, and a line says so. Raises
    ValueError if its digest then shows that it was edited.
    """
    icons = {"icons.py": icons_module()}
    if all((PCF_FOLDER / f"{name}.pcf.gz").exists() for name in FACES.values()):
        return icons | {"font.py": sealed(font_module())}
    print(f"font.py is held to its digest only: no misc-fixed in {PCF_FOLDER} (Debian package xfonts-base)")
    text = (SCREEN / "font.py").read_text(encoding="utf-8")
    if text != sealed(text.partition("\n")[2]):
        raise ValueError("font.py was edited, and cannot be written anew without misc-fixed")
    return icons | {"font.py": text}


def sealed(body: str) -> str:
    """A module with the digest of its own text in front."""
    return f"# sha256 of what follows: {hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--check", action="store_true", help="write nothing, compare")
    check = options.parse_args().check
    stale = False
    for name, text in render().items():
        path = SCREEN / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale = True
            print(f"{'stale' if check else 'wrote'}: {name}")
            if not check:
                path.write_text(text, encoding="utf-8", newline="\n")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
