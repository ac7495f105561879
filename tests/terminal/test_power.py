"""A scan that was heard is on flash, whenever the power goes: the real firmware, cut while it writes."""

from __future__ import annotations

import pytest
from workbench import Workbench, label, plain

from plomba.errors import TerminalError
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire.vocabulary import Action

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"P-{number}") for number in range(40)]


async def scan_until_dark(terminal: VirtualTerminal, code: str) -> list[bytes]:
    """Scans; the code comes back once for each tone that was heard before the power went."""
    tones, screens = len(terminal.tones), len(terminal.screens)
    terminal.show(label(code))
    terminal.press("scan")
    await terminal.wait(lambda: terminal.powered_down or len(terminal.screens) > screens, "verdict")
    return [code.encode()] * (len(terminal.tones) - tones)


@pytest.mark.parametrize("torn", range(5))
async def test_a_cut_in_the_middle_of_a_scan(bench: Workbench, torn: int) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    heard = []
    codes = iter(f"P-{number}" for number in range(40))
    for operation in range(4):
        await terminal.cut_power(operation, torn)
        while not terminal.powered_down:
            code = next(codes)
            heard += await scan_until_dark(terminal, code)
        await terminal.restart()
        await terminal.engine_ready()
    await bench.sync()
    stored = [record.parts.get(4) for record in bench.records() if record.head.action == Action.STORE]
    assert [code for code in heard if stored.count(code) != 1] == []
    assert terminal.power_cuts == 4
    assert heard


async def test_a_cut_while_it_starts(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("P-1"))
    for operation in range(6):
        await bench.terminal.stop()
        try:
            await bench.terminal.start(cut=(operation, operation % 5))
        except TerminalError:
            continue
    await bench.terminal.stop()
    await bench.terminal.start()
    await bench.sync()
    assert b"P-1" in [record.parts.get(4) for record in bench.records()]
