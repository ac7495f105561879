"""The I²C bus between a board's process and a chip's model: whole transfers over a socket, one at a time.

The board (sim/board/machine.py) sends `W` or `R`, address u8, size u16 and, for `W`, the bytes; it gets an errno u8, 0
for none, and for `R` the bytes. The board blocks meanwhile, as it does on a real bus.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from plomba.sim.atecc608 import Atecc608, BusDead, PowerCut

_HEAD: Final = struct.Struct(">cBH")
_READ: Final = b"R"
# As MicroPython's boards number them (py/mperrno.h), whatever this system does.
_ENODEV: Final = 19
_ETIMEDOUT: Final = 110


class I2cLine:
    """`on_cut` is called when a script takes the power away in the middle of a transfer."""

    def __init__(self, chip: Atecc608, on_cut: Callable[[], None]) -> None:
        self._chip = chip
        self._on_cut = on_cut
        self._rest = b""

    def receive(self, data: bytes, now: float) -> bytes:
        """What the board sent, at `now` seconds; what it gets."""
        self._rest += data
        answers = b""
        while len(self._rest) >= _HEAD.size:
            kind, address, size = _HEAD.unpack_from(self._rest)
            end = _HEAD.size + (0 if kind == _READ else size)
            if len(self._rest) < end:
                break
            answers += self._transfer(kind, address, size, self._rest[_HEAD.size : end], now)
            self._rest = self._rest[end:]
        return answers

    def _transfer(self, kind: bytes, address: int, size: int, data: bytes, now: float) -> bytes:
        try:
            if kind == _READ:
                got = self._chip.read(address, size, now)
                return bytes([_ENODEV]) if got is None else b"\x00" + got
            return b"\x00" if self._chip.write(address, data, now) else bytes([_ENODEV])
        except BusDead:
            return bytes([_ETIMEDOUT])
        except PowerCut:
            self._on_cut()
            return b""
