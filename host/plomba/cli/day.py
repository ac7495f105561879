"""A day at two pick-up points, with everything that goes wrong: the story that `plomba demo` tells."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

from plomba.cli import goods
from plomba.cli.happened import happened
from plomba.forward import Desk
from plomba.ledger import Ledger
from plomba.sim.gm65 import SeenCode
from plomba.testing.point import DeskProcess, Point
from plomba.trust.organisation import Organisation
from plomba_wire.schema import VOCABULARY

HERE = 7
"""The point with a list of its orders."""
THERE = 8
"""The point beside a marketplace's own app: no list."""
_HERE_ORDERS, _HERE_SEALED = 34, 9
_THERE_PARCELS, _THERE_SEALED = 8, 2
_UNREADABLE_MS = 6000
_ENGINE_PACE = 5.0
_PATIENCE_MS = 61_000


class Day:
    """`tell(key, **fields)` is called as things happen. Use it as an async context manager, then `live`."""

    def __init__(self, seed: int, folder: Path, tell: Callable[..., None]) -> None:
        self.folder = folder
        self.made = goods.orders(seed, _HERE_ORDERS, _HERE_SEALED)
        self.parcels = goods.orders(seed + 1_000_000, _THERE_PARCELS, _THERE_SEALED)
        self.scans = 0
        self.unreadable = 0
        self.screens: dict[str, bytes] = {}
        self.shown: goods.Order
        self._receipted: list[int] = []
        self._seed = seed
        self._random = Random(seed)
        self._tell = tell
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Day:
        try:
            self.organisation = Organisation.create(self.folder / "org", now=int(time.time()))
            process = await self._stack.enter_async_context(DeskProcess(self.folder / "desk", self.folder / "org"))
            self.desk = await self._stack.enter_async_context(Desk(process.url))
            self.here, self.there = [
                await self._stack.enter_async_context(self._point(name, place, process.url))
                for name, place in (("point-7", HERE), ("point-8", THERE))
            ]
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _point(self, name: str, place: int, desk_url: str) -> Point:
        folder = self.folder / name
        listed = place == HERE
        return Point(folder, self.organisation, place=place, desk_url=desk_url, lists=listed, engine_pace=_ENGINE_PACE)

    @property
    def points(self) -> tuple[Point, Point]:
        return self.here, self.there

    async def live(self) -> None:
        """From the first key to the last docking."""
        await self._morning()
        await self._intake()
        await self._customers()
        await self._beside_an_app()
        await self._evening()

    async def _morning(self) -> None:
        for point, label in ((self.here, "counter 7"), (self.there, "counter 8")):
            self.screens.setdefault("enrol", await point.enrol(label))
        self._tell("enrolled", fingerprint=self.organisation.fingerprint[:16])
        order_file = goods.order_file(self.made, HERE)
        (self.folder / "orders.csv").write_text(order_file, encoding="utf-8")
        await self.desk.import_orders(order_file.encode(), "text/csv")
        for point in self.points:
            await point.sync()
            await point.terminal.engine_ready()
        self._tell("pushed", orders=len(self.made))
        await self._card(self.here, "ИВАНОВА", "PLB*BADGE*4017", "shift")
        self._tell("shift")

    async def _intake(self) -> None:
        await self._card(self.here, "ПРИЁМКА", "PLB*STORE", "mode")
        waiting = iter(self.made)
        first = next(waiting)
        await self._label(self.here, first, "stored")
        await self.here.terminal.warp(2000)
        await self._label(self.here, first, "double")
        self._tell("double", order=first.id)
        await self._label(self.here, goods.STRANGER, "unknown")
        self._tell("unknown")
        unheard = await self._dark(self.here, waiting)
        # The clerk heard no beep, so she scans again.
        for order in [*unheard, *waiting]:
            await self._label(self.here, order, "stored")
        self._tell("stored", count=len(self.made))
        await self._cut_link(self.here)

    async def _customers(self) -> None:
        sealed = [order for order in self.made if order.sealed]
        plain = iter([order for order in self.made if not order.sealed])
        terminal = self.here.terminal
        await self._card(self.here, "ПОКУПАТЕЛЬ", f"PLB*CUSTOMER*{self._random.randrange(10**8):08}", "customer")
        pair = [next(plain), next(plain)]
        for order in pair:
            await self._label(self.here, order, "confirm")
        await self._ok(self.here, len(pair))
        self._tell("visit", count=len(pair))

        self.shown = jewel = sealed[0]
        await self._label(self.here, jewel, "need_seal")
        self._tell("need_seal", order=jewel.id)
        await self._ok(self.here)
        self._keep(self.here, "refused")
        self._tell("refused")
        await self._seal(self.here, "PL-NOT-OURS", "wrong_seal")
        await self._seal(self.here, sealed[1].seal, "other_seal")
        self._tell("wrong_seal")
        await self._tag(self.here, jewel.uin)
        await self._seal(self.here, jewel.seal, "seal_ok")
        await self._ok(self.here)
        self._keep(self.here, "handed_out")
        self._tell("handed_out", order=jewel.id)

        back = sealed[1]
        await self._hand_over(back, stop_before_ok=True)
        await self._card(self.here, "ОТКАЗ", "PLB*REFUSE", "refusal")
        self._tell("refusal", order=back.id)
        await self._hand_over(back)
        self._tell("came_back", order=back.id)

        third = sealed[2]
        await self._label(self.here, third, "need_seal")
        await self._seal(self.here, jewel.seal, "used_seal")
        self._tell("used_seal", order=third.id)
        await self._seal(self.here, third.seal, "seal_ok")
        await self._ok(self.here)

        worn = sealed[3]
        await self._label(self.here, worn, "need_seal")
        for _ in range(3):
            await self._fail_to_read(self.here)
        self._keep(self.here, "unreadable")
        await self._card(self.here, "ЗАДЕРЖАТЬ", "PLB*HOLD", "held")
        self._tell("held", order=worn.id)

        forgotten = sealed[4]
        await self._label(self.here, forgotten, "need_seal")
        await terminal.warp(_PATIENCE_MS)
        await terminal.wait(lambda: terminal.tones[-1] in ("siren", "alarm"), "siren")
        self._keep(self.here, "left_unscanned")
        self._tell("left_unscanned", order=forgotten.id)
        await self._seal(self.here, forgotten.seal, "seal_ok")
        await self._ok(self.here)

        undone = next(plain)
        await self._label(self.here, undone, "confirm")
        await self._ok(self.here)
        await self._card(self.here, "ОТМЕНА", "PLB*UNDO", "undo")
        self._tell("undo", order=undone.id)
        await terminal.warp(2000)
        await self._label(self.here, undone, "confirm")
        await self._ok(self.here)
        await terminal.warp(2000)
        await self._label(self.here, undone, "wrong_state")
        self._tell("wrong_state", order=undone.id)

        rest = list(plain)
        await self._dark(self.here, iter(rest[:6]))
        await self._card(self.here, "ВЫДАЧА", "PLB*HANDOUT", "mode")
        for order in [*rest[6:12], sealed[5], sealed[6]]:
            await self._hand_over(order)
        self._tell("quiet_visits", count=len(rest[6:12]) + 2)

    async def _beside_an_app(self) -> None:
        point = self.there
        await self._card(point, "ПЕТРЕНКО", "PLB*BADGE*5120", "shift")
        await self._card(point, "ПРИЁМКА", "PLB*STORE", "mode")
        sealed = [parcel for parcel in self.parcels if parcel.sealed]
        plain = [parcel for parcel in self.parcels if not parcel.sealed]
        for parcel in [*sealed, *plain]:
            await self._label(point, parcel, "stored")
            if parcel.sealed:
                await self._card(point, "С ПЛОМБОЙ", "PLB*SEALED", "mark")
                await self._seal(point, parcel.seal, "bound")
        await self._card(point, "ВЫДАЧА", "PLB*HANDOUT", "mode")
        for parcel in [sealed[0], plain[0], plain[1]]:
            await self._label(point, parcel, "taken")
            if parcel.sealed:
                await self._seal(point, parcel.seal, "seal_ok")
            await self._ok(point)
        await self._label(point, plain[2], "taken")
        await self._card(point, "С ПЛОМБОЙ", "PLB*SEALED", "mark")
        await self._seal(point, "SEAL-NOBODY-KNOWS", "seal_read")
        await self._ok(point)
        self._keep(point, "seal_read")
        self._tell("without_list", count=len(self.parcels))

    async def _evening(self) -> None:
        await self._kill_dock(self.here)
        await self._cut_link(self.here)
        await self._card(self.here, "КОНЕЦ СМЕНЫ", "PLB*CLOSE", "shift_closed")
        self._receipted = [(await point.sync()).receipted_seq for point in self.points]
        self._tell("docked")

    async def _hand_over(self, order: goods.Order, *, stop_before_ok: bool = False) -> None:
        await self._label(self.here, order, "taken")
        if order.sealed:
            await self._seal(self.here, order.seal, "seal_ok")
        if not stop_before_ok:
            await self._ok(self.here)

    async def _dark(self, point: Point, orders: Iterator[goods.Order]) -> list[goods.Order]:
        """The power goes in the middle of a write. Returns the orders that were scanned and not heard."""
        offered: list[goods.Order] = []

        def scan() -> SeenCode:
            offered.append(next(orders))
            self.scans += 1
            return SeenCode("Code128", offered[-1].id.encode())

        heard = await point.cut_power(self._random.randrange(4), self._random.randrange(5), scan)
        self._tell("power_cut")
        return [order for order in offered if order.id.encode() not in heard]

    async def _cut_link(self, point: Point) -> None:
        """Pulls the cable in the middle of a docking; one that was over too soon is tried again earlier."""
        for after in (self._random.randrange(400, 1200), 250, 120, 60):
            if await point.cut_link(after):
                break
        await point.sync()
        self._tell("link_cut")

    async def _kill_dock(self, point: Point) -> None:
        for after in (self._random.randrange(200, 900), 200, 100, 1):
            if await point.kill_dock(after):
                break
        await point.sync()
        self._tell("dock_killed")

    async def _fail_to_read(self, point: Point) -> None:
        """The scan key is pressed and nothing is there that could be read."""
        terminal = point.terminal
        terminal.press("scan")
        await terminal.wait_until(lambda: terminal.engine_reading)
        await terminal.warp(_UNREADABLE_MS)
        await terminal.wait_until(lambda: not terminal.engine_reading)

    async def _label(self, point: Point, order: goods.Order, name: str) -> None:
        from plomba.sim import labels

        await self._scan(point, labels.order_label(order.id, order.cell), name)

    async def _seal(self, point: Point, text: str, name: str) -> None:
        from plomba.sim import labels

        await self._scan(point, labels.seal(text), name)

    async def _tag(self, point: Point, number: str) -> None:
        from plomba.sim import labels

        await self._scan(point, labels.jewellery_tag(number), "item")

    async def _card(self, point: Point, title: str, code: str, name: str) -> None:
        from plomba.sim import labels

        await self._scan(point, labels.command_card(title, code), name)

    async def _scan(self, point: Point, picture: Any, name: str) -> None:
        """Photographs a label until the camera reads it, as a person moves a scanner, and scans it."""
        from plomba.sim import labels
        from plomba.sim.vision import decode

        for attempt in range(20):
            photo = labels.wild(picture, self._seed * 10_000 + self.scans * 20 + attempt)
            seen = decode(photo)
            if seen:
                break
            self.unreadable += 1
        if not self.folder.joinpath("photos", f"{name}.png").exists():
            photo.save(self.folder / "photos" / f"{name}.png")
        self.scans += 1
        await point.terminal.scan(seen[0])
        self._keep(point, name)

    async def _ok(self, point: Point, count: int = 1) -> None:
        terminal = point.terminal
        tones, screens = len(terminal.tones), len(terminal.screens)
        terminal.press("ok")
        await terminal.wait(
            lambda: len(terminal.tones) >= tones + count and len(terminal.screens) >= screens + count, "hand-out"
        )

    def _keep(self, point: Point, name: str) -> None:
        self.screens[name] = point.terminal.screen

    def journal_counts(self) -> dict[str, int]:
        """`records`, `waiting` and `refused` over both ledgers."""
        total: Counter[str] = Counter()
        for point in self.points:
            with Ledger.open(point.ledger_path) as ledger:
                total.update(ledger.counts())
        return dict(total)

    async def facts(self) -> dict[str, Any]:
        """Counted at the end, from the ledgers, the terminals' own word, the desk and what was heard."""
        journals = [point.records() for point in self.points]
        counts = self.journal_counts()
        events = await self.desk.events()
        meant = Counter(tone for event in events if (tone := _tone(event["action"], event["verdict"])) != "none")
        heard = Counter(tone for point in self.points for tone in point.terminal.tones if tone != "alarm")
        return {
            "orders": len(self.made) + len(self.parcels),
            "scans": self.scans,
            "unreadable": self.unreadable,
            "records": counts["records"],
            "verified": sum(map(len, journals)),
            "receipted": sum(self._receipted),
            "forwarded": counts["records"] - counts["waiting"] - counts["refused"],
            "desk_events": len(events),
            "ok_tones": heard["ok"] + heard["release"],
            "lost": (heard - meant).total(),
            "happened": happened(journals, frozenset(order.seal for order in self.made if order.sealed)),
            "link_cuts": sum(point.link_cuts for point in self.points),
            "power_cuts": sum(point.terminal.power_cuts for point in self.points),
            "dock_kills": sum(point.dock_kills for point in self.points),
        }


def _tone(action: str, verdict: str) -> str:
    """The tone a record's verdict sounded."""
    entry = VOCABULARY["verdict"][verdict]
    tone: str = entry.get("on", {}).get(action, {}).get("tone", entry["tone"])
    return tone
