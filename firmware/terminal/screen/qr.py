"""QR Code symbols (ISO/IEC 18004:2015) for the screen: alphanumeric, level M, version 2 or 3.

Both versions have one block of codewords and one alignment pattern. A line of modules is an int, bit 0 its first
module, dark = 1, and stays within the 30 bits of a small int: trying the eight masks takes no memory.
"""

from array import array

from micropython import const

from . import qr_words

SIDES = (25, 29)
QUIET = const(4)  # modules

# Characters, data codewords and check codewords of 2-M and 3-M (tables 7 and 9).
_VERSIONS = ((38, 28, 16), (61, 44, 26))
_FINDER = b"\x7f\x41\x5d\x5d\x5d\x41\x7f"
_ALIGNMENT = b"\x1f\x11\x15\x11\x1f"
# Table 10: of row i and column j, 0 where the mask turns a module over. All repeat after twelve.
_MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)

_words = bytearray(71)
rows = array("I", bytes(4 * 29))
_columns = array("I", rows)
_free = array("I", rows)


def encode(text: bytes) -> int:
    """Make the symbol of 1 to 61 alphanumeric characters in `rows`; how many modules wide it is.

    Raises ValueError for another length and for a byte outside `0-9A-Z $%*+-./:`.
    """
    if not 0 < len(text) <= _VERSIONS[1][0]:
        raise ValueError("not 1 to 61 characters")
    version = len(text) > _VERSIONS[0][0]
    count = SIDES[version]
    _, data, check = _VERSIONS[version]
    qr_words.write(text, _words, data)
    qr_words.protect(_words, data, check)
    _patterns(count)
    _place(count, 8 * (data + check))
    best = least = -1
    for mask in range(8):
        _format(mask, count)
        points = _penalty(mask, count)
        if least < 0 or points < least:
            best, least = mask, points
    _format(best, count)
    for i in range(count):
        rows[i] ^= _stripe(best, i, False) & _free[i]
    return count


def draw(canvas, count: int, x: int, y: int, module: int) -> None:
    """Draw the symbol that `encode` made last, dark on light, with its first module at x, y.

    A quiet zone of four modules lies around it as far as the screen reaches. module: pixels.
    """
    quiet = QUIET * module
    width = count * module + 2 * quiet
    canvas.fb.fill_rect(x - quiet, y - quiet, width, width, 1)
    for i in range(count):
        for j in range(count):
            if rows[i] >> j & 1:
                canvas.fb.fill_rect(x + j * module, y + i * module, module, module, 0)


def _patterns(count):
    """The function patterns (6.3), the same by rows as by columns; `_free` has the modules that codewords fill."""
    full = (1 << count) - 1
    for i in range(count):
        taken = (0xFF << count - 8 | 0x1FF) if i < 9 else 0x1FF if i >= count - 8 else 0x40
        _free[i] = 0 if i == 6 else full & ~taken
        rows[i] = full & 0x15555555 if i == 6 else (i + 1) % 2 << 6
    for i in range(7):
        rows[i] |= _FINDER[i] | _FINDER[i] << count - 7
        rows[count - 7 + i] |= _FINDER[i]
    for i in range(5):
        rows[count - 9 + i] |= _ALIGNMENT[i] << count - 9
        _free[count - 9 + i] &= ~(0x1F << count - 9)
    for i in range(count):
        _columns[i] = rows[i]


def _set(i, j, dark):
    rows[i] = rows[i] & ~(1 << j) | dark << j
    _columns[j] = _columns[j] & ~(1 << i) | dark << i


def _place(count, bits):
    """The codewords, bit by bit in two columns at a time, up and down (7.7.3)."""
    at = 0
    j = count - 1
    upward = True
    while j > 0:
        for step in range(count):
            i = count - 1 - step if upward else step
            for k in range(j, j - 2, -1):
                if _free[i] >> k & 1:
                    _set(i, k, _words[at // 8] >> 7 - at % 8 & 1 if at < bits else 0)
                    at += 1
        upward = not upward
        j -= 3 if j == 8 else 2


def _format(mask, count):
    """Level M, whose bits are 00, and the mask, twice (7.9.1); and the module that is always dark."""
    rest = mask
    for _ in range(10):
        rest = rest << 1 ^ (rest >> 9) * 0x537
    bits = (mask << 10 | rest) ^ 0x5412
    for k in range(15):
        dark = bits >> k & 1
        if k < 8:
            _set(k if k < 6 else k + 1, 8, dark)
            _set(8, count - 1 - k, dark)
        else:
            _set(8, 7 if k == 8 else 14 - k, dark)
            _set(count - 15 + k, 8, dark)
    _set(count - 8, 8, 1)


def _stripe(mask, at, down):
    """What a mask turns over in a row, or in a column."""
    turns = _MASKS[mask]
    bits = 0
    for k in range(12):
        if not (turns(k, at) if down else turns(at, k)):
            bits |= 1 << k
    return bits | bits << 12 | (bits & 0x3F) << 24


def _penalty(mask, count):
    """The points of the symbol under a mask (7.8.3.1, table 11); what lies outside is light."""
    points = dark = above = same_above = 0
    for down in (False, True):
        for at in range(count):
            line = (_columns if down else rows)[at] ^ _stripe(mask, at, down) & _free[at]
            same = ~(line ^ line >> 1) & (1 << count - 1) - 1
            five = same & same >> 1 & same >> 2 & same >> 3
            points += _ones(five) + 2 * _ones(five & ~(five << 1))
            near = line & (1 << count - 4) - 1
            finder = line & ~(line >> 1) & line >> 2 & line >> 3 & line >> 4 & ~(line >> 5) & line >> 6
            before = near << 1 | near << 2 | near << 3 | near << 4
            after = line >> 7 | line >> 8 | line >> 9 | line >> 10
            points += 40 * _ones(finder & ~(before & after))
            if not down:
                if at:
                    points += 3 * _ones(same & same_above & ~(line ^ above))
                above, same_above = line, same
                dark += _ones(line)
    area = count * count
    return points + 10 * (abs(20 * dark - 10 * area) // area)


def _ones(bits):
    bits -= bits >> 1 & 0x15555555
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333)
    bits = bits + (bits >> 4) & 0xF0F0F0F
    bits += bits >> 8
    return bits + (bits >> 16) & 0x3F
