"""A transfer that is cut at any operation leaves the object in force, or the new one, whole.

Pieces that come twice, too early or too late change nothing.
"""

from __future__ import annotations

import pytest
from journal_runs import Run


def sweep(run: Run, seed: int, transfers: int, blocks: int) -> None:
    found = run("slots_cuts_mpy.py", seed=seed, transfers=transfers, blocks=blocks)
    counts = f"{found['cuts']} cuts, {found['ignored']} stray pieces, {found['wrongs']} violations"
    assert not found["wrongs"], "\n".join([counts, *found["violations"]])
    assert found["cuts"] > 60 * transfers and found["ignored"] > transfers, counts


def test_a_transfer_is_cut_at_every_operation(run: Run) -> None:
    sweep(run, seed=1, transfers=20, blocks=3)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("blocks", [2, 3, 5])
def test_many_transfers_are_cut_at_every_operation(run: Run, blocks: int) -> None:
    sweep(run, seed=2, transfers=300, blocks=blocks)
