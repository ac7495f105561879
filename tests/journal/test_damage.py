"""Damaged flash is noticed, costs one record at most, and no changed record is ever taken for a good one.

What is promised for a bit that flips in a stored journal, and for a page that is lost altogether:

in the header, the hash or the body   that record cannot be read, all others can. Without a receipt its number is
                                      `broken`, also after the next starts, and no other record gets it.
in a signature                        the record stands without one, and whoever gives it out signs it again.
in padding, in a blank page           nothing is lost; a page that is no longer blank is counted in `torn`, not used.

Not promised: a newest record that was not signed yet, or was lost with its signature, looks like a torn page; its
number is given again unless a receipt tells that it was there.
"""

from __future__ import annotations

import pytest
from journal_runs import Found, Run

IMAGE = {"seed": 1, "blocks": 16, "records": 190, "receipted": 90}
"""64 KiB, once round and a half; 67 to 190 are held, the receipt is for what came before 91."""
SMALL = {"seed": 2, "blocks": 3, "records": 40, "receipted": 30}


def unharmed(found: Found, *kinds: str) -> None:
    counts = f"{found['attempts']} damages, {found['kinds']}, {found['wrongs']} violations"
    assert not found["wrongs"], "\n".join([counts, *found["violations"]])
    assert all(found["kinds"].get(kind) for kind in kinds), counts


@pytest.mark.parametrize(("image", "step"), [(IMAGE, 797), (SMALL, 79)], ids=["64KiB", "12KiB"])
def test_a_bit_flips(run: Run, image: Found, step: int) -> None:
    count = image["blocks"] * 4096 * 8 // step
    found = run("journal_flips_mpy.py", **image, damage="bits", first=11, step=step, count=count)
    assert found["attempts"] == count
    unharmed(found, "record", "signature", "padding", "blank")


def test_a_page_is_lost(run: Run) -> None:
    unharmed(run("journal_flips_mpy.py", **IMAGE, damage="noise", count=400), "page", "signature", "blank")


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("bit", range(8))
def test_every_bit_flips(run: Run, bit: int) -> None:
    found = run("journal_flips_mpy.py", **IMAGE, damage="bits", first=bit, step=8, count=65536)
    assert found["attempts"] == 65536
    unharmed(found, "record", "signature", "padding", "blank")
