"""The bench's terminal with its journal filled, and dockings of it that are counted."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from plomba import capture
from plomba.bench import day
from plomba.desk import manifest as manifests
from plomba.desk import rules as rule_packs
from plomba.desk.manifest import Expected
from plomba.desk.orders import Order
from plomba.desk.rules import RulePack
from plomba.dock import Dock, enrol
from plomba.errors import TerminalError
from plomba.ledger import Enrolled, Ledger
from plomba.sim.interpreter import HEAP, firmware_path, interpreter
from plomba.sim.virtual_terminal import FLASH_BLOCKS, VirtualTerminal
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.objects import package
from plomba.trust.organisation import Organisation
from plomba_wire.codec import Announce, Data
from plomba_wire.dock_end import FEATURES
from plomba_wire.vocabulary import ObjectKind

PLACE = 7
"""Where the bench's terminals stand."""
_JOURNAL_BLOCKS = 128
_PAGES_PER_BLOCK = 16
_SPARE_BLOCKS = 8
_FILL_HEAP = "16M"


@dataclass(frozen=True, slots=True)
class Docked:
    """One docking, counted at the relay. `record_bytes` are length, body and signature of what came; `up` and `down`
    are bytes, lost ones included; `round_trips` are the answers of the terminal that the dock had to wait for, records
    not among them; `seconds` run from Hello to Bye; `recording` is the capture."""

    records: int
    record_bytes: int
    up: int
    down: int
    round_trips: int
    rewinds: int
    seconds: float
    recording: Path

    @property
    def wire(self) -> int:
        """All bytes of both ways."""
        return self.up + self.down

    @property
    def efficiency(self) -> float:
        return self.record_bytes / self.wire


@dataclass(frozen=True, slots=True)
class Station:
    """A terminal whose flash lies in `folder`, enrolled, with rules and a list of orders. Each docking begins with an
    empty ledger, so that the same records come each time."""

    folder: Path
    organisation: Organisation
    enrolled: Enrolled
    flash_blocks: int
    scratch: Path

    def copy(self, name: str) -> Station:
        """The same terminal, with a flash of its own. It has to be off."""
        folder = self.scratch / name
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("port*"))
        return replace(self, folder=folder)

    @asynccontextmanager
    async def on(self, heap: int = HEAP) -> AsyncIterator[VirtualTerminal]:
        """Switched on, and docked once so that its clock is set."""
        async with VirtualTerminal(self.folder, heap=heap, flash_blocks=self.flash_blocks) as terminal:
            await self.dock(terminal)
            yield terminal

    async def dock(self, terminal: VirtualTerminal, *, features: int = FEATURES, ledger: Path | None = None) -> Docked:
        """One whole docking. Raises TerminalError, VerificationError, StoreError."""
        path = ledger or self.fresh_ledger()
        recording = path.with_suffix(".plcap")
        up, down = terminal.relay.up, terminal.relay.down
        up_before, down_before = up.carried, down.carried
        with Ledger.open(path) as store:
            session = Terminal(open_transport(terminal.port, recording), features=features)
            report = await Dock(store, self.organisation, None, time.time).sync_with(session)
            record_bytes = sum(len(row.body) + 66 for row in store.all_records())
        chunks = capture.read(recording)
        said = sum(len(chunk.data) for chunk in chunks if chunk.direction == capture.TO_DEVICE)
        await terminal.wait_until(lambda: down.carried - down_before >= said)
        answers = [
            message
            for chunk, message in capture.messages(chunks)
            if chunk.direction == capture.FROM_DEVICE and not isinstance(message, Data | Announce)
        ]
        return Docked(
            report.records,
            record_bytes,
            up.carried - up_before,
            down.carried - down_before,
            len(answers),
            session.rewinds,
            chunks[-1].us / 1e6,
            recording,
        )

    def listed(self, orders: Sequence[Order]) -> bytes:
        """The body of a manifest of these orders for this terminal."""
        return manifests.build(
            self.enrolled.id,
            epoch=self.enrolled.epoch,
            through=0,
            place=PLACE,
            salt=os.urandom(16),
            expected=[Expected(order, order.state) for order in orders],
        )

    async def push(self, terminal: VirtualTerminal, kind: int, version: int, body: bytes) -> float:
        """An object by the desk goes down the link and is installed; seconds from offer to commit."""
        desk = self.organisation.desk
        signed = package(kind, body, desk.key, desk.certificate, version=version, not_before=int(time.time()) - 3600)
        async with Terminal(open_transport(terminal.port)) as session:
            began = time.perf_counter()
            await session.push(kind, version, signed)
            return time.perf_counter() - began

    def fresh_ledger(self) -> Path:
        """Path of a ledger that knows the terminal and has none of its records."""
        path = self.scratch / f"ledger-{time.monotonic_ns()}.db"
        with Ledger.open(path) as ledger:
            ledger.enrol(self.enrolled)
        return path


