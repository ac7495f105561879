"""Ways to a terminal: serial ports, pseudo terminals, TCP (`socket://`), memory. Each is a ByteTransport."""

from __future__ import annotations

from pathlib import Path

from plomba.transport.base import ByteTransport
from plomba.transport.capture import CapturedTransport, ReplayTransport
from plomba.transport.memory import memory_pair
from plomba.transport.ports import find_port
from plomba.transport.serial_threads import SerialTransport
from plomba.transport.tcp import TcpTransport

__all__ = [
    "ByteTransport",
    "CapturedTransport",
    "ReplayTransport",
    "SerialTransport",
    "TcpTransport",
    "find_port",
    "memory_pair",
    "open_transport",
]


def open_transport(port: str, capture: Path | None = None, *, patience: float = 0.0) -> ByteTransport:
    """The transport for a port's name, `usb:SERIALNUMBER` or a URL, not open yet.

    With `capture` everything that passes is written there. `patience` is how many seconds a serial port may be busy,
    denied or missing before `open` says so: some, when the device was plugged in just now. Raises UsageError
    `port_address` for a `socket://` URL without host and port.
    """
    tcp = port.lower().startswith("socket://")
    transport = TcpTransport(port) if tcp else SerialTransport(port, patience=patience)
    return transport if capture is None else CapturedTransport(transport, capture)
