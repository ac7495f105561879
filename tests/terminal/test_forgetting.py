"""What a terminal keeps of parcels in its heap ends with their records in its journal, or the heap would."""

from __future__ import annotations

from pathlib import Path

import pytest
from workbench import BADGE, HANDOUT, Workbench, label, plain

from plomba.bench.station import set_up
from plomba.bench.stopwatch import Stopwatch
from plomba.sim.virtual_terminal import FLASH_BLOCKS
from plomba_wire.vocabulary import Action, Symbology, Verdict

pytestmark = pytest.mark.anyio

SMALL = FLASH_BLOCKS - 124
"""Blocks of flash of which the journal is four: it holds 32 to 64 records."""
FREED, HELD = 65, 25
"""So many records later one is freed for sure, and held for sure."""

STORED = (Action.STORE, Verdict.OK)
READY = (Action.RETRIEVE, Verdict.CONFIRM)
AS_LISTED = (Action.RETRIEVE, Verdict.WRONG_STATE)


async def scan(terminal: Stopwatch, text: str) -> tuple[int, int]:
    action, verdict = (await terminal.ask("scan", [Symbology.QR, text]))["answer"]
    return action, verdict


async def pass_by(terminal: Stopwatch, records: int) -> None:
    """Records about nothing, each with its receipt."""
    for number in range(records):
        await scan(terminal, f"nobody knows {number}")
        await terminal.receipt()


async def test_a_parcel_is_forgotten_with_the_newest_of_its_records(tmp_path: Path) -> None:
    station, _ = await set_up(tmp_path, "terminal", [plain(f"P-{n}") for n in range(3)], flash_blocks=SMALL)
    async with Stopwatch(station) as terminal:
        await scan(terminal, "PLB*BADGE*42")
        assert [await scan(terminal, f"P-{n}") for n in range(2)] == [STORED] * 2
        await pass_by(terminal, FREED - HELD)
        # A record that changes nothing keeps its parcel in mind as well.
        assert await scan(terminal, "P-1") == (Action.STORE, Verdict.REPEAT)
        await pass_by(terminal, HELD - 4)
        assert await scan(terminal, "P-2") == STORED
        await scan(terminal, "PLB*HANDOUT")
        assert [await scan(terminal, f"P-{n}") for n in range(3)] == [AS_LISTED, READY, READY]
    async with Stopwatch(station) as terminal:
        await scan(terminal, "PLB*BADGE*42")
        await scan(terminal, "PLB*HANDOUT")
        assert [await scan(terminal, f"P-{n}") for n in range(3)] == [AS_LISTED, READY, READY]


async def test_a_newer_list_has_the_last_word_of_a_parcel_that_nobody_announced(bench: Workbench) -> None:
    """Stored without a list, then a list came that knows of that record and leaves the parcel out."""
    await bench.enrol()
    await bench.push_rules()
    await bench.terminal.engine_ready()
    await bench.terminal.scan(BADGE)
    assert await bench.terminal.scan(label("X-1")) == "ok"
    await bench.sync()
    await bench.push_manifest([plain("B-1")], 1, through=bench.records()[-1].head.seq)
    await bench.terminal.scan(HANDOUT)
    assert await bench.terminal.scan(label("X-1")) == "refused"
    await bench.sync()
    assert bench.records()[-1].head.verdict == Verdict.UNKNOWN
