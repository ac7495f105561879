"""pyserial in two threads a port: the same public API on Linux, macOS and Windows, under any event loop.

Any error of the port ends the transport: after a write time-out pyserial cannot say how much went out.
"""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import threading

import serial

from plomba.errors import TerminalError

_BAUD = 115200
_READ_MAX = 65536
_WRITE_MAX = 4096
_WRITE_TIMEOUT_S = 5.0
_LOST = (serial.SerialException, OSError, TypeError, ValueError)


class SerialTransport:
    """A serial port by name, or any URL pyserial knows (`socket://host:port`)."""

    def __init__(self, port: str, baud: int = _BAUD) -> None:
        self._name = port
        self._baud = baud
        self._port: serial.SerialBase | None = None
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reason = ""

    @property
    def name(self) -> str:
        return self._name

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = await asyncio.to_thread(self._open)
        for target in (self._read_port, self._write_port):
            thread = threading.Thread(target=target, name=f"plomba {self._name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    async def read(self) -> bytes:
        data = await self._incoming.get()
        if data is None:
            self._incoming.put_nowait(None)
            raise self._lost()
        while not self._incoming.empty():
            more = self._incoming.get_nowait()
            if more is None:
                self._incoming.put_nowait(None)
                break
            data += more
        return data

    async def write(self, data: bytes) -> None:
        if self._reason:
            raise self._lost()
        for at in range(0, len(data), _WRITE_MAX):
            self._outgoing.put(data[at : at + _WRITE_MAX])

    async def close(self) -> None:
        port = self._port
        if port is None:
            return
        self._port = None
        self._reason = self._reason or "closed"
        self._outgoing.put(None)
        for cancel in ("cancel_read", "cancel_write"):
            if hasattr(port, cancel):
                getattr(port, cancel)()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 2.0)
        port.close()

    def _open(self) -> serial.SerialBase:
        try:
            port = serial.serial_for_url(self._name, do_not_open=True)
            port.baudrate = self._baud
            port.timeout = 0.25
            port.write_timeout = _WRITE_TIMEOUT_S
            if "://" not in self._name:
                port.exclusive = True
            port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            raise _why_not(self._name, error) from error
        return port

    def _read_port(self) -> None:
        port = self._port
        while port is not None and not self._reason:
            try:
                data = port.read(1)
                if data and port.in_waiting:
                    data += port.read(min(port.in_waiting, _READ_MAX))
            except _LOST as error:
                self._end(error)
                return
            if data:
                self._deliver(data)

    def _write_port(self) -> None:
        port = self._port
        while port is not None:
            data = self._outgoing.get()
            if data is None or self._reason:
                return
            try:
                port.write(data)
            except _LOST as error:
                self._end(error)
                return

    def _end(self, error: Exception) -> None:
        self._reason = self._reason or str(error) or type(error).__name__
        self._deliver(None)

    def _deliver(self, data: bytes | None) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._incoming.put_nowait, data)
        except RuntimeError:
            # The loop has ended before this thread did; nobody waits for these bytes.
            self._reason = self._reason or "closed"

    def _lost(self) -> TerminalError:
        return TerminalError("link_lost", port=self._name, reason=self._reason or "closed")


def _why_not(port: str, error: Exception) -> TerminalError:
    number = getattr(error, "errno", None) or getattr(error.__cause__ or error.__context__, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return TerminalError("port_busy", port=port)
    if number == errno.EACCES or "PermissionError" in text or "Access is denied" in text:
        code = "port_busy" if os.name == "nt" else "port_denied"
        return TerminalError(code, port=port)
    if number in (errno.ENOENT, errno.ECONNREFUSED) or "FileNotFoundError" in text:
        return TerminalError("port_missing", port=port)
    return TerminalError("port_failed", port=port, reason=text)
