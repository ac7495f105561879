"""`plomba bench`: figures of the system, each with its limit."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from plomba.bench import ingest as ingesting
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

    def tell(name: str, value: object) -> None:
        shown = json.dumps(value) if isinstance(value, dict) else value
        print(f"{name}: {shown}", file=sys.stderr if json_ else sys.stdout, flush=True)

    facts = asyncio.run(measure_link(Options(records, cuts, seed, peers, paced, long), tell))
    if json_:
        print(json.dumps(facts))
    return 0 if all(facts["met"].values()) else 1


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

    def tell(name: str, value: object) -> None:
        shown = json.dumps(value) if isinstance(value, dict) else value
        print(f"{name}: {shown}", file=sys.stderr if json_ else sys.stdout, flush=True)

    facts = ingesting.measure_ingest(ingesting.Options(records, rows), tell)
    if json_:
        print(json.dumps(facts))
    return 0 if all(facts["met"].values()) else 1
