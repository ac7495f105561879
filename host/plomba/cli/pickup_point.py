"""A pick-up point on one machine: the order desk as a process, a virtual terminal, and a dock between them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

from plomba.dock import Dock, Report, enrol
from plomba.errors import PlombaError, TerminalError
from plomba.forward import Desk
from plomba.ledger import Ledger
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.organisation import Organisation

PLACE = 7
_DESK_STARTS_S = 20.0


class DeskProcess:
    """`plomba desk serve` on a free port of this machine."""

    def __init__(self, data: Path, org: Path) -> None:
        self.url = ""
        self._data = data
        self._org = org
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> DeskProcess:
        arguments = ("desk", "serve", "--data", str(self._data), "--org", str(self._org), "--port", "0")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "plomba", *arguments),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), _DESK_STARTS_S)
            self.url = json.loads(line)["desk"]
        except (TimeoutError, ValueError) as error:
            await self._end()
            raise PlombaError("desk_unreachable", url="127.0.0.1", reason="it did not start") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


class PickupPoint:
    """Everything a point has. An async context manager; `folder` holds all its state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.organisation: Organisation
        self.ledger: Ledger
        self.desk: Desk
        self.desk_url = ""
        self.terminal = VirtualTerminal(folder / "terminal")
        self.dock: Dock
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> PickupPoint:
        try:
            self.organisation = Organisation.create(self.folder / "org", now=int(time.time()))
            process = await self._stack.enter_async_context(DeskProcess(self.folder / "desk", self.folder / "org"))
            self.desk_url = process.url
            self.desk = await self._stack.enter_async_context(Desk(process.url))
            self.ledger = self._stack.enter_context(Ledger.open(self.folder / "dock.db"))
            self.dock = Dock(self.ledger, self.organisation, self.desk, time.time)
            await self._stack.enter_async_context(self.terminal)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def enrol(self, label: str) -> bytes:
        """Enrols the terminal; the person's OK comes once its screen shows the root. Returns that screen."""
        screens = len(self.terminal.screens)
        async with Terminal(open_transport(self.terminal.port)) as session:
            now = int(time.time())
            enrolling = asyncio.create_task(
                enrol(session, self.organisation, self.ledger, label=label, place=PLACE, now=now, patience=20.0)
            )
            await self.terminal.wait(lambda: len(self.terminal.screens) > screens, "root on its screen")
            shown = self.terminal.screen
            self.terminal.press("ok")
            await enrolling
        return shown

    async def sync(self) -> Report:
        """One docking. Raises NotForwarded when the desk has not taken everything."""
        try:
            report = await self.dock.sync(self.terminal.port)
        except TerminalError as error:
            if self.terminal.output:
                raise TerminalError("terminal_died", reason=self.terminal.output[-280:]) from error
            raise
        if report.waiting is not None:
            raise report.waiting
        return report
