"""The console of a release build gives nothing: the way back into a terminal is its bootloader or a signed image."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

from plomba.sim.virtual_terminal import VirtualTerminal

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="os.login_tty"),
]

INTERRUPT, RAW, FRIENDLY, SOFT_RESET, PASTE = b"\x03", b"\x01", b"\x02", b"\x04", b"\x05"
ORDERS = [plain("C-1"), plain("C-2")]


class Console:
    """A bench whose interpreter has a terminal line of its own, as a board's REPL has its USB port."""

    def __init__(self, folder: Path, *, release: bool) -> None:
        self.said = b""
        self._line, slave = pty.openpty()
        os.set_blocking(self._line, False)
        # The interpreter sets its line raw by itself when it prompts; what runs before that has Ctrl-C as a signal.
        attributes = tty.tcgetattr(slave)
        attributes[3] &= ~(tty.ECHO | tty.ICANON)
        tty.tcsetattr(slave, tty.TCSANOW, attributes)
        self._slave = slave
        self.bench = Workbench(folder)
        self.bench.terminal = VirtualTerminal(folder / "terminal", engine_pace=20.0, release=release, console=slave)

    async def __aenter__(self) -> Console:
        await self.bench.__aenter__()
        asyncio.get_running_loop().add_reader(self._line, self._read)
        return self

    async def __aexit__(self, *why: object) -> None:
        asyncio.get_running_loop().remove_reader(self._line)
        await self.bench.__aexit__(None, None, None)
        os.close(self._line)
        os.close(self._slave)

    def type(self, data: bytes) -> None:
        os.write(self._line, data)

    async def says(self, words: bytes) -> None:
        async with asyncio.timeout(10):
            while words not in self.said:
                await asyncio.sleep(0.01)

    def _read(self) -> None:
        try:
            self.said += os.read(self._line, 4096)
        except OSError:
            asyncio.get_running_loop().remove_reader(self._line)


@pytest.fixture
async def release(tmp_path: Path) -> AsyncIterator[Console]:
    async with Console(tmp_path, release=True) as console:
        yield console


async def test_a_development_build_has_a_repl(tmp_path: Path) -> None:
    """Without this the next test could not fail."""
    async with Console(tmp_path, release=False) as console:
        await console.bench.ready(ORDERS)
        console.type(INTERRUPT)
        await console.says(b">>> ")
        console.type(RAW)
        await console.says(b"raw REPL; CTRL-B to exit")


async def test_a_release_build_gives_nothing(release: Console) -> None:
    await release.bench.ready(ORDERS)
    terminal = release.bench.terminal
    for data in (INTERRUPT, INTERRUPT * 9, RAW, PASTE, FRIENDLY, SOFT_RESET, b"\r" + RAW + b"print(1)" + SOFT_RESET):
        release.type(data)
    assert await terminal.scan(label("C-1")) == "ok"
    release.type(INTERRUPT + RAW)
    assert await terminal.scan(label("C-2")) == "ok"
    assert (release.said, terminal.resets) == (b"", 0)


async def test_not_while_it_starts(release: Console) -> None:
    """Ctrl-C is alive on a board from the first moment on: the first statement of boot.py ends that."""
    await release.bench.ready(ORDERS)
    terminal = release.bench.terminal
    fed = terminal.fed
    restart = asyncio.create_task(terminal.restart())
    while not restart.done():
        if terminal.fed > fed:
            release.type(INTERRUPT + RAW)
            await asyncio.sleep(0.002)
        await asyncio.sleep(0)
    await restart
    assert (release.said, terminal.resets) == (b"", 0)
    async with release.bench.session() as session:
        assert session.hello.boot == 2


async def test_not_even_while_a_task_dies(release: Console) -> None:
    await release.bench.ready(ORDERS)
    terminal = release.bench.terminal
    release.type(INTERRUPT + RAW)
    terminal.break_keys()
    await terminal.wait(lambda: terminal.resets == 1 and terminal.up, "restart")
    release.type(INTERRUPT + RAW)
    await terminal.engine_ready()
    terminal.press("ok")
    async with release.bench.session() as session:
        assert session.hello.boot == 2
    assert b">>>" not in release.said and b"raw REPL" not in release.said
