"""A machine with made-up serial ports: what is listed, what each port is, and a clock that only `sleep` moves."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable

import serial
from recording_port import RecordingPort
from serial.tools.list_ports_common import ListPortInfo

from plomba.transport import SerialTransport
from plomba.transport.ports import System


class Machine:
    def __init__(self, windows: bool = False) -> None:
        self.windows = windows
        self.now = 100.0
        self.slept: list[float] = []
        self.ports: dict[str, RecordingPort] = {}
        self.listed: dict[str, ListPortInfo] = {}
        self.on_sleep: Callable[[], None] = lambda: None
        self.system = System(
            comports=lambda: list(self.listed.values()),
            unopened=self._unopened,
            rise_on_open=not windows,
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def plug(self, device: str, usb: str | None = None, serial_number: str | None = None) -> RecordingPort:
        """A device on a port."""
        info = ListPortInfo(device, skip_link_detection=True)
        if usb is not None:
            info.vid, info.pid = (int(part, 16) for part in usb.split(":"))
        info.serial_number = serial_number
        self.listed[device] = info
        self.ports[device] = RecordingPort(self.windows)
        return self.ports[device]

    def pull(self, device: str) -> None:
        """Its name goes away with it."""
        self.ports.pop(device).unplug()
        del self.listed[device]

    def transport(self, port: str, patience: float = 0.0) -> SerialTransport:
        return SerialTransport(port, patience=patience, system=self.system)

    def _unopened(self, device: str) -> serial.SerialBase:
        port = self.ports.get(device)
        if port is None:
            port = RecordingPort(self.windows)
            port.fails_open = [serial.SerialException(errno.ENOENT, f"could not open port {device}")]
        return port

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep()
        await asyncio.sleep(0)


def busy() -> serial.SerialException:
    """Another program holds the lock, in serialposix.py's words."""
    return serial.SerialException(errno.EAGAIN, "Could not exclusively lock port: Resource temporarily unavailable")


def denied() -> serial.SerialException:
    """udev has not handed the port to the group yet."""
    return serial.SerialException(errno.EACCES, "could not open port: Permission denied")
