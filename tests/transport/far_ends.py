"""Kinds of line for the conformance suite: for each a transport and a tiny far end that is not plomba's own code.

A new transport joins the suite with one class here and a line in `KINDS`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import ClassVar, Protocol

import pytest

from plomba.transport import ByteTransport, SerialTransport, TcpTransport, memory_pair, open_transport

if sys.platform != "win32":
    import termios
    import tty

MIB = 1 << 20


class Line(Protocol):
    """One line. `near` is the transport under test, not open; the methods are the far end's, after `connected`.

    `roomy` bytes are more than the line and both ends can hold. `keeps` says that bytes under way outlive a hang-up.
    """

    near: ByteTransport
    name: str
    roomy: ClassVar[int]
    keeps: ClassVar[bool]
    makes: ClassVar[type]

    async def connected(self) -> None: ...
    async def send(self, data: bytes) -> None: ...
    async def receive(self, size: int) -> bytes: ...
    async def hang_up(self) -> None: ...
    def rate(self) -> int | None: ...


class Memory:
    roomy = MIB
    keeps = True
    makes = type(memory_pair()[0])

    def __init__(self, folder: Path) -> None:
        self.name = "memory 7"
        self.near, self._far = memory_pair(self.name)
        self._rest = b""

    async def connected(self) -> None:
        await self._far.open()

    async def send(self, data: bytes) -> None:
        await self._far.write(data)

    async def receive(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += await self._far.read()
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    async def hang_up(self) -> None:
        await self._far.close()

    def rate(self) -> int | None:
        return None

    @staticmethod
    async def missing(folder: Path) -> ByteTransport:
        near, far = memory_pair()
        await far.close()
        return near


class Pty:
    """The slave stays open here, so that the master reads on after the transport has closed."""

    roomy = MIB
    keeps = False
    makes = SerialTransport

    def __init__(self, folder: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self.near = open_transport(self.name)

    async def connected(self) -> None:
        pass

    async def send(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        while data:
            await _ready(self._master, loop.add_writer, loop.remove_writer)
            data = data[os.write(self._master, data) :]

    async def receive(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        data = b""
        while len(data) < size:
            await _ready(self._master, loop.add_reader, loop.remove_reader)
            data += os.read(self._master, size - len(data))
        return data

    async def hang_up(self) -> None:
        if self._master >= 0:
            os.close(self._slave)
            os.close(self._master)
        self._master = -1

    def rate(self) -> int | None:
        speed = termios.tcgetattr(self._slave)[5]
        return {termios.B115200: 115200, termios.B921600: 921600}[speed]

    @staticmethod
    async def missing(folder: Path) -> ByteTransport:
        return open_transport(str(folder / "nothing"))


class Tcp:
    roomy = 16 * MIB
    keeps = True
    makes = TcpTransport

    def __init__(self, folder: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._socket: socket.socket | None = None
        self.name = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self.near = open_transport(self.name)

    async def connected(self) -> None:
        self._socket, _ = await asyncio.get_running_loop().sock_accept(self._listener)

    async def send(self, data: bytes) -> None:
        assert self._socket is not None
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def receive(self, size: int) -> bytes:
        assert self._socket is not None
        data = b""
        while len(data) < size:
            more = await asyncio.get_running_loop().sock_recv(self._socket, size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    async def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._listener.close()

    def rate(self) -> int | None:
        return None

    @staticmethod
    async def missing(folder: Path) -> ByteTransport:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        return open_transport(f"socket://127.0.0.1:{port}")


async def _ready(fd: int, add: object, remove: object) -> None:
    """Until the loop says that `fd` is."""
    done = asyncio.get_running_loop().create_future()
    add(fd, lambda: done.done() or done.set_result(None))  # type: ignore[operator]
    try:
        await done
    finally:
        remove(fd)  # type: ignore[operator]


KINDS = [
    Memory,
    pytest.param(Pty, marks=pytest.mark.skipif(os.name != "posix", reason="pseudo terminals are POSIX")),
    Tcp,
]
