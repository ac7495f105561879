"""Driver of a GM65-class scan engine on a UART (GM65-S manual V1.1; register quirks as noted).

Set-up is read, compare, write, read back; saved to the engine's EEPROM only when something changed. The rate is raised
last and never saved, so that a power cycle always finds the engine at 9600. Printed set-up codes are closed at every
start: whoever shows one must not be able to reconfigure the scanner of a seal.
"""

import asyncio
import struct
import time

from micropython import const

from plomba_wire.vocabulary import Symbology

_READ = const(7)
_WRITE = const(8)
_SAVE = const(9)
_TRIGGER = const(0x0002)
_MODEL = const(0x00E0)
_BAUD = const(0x002A)
_CHANGES_ALL = const(0x2C)

_ANSWER_MS = const(300)
_START_MS = const(6000)
_GAP_MS = const(30)
_TICK_MS = const(2)
_SINGLE_READ = const(50)
_FAST = const(115200)
_FAST_DIVISOR = b"\x1a\x00"

# (register, mask, value): LED, aim and light as usual, engine silent, command mode; set-up codes closed; 5 s a read;
# UART; CR LF behind and the code id before each text; all symbologies off and turned any way up, then QR, Code 128,
# EAN-13, Data Matrix on. 2C comes before the single ones, because writing it changes them all.
_SETUP = (
    (0x00, 0xFF, 0x95),
    (0x03, 0x02, 0x02),
    (0x06, 0xFF, _SINGLE_READ),
    (0x0D, 0x03, 0x00),
    (0x60, 0x65, 0x25),
    (_CHANGES_ALL, 0x07, 0x01),
    (0x3F, 0x01, 0x01),
    (0x33, 0x01, 0x01),
    (0x2E, 0x01, 0x01),
    (0x54, 0x01, 0x01),
)
_SYMBOLOGIES = {
    0x51: Symbology.QR,
    0x75: Symbology.DATA_MATRIX,
    0x6A: Symbology.CODE_128,
    0x64: Symbology.EAN,
}


class EngineAbsent(Exception):
    """Nothing that speaks GM65 answers at any rate."""


