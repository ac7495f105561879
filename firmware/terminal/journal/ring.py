"""The journal: a log-structured ring of records on its own flash range.

An entry (entry.py) starts on a page and never crosses a block. The body is programmed first (then the tone sounds),
the signature into the end of the same last page after it: two programs of a page, the part already written padded
with FF. What a power cut tore is skipped at the next start, and a block is always erased on entry, because a half
erased one can read as FF (seen with the flash model). Nothing without a receipt is ever erased, not even what can no
longer be read; a full journal refuses.

A block that cannot be erased, programmed or read is passed over until the next start, which finds it again: what it
holds stays as it is. At least two others have to be left, for the newest record stays where it is until there is a
newer one.
"""

from plomba_wire import chain
from terminal.flash import Region
from terminal.journal.entry import BODY_MAX, PER_BLOCK, Entry, pages_for
from terminal.journal.survey import Survey

_TRIES = 3
"""Places in one block that may fail one after the other before it is taken for bad."""


class JournalFull(Exception):
    """No page left that may be written: everything older has no receipt yet."""


class Journal:
    """The records of one epoch, on three blocks or more.

    `receipted` is the newest record that has a receipt. `torn` counts the pages that hold neither a record nor
    nothing. `broken` is the oldest record without a receipt that is missing or does not join the one before it, 0
    when there is none: that is never the work of a cut, and this terminal goes on but its chain does not. `bad_blocks`
    counts those that are passed over since the start.

    first_seq ... next_seq - 1 were whole at the start and are one chain. oldest_seq ... first_seq - 1 can be read too,
    but some of them are missing.
    """

    def __init__(self, region: Region, genesis: bytes, receipted: int, receipted_head: bytes = b"") -> None:
        """Reads all of the region and writes nothing. `receipted_head` is h(receipted), where it is known: the chain
        goes on from there if that record itself cannot be read any more."""
        assert region.blocks > 2
        self._flash = region
        self._entry = Entry(region)
        found = Survey(region, self._entry, genesis, receipted)
        if found.newest < receipted and receipted_head:
            found.head = receipted_head
        self.receipted = receipted
        self.torn = found.torn
        self.broken = found.broken
        self.oldest_seq = found.oldest_seq
        self.first_seq = found.first_seq
        self.next_seq = found.next_seq
        self.head = found.head
        self._signed = found.signed
        self._page_of = found.page_of
        self._newest_in = found.newest_in
        self._bad = found.bad
        self._page = found.page
        self._open = found.open
        self._erased = -1
        self._signature = b""

    @property
    def unsigned(self) -> "bytes | None":
        """Digest of the newest record while it has no signature, else None."""
        return None if self._signed or self._signature else self.head

    @property
    def bad_blocks(self) -> int:
        return sum(self._bad)

    @property
    def free_pages(self) -> int:
        """Pages that can still be written before something without a receipt stands in the way."""
        others = blocks = self._flash.blocks
        here = self._page // PER_BLOCK
        free = 0
        if self._open == here:
            free = 0 if self._bad[here] else PER_BLOCK - self._page % PER_BLOCK
            here = (here + 1) % blocks
            others -= 1
        for _ in range(others):
            if not self._bad[here]:
                if self._newest_in[here] > self.receipted:
                    break
                if free or here != self._home:
                    free += PER_BLOCK
            here = (here + 1) % blocks
        return free

    def append(self, body: bytes) -> int:
        """Makes `body` durable as the next record and returns its number. Raises JournalFull, OSError."""
        assert self.unsigned is None and len(body) <= BODY_MAX
        if self._signature:
            self._put_signature()
        seq = self.next_seq
        self._put(seq, body, self.head)
        self.next_seq = seq + 1
        self.head = chain.step(self.head, body)
        self._signed = False
        return seq

    def sign(self, signature: bytes) -> None:
        """Puts the signature of the newest record beside it. Raises OSError.

        Where a cut tore an earlier one the record has to move. While there is no room for that the signature is held
        in RAM: it goes over the wire, and is made durable before the next record.
        """
        assert self.unsigned is not None
        self._signature = bytes(signature)
        try:
            self._put_signature()
        except JournalFull:
            pass

    def read(self, seq: int) -> "tuple[bytes, bytes, bytes]":
        """Body, signature and h(n-1); the signature is empty when it is not there or damaged.

        Raises IndexError for a record that is not held, OSError for a damaged one.
        """
        if not self.oldest_seq <= seq < self.next_seq:
            raise IndexError(seq)
        entry = self._entry
        if not self._load(seq):
            raise OSError(5)
        signature = entry.signature
        if seq == self.next_seq - 1:
            signature = signature or self._signature
        return entry.body, signature, entry.previous

    def digest_before(self, seq: int) -> bytes:
        """h(seq - 1), from the record or from the one before it. Raises IndexError, OSError."""
        if seq == self.next_seq:
            return self.head
        try:
            return self.read(seq)[2]
        except OSError:
            body, _, previous = self.read(seq - 1)
            return chain.step(previous, body)

    def idle(self) -> bool:
        """Erases the next block ahead of need. True when there was something to do."""
        try:
            block = self._following()
        except (JournalFull, OSError):
            return False
        if block == self._erased:
            return False
        self._erase(block)
        return True

    def _load(self, seq: int) -> bool:
        page = self._page_of[seq % len(self._page_of)]
        return page < len(self._page_of) and self._entry.load(page) and self._entry.seq == seq

    def _put_signature(self) -> None:
        entry = self._entry
        seq = self.next_seq - 1
        for _ in range(_TRIES):
            if not self._load(seq):
                raise OSError(5)
            if entry.unsigned and self._signed_in_place(seq):
                self._signed = True
                self._signature = b""
                return
            # Flash cannot be programmed twice with other bits: the record moves.
            self._put(seq, entry.body, entry.previous)
        raise OSError(5)

    def _signed_in_place(self, seq: int) -> bool:
        entry = self._entry
        try:
            entry.program_signature(self._page_of[seq % len(self._page_of)], self._signature)
        except OSError:
            return False
        return self._load(seq) and bool(entry.signature)

    def _put(self, seq: int, body: bytes, previous: bytes) -> None:
        """Programs an entry and reads it back. Pages that do not hold it are left behind.

        It comes to an end: a block that was tried counts as one that holds `seq`, which has no receipt.
        """
        pages = pages_for(len(body))
        block = -1
        failed = 0
        while True:
            self._make_room(pages)
            page = self._page
            if page // PER_BLOCK != block:
                block = page // PER_BLOCK
                failed = 0
            self._take(pages, seq)
            if self._held(page, seq, body, previous):
                self._page_of[seq % len(self._page_of)] = page
                return
            failed += 1
            if failed == _TRIES:
                self._bad[block] = 1

    def _held(self, page: int, seq: int, body: bytes, previous: bytes) -> bool:
        """An entry was programmed at `page` and is there, with a place for its signature."""
        entry = self._entry
        entry.make(body, previous)
        assert entry.seq == seq
        try:
            entry.program(page)
            return entry.load(page) and entry.unsigned
        except OSError:
            return False

    def _make_room(self, pages: int) -> None:
        """Moves to a place where `pages` pages can be written."""
        here = self._page // PER_BLOCK
        if self._open == here and not self._bad[here] and self._page % PER_BLOCK + pages <= PER_BLOCK:
            return
        block = self._following()
        while block != self._erased and not self._erase(block):
            block = self._following()
        self._open = block
        self._erased = -1
        self._page = block * PER_BLOCK

    @property
    def _home(self) -> int:
        """The block of the newest record, -1 when there is none."""
        page = self._page_of[(self.next_seq - 1) % len(self._page_of)]
        return page // PER_BLOCK if page < len(self._page_of) else -1

    def _following(self) -> int:
        """The block that is written next. Raises JournalFull, OSError when too few blocks are good."""
        blocks = self._flash.blocks
        here = self._page // PER_BLOCK
        for step in range(1 if self._open == here else 0, blocks):
            block = (here + step) % blocks
            if self._bad[block]:
                continue
            if self._newest_in[block] > self.receipted:
                raise JournalFull
            if block != self._home:
                return block
        raise OSError(5)

    def _take(self, pages: int, seq: int) -> None:
        """The pages at hand are used up, whatever becomes of them."""
        self._newest_in[self._page // PER_BLOCK] = seq
        self._page = (self._page + pages) % len(self._page_of)
        if self._page % PER_BLOCK == 0:
            self._open = -1

    def _erase(self, block: int) -> bool:
        """False when the block is bad.

        Some say that they were erased and were not: an entry can be programmed whole on what older ones left blank
        there, and come to light when those go (seen with the flash model).
        """
        newest = self._newest_in[block]
        assert newest <= self.receipted
        self._newest_in[block] = 0
        self.oldest_seq = max(self.oldest_seq, newest + 1)
        self.first_seq = max(self.first_seq, self.oldest_seq)
        try:
            self._flash.erase(block)
            blank = self._entry.blank_block(block)
        except OSError:
            blank = False
        self._bad[block] = not blank
        if blank:
            self._erased = block
        return blank
