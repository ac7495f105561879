"""pyserial in two threads a port: the same public API on Linux, macOS and Windows, under any event loop.

Any error of the port ends the transport: after a write time-out pyserial cannot say how much went out. Whichever thread
ends last closes the port, so it is never closed under a call, and not held after an unplug.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import serial

from plomba.errors import TerminalError
from plomba.transport.incoming import LIMIT, Incoming
from plomba.transport.lines import before_close
from plomba.transport.open_serial import LOST, READ_TIMEOUT_S, open_port
from plomba.transport.ports import System

_BAUD = 115200
_READ_MAX = 65536
_WRITE_MAX = 4096
_BACKLOG = 65536
_EMPTY_READS = 10
_FLUSH_S = 0.5
_JOIN_S = 2.0
_RETRY_FIRST_S = 0.1
_RETRY_MAX_S = 1.0
_PASSING = ("port_busy", "port_denied", "port_missing")


@dataclass(slots=True)
class _Rate:
    """A change of the rate, in its place among the bytes to be written."""

    rate: int
    done: asyncio.Future[None]


class SerialTransport:
    """A serial port by name, by `usb:SERIALNUMBER`, or by any URL pyserial knows.

    For up to `patience` seconds `open` tries again when the port is busy, denied or missing: so it is for some seconds
    after a plug-in, while the driver and udev are at work. By default it does not: a port that another program holds
    stays held, and the person wants to know now.
    """

    def __init__(self, port: str, baud: int = _BAUD, *, patience: float = 0.0, system: System | None = None) -> None:
        self._name = port
        self._baud = baud
        self._patience = patience
        self._system = system or System()
        self._incoming = Incoming(port, self._taken)
        self._room = asyncio.Event()
        self._writing = asyncio.Lock()
        self._backlog = 0
        self._changing: asyncio.Future[None] | None = None
        self._outgoing: queue.SimpleQueue[bytes | _Rate | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._port: serial.SerialBase | None = None
        self._threads: list[threading.Thread] = []
        # What follows is shared with the threads.
        self._lock = threading.Lock()
        self._running = 0
        self._ended = False
        self._unread = 0
        self._may_read = threading.Event()

    @property
    def name(self) -> str:
        return self._name

    @property
    def baud(self) -> int | None:
        return self._baud

    async def open(self) -> None:
        """Raises TerminalError `port_ambiguous`, too, when two devices have the serial number."""
        self._incoming.must_be_new()
        self._loop = asyncio.get_running_loop()
        port = await self._patiently_open(self._loop)
        if self._closed:
            _close(port)
            raise self._incoming.lost()
        self._port = port
        self._incoming.begin()
        name = f"plomba {self._name}"
        targets = (self._write_port, self._read_port)
        self._threads = [threading.Thread(target=target, args=(port,), name=name, daemon=True) for target in targets]
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()

    async def read(self) -> bytes:
        return await self._incoming.take()

    async def write(self, data: bytes) -> None:
        async with self._writing:
            for at in range(0, len(data), _WRITE_MAX):
                while self._backlog >= _BACKLOG and not self._incoming.ended:
                    self._room.clear()
                    await self._room.wait()
                if self._incoming.ended:
                    raise self._incoming.lost_in_write()
                piece = data[at : at + _WRITE_MAX]
                self._backlog += len(piece)
                self._outgoing.put(piece)

    async def set_baud(self, rate: int) -> None:
        async with self._writing:
            if self._incoming.ended:
                raise self._incoming.lost()
            if rate <= 0:
                raise self._unsupported(rate, "not a rate")
            self._changing = asyncio.get_running_loop().create_future()
            self._outgoing.put(_Rate(rate, self._changing))
            try:
                await self._changing
            finally:
                self._changing = None

    async def close(self) -> None:
        self._closed = True
        self._finish("closed", True)
        if not self._threads:
            return
        writer, reader = self._threads
        self._outgoing.put(None)
        try:
            await asyncio.to_thread(writer.join, _FLUSH_S)
        finally:
            self._stop()
        for thread in (writer, reader):
            await asyncio.to_thread(thread.join, _JOIN_S)

    async def _patiently_open(self, loop: asyncio.AbstractEventLoop) -> serial.SerialBase:
        deadline = self._system.clock() + self._patience
        pause = _RETRY_FIRST_S
        while True:
            opening = loop.run_in_executor(None, open_port, self._name, self._baud, self._system)
            try:
                return await asyncio.shield(opening)
            except asyncio.CancelledError:
                opening.add_done_callback(_close_unwanted)
                raise
            except TerminalError as error:
                if error.code not in _PASSING or self._system.clock() + pause > deadline:
                    raise
            await self._system.sleep(pause)
            pause = min(2 * pause, _RETRY_MAX_S)

    # --- on the event loop, called from the threads ---

    def _arrived(self, data: bytes) -> None:
        self._incoming.put(data)

    def _went(self, size: int) -> None:
        self._backlog -= size
        self._room.set()

    def _changed(self, change: _Rate, error: str | None) -> None:
        if error is None:
            self._baud = change.rate
        if change.done.done():
            return
        if error is None:
            change.done.set_result(None)
        else:
            change.done.set_exception(self._unsupported(change.rate, error))

    def _finish(self, reason: str, drop: bool) -> None:
        self._incoming.end(reason, drop=drop)
        self._room.set()
        if self._changing is not None and not self._changing.done():
            self._changing.set_exception(self._incoming.lost())

    def _taken(self, size: int) -> None:
        with self._lock:
            self._unread -= size
        self._may_read.set()

    def _unsupported(self, rate: int, reason: str) -> TerminalError:
        return TerminalError("baud_unsupported", port=self._name, rate=rate, reason=reason)

    # --- in the threads ---

    def _read_port(self, port: serial.SerialBase) -> None:
        empty = 0
        try:
            while not self._ended:
                before = time.monotonic()
                data = port.read(1)
                if data:
                    empty = 0
                    if port.in_waiting:
                        data += port.read(min(port.in_waiting, _READ_MAX))
                    self._post(self._arrived, data)
                    self._wait_until_read(len(data))
                    continue
                # Some drivers are always ready and give nothing once the device is gone (home-assistant #170257).
                at_once = time.monotonic() - before < READ_TIMEOUT_S / 2
                empty = empty + 1 if at_once else 0
                if empty > _EMPTY_READS:
                    raise serial.SerialException("the device is gone")
        except LOST as error:
            self._lose(error, drop=False)
        finally:
            self._leave(port)

    def _wait_until_read(self, size: int) -> None:
        with self._lock:
            self._unread += size
            full = self._unread >= LIMIT
            if full:
                self._may_read.clear()
        if full and not self._ended:
            self._may_read.wait()

    def _write_port(self, port: serial.SerialBase) -> None:
        try:
            while True:
                item = self._outgoing.get()
                if item is None or self._ended:
                    return
                if isinstance(item, _Rate):
                    self._change(port, item)
                    continue
                written = port.write(item)
                if written is not None and written < len(item):
                    raise serial.SerialException(f"{written} of {len(item)} bytes went out")
                self._post(self._went, len(item))
        except LOST as error:
            self._lose(error, drop=True)
        finally:
            self._leave(port)

    def _change(self, port: serial.SerialBase, change: _Rate) -> None:
        port.flush()
        before = port.baudrate
        try:
            port.baudrate = change.rate
        except ValueError as error:
            port.baudrate = before
            self._post(self._changed, change, str(error))
        else:
            self._post(self._changed, change, None)

    def _lose(self, error: Exception, drop: bool) -> None:
        # First, so that nothing more goes out by the time somebody hears of the loss.
        self._ended = True
        self._post(self._finish, str(error) or type(error).__name__, drop)
        self._stop()

    def _stop(self) -> None:
        """Ends both threads, whatever they wait for."""
        self._ended = True
        self._outgoing.put(None)
        self._may_read.set()
        with self._lock:
            for cancel in ("cancel_read", "cancel_write") if self._running else ():
                with suppress(*LOST, AttributeError):
                    getattr(self._port, cancel)()

    def _leave(self, port: serial.SerialBase) -> None:
        with self._lock:
            self._running -= 1
            if self._running:
                return
        _close(port)

    def _post(self, callback: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            # The loop has ended before this thread did; nobody waits for this.
            self._ended = True


def _close(port: serial.SerialBase) -> None:
    with suppress(*LOST):
        before_close(port)
    with suppress(*LOST):
        port.close()


def _close_unwanted(opening: asyncio.Future[serial.SerialBase]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())
