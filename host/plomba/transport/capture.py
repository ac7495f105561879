"""A transport that writes down what passes, and one that plays it again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from plomba import capture
from plomba.errors import TerminalError, UsageError
from plomba.transport.base import ByteTransport
from plomba_wire import codec, framing


class CapturedTransport:
    """Any transport, with a capture of it in a file that is begun when the line is open."""

    def __init__(self, inner: ByteTransport, path: Path) -> None:
        self._inner = inner
        self._path = path
        self._recorder: capture.Recorder | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def baud(self) -> int | None:
        return self._inner.baud

    async def open(self) -> None:
        """Raises UsageError `capture_unwritable`, too."""
        await self._inner.open()
        try:
            self._recorder = capture.Recorder(self._path)
        except OSError as error:
            await self._inner.close()
            raise UsageError("capture_unwritable", path=self._path, reason=error.strerror) from error

    async def read(self) -> bytes:
        data = await self._inner.read()
        self._record(capture.FROM_DEVICE, data)
        return data

    async def write(self, data: bytes) -> None:
        # Before it is sent: an answer must not stand in front of it.
        self._record(capture.TO_DEVICE, data)
        await self._inner.write(data)

    async def set_baud(self, rate: int) -> None:
        await self._inner.set_baud(rate)

    async def close(self) -> None:
        await self._inner.close()
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def _record(self, direction: int, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.record(direction, data)


class ReplayTransport:
    """The terminal of a capture: it says what it said then, each time after as many frames as it had heard by then.

    `entropy` gives the random numbers of the captured session again, so that its signatures still fit.
    """

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._lines: list[tuple[int, bytes]] = []
        self._numbers: list[bytes] = []
        self._heard = 0
        self._deframer = framing.Deframer()
        self._more = asyncio.Event()
        frames = 0
        deframer = framing.Deframer()
        for chunk in capture.read(path):
            if chunk.direction == capture.FROM_DEVICE:
                self._lines.append((frames, chunk.data))
                continue
            for frame in deframer.feed(chunk.data):
                frames += 1
                self._note(frame)

    @property
    def name(self) -> str:
        return self._name

    @property
    def baud(self) -> int | None:
        return None

    def entropy(self, size: int) -> bytes:
        """The next random number of the captured session. Raises TerminalError when it asked for another one."""
        if not self._numbers or len(self._numbers[0]) != size:
            raise TerminalError("link_lost", port=self._name, reason="this is another session than the capture's")
        return self._numbers.pop(0)

    async def open(self) -> None:
        """There is nothing to open."""

    async def read(self) -> bytes:
        while self._lines and self._heard < self._lines[0][0]:
            self._more.clear()
            await self._more.wait()
        if not self._lines:
            raise TerminalError("link_lost", port=self._name, reason="the capture ends here")
        return self._lines.pop(0)[1]

    async def write(self, data: bytes) -> None:
        self._heard += len(self._deframer.feed(data))
        self._more.set()

    async def set_baud(self, rate: int) -> None:
        raise TerminalError("baud_unsupported", port=self._name, rate=rate, reason="a capture has no rate")

    async def close(self) -> None:
        """There is nothing to close."""

    def _note(self, frame: framing.Frame) -> None:
        if frame.type == codec.Hello.TYPE and not self._numbers:
            hello = codec.Hello.unpack(frame.body)
            self._numbers += [hello.nonce, hello.session.to_bytes(2, "big")]
        elif frame.type in (codec.EnrolKey.TYPE, codec.Status.TYPE, codec.TimeProbe.TYPE):
            self._numbers.append(frame.body)
