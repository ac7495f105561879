"""The serial ports of this machine, and a terminal by its USB serial number: a port's name changes, that does not.

What the operating system does for a port stands in one place (`System`), so that a test can be the system.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import serial
from serial.tools import list_ports

from plomba.errors import TerminalError
from plomba.transport.lines import RISE_ON_OPEN, Lines, lines_of

USB = "usb:"
"""`usb:SERIALNUMBER` in place of a port's name."""


@dataclass(frozen=True, slots=True)
class Port:
    """One port as the system lists it. `usb` is "vid:pid" in hex; `lines` is how DTR and RTS would stand."""

    device: str
    description: str
    usb: str | None
    serial_number: str | None
    lines: Lines


def _comports() -> list[Any]:
    try:
        return list(list_ports.comports())
    except TypeError:
        # pyserial on Linux, for a device that goes while it is listed. It is gone the second time.
        return list(list_ports.comports())


def _unopened(name: str) -> serial.SerialBase:
    return serial.serial_for_url(name, do_not_open=True)


@dataclass(frozen=True, slots=True)
class System:
    """What serial ports need of the operating system. `clock` and `sleep` are in seconds."""

    comports: Callable[[], Iterable[Any]] = _comports
    unopened: Callable[[str], serial.SerialBase] = _unopened
    rise_on_open: bool = RISE_ON_OPEN
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def ports(system: System | None = None) -> list[Port]:
    """What is connected, by name."""
    return [
        Port(
            device=port.device,
            description=port.description,
            usb=None if port.vid is None else f"{port.vid:04x}:{port.pid:04x}",
            serial_number=port.serial_number,
            lines=lines_of(port.vid, port.pid),
        )
        for port in sorted((system or System()).comports())
    ]


def find_port(serial_number: str, system: System | None = None) -> str:
    """The name the port of a USB device has now. Upper and lower case are one: Windows does not keep them apart.

    Raises TerminalError `port_missing`, `port_ambiguous`.
    """
    wanted = serial_number.casefold()
    numbered = [port for port in ports(system) if port.serial_number]
    found = [port.device for port in numbered if str(port.serial_number).casefold() == wanted]
    if not found:
        raise TerminalError("port_missing", port=USB + serial_number)
    if len(found) > 1:
        raise TerminalError("port_ambiguous", port=USB + serial_number, found=", ".join(found))
    return found[0]


def lines_for(device: str, system: System) -> Lines:
    """The policy for a port by its name or a link to it; the default for what the system does not list."""
    for port in ports(system):
        if _real(port.device) == _real(device):
            return port.lines
    return lines_of(None, None)


def _real(device: str) -> str:
    # macOS lists the calling end of a port only.
    return os.path.normcase(os.path.realpath(device.replace("/dev/tty.", "/dev/cu.")))
