"""How little heap a terminal needs for what it has to do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable

from plomba.bench.station import Station
from plomba.errors import TerminalError
from plomba.sim.interpreter import HEAP
from plomba.sim.virtual_terminal import VirtualTerminal

STEP = 4096
_PATIENCE_S = 60.0
_PACE = 20.0

Work = Callable[[Station, VirtualTerminal], Awaitable[object]]
"""What a terminal that was just switched on has to get through; it raises when the terminal did not."""


def docking(station: Station, terminal: VirtualTerminal) -> Awaitable[object]:
    """One docking at full speed."""
    return station.dock(terminal)


async def peak_heap(station: Station, work: Work = docking) -> int:
    """The smallest heap behind the imports, bytes, with which it starts and does its work; bisected in steps of
    4 KiB, each time with a copy of the same flash. Raises TerminalError when the heap gate is not enough."""
    too_little, enough = 0, HEAP // STEP + 1
    while enough - too_little > 1:
        steps = (too_little + enough) // 2
        if await suffices(station, steps * STEP, work):
            enough = steps
        else:
            too_little = steps
    if enough * STEP > HEAP:
        raise TerminalError("terminal_died", reason=f"{HEAP} bytes of heap are not enough")
    return enough * STEP


async def suffices(station: Station, heap: int, work: Work = docking) -> bool:
    """Whether it gets through its work with so many bytes behind the imports."""
    copy = station.copy(f"heap-{heap}")
    try:
        async with VirtualTerminal(
            copy.folder, heap=heap, flash_blocks=copy.flash_blocks, engine_pace=_PACE
        ) as terminal:
            working = asyncio.ensure_future(work(copy, terminal))
            death = asyncio.create_task(terminal.wait(lambda: False, "end", _PATIENCE_S))
            try:
                await asyncio.wait((working, death), return_when=asyncio.FIRST_COMPLETED)
                return working.done() and working.exception() is None
            finally:
                working.cancel()
                death.cancel()
                await asyncio.gather(working, death, return_exceptions=True)
    except TerminalError:
        return False
    finally:
        shutil.rmtree(copy.folder)
