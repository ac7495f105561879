"""Dockings over a bad cable: frames that get lost, and a plug that is pulled."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from plomba.bench.station import Docked, Station
from plomba.errors import TerminalError
from plomba.sim.relay import Fault
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire.dock_end import FEATURES


async def lossy(
    station: Station, terminal: VirtualTerminal, chance: float, seed: int, features: int = FEATURES
) -> Docked:
    """A docking in which each frame, whatever it is and in both directions, is lost with this chance."""
    ways = (terminal.relay.up, terminal.relay.down)
    for index, way in enumerate(ways):
        way.lose(chance, Random(seed + index))
    try:
        return await station.dock(terminal, features=features)
    finally:
        for way in ways:
            way.lose(0.0, Random())


async def resume_overheads(
    station: Station, terminal: VirtualTerminal, whole: Docked, cuts: int, seed: int
) -> list[int]:
    """What `cuts` pulled plugs cost, each one in a docking of its own: the bytes both ways until all records were
    there, without those of the `whole` docking. The plug is pulled in each of so many equal parts of it."""
    random = Random(seed)
    up, down = terminal.relay.up, terminal.relay.down
    overheads = []
    for index in range(cuts):
        after = int(whole.up * (index + random.random()) / cuts)
        ledger = station.fresh_ledger()
        before, cuts_before = up.carried + down.carried, terminal.relay.cuts
        up.script(Fault("cut", up.bytes + after))
        with suppress(TerminalError):
            await station.dock(terminal, ledger=ledger)
        assert terminal.relay.cuts == cuts_before + 1
        terminal.relay.plug()
        again = await station.dock(terminal, ledger=ledger)
        assert again.record_bytes == whole.record_bytes
        overheads.append(up.carried + down.carried - before - whole.wire)
    return overheads
