"""kill -9 of the dock at any moment, and a new start ends in the same state: nothing lost, nothing twice."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from random import Random

import pytest
from workbench import label, plain

from plomba.testing import Point
from plomba.trust.organisation import Organisation

pytestmark = pytest.mark.anyio

_ORDERS = 12


async def _killed(folder: Path, seed: int, times: int) -> None:
    rng = Random(seed)
    organisation = Organisation.create(folder / "org", now=int(time.time()))
    async with Point(folder / "point", organisation, place=7, engine_pace=20.0) as point:
        await point.enrol("x")
        await point.push_rules()
        await point.push_orders([plain(f"K-{number}") for number in range(_ORDERS)], version=1)
        await point.open_shift(1)
        for number in range(_ORDERS):
            await point.terminal.scan(label(f"K-{number}"))
        killed = 0
        for _ in range(times):
            killed += await point.kill_dock(rng.randrange(1, 800))
            _consistent(point.ledger_path)
        report = await point.sync()
        records = point.records()
        assert [record.head.seq for record in records] == list(range(1, len(records) + 1))
        assert report.receipted_seq == len(records)
        stored = [record.parts.get(4) for record in records if record.head.action == 0x24]
        assert stored == [f"K-{number}".encode() for number in range(_ORDERS)]
        assert killed >= times // 3


def _consistent(path: Path) -> None:
    """No receipt for what is not there, an outbox row for every record, the log as long as the records."""
    with sqlite3.connect(path) as db:
        records, newest = db.execute("SELECT count(*), coalesce(max(seq), 0) FROM record").fetchone()
        assert records == newest
        assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] == records
        assert db.execute("SELECT size FROM log").fetchone()[0] == records
        assert db.execute("SELECT coalesce(max(up_to), 0) FROM receipt").fetchone()[0] <= newest
    db.close()


async def test_trap_12_a_dock_killed_five_times(tmp_path: Path) -> None:
    await _killed(tmp_path, seed=3, times=5)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_trap_12_a_dock_killed_fifty_times(tmp_path: Path) -> None:
    await _killed(tmp_path, seed=4, times=50)
