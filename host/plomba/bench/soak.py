"""A hundred thousand scans in one process: what the terminal holds has to stay the same."""

from __future__ import annotations

from itertools import islice
from statistics import linear_regression, median
from typing import Any

from plomba.bench import counter
from plomba.bench.station import Station
from plomba.bench.stopwatch import Stopwatch
from plomba.desk.orders import Order

SCANS = 100_000
_SAMPLE = 1000
"""Scans between two looks at the heap."""
_RECEIPT = 400
"""Scans between two receipts: the ring has to turn around."""


async def soak(
    station: Station, listed: list[Order], seed: int, scans: int = SCANS, sample: int = _SAMPLE, receipt: int = _RECEIPT
) -> dict[str, Any]:
    """`held` is bytes in use with the garbage gone, every `sample` scans; `growth_bytes` the median of the last quarter
    over that of the third; `slope_bytes` per 1,000 scans over the last half. A receipt comes every `receipt` scans.

    Raises TerminalError.
    """
    held: list[int] = []
    records = 0
    async with Stopwatch(station) as terminal:
        await terminal.ask("stand_in")
        for number, given in enumerate(islice(counter.days(listed, seed), scans), 1):
            records += (await terminal.do(given))["records"]
            if number % receipt == 0:
                await terminal.receipt()
            if number % sample == 0:
                held.append((await terminal.ask("memory"))["held"])
    half, quarter = len(held) // 2, len(held) // 4
    slope = linear_regression(range(len(held) - half), held[half:]).slope
    return {
        "scans": scans,
        "records": records,
        "signatures": "a stand-in of constant time",
        "held_bytes": {"first": held[0], "largest": max(held), "last": held[-1]},
        "growth_bytes": round(median(held[-quarter:]) - median(held[half : len(held) - quarter])),
        "slope_bytes": round(slope * 1000 / sample, 1),
    }