class Gm65:
    """One engine. `uart` is a machine.UART; this object is the only one that touches it.

    `ignored` counts bytes that were not understood, `unanswered` triggers without an answer.
    """

    def __init__(self, uart) -> None:
        self.changed = 0
        self.model = 0
        self.ignored = 0
        self.unanswered = 0
        self._uart = uart
        self._reader = asyncio.StreamReader(uart)
        self._buffer = bytearray(1024)
        self._fill = 0

    async def start(self) -> None:
        """Finds and configures the engine. Raises EngineAbsent after 6 s."""
        began = time.ticks_ms()
        while not await self._find():
            if time.ticks_diff(time.ticks_ms(), began) > _START_MS:
                raise EngineAbsent
        refused = []
        for register, mask, value in _SETUP:
            if not await self._ensure(register, mask, value):
                refused.append(register)
        # Writing 2C switched the single symbologies on some engines; a second look costs four reads.
        for register, mask, value in _SETUP[6:]:
            if not await self._ensure(register, mask, value):
                refused.append(register)
        if 0x03 in refused or 0x3F in refused:
            raise EngineAbsent
        if self.changed:
            await self._command(_SAVE, 0, b"\0")
        await self._command(_WRITE, _BAUD, _FAST_DIVISOR)
        self._uart.init(_FAST)
        if await self._read_register(_MODEL) is None:
            raise EngineAbsent

    async def scan(self) -> "tuple[bytes, int] | None":
        """Triggers one reading: text and symbology, or None when the engine saw nothing in its 5 s.

        Raises EngineAbsent when it answers neither the trigger nor a second one.
        """
        for _ in range(2):
            if await self._command(_WRITE, _TRIGGER, b"\x01") is not None:
                break
            self.unanswered += 1
        else:
            raise EngineAbsent
        return await self._text(_SINGLE_READ * 100 + _ANSWER_MS)

    async def _text(self, patience: int) -> "tuple[bytes, int] | None":
        """One text. It ends with CR LF and a silence: a CR LF inside a code does not make it two."""
        began = heard = time.ticks_ms()
        while True:
            now = time.ticks_ms()
            if self._take():
                heard = now
            elif self._fill:
                if time.ticks_diff(now, heard) >= _GAP_MS and self._buffer[self._fill - 2 : self._fill] == b"\r\n":
                    break
                if time.ticks_diff(now, heard) > _ANSWER_MS:
                    self.ignored += self._fill
                    self._fill = 0
                    return None
            elif time.ticks_diff(now, began) > patience:
                return None
            await asyncio.sleep_ms(_TICK_MS)
        text = bytes(self._buffer[1 : self._fill - 2])
        symbology = _SYMBOLOGIES.get(self._buffer[0], Symbology.OTHER)
        self._fill = 0
        return text, symbology

    async def _find(self) -> bool:
        for baud in (9600, _FAST, 57600):
            self._uart.init(baud)
            model = await self._read_register(_MODEL)
            if model:
                self.model = model
                if baud != 9600:
                    return await self._back_to_9600()
                return True
        return False

    async def _back_to_9600(self) -> bool:
        await self._command(_WRITE, _BAUD, b"\x39\x01")
        self._uart.init(9600)
        return await self._read_register(_MODEL) is not None

    async def _ensure(self, register: int, mask: int, value: int) -> bool:
        found = await self._read_register(register)
        if found is not None and found & mask == value & mask:
            return True
        if found is None:
            return False
        wanted = (found & ~mask & 0xFF) | (value & mask)
        await self._command(_WRITE, register, bytes((wanted,)))
        self.changed += 1
        return await self._read_register(register) == wanted

    async def _read_register(self, register: int) -> "int | None":
        """Two registers are read: an answer of one register with value 0 is, byte for byte, the ACK of a write."""
        data = await self._command(_READ, register, b"\x02")
        return data[0] if data is not None and len(data) == 2 else None

    async def _command(self, kind: int, address: int, data: bytes) -> "bytes | None":
        """Sends a command and returns the data of its answer; None for silence. Only one is under way at a time."""
        self._drain()
        length = 1 if kind == _READ else len(data)
        frame = struct.pack(">BBH", kind, length, address) + data
        self._uart.write(b"\x7e\x00" + frame + struct.pack(">H", crc16(frame)))
        began = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), began) < _ANSWER_MS:
            if self._take() and self._fill >= 6:
                answer = self._answer()
                if answer is not None:
                    return answer
            await asyncio.sleep_ms(_TICK_MS)
        self._drain()
        return None

    def _answer(self) -> "bytes | None":
        """A whole answer at the front of the buffer: `02 00 00 len data crc`. What follows it stays."""
        buffer = self._buffer
        if buffer[0] != 2 or buffer[1] or buffer[2]:
            self.ignored += 1
            self._drop(1)
            return None
        length = buffer[3]
        if self._fill < length + 6:
            return None
        body = bytes(buffer[2 : 4 + length])
        if crc16(body) != struct.unpack_from(">H", buffer, 4 + length)[0]:
            self.ignored += 1
            self._drop(1)
            return None
        self._drop(length + 6)
        return body[2:]

    def _take(self) -> bool:
        """Takes what the UART has. A text over the buffer's size is cut there, which makes it none of ours."""
        view = memoryview(self._buffer)
        count = self._uart.readinto(view[self._fill :]) if self._fill < len(self._buffer) else 0
        if not count:
            return False
        self._fill += count
        return True

    def _drop(self, count: int) -> None:
        self._buffer[: self._fill - count] = self._buffer[count : self._fill]
        self._fill -= count

    def _drain(self) -> None:
        while self._take():
            self._fill = 0
        self._fill = 0


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM, as the engine uses it in both directions."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
    return crc & 0xFFFF
