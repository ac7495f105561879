"""How little heap a terminal needs for a docking at full speed."""

from __future__ import annotations

import asyncio
import shutil

from plomba.bench.station import Station
from plomba.errors import TerminalError
from plomba.sim.virtual_terminal import HEAP, VirtualTerminal

STEP = 4096
_PATIENCE_S = 60.0


async def peak_heap(station: Station) -> int:
    """The smallest heap behind the imports, bytes, with which it starts and all its records come; bisected in steps of
    4 KiB, each time with a copy of the same flash. Raises TerminalError when the heap gate is not enough."""
    too_little, enough = 0, HEAP // STEP + 1
    while enough - too_little > 1:
        steps = (too_little + enough) // 2
        if await _suffices(station, steps * STEP):
            enough = steps
        else:
            too_little = steps
    if enough * STEP > HEAP:
        raise TerminalError("terminal_died", reason=f"{HEAP} bytes of heap are not enough")
    return enough * STEP


async def _suffices(station: Station, heap: int) -> bool:
    copy = station.copy(f"heap-{heap}")
    try:
        async with VirtualTerminal(copy.folder, heap=heap, flash_blocks=copy.flash_blocks) as terminal:
            docking = asyncio.create_task(copy.dock(terminal))
            death = asyncio.create_task(terminal.wait(lambda: False, "end", _PATIENCE_S))
            try:
                await asyncio.wait((docking, death), return_when=asyncio.FIRST_COMPLETED)
                return docking.done() and docking.exception() is None
            finally:
                docking.cancel()
                death.cancel()
                await asyncio.gather(docking, death, return_exceptions=True)
    except TerminalError:
        return False
    finally:
        shutil.rmtree(copy.folder)
