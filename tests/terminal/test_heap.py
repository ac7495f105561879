"""The heap gate: what is allocated after the imports has to fit what 128 Ki words give."""

from __future__ import annotations

from pathlib import Path

import pytest
from workbench import Workbench

from plomba.bench import counter, staff
from plomba.bench.heap import suffices
from plomba.bench.seals import give_longest_list
from plomba.bench.station import PLACE, Station, set_up
from plomba.bench.terminal import fill
from plomba.sim.interpreter import HEAP
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire.schema import STAFF_MAX
from plomba_wire.vocabulary import ObjectKind

pytestmark = pytest.mark.anyio

RECORDS = 1900
"""In 2048 pages."""


async def test_the_firmware_gets_no_more_than_the_gate(bench: Workbench) -> None:
    assert 0.95 * HEAP < bench.terminal.free_heap <= HEAP
    assert bench.terminal.code_heap > 0


async def test_the_longest_of_everything_leaves_a_quarter_of_the_heap(tmp_path: Path) -> None:
    """The longest lists of staff and of seals, rules in force and rules that wait, news in both, a full journal: the
    terminal starts with all of it, docks, takes each of them anew, and starts again."""
    listed = counter.orders(600, 1200, PLACE, 1)
    station, _ = await set_up(tmp_path, "terminal", listed, rules=staff.pack(staff.IN_FORCE))
    await staff.give_staff(station, STAFF_MAX)
    printed = await give_longest_list(station)
    await fill(station, listed, 1, RECORDS)

    async def work(station: Station, terminal: VirtualTerminal) -> None:
        await station.dock(terminal)
        await station.push(terminal, ObjectKind.STAFF, 2, staff.body(station, STAFF_MAX))
        await station.push(terminal, ObjectKind.SEALS, 2, printed.body)
        await station.push(terminal, ObjectKind.RULES, staff.WAITING + 1, staff.pack(staff.WAITING + 1).body)
        await station.push(terminal, ObjectKind.MANIFEST, 2, station.listed(listed))
        await terminal.restart()
        await station.dock(terminal)

    assert await suffices(station, HEAP * 3 // 4, work)
