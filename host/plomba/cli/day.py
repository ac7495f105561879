"""A day at two pick-up points, with everything that goes wrong: the story that `plomba demo` tells."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from plomba.cli import custody, goods, office
from plomba.cli.happened import happened
from plomba.cli.person import Album, Person
from plomba.cli.visits import Visits
from plomba.evidence.pairs import pairs
from plomba.forward import Desk
from plomba.ledger import Ledger
from plomba.sim.gm65 import SeenCode
from plomba.testing.point import DeskProcess, Point
from plomba.trust.organisation import Organisation
from plomba.trust.records import VerifiedRecord
from plomba_wire.schema import VOCABULARY

HERE = 7
"""The point with a list of its orders."""
THERE = 8
"""The point beside a marketplace's own app: no list."""
VEHICLE = 701
"""The courier's: what was scanned into it is all that its terminal knows."""
_HERE_ORDERS, _HERE_SEALED = 35, 10
_BROUGHT_ORDERS, _BROUGHT_SEALED = 2, 1
_THERE_PARCELS, _THERE_SEALED = 8, 2
_ENGINE_PACE = 20.0


class Day:
    """`tell(key, **fields)` is called as things happen. Use it as an async context manager, then `live`."""

    def __init__(self, seed: int, folder: Path, tell: Callable[..., None]) -> None:
        self.folder = folder
        self.made = goods.orders(seed, _HERE_ORDERS, _HERE_SEALED)
        self.brought = [
            replace(order, state="STAGED") for order in goods.orders(seed + 2_000_000, _BROUGHT_ORDERS, _BROUGHT_SEALED)
        ]
        self.parcels = goods.orders(seed + 1_000_000, _THERE_PARCELS, _THERE_SEALED)
        self.album = Album(seed, folder / "photos")
        self.shown: goods.Order
        self._receipted: list[int] = []
        self._random = Random(seed)
        self._tell = tell
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Day:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        now = int(time.time())
        org = self.folder / "org"
        Organisation.create(org, now=now)
        own_seal = office.own_seal(Organisation.load(org), org, now)
        self.organisation = Organisation.load(org)
        self._seal_text, self._forged = own_seal[1:]
        self._own, self._typed = self._sealed_otherwise(own_seal[0])
        listed, self._pins = office.staff_list(self._random)
        (self.folder / "desk").mkdir()
        (self.folder / "desk" / "staff.toml").write_text(listed, encoding="utf-8")
        self._process = await self._stack.enter_async_context(DeskProcess(self.folder / "desk", org))
        self.desk = await self._stack.enter_async_context(Desk(self._process.url))
        self.here, self.there, self.vehicle = [
            await self._stack.enter_async_context(self._point(name, place))
            for name, place in (("point-7", HERE), ("point-8", THERE), ("vehicle", VEHICLE))
        ]
        self._clerk = Person(self.here, self.album)
        self._second = Person(self.there, self.album)
        self._courier = Person(self.vehicle, self.album)
        self._visits = Visits(self._clerk, self._pins, self._tell)

    def _sealed_otherwise(self, own: str) -> tuple[goods.Order, goods.Order]:
        """One order gets a seal of our own, and one a numbered plastic seal: the last two sealed ones."""
        first, second = [index for index, order in enumerate(self.made) if order.sealed][-2:]
        self.made[first] = replace(self.made[first], seal=own)
        self.made[second] = replace(self.made[second], seal=f"{self._random.randrange(10**6):06}")
        return self.made[first], self.made[second]

    def _point(self, name: str, place: int) -> Point:
        url = self._process.url
        return Point(
            self.folder / name,
            self.organisation,
            place=place,
            desk_url=url,
            lists=place == HERE,
            engine_pace=_ENGINE_PACE,
        )

    @property
    def points(self) -> tuple[Point, ...]:
        return self.here, self.there, self.vehicle

    async def live(self) -> None:
        """From the first key to the last docking."""
        await self._morning()
        await self._delivery()
        await self._intake()
        await self._before_noon()
        await self._noon()
        await self._beside_an_app()
        await self._evening()

    async def _morning(self) -> None:
        for point, label in ((self.here, "counter 7"), (self.there, "counter 8"), (self.vehicle, "vehicle 701")):
            self.album.screens.setdefault("enrol", await point.enrol(label))
        self._tell("enrolled", fingerprint=self.organisation.fingerprint[:16])
        order_file = goods.order_file([*self.made, *self.brought, goods.FORGOTTEN], HERE)
        (self.folder / "orders.csv").write_text(order_file, encoding="utf-8")
        await self.desk.import_orders(order_file.encode(), "text/csv")
        for point in self.points:
            await point.sync()
            await point.terminal.engine_ready()
        self._tell("pushed", orders=len(self.made) + len(self.brought))
        await self._clerk.badge(office.STRANGER, "badge_unknown")
        await self._clerk.badge(office.FORMER, "badge_revoked")
        self._tell("badges")
        await self._clerk.badge(office.CLERK, "shift", self._pins[office.CLERK])
        self._tell("shift")

    async def _delivery(self) -> None:
        await custody.taken_at_the_warehouse(self._courier, self.brought)
        await custody.given_to_the_point(self._courier, self._clerk, self.brought, self._tell)

    async def _intake(self) -> None:
        clerk = self._clerk
        await clerk.card("ПРИЁМКА", "STORE", "mode")
        waiting = iter([*self.made, *self.brought])
        first = next(waiting)
        await clerk.label(first, "stored")
        await clerk.terminal.warp(2000)
        await clerk.label(first, "double")
        self._tell("double", order=first.id)
        await clerk.label(goods.STRANGER, "unknown")
        self._tell("unknown")
        unheard = await self._dark(self.here, waiting)
        # The clerk heard no beep, so she scans again.
        for order in [*unheard, *waiting]:
            await clerk.label(order, "stored")
        self._tell("stored", count=len(self.made) + len(self.brought))
        await self._cut_link(self.here)

    async def _before_noon(self) -> None:
        visits = self._visits
        self._sealed = iter([order for order in self.made if order.sealed and order not in (self._own, self._typed)])
        self._plain = iter([order for order in self.made if not order.sealed])
        await visits.first([next(self._plain), next(self._plain)], self._random)
        self.shown = jewel = next(self._sealed)
        back = next(self._sealed)
        await visits.hurried(jewel, back)
        await visits.came_back(back)
        await visits.used(next(self._sealed), jewel)
        await visits.forged(self._own, self._seal_text, self._forged)
        await visits.held(next(self._sealed))
        await visits.decided(next(self._sealed))
        await visits.typed(self._typed)
        await visits.forgotten(next(self._sealed))
        await visits.undone(next(self._plain))

    async def _noon(self) -> None:
        """The desk gives out another rule pack, and the clerk docks once at noon."""
        (self.folder / "desk" / "rules.toml").write_text(office.new_rule(), encoding="utf-8")
        await self._process.restart()
        terminal = self.here.terminal
        tones = len(terminal.tones)
        await self.here.sync()
        await terminal.wait(lambda: len(terminal.tones) > tones, "new rule")
        self._clerk.keep("new_rule")
        self._tell("new_rule")
        await self._visits.under_the_new_rule(next(self._sealed))
        rest = list(self._plain)
        await self._dark(self.here, iter(rest[:6]))
        quiet = [*rest[6:12], next(self._sealed), *[order for order in self.brought if order.sealed]]
        await self._visits.quiet(quiet)

    async def _beside_an_app(self) -> None:
        clerk = self._second
        await clerk.badge(office.SECOND_CLERK, "shift")
        await clerk.card("ПРИЁМКА", "STORE", "mode")
        sealed = [parcel for parcel in self.parcels if parcel.sealed]
        plain = [parcel for parcel in self.parcels if not parcel.sealed]
        for parcel in [*sealed, *plain]:
            await clerk.label(parcel, "stored")
            if parcel.sealed:
                await clerk.card("С ПЛОМБОЙ", "SEALED", "mark")
                await clerk.seal(parcel.seal, "bound")
        await clerk.card("ВЫДАЧА", "HANDOUT", "mode")
        for parcel in [sealed[0], plain[0], plain[1]]:
            await clerk.hand_over(parcel)
        await clerk.label(plain[2], "taken")
        await clerk.card("С ПЛОМБОЙ", "SEALED", "mark")
        await clerk.seal("SEAL-NOBODY-KNOWS", "seal_read")
        await clerk.ok()
        self._tell("without_list", count=len(self.parcels))

    async def _evening(self) -> None:
        await self._kill_dock(self.here)
        await self._cut_link(self.here)
        for person in (self._courier, self._second, self._clerk):
            await person.card("КОНЕЦ СМЕНЫ", "CLOSE", "shift_closed")
        self._receipted = [(await point.sync()).receipted_seq for point in self.points]
        self._tell("docked")

    async def _dark(self, point: Point, orders: Iterator[goods.Order]) -> list[goods.Order]:
        """The power goes in the middle of a write. Returns the orders that were scanned and not heard."""
        offered: list[goods.Order] = []

        def scan() -> SeenCode:
            offered.append(next(orders))
            self.album.scans += 1
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

    def journal_counts(self) -> dict[str, int]:
        """`records`, `waiting` and `refused` over all ledgers."""
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
        handed_over = pairs(journals)
        orders = [*self.made, *self.brought]
        return {
            "orders": len(orders) + len(self.parcels),
            "scans": self.album.scans,
            "unreadable": self.album.unreadable,
            "records": counts["records"],
            "verified": sum(map(len, journals)),
            "receipted": sum(self._receipted),
            "forwarded": counts["records"] - counts["waiting"] - counts["refused"],
            "desk_events": len(events),
            "ok_tones": heard["ok"] + heard["release"],
            "lost": (heard - meant).total(),
            "happened": happened(journals, frozenset(order.seal for order in orders if order.sealed)),
            "by_rules": _by_rules(journals),
            "pairs": handed_over.given,
            "pairs_matching": handed_over.matching,
            "link_cuts": sum(point.link_cuts for point in self.points),
            "power_cuts": sum(point.terminal.power_cuts for point in self.points),
            "dock_kills": sum(point.dock_kills for point in self.points),
        }


def _by_rules(journals: Sequence[Sequence[VerifiedRecord]]) -> dict[str, int]:
    """Number of a rule pack -> how many records were made under it; "0" before the first one came."""
    found = Counter(record.head.rules for journal in journals for record in journal)
    return {str(number): found[number] for number in sorted(found)}


def _tone(action: str, verdict: str) -> str:
    """The tone a record's verdict sounded."""
    entry = VOCABULARY["verdict"][verdict]
    tone: str = entry.get("on", {}).get(action, {}).get("tone", entry["tone"])
    return tone
