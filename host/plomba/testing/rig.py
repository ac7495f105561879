"""A pick-up point for tests that know no asyncio: every call blocks until the thing has happened.

def test_my_order_system(plomba_point):
    plomba_point.orders(plomba_point.sealed("RING-1", seal="SEAL-1"))
    plomba_point.mode("STORE")
    assert plomba_point.scan("RING-1") == "ok"
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from plomba.desk.orders import Order
from plomba.sim.gm65 import SeenCode
from plomba.sim.relay import Fault
from plomba.sim.screen_png import to_png, to_text
from plomba.testing.point import Point
from plomba.trust.organisation import Organisation
from plomba.trust.records import VerifiedRecord
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import OrderClass, State, Tlv

if TYPE_CHECKING:
    from PIL.Image import Image

_T = TypeVar("_T")
_BADGE = 1
_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Event:
    """One record in the vocabulary's names. `order` and `code` are texts as they were read; `raw` has everything."""

    action: str
    verdict: str
    order: str
    code: str
    state_before: str
    state_after: str
    raw: VerifiedRecord

    @classmethod
    def of(cls, record: VerifiedRecord) -> Event:
        head = record.head
        return cls(
            _name("action", head.action),
            _name("verdict", head.verdict),
            record.parts.get(Tlv.ORDER, b"").decode(errors="replace"),
            record.parts.get(Tlv.CODE, b"").decode(errors="replace"),
            _name("state", head.state_before),
            _name("state", head.state_after),
            record,
        )


