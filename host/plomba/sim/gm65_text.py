"""What a GM65-class engine sends for a code: `Prefix | CodeID | Data | Suffix | Tail`."""

from __future__ import annotations

from typing import Final

from plomba.sim import gm65_registers as reg

_TAILS: Final = (b"\r", b"\r\n", b"\t", b"")
_CODINGS: Final = ("gbk", "utf-8", "big5", "gbk")
_RAW_ON: Final = 0x08
_LONGEST_FAIL_TEXT: Final = 15


def scan_text(registers: bytes | bytearray, data: bytes, symbology: reg.Symbology, *, recode: bool) -> bytes:
    """The bytes that leave the engine for `data`, read from a code of `symbology`.

    `recode`: the engine is one that alters bytes from 0x80 up, unless it is told to send them raw.
    """
    if recode and registers[reg.RAW] != _RAW_ON:
        data = _recoded(data, _CODINGS[registers[reg.OUTPUT_PORT] >> 2 & 0b11])
    layout = registers[reg.FORMAT]
    prefix, suffix = registers[reg.AFFIX_LENGTHS] >> 4, registers[reg.AFFIX_LENGTHS] & 0x0F
    return b"".join(
        (
            bytes(registers[reg.PREFIX : reg.PREFIX + prefix]) if layout & 0b1000 else b"",
            bytes((registers[symbology.id_at],)) if layout & 0b0100 else b"",
            _cut(registers, data),
            bytes(registers[reg.SUFFIX : reg.SUFFIX + suffix]) if layout & 0b0010 else b"",
            tail(registers),
        )
    )


def read_fail_text(registers: bytes | bytearray) -> bytes:
    """What the engine sends when a read times out: nothing, unless register 60 asks. The tail is assumed."""
    if not registers[reg.FORMAT] & 0b1_0000:
        return b""
    length = min(registers[reg.READ_FAIL], _LONGEST_FAIL_TEXT)
    return bytes(registers[reg.READ_FAIL + 1 : reg.READ_FAIL + 1 + length]) + tail(registers)


def tail(registers: bytes | bytearray) -> bytes:
    """CR, CR LF, TAB or nothing."""
    layout = registers[reg.FORMAT]
    return _TAILS[layout >> 5 & 0b11] if layout & 1 else b""


def _cut(registers: bytes | bytearray, data: bytes) -> bytes:
    """Registers B0-B2: all, the first M bytes, the last N, or what is left between them (assumed)."""
    part, first, last = registers[reg.CUT] & 0b11, registers[reg.CUT + 1], registers[reg.CUT + 2]
    end = max(0, len(data) - last)
    return (data, data[:first], data[end:], data[first:end])[part]


def _recoded(data: bytes, coding: str) -> bytes:
    """Text in another coding: ASCII survives, anything else need not. A model of the effect."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.encode(coding, errors="replace")
