"""Ten scans as fast as their tones come, through the whole rig: key, engine, UART, firmware, flash, tone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from plomba.bench.heap import Work
from plomba.bench.station import Station
from plomba.desk.orders import Order
from plomba.errors import TerminalError
from plomba.ledger import Ledger
from plomba.sim.gm65 import SeenCode
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire import tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import ObjectKind, Tlv, Verdict

SCANS = 10


async def burst(station: Station, terminal: VirtualTerminal, orders: Sequence[Order]) -> dict[str, Any]:
    """Labels of orders that nobody stored yet, each in front of the engine when the tone of the one before was heard.

    `seconds` from the first key to the last tone; `lost` scans are those without a record of their code in its place.
    """
    await terminal.engine_ready()
    began = time.perf_counter()
    for order in orders:
        await terminal.scan(SeenCode("Code128", order.id.encode()))
    seconds = time.perf_counter() - began
    ledger = station.fresh_ledger()
    await station.dock(terminal, ledger=ledger)
    expected = [(order.id.encode(), Verdict.OK) for order in orders]
    with Ledger.open(ledger) as store:
        found = [
            (parts.get(Tlv.CODE), RecordHead.read(row.body, 0).verdict)
            for row in store.all_records()
            if Tlv.CODE in (parts := tlv.unpack(row.body, RecordHead.SIZE))
        ][-len(orders) :]
    lost = sum(expected != there for expected, there in zip(expected, found, strict=True))
    return {"scans": len(orders), "lost": lost, "seconds": round(seconds, 2)}


def through_a_day(listed: Sequence[Order], fresh: Sequence[Order]) -> Work:
    """The heap's hardest day: records to dock, a new list over the link, a start with all of it, a burst."""

    async def work(station: Station, terminal: VirtualTerminal) -> None:
        await station.dock(terminal)
        await station.push(terminal, ObjectKind.MANIFEST, 2, station.listed(listed))
        await terminal.restart()
        found = await burst(station, terminal, fresh)
        if found["lost"]:
            raise TerminalError("terminal_died", reason=f"{found['lost']} scans lost")

    return work
