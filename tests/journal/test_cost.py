"""What a record costs: two programs of a page, and one erase for a block of them."""

from __future__ import annotations

from journal_runs import Run


def test_operations_for_a_record(run: Run) -> None:
    found = run("journal_cost_mpy.py")
    typical = found["typical"]
    assert typical["records"] >= 256
    assert typical["programs"] == 2, typical
    assert typical["erases"] == 1 / 16, typical
    # Three for the record, and six for each erased block, which is looked at.
    assert typical["reads"] <= 3 + 6 / 16, typical
    longer = found["two pages"]
    assert longer["programs"] == 3 and longer["erases"] == 1 / 8, longer
