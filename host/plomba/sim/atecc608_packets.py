"""What passes between a host and an ATECC608B: counts, opcodes, parameters, status bytes, and the CRC.

Facts: Microchip's data sheets of the variants that come configured, which describe the chip's commands, status codes
and I/O: ATECC608A-TFLXTLS (DS40002138), ATECC608A-TNGTLS (DS40002112), ATECC608B-TNGLoRaWAN; and of the ATECC508A
(DS20005927A), whose layout the 608 keeps. Opcodes and execution times: Microchip's cryptoauthlib, lib/calib/
calib_command.h and calib_execution.c (clock divider M0).
"""

from __future__ import annotations

from typing import Final

INFO: Final = 0x30
RANDOM: Final = 0x1B
READ: Final = 0x02
WRITE: Final = 0x12
LOCK: Final = 0x17
GENKEY: Final = 0x40
NONCE: Final = 0x16
SIGN: Final = 0x41
VERIFY: Final = 0x45
COUNTER: Final = 0x24
SELFTEST: Final = 0x77

MAX_MS: Final = {
    INFO: 5,
    RANDOM: 23,
    READ: 5,
    WRITE: 45,
    LOCK: 35,
    GENKEY: 115,
    NONCE: 20,
    SIGN: 115,
    VERIFY: 105,
    COUNTER: 25,
    SELFTEST: 250,
}
"""How long each command may take, in milliseconds."""

SUCCESS: Final = 0x00
MISCOMPARE: Final = 0x01
PARSE: Final = 0x03
SELF_TEST_FAILED: Final = 0x07
EXECUTION: Final = 0x0F
AWAKE: Final = 0x11
CRC_WRONG: Final = 0xFF

MIN_COMMAND: Final = 7
"""Count, opcode, one byte and two of parameters, CRC."""


def crc16(data: bytes) -> bytes:
    """Polynomial 8005 from 0, each byte from its lowest bit on; the low byte goes first."""
    crc = 0
    for byte in data:
        for bit in range(8):
            crc = crc << 1 ^ (0x8005 if (byte >> bit & 1) != crc >> 15 else 0)
            crc &= 0xFFFF
    return crc.to_bytes(2, "little")


def group(payload: bytes) -> bytes:
    """A whole group: count, payload, CRC. Commands and answers have the same form."""
    counted = bytes([len(payload) + 3]) + payload
    return counted + crc16(counted)


def command(opcode: int, param1: int = 0, param2: int = 0, data: bytes = b"") -> bytes:
    """A command as it follows word address 03."""
    return group(bytes([opcode, param1]) + param2.to_bytes(2, "little") + data)
