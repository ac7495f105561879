from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workbench import Workbench


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    async with Workbench(tmp_path) as bench:
        yield bench
        assert bench.terminal.output == ""
