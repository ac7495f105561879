"""GS1: check digits, element strings, Digital Link. Pure functions over hostile bytes, both interpreters.

Sources: GS1 General Specifications, sections 7.8 (element strings) and 7.9 (check digits); GS1 Digital Link Standard:
URI Syntax. A text that breaks a rule anywhere is not read in part.
"""

from plomba_wire import application_identifiers as identifiers

GS = 0x1D
"""FNC1 as a scanner sends it between two element strings."""
SSCC = b"00"
GTIN = b"01"
SERIAL = b"21"

_SEPARATOR = b"\x1d"
_QUALIFIERS = (b"22", b"10", SERIAL, b"235")
_GTIN_LENGTHS = (8, 12, 13, 14)
_HEX = b"0123456789ABCDEF"


def check_digit_fits(digits: bytes) -> bool:
    """Whether the last digit closes those before it: weights 3, 1, 3, ... from the right. Raises nothing: False for
    what is not digits."""
    if not digits.isdigit():
        return False
    total = 0
    weight = 1
    for at in range(len(digits) - 1, -1, -1):
        total += (digits[at] - 48) * weight
        weight = 4 - weight
    return total % 10 == 0


def fits(identifier: bytes, value: bytes) -> bool:
    """Whether the check digit of an element string's value fits; True where the identifier has none."""
    closed = identifiers.closed(identifiers.row(identifier))
    return not closed or check_digit_fits(value[:closed])


def element_strings(data: bytes) -> "dict[bytes, bytes] | None":
    """Application identifier -> value; None unless `data` is element strings from its first byte to its last.

    Check digits are not looked at (`fits`). A separator is taken after any value and at the end; it must stand after a
    value whose length may vary. The same identifier twice has to have the same value (GS1 syntax engine).
    """
    found: "dict[bytes, bytes]" = {}
    at = 0
    end = len(data)
    while at < end:
        if data[at] == GS:
            at += 1
            continue
        size = identifiers.length(data, at)
        identifier = data[at : at + size]
        row = identifiers.row(identifier) if size else -1
        if row < 0:
            return None
        at += size
        stop = data.find(_SEPARATOR, at)
        stop = end if stop < 0 else stop
        longest = identifiers.longest(row)
        if stop - at > longest and longest == identifiers.shortest(row):
            stop = at + longest
        value = data[at:stop]
        if not _valid(row, value) or found.get(identifier, value) != value:
            return None
        found[identifier] = value
        at = stop
    return found or None


def digital_link(uri: bytes) -> "dict[bytes, bytes] | None":
    """Application identifier -> value of the path of a Digital Link URI with an SSCC or a GTIN; None for other texts.

    The path may begin with anything. A GTIN is padded to 14 digits; its qualifiers come in the standard's order. The
    query adds no identity and is not read.
    """
    at = uri.find(b"://")
    if at < 0 or uri[:at].lower() not in (b"http", b"https"):
        return None
    for mark in (b"#", b"?"):
        cut = uri.find(mark)
        if cut >= 0:
            uri = uri[:cut]
    segments = uri[at + 3 :].split(b"/")
    for key in range(1, len(segments) - 1):
        if segments[key] in (SSCC, GTIN):
            found = _path(segments, key)
            if found is not None:
                return found
    return None


def host(uri: bytes) -> bytes:
    """The authority of a URI, in lower case."""
    rest = uri[uri.find(b"://") + 3 :]
    at = rest.find(b"/")
    return (rest if at < 0 else rest[:at]).lower()


def _path(segments: "list[bytes]", at: int) -> "dict[bytes, bytes] | None":
    """The pairs from the primary key at `at` to the end."""
    if (len(segments) - at) % 2:
        return None
    found: "dict[bytes, bytes]" = {}
    primary = segments[at]
    last = -1
    for key in range(at, len(segments), 2):
        identifier = segments[key]
        value = _decoded(segments[key + 1])
        if value is None:
            return None
        if key > at:
            place = _QUALIFIERS.index(identifier) if primary == GTIN and identifier in _QUALIFIERS else -1
            if place <= last or (place == 3 and last >= 0):
                return None
            last = place
        elif identifier == GTIN and len(value) in _GTIN_LENGTHS:
            value = b"0" * (14 - len(value)) + value
        if not _valid(identifiers.row(identifier), value):
            return None
        found[identifier] = value
    return found


def _valid(row: int, value: bytes) -> bool:
    return identifiers.shortest(row) <= len(value) <= identifiers.longest(row) and identifiers.allows(row, value)


def _decoded(segment: bytes) -> "bytes | None":
    """Percent-decoded; None when a `%` is not followed by two hexadecimal digits."""
    parts = segment.split(b"%")
    out = [parts[0]]
    for part in parts[1:]:
        digits = part[:2].upper()
        if len(digits) < 2:
            return None
        high, low = _HEX.find(digits[:1]), _HEX.find(digits[1:])
        if high < 0 or low < 0:
            return None
        out.append(bytes((high << 4 | low,)))
        out.append(part[2:])
    return b"".join(out)
