"""`plomba ports`: what is connected."""

from __future__ import annotations

from serial.tools import list_ports


def ports() -> int:
    """List the serial ports of this machine."""
    for port in sorted(list_ports.comports()):
        print(f"{port.device}  {port.description}")
    return 0
