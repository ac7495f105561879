"""A terminal on the workbench: the real firmware, an organisation, a ledger, and a dock without a desk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from plomba.desk import manifest as manifests
from plomba.desk import rules as rule_packs
from plomba.desk.manifest import Expected
from plomba.desk.orders import Order
from plomba.dock import Dock, Report, enrol
from plomba.ledger import Enrolled, Ledger
from plomba.sim.gm65 import SeenCode
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.objects import Trust, package
from plomba.trust.organisation import Organisation, Signer
from plomba.trust.records import VerifiedRecord, verify_record
from plomba_wire.vocabulary import ObjectKind, OrderClass, State

PLACE = 7
STORE = SeenCode("QRCode", b"PLB*STORE")
BADGE = SeenCode("QRCode", b"PLB*BADGE*42")
HANDOUT = SeenCode("QRCode", b"PLB*HANDOUT")


def plain(id: str, *, place: int = PLACE, state: int = State.AT_POINT) -> Order:
    return Order(id, OrderClass.PLAIN, state, place, 100, "RUB", "shop", "A-01", (), ())


def sealed(id: str, seals: Sequence[str], uins: Sequence[str] = (), *, state: int = State.AT_POINT) -> Order:
    return Order(id, OrderClass.SEALED, state, PLACE, 9000, "RUB", "jeweller", "S-01", tuple(seals), tuple(uins))


def label(id: str) -> SeenCode:
    return SeenCode("Code128", id.encode())


def qr(text: str | bytes) -> SeenCode:
    return SeenCode("QRCode", text.encode() if isinstance(text, str) else text)


class Workbench:
    """An async context manager; the terminal is on, not enrolled yet."""

    def __init__(self, folder: Path) -> None:
        made = Organisation.create(folder / "org", now=int(time.time()))
        # No list of revocations: a test that wants one gives one.
        self.organisation = replace(made, revocations=None, trust=Trust(made.trust.root))
        self.ledger = Ledger.open(folder / "dock.db")
        self.terminal = VirtualTerminal(folder / "terminal", engine_pace=20.0)
        self.clock = time.time
        self.dock = Dock(self.ledger, self.organisation, None, self.clock)
        self.enrolled: Enrolled | None = None

    async def __aenter__(self) -> Workbench:
        await self.terminal.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.terminal.stop()
        self.ledger.close()

    def session(self) -> Terminal:
        return Terminal(open_transport(self.terminal.port))

    async def enrol(self) -> None:
        screens = len(self.terminal.screens)
        async with self.session() as session:
            now = int(time.time())
            task = asyncio.create_task(
                enrol(session, self.organisation, self.ledger, label="bench", place=PLACE, now=now, patience=10.0)
            )
            await self.terminal.wait(lambda: len(self.terminal.screens) > screens, "root on its screen")
            self.terminal.press("ok")
            self.enrolled = await task

    async def ready(self, orders: Sequence[Order], version: int = 1) -> None:
        """Enrolled, with rules, a manifest of `orders` and the time; the scan engine is up."""
        await self.enrol()
        await self.push_rules()
        await self.push_manifest(orders, version)
        await self.terminal.engine_ready()
        await self.terminal.scan(BADGE)
        await self.dock.sync(self.terminal.port)

    async def push_rules(self) -> None:
        pack = rule_packs.load()
        await self.push(ObjectKind.RULES, pack.number, self.signed(ObjectKind.RULES, pack.body, pack.number))

    async def push_manifest(self, orders: Sequence[Order], version: int, through: int = 0) -> None:
        await self.push(ObjectKind.MANIFEST, version, self.manifest(orders, version, through))

    async def push(self, kind: int, version: int, data: bytes) -> None:
        async with self.session() as session:
            await session.push(kind, version, data)

    def manifest(self, orders: Sequence[Order], version: int, through: int = 0) -> bytes:
        expected = [Expected(order, order.state) for order in orders]
        body = manifests.build(self.id, epoch=1, through=through, place=PLACE, salt=bytes(16), expected=expected)
        return self.signed(ObjectKind.MANIFEST, body, version)

    def signed(
        self, kind: int, body: bytes, version: int, *, signer: Signer | None = None, not_after: int = 0
    ) -> bytes:
        """A bundle by the desk, or by another signer."""
        signer = signer or self.organisation.desk
        now = int(time.time())
        return package(
            kind,
            body,
            signer.key,
            signer.certificate,
            version=version,
            not_before=now - 3600,
            not_after=not_after,
        )

    async def sync(self) -> Report:
        return await self.dock.sync(self.terminal.port)

    @property
    def id(self) -> bytes:
        assert self.enrolled is not None
        return self.enrolled.id

    def records(self) -> list[VerifiedRecord]:
        """Everything in the ledger, verified once more, in order."""
        assert self.enrolled is not None
        out = []
        for row in self.ledger.all_records():
            out.append(verify_record(self.enrolled.public, row.previous, row.body, row.signature))
        return out
