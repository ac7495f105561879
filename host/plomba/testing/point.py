"""A pick-up point on one machine: a virtual terminal, a dock beside it, and the order desk as a process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from plomba.desk import manifest as manifests
from plomba.desk import rules as rule_packs
from plomba.desk.manifest import Expected
from plomba.desk.orders import Order
from plomba.desk.rules import RulePack
from plomba.dock import Dock, Report, enrol
from plomba.errors import NotForwarded, PlombaError, TerminalError
from plomba.forward import Desk, Forwarder
from plomba.ledger import Enrolled, Ledger
from plomba.sim.gm65 import SeenCode
from plomba.sim.relay import Fault
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.objects import package
from plomba.trust.organisation import Organisation
from plomba.trust.records import VerifiedRecord, verify_record
from plomba_wire.vocabulary import ObjectKind

_DESK_STARTS_S = 20.0
_KILL_GLANCE_S = 0.002
_BADGE = b"PLB*BADGE*%d"


class DeskProcess:
    """`plomba desk serve` on a free port of this machine."""

    def __init__(self, data: Path, org: Path) -> None:
        self.url = ""
        self._data = data
        self._org = org
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> DeskProcess:
        await self._start(0)
        return self

    async def restart(self) -> None:
        """Ends it and starts it again at the same address: a rule pack and a staff list are read at the start."""
        await self._end()
        await self._start(int(self.url.rpartition(":")[2]))

    async def _start(self, port: int) -> None:
        arguments = ("desk", "serve", "--data", str(self._data), "--org", str(self._org), "--port", str(port))
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

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


class Point:
    """One point: its terminal, its dock and its ledger. An async context manager; `folder` holds all its state.

    `desk_url` is any order system that speaks the desk's API, or None: then records wait in the outbox. `lists` False
    is a point beside a marketplace's own app: no manifest is ever pushed. `clock` gives s since 1970 to the dock and to
    whoever signs.
    """

    def __init__(
        self,
        folder: Path,
        organisation: Organisation,
        *,
        place: int,
        desk_url: str | None = None,
        lists: bool = True,
        wire: Literal["pty", "tcp"] = "pty",
        engine_pace: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.folder = folder
        self.organisation = organisation
        self.place = place
        self.desk_url = desk_url
        self.lists = lists
        self.terminal = VirtualTerminal(folder / "terminal", wire=wire, engine_pace=engine_pace)
        self.ledger_path = folder / "dock.db"
        self.enrolled: Enrolled | None = None
        self.link_cuts = 0
        self.dock_kills = 0

    async def __aenter__(self) -> Point:
        await self.terminal.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.terminal.stop()

    async def enrol(self, label: str) -> bytes:
        """Enrols the terminal; the person's OK comes once its screen shows the root. Returns that screen."""
        screens = len(self.terminal.screens)
        with Ledger.open(self.ledger_path) as ledger:
            async with Terminal(open_transport(self.terminal.port)) as session:
                now = int(self.clock())
                enrolling = asyncio.create_task(
                    enrol(session, self.organisation, ledger, label=label, place=self.place, now=now, patience=20.0)
                )
                await self.terminal.wait(lambda: len(self.terminal.screens) > screens, "root on its screen")
                shown = self.terminal.screen
                self.terminal.press("ok")
                self.enrolled = await enrolling
        return shown

    async def open_shift(self, badge: int) -> str:
        """Waits for the scan engine and scans a badge; returns the tone."""
        await self.terminal.engine_ready()
        return await self.terminal.scan(SeenCode("QRCode", _BADGE % badge))

    async def sync(self) -> Report:
        """One docking. Raises TerminalError, VerificationError, StoreError; NotForwarded when the desk is away."""
        with Ledger.open(self.ledger_path) as ledger:
            try:
                if self.desk_url is None:
                    dock = Dock(ledger, self.organisation, None, self.clock, lists=self.lists)
                    return await dock.sync(self.terminal.port)
                async with Desk(self.desk_url) as desk:
                    dock = Dock(ledger, self.organisation, desk, self.clock, lists=self.lists)
                    report = await dock.sync(self.terminal.port)
            except TerminalError as error:
                if self.terminal.output:
                    raise TerminalError("terminal_died", reason=self.terminal.output[-280:]) from error
                raise
        if report.waiting is not None:
            raise report.waiting
        return report

    async def cut_link(self, after: int) -> bool:
        """Docks, pulls the cable after so many bytes from the terminal, plugs it in again. True when it was in time."""
        relay = self.terminal.relay
        before = relay.cuts
        relay.up.script(Fault("cut", relay.up.bytes + after))
        with suppress(TerminalError, NotForwarded):
            await self.sync()
        relay.up.unscript()
        relay.plug()
        self.link_cuts += relay.cuts - before
        return relay.cuts > before

    async def kill_dock(self, after: int) -> bool:
        """Starts a dock process and kills it once `after` bytes came from the terminal. True when it was in time."""
        up = self.terminal.relay.up
        target = up.bytes + after
        process = await self._dock_process()
        while process.returncode is None and up.bytes < target:
            try:
                await asyncio.wait_for(asyncio.shield(process.wait()), _KILL_GLANCE_S)
            except TimeoutError:
                continue
        in_time = process.returncode is None
        if in_time:
            process.kill()
        await process.wait()
        self.dock_kills += in_time
        return in_time

    async def cut_power(self, after: int, torn: int, scan: Callable[[], SeenCode]) -> list[bytes]:
        """Scans what `scan` gives until power goes in flash operation `after` from now; then switches on again.

        Returns the codes whose tone was heard.
        """
        terminal = self.terminal
        await terminal.cut_power(after, torn)
        heard: list[bytes] = []
        while not terminal.powered_down:
            code = scan()
            tones, screens = len(terminal.tones), len(terminal.screens)
            terminal.show(code)
            terminal.press("scan")

            def settled(screens: int = screens) -> bool:
                return terminal.powered_down or len(terminal.screens) > screens

            await terminal.wait(settled, "verdict")
            heard += [code.data] * (len(terminal.tones) - tones)
        await terminal.restart()
        await terminal.engine_ready()
        return heard

    async def push_rules(self, pack: RulePack | None = None) -> None:
        """Signs a rule pack, else the sample, with the organisation's desk key and installs it. For points without a
        desk."""
        pack = pack or rule_packs.load()
        await self._push(ObjectKind.RULES, pack.number, pack.body)

    async def push_orders(self, orders: Sequence[Order], *, version: int | None = None, through: int = 0) -> None:
        """Signs a list of orders and installs it. `version` defaults to the time, as the desk's do."""
        assert self.enrolled is not None
        body = manifests.build(
            self.enrolled.id,
            epoch=self.enrolled.epoch,
            through=through,
            place=self.place,
            salt=os.urandom(16),
            expected=[Expected(order, order.state) for order in orders],
        )
        await self._push(ObjectKind.MANIFEST, int(self.clock()) if version is None else version, body)

    async def _push(self, kind: int, version: int, body: bytes) -> None:
        desk = self.organisation.desk
        data = package(kind, body, desk.key, desk.certificate, version=version, not_before=int(self.clock()) - 3600)
        async with Terminal(open_transport(self.terminal.port)) as session:
            await session.push(kind, version, data)

    async def forward(self, url: str) -> int:
        """Sends what waits in the outbox to anything that takes the records of the desk's API. Raises NotForwarded."""
        with Ledger.open(self.ledger_path) as ledger:
            async with Desk(url) as desk:
                return await Forwarder(ledger, desk, self.clock).run(now=True)

    def records(self) -> list[VerifiedRecord]:
        """Everything in the ledger, verified once more, in order."""
        assert self.enrolled is not None
        with Ledger.open(self.ledger_path) as ledger:
            rows = list(ledger.all_records())
        return [verify_record(self.enrolled.public, row.previous, row.body, row.signature) for row in rows]

    async def _dock_process(self) -> asyncio.subprocess.Process:
        arguments = ["dock", "sync", self.terminal.port, "--org", str(self.organisation.folder)]
        arguments += ["--ledger", str(self.ledger_path)]
        if self.desk_url is not None:
            arguments += ["--desk", self.desk_url]
        if not self.lists:
            arguments += ["--no-lists"]
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "plomba", *arguments),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
