"""`plomba demo`: a pick-up point in a minute, every part of it real but the board and the paper."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plomba.cli import browser, goods
from plomba.cli.pickup_point import PLACE, PickupPoint
from plomba.errors import PlombaError, UsageError
from plomba.evidence import make_pack, verify_pack
from plomba.evidence.timeline import render
from plomba.texts import language, say
from plomba_wire.schema import VOCABULARY

_ORDERS = 10
_SEALED = 2
_MARK = "plomba-demo"


def demo(
    *,
    seed: Annotated[int, Parameter(help="Which orders, which pictures.")] = 1,
    out: Annotated[Path, Parameter(help="Folder for what it leaves behind; emptied first.")] = Path("plomba-demo"),
    json_: Annotated[bool, Parameter(name="--json", negative="", help="End with one JSON line.")] = False,
) -> int:
    """A pick-up point in a minute: ten orders, two of them jewellery, from label pictures to a verified evidence pack.

    Example: plomba demo --seed 3
    """
    _need_extras()
    _clear(out)
    began = time.monotonic()
    story = Story(seed, out, quiet=json_)
    facts = asyncio.run(story.run())
    facts["seconds"] = round(time.monotonic() - began, 2)
    if json_:
        print(json.dumps(facts, ensure_ascii=False))
    return 0 if facts["lost"] == 0 and facts["records"] == facts["desk_events"] else 1


@dataclass
class Story:
    """What happens, and what is counted meanwhile."""

    seed: int
    out: Path
    quiet: bool
    scans: int = 0
    unreadable: int = 0
    screens: dict[str, bytes] = field(default_factory=dict)

    async def run(self) -> dict[str, Any]:
        """Returns the facts of `--json`."""
        from plomba.sim.virtual_terminal import interpreter_name

        made = goods.orders(self.seed, _ORDERS, _SEALED)
        (self.out / "orders.csv").write_text(goods.order_file(made, PLACE), encoding="utf-8")
        async with PickupPoint(self.out) as point:
            self._say("start", interpreter=interpreter_name(), desk=point.desk_url)
            self.screens["enrol"] = await point.enrol("counter 1")
            self._say("enrolled", fingerprint=point.organisation.fingerprint[:16])
            await point.desk.import_orders((self.out / "orders.csv").read_bytes(), "text/csv")
            await point.sync()
            await point.terminal.engine_ready()
            self._say("pushed", orders=len(made))
            await self._intake(point, made)
            delivered = await self._hand_out(point, made)
            report = await point.sync()
            self._say("docked")
            facts = await self._facts(point, interpreter_name(), report.receipted_seq)
            facts["evidence"] = str(self._evidence(point, delivered))
            facts["desk_page"] = str(
                await browser.picture(f"{point.desk_url}/?lang={language()}", self.out / "desk.png")
            )
            self._table(await point.desk.orders())
            self._totals(facts)
            return facts

    async def _intake(self, point: PickupPoint, made: list[goods.Order]) -> None:
        from plomba.sim import labels

        await self._scan(point, labels.command_card("ПРИЁМКА", "PLB*STORE"), "mode")
        for order in made:
            await self._scan(point, labels.order_label(order.id, order.cell), "stored")
            self._say("stored", order=order.id, cell=order.cell)

    async def _hand_out(self, point: PickupPoint, made: list[goods.Order]) -> goods.Order:
        """Two plain orders and one piece of jewellery leave; returns the jewellery."""
        from plomba.sim import labels

        plain = [order for order in made if not order.sealed]
        jewel, other = (order for order in made if order.sealed)
        terminal = point.terminal
        await self._scan(point, labels.command_card("ВЫДАЧА", "PLB*HANDOUT"), "mode")
        for order in plain[:2]:
            await self._scan(point, labels.order_label(order.id, order.cell), "confirm")
            await terminal.confirm()
            self._say("handed_out", order=order.id)
        await self._scan(point, labels.order_label(jewel.id, jewel.cell), "need_seal")
        self._say("need_seal", order=jewel.id)
        await terminal.confirm()
        self._keep(point, "refused")
        self._say("refused")
        await self._scan(point, labels.seal(other.seal), "wrong_seal")
        self._say("wrong_seal")
        await self._scan(point, labels.jewellery_tag(jewel.uin), "item")
        await self._scan(point, labels.seal(jewel.seal), "seal_ok")
        self._say("seal_ok")
        await terminal.confirm()
        self._keep(point, "handed_out")
        self._say("handed_out", order=jewel.id)
        await self._scan(point, labels.order_label("99999999-0000-X", "?"), "unknown")
        self._say("unknown")
        return jewel

    async def _scan(self, point: PickupPoint, picture: Any, name: str) -> None:
        """Photographs a label until the camera reads it, as a person moves a scanner, and scans it."""
        from plomba.sim import labels
        from plomba.sim.vision import decode

        for attempt in range(20):
            photo = labels.wild(picture, self.seed * 1000 + self.scans * 20 + attempt)
            if decode(photo):
                break
            self.unreadable += 1
        photo.save(self.out / "photos" / f"{self.scans:02}-{name}.png")
        self.scans += 1
        await point.terminal.scan(photo)
        self._keep(point, name)

    def _keep(self, point: PickupPoint, name: str) -> None:
        self.screens[name] = point.terminal.screen

    async def _facts(self, point: PickupPoint, interpreter: str, receipted: int) -> dict[str, Any]:
        from plomba.sim.screen_png import to_png

        for number, (name, screen) in enumerate(self.screens.items()):
            (self.out / "screens" / f"{number:02}-{name}.png").write_bytes(to_png(screen))
        counts = point.ledger.counts()
        events = await point.desk.events()
        heard = Counter(point.terminal.tones)
        meant = Counter(tone for event in events if (tone := _tone(event["action"], event["verdict"])) != "none")
        return {
            "interpreter": interpreter,
            "orders": len(await point.desk.orders()),
            "scans": self.scans,
            "unreadable": self.unreadable,
            "records": counts["records"],
            "verified": counts["records"],
            "receipted": receipted,
            "forwarded": counts["records"] - counts["waiting"] - counts["refused"],
            "desk_events": len(events),
            "ok_tones": heard["ok"] + heard["release"],
            "lost": (heard - meant).total(),
            "root": str(self.out / "org" / "root.fingerprint"),
            "screens": str(self.out / "screens"),
        }

    def _evidence(self, point: PickupPoint, order: goods.Order) -> Path:
        path = self.out / f"{order.id}.plomba"
        path.write_bytes(make_pack(point.ledger, point.organisation.trust.root, order.id))
        evidence = verify_pack(path.read_bytes(), point.organisation.fingerprint)
        self._print("\n" + render(evidence, language()))
        self._say("check", pack=path, root=self.out / "org" / "root.fingerprint")
        return path

    def _table(self, orders: list[dict[str, Any]]) -> None:
        if self.quiet:
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=say("demo", "table", language()))
        for column in ("order", "class", "state", "holder"):
            table.add_column(say("demo", f"column_{column}", language()))
        for order in orders:
            table.add_row(*(Text(str(order.get(name, ""))) for name in ("order", "class", "state", "holder")))
        Console().print(table)

    def _totals(self, facts: dict[str, Any]) -> None:
        self._say("totals", **{name: facts[name] for name in ("scans", "records", "receipted", "desk_events", "lost")})
        self._say("pictures", screens=facts["screens"], page=facts["desk_page"])

    def _say(self, key: str, **fields: object) -> None:
        self._print(say("demo", key, language(), **fields))

    def _print(self, text: str) -> None:
        print(text, file=sys.stderr if self.quiet else sys.stdout, flush=True)


def _tone(action: str, verdict: str) -> str:
    """The tone a record's verdict sounded."""
    entry = VOCABULARY["verdict"][verdict]
    tone: str = entry.get("on", {}).get(action, {}).get("tone", entry["tone"])
    return tone


def _need_extras() -> None:
    """Raises PlombaError `extra_missing` before anything is half done."""
    for package in ("PIL", "zxingcpp", "starlette", "uvicorn", "jinja2"):
        if importlib.util.find_spec(package) is None:
            raise PlombaError("extra_missing", package=package, extra="demo")


def _clear(out: Path) -> None:
    """Empties a folder of an earlier run; any other folder with content is left alone. Raises UsageError."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise UsageError("folder_taken", path=out)
    shutil.rmtree(out, ignore_errors=True)
    (out / "photos").mkdir(parents=True)
    (out / "screens").mkdir()
    (out / _MARK).write_text("made by `plomba demo`; emptied by its next run\n", encoding="utf-8")
