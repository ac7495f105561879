"""A cut of power gives no try of a PIN back: ten are ten, also for whoever pulls the battery in the right moment."""

from __future__ import annotations

from journal_runs import Run


def test_no_cut_gives_a_try_back(run: Run) -> None:
    found = run("pin_tries_mpy.py", seed=1)
    assert found["cuts"] > 300
    assert not found["wrong"], found["wrong"][:12]
