"""Ways to a terminal: serial ports, pseudo terminals and TCP (`socket://`). Each is a ByteTransport."""

from __future__ import annotations

from pathlib import Path

from plomba.transport.base import ByteTransport
from plomba.transport.capture import CapturedTransport, ReplayTransport
from plomba.transport.serial_threads import SerialTransport

__all__ = ["ByteTransport", "CapturedTransport", "ReplayTransport", "SerialTransport", "open_transport"]


def open_transport(port: str, capture: Path | None = None) -> ByteTransport:
    """The transport for a port's name or URL, not open yet; with `capture` everything that passes is written there."""
    transport = SerialTransport(port)
    return transport if capture is None else CapturedTransport(transport, capture)
