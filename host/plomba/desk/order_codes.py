"""The further codes of an order: a prefix says what each is, and the table of carriers reads it as a terminal would."""

from __future__ import annotations

from plomba.errors import UsageError
from plomba_wire import carriers, gs1
from plomba_wire.vocabulary import CodeKind, Symbology

COMMAND = "PLB*"
"""Opens every printed command code: a terminal would obey such a text, never look it up."""
SEPARATOR = "\x1d"
"""FNC1 between two element strings; it may stand in a code."""
LABEL_MAX = 64
"""Bytes of the longest label, UTF-8."""
PREFIXES = {
    "sscc": (CodeKind.SSCC, "106141411234567897"),
    "gtin": (CodeKind.GTIN, "010952123454321321A7"),
    "cz": (CodeKind.CZ, "0104600439931256215a1b2c3d4e5f6"),
    "s10": (CodeKind.S10, "RA123456785RU"),
    "post": (CodeKind.RUSSIAN_POST, "10100080000017"),
    "np": (CodeKind.NOVA_POSHTA, "20450059800767"),
    "label": (CodeKind.ORDER, "%101%806044518"),
}
"""Prefix -> (code kind, an example)."""

_BARE_GTIN = len("01") + 14


def read(item: str) -> tuple[int, str]:
    """(code kind, canonical text) of `prefix:code`. Raises UsageError."""
    prefix, colon, text = item.partition(":")
    if not colon or prefix not in PREFIXES:
        raise UsageError("desk_row_code_prefix", column="codes", found=item, known=", ".join(PREFIXES))
    kind, example = PREFIXES[prefix]
    if kind == CodeKind.ORDER:
        return kind, _label(text)
    value, fits = _carrier(kind, text.encode())
    if not value:
        raise UsageError("desk_row_code_form", column="codes", found=item, example=f"{prefix}:{example}")
    if not fits:
        raise UsageError("desk_row_code_check", column="codes", found=item)
    return kind, value.decode()


def _label(text: str) -> str:
    """A text that is on the label just so."""
    if not text or SEPARATOR in text:
        raise UsageError("desk_row_code_form", column="codes", found=f"label:{text}", example="label:%101%806044518")
    if text.startswith(COMMAND):
        raise UsageError("desk_row_command", column="codes", found=text)
    if len(text.encode()) > LABEL_MAX:
        raise UsageError("desk_row_long", column="codes", size=len(text.encode()), limit=LABEL_MAX)
    return text


def _carrier(kind: int, code: bytes) -> tuple[bytes, bool]:
    """The identity of that kind, empty when the code has none, and whether its check holds."""
    if kind == CodeKind.SSCC and len(code) == 18:
        code = gs1.SSCC + code
    for carrier, value in carriers.matches(code, Symbology.DATA_MATRIX):
        serial = carrier.kind == CodeKind.GTIN and len(value) > _BARE_GTIN
        # A Data Matrix would be called Честный ЗНАК by its tail; a list says so itself, with or without one.
        if (carrier.kind == kind != CodeKind.GTIN) or (serial and kind in (CodeKind.GTIN, CodeKind.CZ)):
            return value, carrier.fits(value)
    return b"", False
