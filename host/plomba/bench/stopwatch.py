"""The terminal's firmware with stopwatches (sim/board/stopwatch.py), driven line by line."""

from __future__ import annotations

import asyncio
import json
import os
import time
from types import TracebackType
from typing import Any

from plomba.bench.counter import UNREAD, Input
from plomba.bench.station import Station
from plomba.errors import TerminalError
from plomba.sim.interpreter import HEAP, HEAP_WITH_CODE, firmware_path, interpreter
from plomba.trust.objects import bundle, seal
from plomba_wire.codec import ReceiptBody
from plomba_wire.vocabulary import ObjectKind

_SKEW_S = 300


class Stopwatch:
    """An async context manager. The station's terminal has to be off; its flash is written to.

    Raises TerminalError `terminal_died`.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Stopwatch:
        path = firmware_path()
        with open(os.devnull, "r+b", buffering=0) as panel:
            environment = {
                **os.environ,
                "MICROPYPATH": ":".join([*map(str, path), ".frozen"]),
                "SIM_PANEL_FD": str(panel.fileno()),
                "SIM_FLASH": str(self._station.folder / "flash.bin"),
                "SIM_FLASH_BLOCKS": str(self._station.flash_blocks),
                "SIM_HEAP": str(HEAP),
            }
            environment.pop("SIM_CUT", None)
            self._process = await asyncio.create_subprocess_exec(
                *(str(interpreter()), "-X", f"heapsize={HEAP_WITH_CODE}", str(path[0] / "stopwatch.py")),
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=[panel.fileno()],
            )
        await self.ask("clock", int(time.time()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def do(self, given: Input) -> dict[str, Any]:
        """One scan or key and what it cost, with what it was as `what`."""
        what, act = given
        name = "scan" if isinstance(act, list) else UNREAD if act == UNREAD else "key"
        return {"what": what, **await self.ask(name, act)}

    async def ask(self, name: str, given: object = 1) -> dict[str, Any]:
        """One of the things that the script can do."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps({name: given}).encode() + b"\n")
        line = await process.stdout.readline()
        if not line.startswith(b"{"):
            raise TerminalError("terminal_died", reason=(line + await process.stdout.read()).decode()[-280:])
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def receipt(self) -> int:
        """A real receipt for everything; returns the newest record."""
        station = self._station
        head = await self.ask("head")
        if head["lost"]:
            raise TerminalError("terminal_died", reason=f"{head['lost']} scans lost")
        now = int(time.time())
        enrolled, signer = station.enrolled, station.organisation.dock
        body = ReceiptBody(
            enrolled.id, enrolled.epoch, head["seq"], bytes.fromhex(head["head"]), now, head["seq"], bytes(32)
        )
        signed = seal(ObjectKind.RECEIPT, body.pack(), signer.key, version=head["seq"], not_before=now - _SKEW_S)
        up_to: int = (await self.ask("receipt", bundle(signer.certificate, signed).hex()))["up_to"]
        return up_to
