"""The board's `machine` on the unix port: UARTs that are sockets of the rig. MicroPython only."""

import sys

_path = sys.path[:]
sys.path[:] = []
try:
    from machine import *  # noqa: F403
finally:
    sys.path[:] = _path

import io
import os
import time

import panel

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
_GET_FILENO = 10


def reset_cause() -> int:
    """What started the process, as the rig says."""
    return int(os.getenv("SIM_RESET") or PWRON_RESET)


def reset() -> None:
    """The rig starts the board again; nothing runs here any more."""
    panel.send({"reset": HARD_RESET})
    while True:
        time.sleep_ms(20)


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
