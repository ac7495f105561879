"""The power may go at any flash operation of the journal: a record whose append returned is there, once, unchanged.

Every operation of a workload (append, signature, erase ahead, more than two rounds of the ring, receipts coming in) is
cut in every way, and in the life after a cut every so many operations are cut again. After each cut: recovery writes
nothing; every record that was appended is there and the chain is whole; at most the record being appended is there
beyond; the newest has its signature or wants one, and takes it; appends go on; nothing without a receipt is gone;
after the next start all of it still holds.
"""

from __future__ import annotations

import itertools

import pytest
from journal_runs import Run

WAYS_OF_A_PROGRAM, WAYS_OF_AN_ERASE = 7, 6
"""In which a cut can leave it; nor.PROGRAM_ENDS and nor.ERASE_ENDS."""


def sweep(run: Run, **settings: object) -> None:
    found = run("journal_cuts_mpy.py", **settings)
    counts = "{cuts} cuts and {second_cuts} second cuts, {violations} violations".format(
        **{**found, "violations": found["wrongs"]}
    )
    assert not found["violations"], "\n".join([counts, *found["violations"]])
    programs, erases = found["operations"]
    assert found["cuts"] == WAYS_OF_A_PROGRAM * programs + WAYS_OF_AN_ERASE * erases, counts
    assert found["second_cuts"] > 500, counts
    assert found["wraps"] > 2 and erases >= 9, found
    assert (found["full"] > 0) == (settings["receipts"] == "late"), found


@pytest.mark.parametrize(
    ("blocks", "receipts", "idle"), [(4, "early", 3), (3, "late", 0), (4, "late", 1)], ids=["early", "late", "idle"]
)
def test_a_cut_at_every_operation(run: Run, blocks: int, receipts: str, idle: int) -> None:
    sweep(run, seed=1, blocks=blocks, records=80, receipts=receipts, idle=idle, second=9)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("seed", "blocks", "receipts", "idle"), [*itertools.product((2, 3, 4), (3, 4, 5), ("early", "late"), (0, 1, 4))]
)
def test_a_cut_at_every_operation_and_again_at_every_third(
    run: Run, seed: int, blocks: int, receipts: str, idle: int
) -> None:
    sweep(run, seed=seed, blocks=blocks, records=25 * blocks, receipts=receipts, idle=idle, second=3)
