"""What a ring holds after a start: one walk over it in the order of writing. Nothing is written."""

from array import array

from micropython import const

from plomba_wire import chain
from terminal.flash import Region
from terminal.journal.entry import MAX_PAGES, PER_BLOCK, Entry

_NOWHERE = b"\xff\xff"
_NONE = const(-1)


class Survey:
    """Journal takes its state from here; the names are the same. `signed` is False when `newest` wants a signature.

    The block written last is the one whose first record is the newest. It was erased as a whole before its first
    record, so writing goes on behind its last page that is not blank. The block after it is the oldest, and the only
    one that can be half erased.

    A block that reports an error is in `bad`. What it held is missing, and noticed by what comes after it. Behind the
    block written last it can have held the newest records, unless there was room left before it: then as many numbers
    as it has pages are not given again. A block that could not be erased may hold old records between newer ones.
    """

    def __init__(self, region: Region, entry: Entry, genesis: bytes, receipted: int) -> None:
        self.torn = 0
        self.broken = 0
        self.newest = 0
        self.oldest_seq = 0
        self.first_seq = 0
        self.next_seq = 0
        self.head = genesis
        self.signed = True
        self.page = 0
        self.open = _NONE
        self.page_of = array("H", _NOWHERE * (region.blocks * PER_BLOCK))
        self.bad = bytearray(region.blocks)
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
        """The block that was written last; the last one of the region when there is no record."""
        last = self._blocks - 1
        newest = 0
        for block in range(self._blocks):
            seq = self._first_in(block)
            # A record that was moved for its torn signature can open two blocks, one after the other.
            if seq > newest or (seq and seq == newest and self._later(block, last)):
                newest, last = seq, block
        following = (last + 1) % self._blocks
        if self._begun(following):
            return following
        if not newest or not self._has_room(last):
            for _ in range(self._blocks):
                if not self.bad[following]:
                    break
                last, following = following, (following + 1) % self._blocks
        return last

    def _first_in(self, block: int) -> int:
        """Number of the first record in a block, 0 when there is none."""
        try:
            for page in range(block * PER_BLOCK, (block + 1) * PER_BLOCK):
                if self._entry.load(page):
                    return self._entry.seq
        except OSError:
            self.bad[block] = 1
        return 0

    def _later(self, block: int, other: int) -> bool:
        """Of two blocks with the same first record, `block` was written later."""
        one, two = self._last_in(block), self._last_in(other)
        return one > two or (one == two and (block - other) % self._blocks <= (other - block) % self._blocks)

    def _last_in(self, block: int) -> "tuple[int, bool]":
        """Number of the newest record in a block, and whether its last copy there is signed."""
        entry = self._entry
        found = 0, False
        try:
            for page in range(block * PER_BLOCK, (block + 1) * PER_BLOCK):
                if entry.load(page) and entry.seq >= found[0]:
                    found = entry.seq, bool(entry.signature)
        except OSError:
            self.bad[block] = 1
        return found

    def _has_room(self, block: int) -> bool:
        """The longest record would still fit, so nothing was written behind this block."""
        try:
            return not self._entry.load((block + 1) * PER_BLOCK - MAX_PAGES) and self._entry.blank
        except OSError:
            return False

    def _begun(self, block: int) -> bool:
        """A block holds nothing but one record, which was whole once and can no longer be read."""
        entry = self._entry
        first = page = block * PER_BLOCK
        signed = False
        try:
            while page < first + PER_BLOCK and not entry.load(page):
                if entry.blank:
                    return signed and page <= first + MAX_PAGES
                signed = signed or entry.lost(page)
                page += entry.pages
        except OSError:
            self.bad[block] = 1
        return False

    def _walk(self, block: int) -> None:
        self.page = block * PER_BLOCK
        try:
            self._walk_pages(block)
        except OSError:
            self.bad[block] = 1
            self.torn += 1
            self._doubt(block)
            self._lost += PER_BLOCK
            self.page = (block + 1) * PER_BLOCK

    def _walk_pages(self, block: int) -> None:
        entry = self._entry
        page = self.page
        end = page + PER_BLOCK
        while page < end:
            if entry.load(page):
                self._hold(page, block)
                page += entry.pages
                self.page = page
                continue
            if not entry.blank:
                self.torn += 1
                self._doubt(block)
                self._lost += entry.lost(page)
                self.page = page + 1
            page += 1

    def _doubt(self, block: int) -> None:
        if self._doubtful == _NONE:
            self._doubtful = block

    def _hold(self, page: int, block: int) -> None:
        entry = self._entry
        seq = entry.seq
        before = entry.previous
        self._lost = 0
        if self._doubtful != _NONE and seq >= self.newest:
            self._settle_doubt(seq - 1, block)
        if seq > self.newest_in[block]:
            self.newest_in[block] = seq
        joins = seq == self.newest + 1 and before == self.head
        # What was moved, or tried again, is held where it was written last.
        again = seq == self.newest and before == self._before
        if not joins and not again:
            self._miss(seq, before)
            if seq <= self.newest:
                return
            self.first_seq = seq
        if not self.newest:
            self.oldest_seq = self.first_seq = seq
        self.page_of[seq % len(self.page_of)] = page
        self.newest = seq
        self._before = before
        self.head = chain.step(before, entry.body)

    def _miss(self, seq: int, before: bytes) -> None:
        """Between the newest record so far and `seq` something is missing, or they do not belong together."""
        missing = max(self.newest, self._receipted) + 1
        wrong = missing < seq or before == self.head or seq <= self.newest + 1
        if wrong and seq > self._receipted:
            self.broken = self.broken or min(missing, seq)

    def _settle_doubt(self, below: int, block: int) -> None:
        """What cannot be read has a number lower than the next record that can."""
        doubtful = self._doubtful
        self._doubtful = _NONE
        while doubtful != _NONE:
            self.newest_in[doubtful] = max(self.newest_in[doubtful], below)
            doubtful = _NONE if doubtful == block else (doubtful + 1) % self._blocks

    def _end(self, last: int) -> None:
        self.next_seq = max(self.newest + self._lost, self._receipted) + 1
        if self._lost:
            self.newest_in[last] = self.newest + self._lost
        if self.next_seq != self.newest + 1:
            self.broken = self.broken or max(self.newest, self._receipted) + 1
            self.first_seq = self.next_seq
        elif self.newest:
            self._entry.load(self.page_of[self.newest % len(self.page_of)])
            self.signed = bool(self._entry.signature)
        if not self.newest:
            self.oldest_seq = self.first_seq = self.next_seq
            if not self._lost:
                self.page = 0
        self.open = last if self.page % PER_BLOCK else _NONE
        self.page %= len(self.page_of)
