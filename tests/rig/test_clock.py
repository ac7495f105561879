"""An hour of the terminal's time passes in a moment, every timer on the way in its order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_warp_moves_the_terminals_clock_and_not_the_wall(tmp_path: Path) -> None:
    async with Workbench(tmp_path) as bench:
        await bench.ready([plain("C-1"), plain("C-2")])
        await bench.terminal.scan(label("C-1"))
        began = time.monotonic()
        await bench.terminal.warp(3_600_000)
        assert time.monotonic() - began < 10
        await bench.terminal.scan(label("C-2"))
        await bench.sync()
        first, second = (r.head for r in bench.records() if r.parts.get(4))
        assert 3_600_000 <= second.t_mono_ms - first.t_mono_ms < 3_660_000
        assert 3600 <= second.t_utc - first.t_utc < 3660
