"""Opening a serial port: everything is set before the port opens, and each way to fail has its own error."""

from __future__ import annotations

import errno
import os

import serial

from plomba.errors import TerminalError
from plomba.transport.base import WRITE_PATIENCE_S
from plomba.transport.lines import after_open, before_open, lines_of
from plomba.transport.ports import USB, System, find_port, lines_for

try:
    import termios
except ImportError:
    _SETTING: tuple[type[Exception], ...] = ()
else:
    _SETTING = (termios.error,)

LOST = (serial.SerialException, OSError, TypeError, ValueError, *_SETTING)
"""What pyserial raises when a port is gone: TypeError and ValueError come of a handle that was closed under it."""

READ_TIMEOUT_S = 0.25
_RX_BUFFER = 65536


def open_port(name: str, baud: int, system: System) -> serial.SerialBase:
    """Blocks. Raises TerminalError `port_missing`, `port_ambiguous`, `port_busy`, `port_denied`, `port_failed`."""
    try:
        device = find_port(name.removeprefix(USB), system) if name.startswith(USB) else name
        local = "://" not in device
        lines = lines_for(device, system) if local else lines_of(None, None)
        port = system.unopened(device)
        port.baudrate = baud
        port.timeout = READ_TIMEOUT_S
        port.write_timeout = WRITE_PATIENCE_S
        if local:
            port.exclusive = True
        before_open(port, system.rise_on_open)
        port.open()
    except LOST as error:
        raise _why_not(name, error) from error
    try:
        after_open(port, lines)
        if hasattr(port, "set_buffer_size"):
            # Windows only; it gives 4096 bytes by default, 44 ms at 921600.
            port.set_buffer_size(rx_size=_RX_BUFFER)
    except LOST as error:
        port.close()
        raise _why_not(name, error) from error
    return port


def _why_not(port: str, error: Exception) -> TerminalError:
    number = getattr(error, "errno", None) or getattr(error.__cause__ or error.__context__, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return TerminalError("port_busy", port=port)
    if number == errno.EACCES or "PermissionError" in text or "Access is denied" in text:
        code = "port_busy" if os.name == "nt" else "port_denied"
        return TerminalError(code, port=port)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ECONNREFUSED) or "FileNotFoundError" in text:
        return TerminalError("port_missing", port=port)
    return TerminalError("port_failed", port=port, reason=text)