class Rig:
    """One event loop in one thread; points are made on it and end with it. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.organisation = Organisation.create(folder / "org", now=int(time.time()))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="plomba rig", daemon=True)
        self._stack = AsyncExitStack()

    def __enter__(self) -> Rig:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.run(self._stack.aclose())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_WAIT_S)
            self._loop.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs a coroutine on the rig's loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def point(
        self,
        place: int = 7,
        *,
        desk_url: str | None = None,
        lists: bool = True,
        wire: Literal["pty", "tcp"] = "pty",
        badge: int | None = _BADGE,
    ) -> BlockingPoint:
        """A point that is enrolled, has rules and the time, and an open shift (unless `badge` is None)."""
        folder = self.folder / f"point-{place}"
        point = Point(
            folder, self.organisation, place=place, desk_url=desk_url, lists=lists, wire=wire, engine_pace=20.0
        )
        self.run(self._stack.enter_async_context(point))
        self.run(point.enrol(f"terminal {place}"))
        blocking = BlockingPoint(self, point)
        if desk_url is None:
            self.run(point.push_rules())
        self.run(point.sync())
        self.run(point.terminal.engine_ready())
        if badge is not None:
            self.run(point.open_shift(badge))
        return blocking


class BlockingPoint:
    """A terminal on the counter and a dock beside it. `point` and `terminal` are the asynchronous ones underneath."""

    def __init__(self, rig: Rig, point: Point) -> None:
        self.point = point
        self.terminal = point.terminal
        self._rig = rig
        self._seen = 0

    @staticmethod
    def plain(id: str, *, place: int = 7) -> Order:
        """An order without a seal, expected at a point."""
        return Order(id, OrderClass.PLAIN, State.AT_POINT, place, None, "RUB", "shop", "A-01", (), ())

    @staticmethod
    def sealed(id: str, *, seal: str, uin: str = "", place: int = 7) -> Order:
        """An order that leaves only with its seal read; `uin` is the item number on its tag, 16 digits."""
        uins = (uin,) if uin else ()
        return Order(id, OrderClass.SEALED, State.AT_POINT, place, None, "RUB", "shop", "S-01", (seal,), uins)

    def orders(self, *orders: Order) -> None:
        """Puts a signed list of orders on the terminal, in place of the one before."""
        self._rig.run(self.point.push_orders(orders))

    def mode(self, name: Literal["STORE", "HANDOUT"]) -> str:
        """Scans a mode card; returns the tone."""
        return self.card(name)

    def card(self, command: str) -> str:
        """Scans the printed command code `PLB*<command>`: STORE, HANDOUT, SEALED, REFUSE, HOLD, UNDO, CLOSE…"""
        return self.scan(f"PLB*{command}", symbology="QRCode")

    def scan(self, what: str | bytes | SeenCode | Image, *, symbology: str = "") -> str:
        """Presents a code or a picture and presses the key; returns the verdict's tone.

        A text is taken for a Code 128 label; for a seal say `symbology="QRCode"`. Raises TerminalError after 10 s.
        """
        if isinstance(what, str):
            what = what.encode()
        if isinstance(what, bytes):
            what = SeenCode(symbology or "Code128", what)
        return self._rig.run(self.terminal.scan(what))

    def seal(self, text: str) -> str:
        """Scans a seal's QR code."""
        return self.scan(text, symbology="QRCode")

    def press(self, key: Literal["ok", "back"]) -> str:
        """Presses a key; for ok returns the tone."""
        if key == "ok":
            return self._rig.run(self.terminal.confirm())
        self._rig.run(self._pressed(key))
        return ""

    def dock(self) -> list[Event]:
        """Docks once; returns the records that are new since the last call. Raises as `plomba dock sync` does."""
        self._rig.run(self.point.sync())
        return self.events()

    def events(self) -> list[Event]:
        """The records that are new in the ledger since the last call."""
        records = self.point.records()
        fresh, self._seen = records[self._seen :], len(records)
        return [Event.of(record) for record in fresh]

    def forward(self, url: str) -> int:
        """Sends what waits in the outbox to an order system; returns how many records it took."""
        return self._rig.run(self.point.forward(url))

    def wait(self, condition: Callable[[], bool], what: str = "condition") -> None:
        """Waits for tones, screens or the lamp. Raises TerminalError after 10 s."""
        self._rig.run(self.terminal.wait(condition, what))

    def warp(self, seconds: float) -> None:
        """Moves the terminal's clock ahead."""
        self._rig.run(self.terminal.warp(int(seconds * 1000)))

    def script(self, *faults: Fault) -> None:
        """Faults of the cable from now on: `Fault("drop", at=100)` loses the 100th byte from the terminal."""
        up = self.terminal.relay.up
        up.script(*(Fault(fault.kind, up.bytes + fault.at, fault.size, fault.seconds) for fault in faults))

    def plug(self) -> None:
        """Plugs a cut cable in again."""
        self._rig.run(self._plugged())

    def cut_power(self, after: int, torn: int, *codes: str) -> list[bytes]:
        """Scans codes until power goes in flash operation `after`, then switches on again; returns what was heard."""
        waiting = iter(codes)
        return self._rig.run(self.point.cut_power(after, torn, lambda: SeenCode("Code128", next(waiting).encode())))

    def kill_dock(self, after: int) -> bool:
        """Starts a dock as a process of its own and kills it after so many bytes; True when it was in time."""
        return self._rig.run(self.point.kill_dock(after))

    @property
    def tones(self) -> list[str]:
        return list(self.terminal.tones)

    @property
    def lamp(self) -> str:
        return self.terminal.lamp

    @property
    def screen(self) -> str:
        """The screen in half blocks, for a look and for an assertion message."""
        return to_text(self.terminal.screen)

    @property
    def screen_png(self) -> bytes:
        return to_png(self.terminal.screen)

    async def _pressed(self, key: Literal["ok", "back"]) -> None:
        screens = len(self.terminal.screens)
        self.terminal.press(key)
        await self.terminal.wait(lambda: len(self.terminal.screens) > screens, "screen")

    async def _plugged(self) -> None:
        self.terminal.relay.up.unscript()
        self.terminal.relay.plug()


def _name(section: str, code: int) -> str:
    names: dict[int, str] = {entry["code"]: name for name, entry in VOCABULARY[section].items()}
    return names[code]
