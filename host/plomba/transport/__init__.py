"""Ways to a terminal: serial ports, pseudo terminals and TCP (`socket://`). Each is a ByteTransport."""

from __future__ import annotations

from plomba.transport.base import ByteTransport
from plomba.transport.serial_threads import SerialTransport

__all__ = ["ByteTransport", "SerialTransport", "open_transport"]


def open_transport(port: str) -> ByteTransport:
    """The transport for a port's name or URL; it is not open yet."""
    return SerialTransport(port)