async def set_up(
    scratch: Path,
    name: str,
    orders: Sequence[Order],
    *,
    flash_blocks: int = FLASH_BLOCKS,
    rules: RulePack | None = None,
) -> tuple[Station, float]:
    """A new terminal, enrolled, with rules, the sample's or others, and a list of these orders; and how many seconds
    the list took."""
    organisation = Organisation.create(scratch / f"{name}-org", now=int(time.time()))
    folder = scratch / name
    async with VirtualTerminal(folder, flash_blocks=flash_blocks) as terminal:
        enrolled = await _enrol(terminal, organisation, scratch / f"{name}.db")
        station = Station(folder, organisation, enrolled, flash_blocks, scratch)
        rules = rules or rule_packs.load()
        await station.push(terminal, ObjectKind.RULES, rules.number, rules.body)
        return station, await station.push(terminal, ObjectKind.MANIFEST, 1, station.listed(orders))


async def prepare(scratch: Path, name: str, records: int, seed: int) -> Station:
    """A new terminal with so many records of a long day behind those of its setting-up."""
    blocks = max(_JOURNAL_BLOCKS, records // _PAGES_PER_BLOCK + _SPARE_BLOCKS)
    orders = day.orders(records, PLACE, seed)
    station, _ = await set_up(scratch, name, orders, flash_blocks=FLASH_BLOCKS - _JOURNAL_BLOCKS + blocks)
    path = station.folder / "inputs.jsonl"
    path.write_text("".join(json.dumps(given) + "\n" for given in day.inputs(orders, seed)), encoding="ascii")
    await _fill(station, path, records)
    return station


async def _enrol(terminal: VirtualTerminal, organisation: Organisation, ledger: Path) -> Enrolled:
    screens = len(terminal.screens)
    with Ledger.open(ledger) as store:
        async with Terminal(open_transport(terminal.port)) as session:
            enrolling = asyncio.create_task(
                enrol(session, organisation, store, label="bench", place=PLACE, now=int(time.time()), patience=10.0)
            )
            await terminal.wait(lambda: len(terminal.screens) > screens, "root on its screen")
            terminal.press("ok")
            return await enrolling


async def _fill(station: Station, inputs: Path, records: int) -> None:
    """Runs the filler on the terminal's flash. Raises TerminalError `terminal_died`."""
    path = firmware_path()
    with open(os.devnull, "r+b", buffering=0) as panel:
        environment = {
            **os.environ,
            "MICROPYPATH": ":".join([*map(str, path), ".frozen"]),
            "SIM_PANEL_FD": str(panel.fileno()),
            "SIM_FLASH": str(station.folder / "flash.bin"),
            "SIM_FLASH_BLOCKS": str(station.flash_blocks),
            "SIM_HEAP": str(1 << 30),
            "SIM_INPUTS": str(inputs),
            "SIM_RECORDS": str(records),
        }
        environment.pop("SIM_CUT", None)
        process = await asyncio.create_subprocess_exec(
            *(str(interpreter()), "-X", f"heapsize={_FILL_HEAP}", str(path[0] / "fill.py")),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=[panel.fileno()],
        )
        output, _ = await process.communicate()
    if process.returncode:
        raise TerminalError("terminal_died", reason=output.decode(errors="replace")[-280:])
