"""What a ring holds after a start: one walk over it in the order of writing. Nothing is written."""

from array import array

from micropython import const

from plomba_wire import chain
from terminal.flash import Region
from terminal.journal.entry import PER_BLOCK, Entry

_NOWHERE = b"\xff\xff"
_NONE = const(-1)


class Survey:
    """Journal takes its state from here; the names are the same. `signed` is False when `newest` wants a signature.

    The block written last is the one whose first record is the newest. It was erased as a whole before its first
    record, so writing goes on behind its last page that is not blank. The block after it is the oldest, and the only
    one that can be half erased.
    """

    def __init__(self, region: Region, entry: Entry, genesis: bytes, receipted: int) -> None:
        self.torn = 0
        self.broken = 0
        self.newest = 0
        self.oldest_seq = 0
        self.first_seq = 0
        self.head = genesis
        self.signed = True
        self.page = 0
        self.page_of = array("H", _NOWHERE * (region.blocks * PER_BLOCK))
        self.newest_in = array("I", bytes(4 * region.blocks))
        self._entry = entry
        self._blocks = region.blocks
        self._receipted = receipted
        self._before = b""
        self._doubtful = _NONE
        self._lost = 0
        last = self._written_last()
        for step in range(1, region.blocks + 1):
            self._walk((last + step) % region.blocks)
        self._end(last)

    def _written_last(self) -> int:
        """The block that was written last; the last one of the region when nothing was ever written."""
        last = self._blocks - 1
        newest = 0
        unread = 0
        for block in range(self._blocks):
            seq = self._first_in(block)
            # A record that was moved for its torn signature can open two blocks, one after the other.
            if seq > newest or (seq and seq == newest and block == last + 1):
                newest, last = seq, block
        unread = (last + 1) % self._blocks
        if not self._first_in(unread) and self._begun(unread):
            return unread
        return last

    def _first_in(self, block: int) -> int:
        """Number of the first record in a block, 0 when there is none."""
        for page in range(block * PER_BLOCK, (block + 1) * PER_BLOCK):
            if self._entry.load(page):
                return self._entry.seq
        return 0

    def _begun(self, block: int) -> bool:
        """A block without a record was written from its first page on, and one was whole once."""
        entry = self._entry
        first = page = block * PER_BLOCK
        while page < first + PER_BLOCK:
            entry.load(page)
            if entry.blank:
                return False
            if entry.signed_at(page):
                return True
            page += 1
        return False

    def _walk(self, block: int) -> None:
        entry = self._entry
        page = block * PER_BLOCK
        end = page + PER_BLOCK
        judged = page
        while page < end:
            if entry.load(page):
                self._join(page, block)
                page += entry.pages
                self.page = page
                continue
            if not entry.blank:
                self.torn += 1
                if self._doubtful == _NONE:
                    self._doubtful = block
                if page >= judged:
                    announced = entry.announced(page)
                    self._lost += entry.signed_at(page)
                    judged = page + announced
                self.page = page + 1
            page += 1
