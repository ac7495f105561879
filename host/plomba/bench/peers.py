"""Others that move a file over a serial line, counted through the same relay: ZMODEM by lrzsz, and mpremote."""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter
from plomba.sim.relay import Relay

_PATIENCE_S = 90.0
_FAREWELL_S = 0.5
_GLANCE_S = 0.005
_PACKAGES = {"sz": "apt install lrzsz", "rz": "apt install lrzsz", "mpremote": "pip install mpremote"}


@dataclass(frozen=True, slots=True)
class Peer:
    """One transfer. `wire` are bytes both ways; `round_trips` is how often the receiving side began to speak."""

    size: int
    wire: int
    round_trips: int

    @property
    def efficiency(self) -> float:
        return self.size / self.wire


def need_peers() -> None:
    """Raises PlombaError `bench_peer_missing` before anything is half done."""
    for name in _PACKAGES:
        _program(name)


async def zmodem(scratch: Path, size: int) -> Peer:
    """`sz` to `rz`, streaming. Raises PlombaError `bench_peer_failed`.

    The receiver is started first. What it says before it is asked is no answer and is not counted: the sender may
    throw it away with all else that waits in its input.
    """
    source, out = _file(scratch / "zmodem", size)
    async with _line(scratch / "zmodem") as (relay, inner), _running("rz", inner, ["-b", "-y", "-q"], out) as receiver:
        while not relay.up.bytes and receiver.returncode is None:
            await asyncio.sleep(_GLANCE_S)
        uncounted = relay.up.turns
        outer = os.open(relay.port, os.O_RDWR | os.O_NOCTTY)
        try:
            async with _running("sz", outer, ["-b", "-q", str(source)], scratch) as sender:
                await _end("sz", sender)
        finally:
            os.close(outer)
        # The file is there. Where sz threw rz's last word away with its other input, rz goes on asking for 30 s.
        with suppress(TimeoutError):
            await asyncio.wait_for(receiver.wait(), _FAREWELL_S)
        peer = Peer(size, relay.up.bytes + relay.down.bytes, relay.up.turns - uncounted)
    return _arrived("sz", source, out, peer)


async def mpremote(scratch: Path, size: int) -> Peer:
    """`mpremote fs cp` to a MicroPython prompt. Raises PlombaError `bench_peer_failed`."""
    source, out = _file(scratch / "mpremote", size)
    async with _line(scratch / "mpremote") as (relay, inner), _running(str(interpreter()), inner, [], out) as board:
        while b">>>" not in relay.heard and board.returncode is None:
            await asyncio.sleep(_GLANCE_S)
        prompt, uncounted = relay.up.bytes, relay.up.turns
        arguments = ["connect", relay.port, "resume", "fs", "cp", str(source), f":{source.name}"]
        async with _running("mpremote", asyncio.subprocess.DEVNULL, arguments, scratch) as copier:
            await _end("mpremote", copier)
        peer = Peer(size, relay.up.bytes - prompt + relay.down.bytes, relay.up.turns - uncounted)
    return _arrived("mpremote", source, out, peer)


class _HeardRelay(Relay):
    """A relay that keeps what the device said."""

    def __init__(self, device: int, link: Path) -> None:
        self.heard = bytearray()
        super().__init__(device, link)
        self.watch = lambda direction, data, at: self.heard.extend(data)


@asynccontextmanager
async def _line(folder: Path) -> AsyncIterator[tuple[_HeardRelay, int]]:
    """A relay, and the pty of the device at its inner end."""
    import pty
    import tty

    device, inner = pty.openpty()
    tty.setraw(inner)
    relay = _HeardRelay(device, folder / "port")
    try:
        yield relay, inner
    finally:
        relay.close()
        os.close(device)
        os.close(inner)


def _program(name: str) -> str:
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise PlombaError("bench_peer_missing", peer=name, command=_PACKAGES[name])
    return found


def _file(folder: Path, size: int) -> tuple[Path, Path]:
    """A file of random bytes and a folder for its copy."""
    out = folder / "out"
    out.mkdir(parents=True)
    source = folder / "random.bin"
    source.write_bytes(os.urandom(size))
    return source, out


@asynccontextmanager
async def _running(
    name: str, line: int, arguments: list[str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program with `line` as its standard input and output; it does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *(_program(name), *arguments), stdin=line, stdout=line, stderr=asyncio.subprocess.DEVNULL, cwd=folder
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _end(name: str, process: asyncio.subprocess.Process) -> None:
    try:
        status = await asyncio.wait_for(process.wait(), _PATIENCE_S)
    except TimeoutError:
        raise PlombaError("bench_peer_failed", peer=name, reason=f"not done after {_PATIENCE_S:g} s") from None
    if status:
        raise PlombaError("bench_peer_failed", peer=name, reason=f"exit {status}")


def _arrived(name: str, source: Path, out: Path, peer: Peer) -> Peer:
    copy = out / source.name
    if not copy.exists() or copy.read_bytes() != source.read_bytes():
        raise PlombaError("bench_peer_failed", peer=name, reason="the copy is another file")
    return peer
