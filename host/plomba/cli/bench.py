"""`plomba bench`: figures of the system, each with its limit."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from plomba.bench import desk as keeping
from plomba.bench import ingest as ingesting
from plomba.bench import terminal as scanning
from plomba.bench.facts import Tell
from plomba.bench.link import RECORDS, Options, measure_link


def link(
    *,
    records: Annotated[int, Parameter(validator=Number(gte=50, lte=60_000), help="Records to pull.")] = RECORDS,
    cuts: Annotated[int, Parameter(validator=Number(gte=1), help="How often the cable is cut.")] = 25,
    seed: Annotated[int, Parameter(help="Which records, which frames get lost, where the cable is cut.")] = 1,
    peers: Annotated[bool, Parameter(negative="--without-peers", help="Compare with ZMODEM and mpremote.")] = True,
    paced: Annotated[bool, Parameter(help="Run one docking in real time at 921,600 baud.")] = True,
    long: Annotated[bool, Parameter(negative="", help="Drop every byte of the recorded stream, not a share.")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="End with one JSON line.")] = False,
) -> int:
    """Measure the link: the real firmware under real MicroPython, docked over a relay that counts, loses and cuts.

    Exit 1 when a limit is missed. docs/bench.md says what each figure is.

    Example: plomba bench link --json
    """
    facts = asyncio.run(measure_link(Options(records, cuts, seed, peers, paced, long), _teller(json_)))
    return _close(facts, json_)


def ingest(
    *,
    records: Annotated[int, Parameter(validator=Number(gte=1000), help="Records to ingest.")] = ingesting.RECORDS,
    rows: Annotated[int, Parameter(validator=Number(gte=10_000), help="Rows in the large ledger.")] = ingesting.ROWS,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="End with one JSON line.")] = False,
) -> int:
    """Measure the way from frames to committed rows, with every signature and by head, against bare verification.

    Exit 1 when a limit is missed. docs/bench.md says what each figure is.

    Example: plomba bench ingest --json
    """
    facts = ingesting.measure_ingest(ingesting.Options(records, rows), _teller(json_))
    return _close(facts, json_)


def terminal(
    *,
    orders: Annotated[int, Parameter(validator=Number(gte=200, lte=12_000), help="Orders on its list.")] = (
        scanning.ORDERS
    ),
    codes: Annotated[int, Parameter(validator=Number(gte=2, lte=24_000), help="Seals and item numbers on it.")] = (
        scanning.CODES
    ),
    scans: Annotated[int, Parameter(validator=Number(gte=100), help="Scans to measure.")] = scanning.SCANS,
    seed: Annotated[int, Parameter(help="Which orders and codes, and what is scanned.")] = 1,
    long: Annotated[bool, Parameter(negative="", help="Add a full journal and a soak of 100,000 scans.")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="End with one JSON line.")] = False,
) -> int:
    """Measure a terminal with a long list: the real firmware under real MicroPython, behind the heap gate.

    Exit 1 when a limit is missed. docs/bench.md says what each figure is.

    Example: plomba bench terminal --json
    """
    options = scanning.Options(orders, codes, scans, seed, long)
    return _close(asyncio.run(scanning.measure_terminal(options, _teller(json_))), json_)


def desk(
    *,
    orders: Annotated[int, Parameter(validator=Number(gte=100), help="Orders of the day.")] = keeping.ORDERS,
    rows: Annotated[int, Parameter(validator=Number(gte=1000), help="Orders in the large book.")] = keeping.ROWS,
    seed: Annotated[int, Parameter(help="Which orders, what happens to them, what comes late.")] = 1,
    stores: Annotated[
        tuple[Literal["sqlite", "postgresql"], ...], Parameter(consume_multiple=True, help="What to measure.")
    ] = ("sqlite", "postgresql"),
    postgresql: Annotated[
        str | None, Parameter(help="URL of a server to make databases on, instead of one of its own.")
    ] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="End with one JSON line.")] = False,
) -> int:
    """Measure the order book: a day of an organisation with all rules on, against plain inserts of the same rows.

    Exit 1 when a limit is missed. docs/bench.md says what each figure is.

    Example: plomba bench desk --json
    """
    options = keeping.Options(orders, rows, seed, stores, postgresql)
    return _close(keeping.measure_desk(options, _teller(json_)), json_)


def _teller(quiet: bool) -> Tell:
    """Shows each figure as it comes; on stderr where stdout is for the JSON line."""

    def tell(name: str, value: object) -> None:
        shown = json.dumps(value) if isinstance(value, dict) else value
        print(f"{name}: {shown}", file=sys.stderr if quiet else sys.stdout, flush=True)

    return tell


def _close(facts: dict[str, Any], json_: bool) -> int:
    if json_:
        print(json.dumps(facts))
    return 0 if all(facts["met"].values()) else 1
