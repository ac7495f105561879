"""A change of epoch leaves the old chain whole or a new one begun, whenever the power goes, and goes once more."""

from __future__ import annotations

import pytest
from journal_runs import Run


def sweep(run: Run, seed: int, records: int) -> None:
    found = run("epoch_cuts_mpy.py", heap="256wk", seed=seed, records=records)
    counts = ", ".join(f"{found[name]} {name}" for name in ("cuts", "again", "faults", "kept", "begun", "wrongs"))
    assert not found["wrongs"], "\n".join([counts, *found["violations"]])
    assert found["cuts"] > 60 and found["again"] > 300, counts
    assert found["faults"] > 5, found["faults"]
    assert found["kept"] > 5 and found["begun"] > 300, counts


@pytest.mark.parametrize("records", [40, 100], ids=["before-the-ring-is-full", "after-it-went-round"])
def test_a_change_is_cut_at_every_operation_and_again_while_it_is_finished(run: Run, records: int) -> None:
    sweep(run, seed=records, records=records)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_changes_are_cut(run: Run, seed: int) -> None:
    sweep(run, seed=seed, records=30 + 13 * seed)
