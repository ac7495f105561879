"""Objects that arrive in blocks: what was in force stays whole, and a transfer goes on from what flash holds.

The power is cut at every flash operation, in every way nor.py knows. link.md calls it trap 16.
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
    return {script: run(script) for script in SCRIPTS}


@pytest.mark.parametrize(("script", "name"), SITUATIONS)
def test_trap_16_situation(found: dict[str, Found], script: str, name: str) -> None:
    assert found[script][name] == ""


def sweep(run: Run, seed: int, transfers: int, blocks: int, often: int) -> None:
    found = run("slots_cuts_mpy.py", seed=seed, transfers=transfers, blocks=blocks, often=often)
    counts = ", ".join(f"{found[name]} {name}" for name in ("cuts", "resumed", "finished", "ignored", "wrongs"))
    assert not found["wrongs"], "\n".join([counts, *found["violations"]])
    assert found["cuts"] > 100 * transfers and found["resumed"] > 70 * transfers, counts
    assert found["finished"] > found["cuts"] // often and found["ignored"] > 20 * transfers, counts


def test_trap_16_a_transfer_is_cut_at_every_operation_and_goes_on(run: Run) -> None:
    sweep(run, seed=1, transfers=5, blocks=4, often=16)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("blocks", [3, 4])
def test_trap_16_many_transfers_are_cut_at_every_operation_and_go_on(run: Run, blocks: int) -> None:
    sweep(run, seed=2, transfers=30, blocks=blocks, often=4)
