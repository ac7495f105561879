"""The board's `machine` on the unix port: UARTs and I²C buses that are sockets of the rig. MicroPython only."""

import sys

_path = sys.path[:]
sys.path[:] = []
try:
    from machine import *  # noqa: F403
finally:
    sys.path[:] = _path

import io
import os
import struct

import panel

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
_GET_FILENO = 10
_ETIMEDOUT = 110


def reset_cause() -> int:
    """What started the process, as the rig says."""
    return int(os.getenv("SIM_RESET") or PWRON_RESET)


def reset() -> None:
    """The rig starts the board again; nothing runs here any more."""
    panel.send({"reset": HARD_RESET})
    panel.stand_dark()


def close_console() -> None:
    """What `micropython.kbd_intr(-1)` and a main that never returns do on a board: byte 3 interrupts nothing.

    On this port Ctrl-C is a signal that the terminal line makes of byte 3, so the line is told not to.
    """
    import termios

    try:
        attributes = termios.tcgetattr(0)
    except OSError:
        return
    attributes[3] &= ~1  # ISIG
    termios.tcsetattr(0, termios.TCSANOW, attributes)


class WDT:
    """The rig counts the time, and bites if it is told to."""

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        self._timeout = timeout
        self.feed()

    def feed(self) -> None:
        panel.send({"wdt": self._timeout})


class UART(io.IOBase):
    """UART(n): the non-blocking socket whose number is in SIM_UART<n>_FD. A change of rate is told to the rig."""

    def __init__(self, id: int, baudrate: int = 9600) -> None:
        self._id = id
        self._fd = int(os.getenv("SIM_UART%d_FD" % id))
        self._file = open(self._fd, "r+b")
        self._sent = 0
        self.init(baudrate)

    def init(self, baudrate: int) -> None:
        panel.send({"uart": self._id, "baud": baudrate, "sent": self._sent})

    def readinto(self, buffer, count: int = -1):
        return self._file.readinto(buffer)

    def read(self, count: int = -1):
        return self._file.read(count)

    def readline(self):
        return self._file.readline()

    def write(self, data):
        count = self._file.write(data)
        self._sent += count or 0
        return count

    def ioctl(self, request: int, argument: int) -> int:
        return self._fd if request == _GET_FILENO else 0


class I2C:
    """I2C(n): the blocking socket whose number is in SIM_I2C<n>_FD; what stands on it is plomba/sim/i2c_line.py.

    Raises what a board raises: OSError ENODEV for an address that nobody acknowledges, ETIMEDOUT for a held bus.
    """

    def __init__(self, id: int, *, scl=None, sda=None, freq: int = 400000, timeout: int = 50000) -> None:
        self._file = open(int(os.getenv("SIM_I2C%d_FD" % id)), "r+b")

    def writeto(self, addr: int, buf, stop: bool = True) -> int:
        self._transfer(b"W", addr, len(buf), buf)
        return len(buf)

    def readfrom_into(self, addr: int, buf, stop: bool = True) -> None:
        self._transfer(b"R", addr, len(buf), b"")
        self._file.readinto(buf)

    def readfrom(self, addr: int, nbytes: int, stop: bool = True) -> bytes:
        buffer = bytearray(nbytes)
        self.readfrom_into(addr, buffer)
        return bytes(buffer)

    def scan(self):
        found = []
        for address in range(0x08, 0x78):
            try:
                self.writeto(address, b"")
                found.append(address)
            except OSError:
                pass
        return found

    def _transfer(self, kind: bytes, addr: int, size: int, data) -> None:
        self._file.write(kind + struct.pack(">BH", addr, size) + bytes(data))
        answer = self._file.read(1)
        if not answer or answer[0]:
            raise OSError(answer[0] if answer else _ETIMEDOUT)


class SoftI2C(I2C):
    """The same bus, bit by bit."""
