"""A scan taken apart: the code without what the scanner put before it, and what that says of it."""

from plomba_wire import gs1
from plomba_wire.vocabulary import Symbology

OPEN = 0
AI_DATA = 1
PLAIN = 2

# Symbology identifiers (ISO/IEC 15424; which of them carry AI data: GS1 General Specifications, section 5.1).
_IDENTIFIERS = (
    (b"]C1", Symbology.CODE_128, AI_DATA),
    (b"]e0", Symbology.OTHER, AI_DATA),
    (b"]d2", Symbology.DATA_MATRIX, AI_DATA),
    (b"]Q3", Symbology.QR, AI_DATA),
    (b"]J1", Symbology.OTHER, AI_DATA),
    (b"]C0", Symbology.CODE_128, PLAIN),
    (b"]d1", Symbology.DATA_MATRIX, PLAIN),
    (b"]Q0", Symbology.QR, PLAIN),
    (b"]Q1", Symbology.QR, PLAIN),
    (b"]J0", Symbology.OTHER, PLAIN),
    (b"]A0", Symbology.OTHER, PLAIN),
    (b"]I0", Symbology.OTHER, PLAIN),
    (b"]I1", Symbology.OTHER, PLAIN),
    (b"]E0", Symbology.EAN, PLAIN),
    (b"]E4", Symbology.EAN, PLAIN),
)
# FNC1 in the first position, as scanners render it that do not drop it: GS, or è in Latin-1 or UTF-8.
_FNC1 = (b"\x1d", b"\xe8", b"\xc3\xa8")


class Reading:
    """`text`: the code without symbology identifier and leading FNC1. `symbology`: what the identifier says, else the
    engine. `says`: what is known of the content: AI_DATA; PLAIN by its identifier; OPEN, nothing. `elements`: its
    application identifiers and their values, None when it has none; `link`: they come from a Digital Link URI.
    """

    def __init__(self, code: bytes, symbology: int) -> None:
        self.says = OPEN
        self.symbology = symbology
        self.link = False
        self.elements: "dict[bytes, bytes] | None" = None
        self.text = self._bare(code)
        if self.says == AI_DATA or self.text[:2] in (gs1.SSCC, gs1.GTIN):
            self.elements = gs1.element_strings(self._separated())
        if self.elements is None:
            self.elements = gs1.digital_link(self.text)
            self.link = self.elements is not None

    @property
    def sure(self) -> bool:
        """Whether it says that it is GS1's: AI data by identifier or FNC1, or a link to GS1's own resolver."""
        if self.link:
            return gs1.host(self.text) == b"id.gs1.org"
        return self.says == AI_DATA and self.elements is not None

    def _bare(self, code: bytes) -> bytes:
        if code[:1] == b"]":
            for identifier, symbology, says in _IDENTIFIERS:
                if code.startswith(identifier):
                    self.symbology = symbology
                    self.says = says
                    code = code[3:]
                    break
        for mark in _FNC1:
            if code.startswith(mark):
                self.says = AI_DATA
                return code[len(mark) :]
        return code

    def _separated(self) -> bytes:
        """With GS between element strings. A GS1 QR may hold `%` for it, and `%%` for the character (ISO/IEC 18004); a
        scanner that did not translate the one sends no GS at all."""
        text = self.text
        if self.symbology != Symbology.QR or self.says != AI_DATA or b"%" not in text:
            return text
        if b"\x1d" in text or b"\0" in text:
            return text
        return text.replace(b"%%", b"\0").replace(b"%", b"\x1d").replace(b"\0", b"%")
