"""The table of codes that stand on parcels, items and seals: how each is recognised, what its identity is, which check
holds. docs/codes.md is this table in words.

Whatever else a code is, it is also a text that may be listed as it stands; nothing here changes it. Both interpreters:
a terminal reads a scan by this table, a desk the codes of an order.
"""

from plomba_wire import gs1, postal
from plomba_wire.reading import Reading
from plomba_wire.shapes import Carrier, Elements, Inside, Text
from plomba_wire.tlv import CODE_MAX
from plomba_wire.vocabulary import CodeKind, Symbology, Verdict

_ALL = ((b"", 0, CODE_MAX),)
_SGTIN = ((b"01", gs1.GTIN), (b"21", gs1.SERIAL))
# Over an identity: of all its digits, and of the GTIN behind `01`.
_DIGITS = (gs1.check_digit_fits, 0, CODE_MAX)
_GTIN = (gs1.check_digit_fits, 2, 16)
_MATRIX = (Symbology.DATA_MATRIX,)
_EAN = (Symbology.EAN,)
_LINEAR = (Symbology.CODE_128, Symbology.OTHER, Symbology.NONE)

UIN = Inside("УИН", CodeKind.UIN, 16, (Symbology.DATA_MATRIX, Symbology.QR))
CARRIERS: "tuple[Carrier, ...]" = (
    Elements(
        "SSCC",
        CodeKind.SSCC,
        needs=((gs1.SSCC, ()),),
        parts=((b"", gs1.SSCC),),
        check=_DIGITS,
        sure=(Symbology.CODE_128, Symbology.NONE),
    ),
    Elements(
        "Честный ЗНАК",
        CodeKind.CZ,
        needs=((gs1.GTIN, ()), (gs1.SERIAL, ()), (b"91", (4,)), (b"92", (44, 88))),
        parts=_SGTIN,
        check=_GTIN,
        sure=_MATRIX,
    ),
    Elements(
        "Честный ЗНАК, short tail",
        CodeKind.CZ,
        needs=((gs1.GTIN, ()), (gs1.SERIAL, ()), (b"93", (4,))),
        parts=_SGTIN,
        check=_GTIN,
        sure=_MATRIX,
    ),
    Elements(
        "GTIN with serial number",
        CodeKind.GTIN,
        needs=((gs1.GTIN, ()), (gs1.SERIAL, ())),
        parts=_SGTIN,
        check=_GTIN,
        sure=_MATRIX,
    ),
    Elements(
        "Честный ЗНАК, no tail",
        CodeKind.CZ,
        needs=((gs1.GTIN, ()), (gs1.SERIAL, (6, 7, 13, 20))),
        parts=_SGTIN,
        check=_GTIN,
        symbologies=_MATRIX,
        sure=_MATRIX,
        only=True,
    ),
    Text(
        "Честный ЗНАК, tobacco pack",
        CodeKind.CZ,
        b"99999999999999***************",
        parts=((b"01", 0, 14), (b"21", 14, 25)),
        check=_GTIN,
        symbologies=_MATRIX,
    ),
    Text(
        "UPU S10",
        CodeKind.S10,
        b"AA999999999AA",
        parts=_ALL,
        check=(postal.s10_fits, 0, 13),
        sure=_LINEAR,
        claims=postal.names_country,
    ),
    UIN,
    Elements(
        "GTIN",
        CodeKind.GTIN,
        needs=((gs1.GTIN, ()),),
        parts=((b"01", gs1.GTIN),),
        check=_GTIN,
        lacks=gs1.SERIAL,
    ),
    Text("EAN-13", CodeKind.GTIN, b"9" * 13, ((b"010", 0, 13),), check=_GTIN, symbologies=_EAN, sure=_EAN),
    Text("UPC-A", CodeKind.GTIN, b"9" * 12, ((b"0100", 0, 12),), check=_GTIN, symbologies=_EAN),
    Text("EAN-8", CodeKind.GTIN, b"9" * 8, ((b"01000000", 0, 8),), check=_GTIN, symbologies=_EAN, sure=_EAN),
    Text("Почта России", CodeKind.RUSSIAN_POST, b"9" * 14, _ALL, check=_DIGITS),
    Text("Нова пошта", CodeKind.NOVA_POSHTA, b"9" * 14, _ALL),
)
"""In order of precedence."""


def matches(code: bytes, symbology: int) -> "list[tuple[Carrier, bytes]]":
    """(row, identity) for each row that recognises the code, whether or not its check holds."""
    return _matches(Reading(code, symbology)) if len(code) <= CODE_MAX else []


def identities(code: bytes, symbology: int) -> "list[tuple[int, bytes]]":
    """(CodeKind, canonical value) under which the code may be listed or remembered, in order of precedence; never
    twice the same. What fails its check is not there. Last comes the code as it was read, as ORDER: equality always
    counts.

    A symbology identifier (`]C1`, ...), a FNC1 in the first position and a GS at the end are no part of a canonical
    value. A bare GTIN is only there where the code has no serial number: it names a product, not this item.
    """
    found: "list[tuple[int, bytes]]" = []
    for carrier, value in matches(code, symbology):
        if carrier.fits(value) and (carrier.kind, value) not in found:
            found.append((carrier.kind, value))
    found.append((CodeKind.ORDER, code))
    return found


def fault(code: bytes, symbology: int) -> int:
    """Verdict.CHECK_DIGIT when the code surely claims to be a carrier with a check digit and that fails, else 0. To be
    asked for a code that is not listed: equality comes first.

    Sure are, and nothing else is refused for its check:
    - element strings behind `]C1`, `]e0`, `]d2`, `]Q3`, `]J1` or a FNC1: any of their check digits;
    - a Digital Link to id.gs1.org with an SSCC or a GTIN;
    - element strings without any such mark that begin with an SSCC in Code 128 (or typed), or hold a GTIN and a serial
      number in a Data Matrix, unless an identifier (`]C0`, `]d1`) says that it is no GS1 symbol;
    - 13 or 8 digits from an EAN symbol;
    - the shape of S10 with a country's letters in upper case, in a linear symbol or typed.
    14 digits may be anybody's, and so may a GTIN alone, 16 digits, a link to another host, a tobacco pack's code.
    """
    if len(code) > CODE_MAX:
        return 0
    reading = Reading(code, symbology)
    if reading.sure and reading.elements is not None:
        for identifier, value in reading.elements.items():
            if not gs1.fits(identifier, value):
                return Verdict.CHECK_DIGIT
    for carrier, value in _matches(reading):
        if carrier.claimed(reading) and not carrier.fits(value):
            return Verdict.CHECK_DIGIT
    return 0


def _matches(reading: Reading) -> "list[tuple[Carrier, bytes]]":
    found: "list[tuple[Carrier, bytes]]" = []
    for carrier in CARRIERS:
        if carrier.symbologies and reading.symbology not in carrier.symbologies:
            continue
        value = carrier.value(reading)
        if value is not None:
            found.append((carrier, value))
    return found
