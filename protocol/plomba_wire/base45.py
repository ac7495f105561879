"""Base45 (RFC 9285): bytes as text of the 45 characters that a QR code packs at 5.5 bits each, both interpreters."""

from plomba_wire.codec import Malformed

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""The alphanumeric mode of ISO/IEC 18004; a character's value is its place."""
_BASE = 45


def encode(data: bytes) -> bytes:
    """Three characters for two bytes, the lowest digit first; two for a last byte that stands alone."""
    text = bytearray()
    for at in range(0, len(data) - 1, 2):
        value = data[at] << 8 | data[at + 1]
        text.append(ALPHABET[value % _BASE])
        text.append(ALPHABET[value // _BASE % _BASE])
        text.append(ALPHABET[value // (_BASE * _BASE)])
    if len(data) & 1:
        text.append(ALPHABET[data[-1] % _BASE])
        text.append(ALPHABET[data[-1] // _BASE])
    return bytes(text)


def decode(text: bytes) -> bytes:
    """Exactly one text gives each run of bytes. Raises Malformed for another character, a group that is too short, and
    one that stands for more than its bytes hold (RFC 9285 section 6)."""
    data = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        if len(group) == 1:
            raise Malformed("base45")
        value = 0
        for character in reversed(group):
            digit = ALPHABET.find(bytes((character,)))
            if digit < 0:
                raise Malformed("base45")
            value = value * _BASE + digit
        if value >> (16 if len(group) == 3 else 8):
            raise Malformed("base45")
        if len(group) == 3:
            data.append(value >> 8)
        data.append(value & 0xFF)
    return bytes(data)
