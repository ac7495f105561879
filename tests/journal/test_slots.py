"""Objects that arrive in blocks: what was in force stays whole, and a transfer goes on from what flash holds.

link.md calls it trap 16. The power is cut at every flash operation of it by `tools sweep power` (tests/power).
"""

from __future__ import annotations

import re

import pytest
from journal_runs import HERE, Found, Run

SCRIPTS = ("slots_blocks_mpy.py", "slots_bundles_mpy.py")
SITUATIONS = [
    pytest.param(script, name, id=name.removeprefix("test_"))
    for script in SCRIPTS
    for name in re.findall(r"^def (test_\w+)", (HERE / script).read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.fixture(scope="module")
def found(run: Run) -> dict[str, Found]:
    # The scripts hold whole packages beside what a terminal would hold.
    return {script: run(script) for script in SCRIPTS}


@pytest.mark.parametrize(("script", "name"), SITUATIONS)
def test_trap_16_situation(found: dict[str, Found], script: str, name: str) -> None:
    assert found[script][name] == ""
