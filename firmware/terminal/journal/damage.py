"""Pages of the ring that hold neither a record nor nothing: what a cut tore, what rotted, what flash did not take.

They are found by a walk like the one of a start, and handed out as they are: they may be evidence, so nothing is wiped
before it was asked for, and nothing is made of them here.
"""

from terminal.flash import PAGE, Region
from terminal.journal.entry import PER_BLOCK, Entry


def next_damaged(region: Region, first: int) -> "int | None":
    """The first such page from page `first` on; None when there is none. A block that cannot be read is passed over."""
    entry = Entry(region)
    page = first - first % PER_BLOCK
    while page < region.blocks * PER_BLOCK:
        try:
            whole = entry.load(page)
        except OSError:
            page += PER_BLOCK - page % PER_BLOCK
            continue
        if whole:
            page += entry.pages
            continue
        if not entry.blank and page >= first:
            return page
        page += 1
    return None


def content(region: Region, page: int) -> bytes:
    """The page as flash has it. Raises OSError."""
    found = bytearray(PAGE)
    region.read(page * PAGE, found)
    return bytes(found)
