"""What a scanned text is. A code read from paper is hostile: it is compared, hashed and stored, never interpreted."""

from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import CodeKind, Symbology

COMMAND = b"PLB*"
"""Opens every printed command code; the rest names the command."""

_GS = 0x1D
_UIN_DIGITS = 16


def kind(code: bytes) -> int:
    """COMMAND, UNKNOWN for a text that has to be looked up, NONE for one that is refused unseen."""
    if not code or len(code) > CODE_MAX:
        return CodeKind.NONE
    for byte in code:
        if (byte < 0x20 and byte != _GS) or byte == 0x7F:
            return CodeKind.NONE
    return CodeKind.COMMAND if code.startswith(COMMAND) else CodeKind.UNKNOWN


def item_number(code: bytes, symbology: int) -> "bytes | None":
    """The УИН in a tag: exactly one run of exactly 16 digits, bare or inside a URL, from a 2-D code."""
    if symbology not in (Symbology.DATA_MATRIX, Symbology.QR):
        return None
    found = None
    run = 0
    for at in range(len(code) + 1):
        if at < len(code) and 0x30 <= code[at] <= 0x39:
            run += 1
            continue
        if run == _UIN_DIGITS:
            if found is not None:
                return None
            found = code[at - _UIN_DIGITS : at]
        run = 0
    return found


def packed_digits(digits: bytes) -> bytes:
    """Digits as packed BCD, two a byte."""
    return bytes((digits[at] - 48) << 4 | (digits[at + 1] - 48) for at in range(0, len(digits), 2))


def identities(code: bytes, symbology: int) -> "list[tuple[int, bytes]]":
    return [(CodeKind.ORDER, code)]


def fault(code: bytes, symbology: int) -> int:
    return 0


def is_item_number(code: bytes) -> bool:
    """Whether a typed text is an item number."""
    return len(code) == _UIN_DIGITS and code.isdigit()
