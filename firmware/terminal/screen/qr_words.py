"""The codewords of a QR Code symbol of one block: alphanumeric data, and what mends them (ISO/IEC 18004:2015)."""

from plomba_wire.base45 import ALPHABET

_exp = bytearray(255)
_log = bytearray(256)
_generator = bytearray(27)

_power = 1
for _k in range(255):
    _exp[_k] = _power
    _log[_power] = _k
    _power = _power << 1 ^ (0x11D if _power & 0x80 else 0)


def write(text: bytes, words: bytearray, data: int) -> None:
    """The data codewords (7.4): mode 2, the count in 9 bits, pairs in 11 bits, a last one in 6, the padding."""
    at = _bits(words, 0, 2 << 9 | len(text), 13)
    for k in range(0, len(text), 2):
        last = k + 1 == len(text)
        value = _value(text[k]) if last else 45 * _value(text[k]) + _value(text[k + 1])
        at = _bits(words, at, value, 6 if last else 11)
    at = _bits(words, at, 0, min(4, 8 * data - at))
    at = _bits(words, at, 0, -at % 8)
    for k in range(at // 8, data):
        words[k] = 0x11 if (k - at // 8) & 1 else 0xEC


def _bits(words, at, value, width):
    for k in range(width - 1, -1, -1):
        word = 0 if at % 8 == 0 else words[at // 8]
        words[at // 8] = word | (value >> k & 1) << 7 - at % 8
        at += 1
    return at


def _value(byte):
    value = ALPHABET.find(bytes((byte,)))
    if value < 0:
        raise ValueError("not an alphanumeric character")
    return value


def protect(words: bytearray, data: int, check: int) -> None:
    """The check codewords: the remainder by the product of all (x - 2**k), over GF(256) with 0x11D (7.5.2)."""
    for k in range(check):
        _generator[k] = k == check - 1
        words[data + k] = 0
    _generator[check] = words[data + check] = 0
    for power in range(check):
        for k in range(check):
            _generator[k] = _times(_generator[k], power) ^ _generator[k + 1]
    for at in range(data):
        factor = words[at] ^ words[data]
        for k in range(check):
            words[data + k] = words[data + k + 1] ^ (_times(_generator[k], _log[factor]) if factor else 0)


def _times(value, power):
    """A value times 2**power."""
    return _exp[(_log[value] + power) % 255] if value else 0
