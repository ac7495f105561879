"""Small state on LittleFS: files.save leaves the old value or the new one, whenever the power goes."""

from __future__ import annotations

import pytest
from journal_runs import Found, Run


def sweep(run: Run, seed: int, saves: int, first: bool = False) -> None:
    found: Found = run("files_cuts_mpy.py", seed=seed, saves=saves, first=first)
    counts = f"{found['cuts']} cuts, {found['wrongs']} violations"
    assert not found["wrongs"], "\n".join([counts, *found["violations"]])
    assert found["cuts"] >= (12 * saves or 24), counts


def test_a_save_is_cut_at_every_operation(run: Run) -> None:
    sweep(run, seed=1, saves=80)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_saves_are_cut_at_every_operation(run: Run, seed: int) -> None:
    sweep(run, seed=seed, saves=1000)


def test_the_very_first_start_is_cut_at_every_operation(run: Run) -> None:
    sweep(run, seed=1, saves=0, first=True)
