"""Whether something got done before the power went."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest
from workbench import Workbench

TORN = [pytest.param(torn, marks=() if torn == 2 else pytest.mark.long) for torn in range(5)]
"""Ways in which a cut leaves an operation; `python3 tools sweep power` has all of them for the parts by themselves."""


async def done_before_dark(bench: Workbench, act: Coroutine[object, object, object]) -> bool:
    """False when a cut struck first: nobody waits until the link has noticed. Raises what `act` raises."""
    task = asyncio.create_task(act)
    await bench.terminal.wait_until(lambda: task.done() or bench.terminal.powered_down)
    if bench.terminal.powered_down and not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    await task
    return True
