"""TCP (`socket://HOST:PORT`) on asyncio's own streams: a lost connection is noticed at once.

pyserial knows such URLs too, but reads two bytes at a time and sleeps 0.3 s in close (urlhandler/protocol_socket.py).
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast
from urllib.parse import urlsplit

from plomba.errors import TerminalError, UsageError
from plomba.transport.base import WRITE_PATIENCE_S
from plomba.transport.incoming import Incoming

_CONNECT_S = 5.0
_FLUSH_S = 0.5
_PIECE = 4096


class TcpTransport:
    """`write_patience` is seconds. Raises UsageError `port_address` for what is no such URL."""

    def __init__(self, url: str, *, write_patience: float = WRITE_PATIENCE_S) -> None:
        self._name = url
        self._host, self._port = _address(url)
        self._write_patience = write_patience
        self._stream = _Stream(url)
        self._writing = asyncio.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def baud(self) -> int | None:
        return None

    async def open(self) -> None:
        """Raises TerminalError `port_missing` (refused), `host_unknown`, `port_failed`."""
        self._stream.incoming.must_be_new()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._connect()
        except (socket.gaierror, UnicodeError) as error:
            raise TerminalError("host_unknown", port=self._name, host=self._host) from error
        except ConnectionRefusedError as error:
            raise TerminalError("port_missing", port=self._name) from error
        except TimeoutError as error:
            reason = f"no answer within {_CONNECT_S:.0f} s"
            raise TerminalError("port_failed", port=self._name, reason=reason) from error
        except OSError as error:
            raise TerminalError("port_failed", port=self._name, reason=error.strerror or error) from error
        if self._closed:
            self._stream.abort()
            raise self._stream.incoming.lost()

    async def read(self) -> bytes:
        return await self._stream.incoming.take()

    async def write(self, data: bytes) -> None:
        stream = self._stream
        async with self._writing:
            for at in range(0, len(data), _PIECE):
                try:
                    async with asyncio.timeout(self._write_patience):
                        await stream.room.wait()
                except TimeoutError:
                    stream.incoming.end(f"the far end took nothing for {self._write_patience:g} s", drop=True)
                    stream.abort()
                if stream.incoming.ended:
                    raise stream.incoming.lost_in_write()
                stream.wire.write(data[at : at + _PIECE])

    async def set_baud(self, rate: int) -> None:
        if self._stream.incoming.ended:
            raise self._stream.incoming.lost()
        raise TerminalError("baud_unsupported", port=self._name, rate=rate, reason="TCP has no rate")

    async def close(self) -> None:
        self._closed = True
        stream = self._stream
        stream.incoming.end("closed", drop=True)
        stream.room.set()
        if stream.gone.is_set():
            return
        try:
            stream.wire.close()
            async with asyncio.timeout(_FLUSH_S):
                await stream.gone.wait()
        except TimeoutError:
            pass
        finally:
            stream.abort()

    async def _connect(self) -> None:
        """One address after the other, so that an error keeps its kind: asyncio's own loop joins several into text."""
        loop = asyncio.get_running_loop()
        failed: OSError | None = None
        for family, _, _, _, address in await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            try:
                await loop.create_connection(lambda: self._stream, str(address[0]), self._port, family=family)
            except OSError as error:
                if failed is None or isinstance(error, ConnectionRefusedError):
                    failed = error
            else:
                return
        raise failed or OSError("the name has no address")


class _Stream(asyncio.Protocol):
    """asyncio's side of a connection. `room` is set while the far end keeps up, `gone` while there is no connection."""

    wire: asyncio.Transport

    def __init__(self, url: str) -> None:
        self.incoming = Incoming(url, self._go_on)
        self.room = asyncio.Event()
        self.room.set()
        self.gone = asyncio.Event()
        self.gone.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = cast(asyncio.Transport, transport)
        self.wire.set_write_buffer_limits(high=_PIECE)
        self.gone.clear()
        self.incoming.begin()

    def data_received(self, data: bytes) -> None:
        self.incoming.put(data)
        if self.incoming.full:
            self.wire.pause_reading()

    def eof_received(self) -> None:
        self.incoming.end("the far end closed the connection")
        self.room.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.incoming.end(str(error) if error else "the connection is closed")
        self.room.set()
        self.gone.set()

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()

    def abort(self) -> None:
        """Ends it now. asyncio itself trips over a connection that closed meanwhile."""
        if not self.gone.is_set():
            self.wire.abort()

    def _go_on(self, size: int) -> None:
        if not self.wire.is_closing():
            self.wire.resume_reading()


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.path.strip("/") or parts.query:
        raise UsageError("port_address", port=url)
    return host, port
