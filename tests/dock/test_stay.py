"""`plomba dock sync --stay`: a line of facts for each record as it is made, until the cable is pulled."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

pytestmark = pytest.mark.anyio


async def test_a_dock_that_stays_tells_of_each_record(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready([plain(f"Y-{number}") for number in range(3)])
    bench.ledger.close()
    arguments = ("dock", "sync", bench.terminal.port, "--org", bench.organisation.folder, "--stay")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plomba", *map(str, arguments), "--ledger", str(tmp_path / "dock.db")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None

    async def told() -> dict[str, object]:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        facts: dict[str, object] = json.loads(line)
        return facts

    first = await told()
    for number in range(3):
        await bench.terminal.scan(label(f"Y-{number}"))
        facts = await told()
        assert facts["records"] == 1 and facts["waiting"] == int(str(first["waiting"])) + number + 1
    bench.terminal.relay.unplug()
    assert await asyncio.wait_for(process.wait(), 30) == 3
    assert b"[link_lost]" in await process.stderr.read()
