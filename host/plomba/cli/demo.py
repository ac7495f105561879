"""`plomba demo`: a day at two pick-up points, every part of it real but the board and the paper."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plomba.cli import browser
from plomba.cli.day import Day
from plomba.errors import PlombaError, UsageError
from plomba.evidence import make_pack, verify_pack
from plomba.evidence.timeline import render
from plomba.ledger import Ledger
from plomba.sim.interpreter import interpreter_name
from plomba.sim.screen_png import to_png
from plomba.texts import language, say
from plomba_wire.schema import VOCABULARY

_MARK = "plomba-demo"


def demo(
    *,
    seed: Annotated[int, Parameter(help="Which orders, which pictures, where things break.")] = 1,
    out: Annotated[Path, Parameter(help="Folder for what it leaves behind; emptied first.")] = Path("plomba-demo"),
    json_: Annotated[bool, Parameter(name="--json", negative="", help="End with one JSON line.")] = False,
) -> int:
    """A day at two pick-up points with everything that goes wrong, from label pictures to a verified evidence pack.

    Example: plomba demo --seed 3
    """
    _need_extras()
    _clear(out)
    began = time.monotonic()
    facts = asyncio.run(_run(seed, out, quiet=json_))
    facts["seconds"] = round(time.monotonic() - began, 2)
    if json_:
        print(json.dumps(facts, ensure_ascii=False))
    return 0 if facts["lost"] == 0 and facts["records"] == facts["desk_events"] else 1


async def _run(seed: int, out: Path, *, quiet: bool) -> dict[str, Any]:
    def show(text: str) -> None:
        print(text, file=sys.stderr if quiet else sys.stdout, flush=True)

    def tell(key: str, **fields: object) -> None:
        show(say("demo", key, language(), **fields))

    async with Day(seed, out, tell) as day:
        tell("start", interpreter=interpreter_name(), desk=day.desk.url)
        await day.live()
        facts = {"interpreter": interpreter_name()} | await day.facts()
        for number, (name, screen) in enumerate(day.album.screens.items()):
            (out / "screens" / f"{number:02}-{name}.png").write_bytes(to_png(screen))
        pack = out / f"{day.shown.id}.plomba"
        with Ledger.open(day.here.ledger_path) as ledger:
            pack.write_bytes(
                make_pack(
                    ledger,
                    day.organisation.trust.root,
                    day.shown.id,
                    day.organisation.handed_over,
                    day.organisation.revocations,
                )
            )
        root = out / "org" / "root.fingerprint"
        show("\n" + render(verify_pack(pack.read_bytes(), day.organisation.fingerprint), language()) + "\n")
        page = await browser.picture(f"{day.desk.url}/?lang={language()}", out / "desk.png")
        if not quiet:
            _table(await day.desk.orders(), facts["happened"])
        facts |= {"evidence": str(pack), "root": str(root), "screens": str(out / "screens"), "desk_page": str(page)}
        tell("totals", **{name: facts[name] for name in ("scans", "records", "receipted", "desk_events", "lost")})
        newest = facts["by_rules"][max(facts["by_rules"], key=int)]
        tell("pairs", pairs=facts["pairs"], matching=facts["pairs_matching"], new=newest)
        tell("faults", **{name: facts[name] for name in ("link_cuts", "power_cuts", "dock_kills")})
        tell("pictures", screens=facts["screens"], page=page)
        tell("check", pack=pack, root=root)
    return facts


def _table(orders: list[dict[str, Any]], happened: dict[str, int]) -> None:
    lang = language()
    states = Counter((str(order["state"]), str(order["class"])) for order in orders)
    table = Table(title=say("demo", "table", lang))
    for column in ("state", "class", "count"):
        table.add_column(say("demo", f"column_{column}", lang))
    for (state, kind), count in sorted(states.items()):
        names = VOCABULARY["state"][state][lang], VOCABULARY["order_class"][kind.upper()][lang]
        table.add_row(*map(Text, names), Text(str(count)))
    went = Table(title=say("demo", "went_wrong", lang))
    went.add_column(say("demo", "column_what", lang))
    went.add_column(say("demo", "column_count", lang))
    for name, count in sorted(happened.items()):
        went.add_row(Text(say("demo", f"happened_{name}", lang)), Text(str(count)))
    Console().print(table, went)


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
