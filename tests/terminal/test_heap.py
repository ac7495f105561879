"""The heap gate: what is allocated after the imports has to fit what 128 Ki words give."""

from __future__ import annotations

import pytest
from workbench import Workbench

from plomba.sim.interpreter import HEAP

pytestmark = pytest.mark.anyio


async def test_the_firmware_gets_no_more_than_the_gate(bench: Workbench) -> None:
    assert 0.95 * HEAP < bench.terminal.free_heap <= HEAP
    assert bench.terminal.code_heap > 0
