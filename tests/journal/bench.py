"""A journal on a flash of four blocks, for tests of one situation each. Under MicroPython only."""

import nor
from bodies import body

from terminal.flash import Region
from terminal.journal.ring import Journal, JournalFull

GENESIS = b"genesis of this journal, 32 byte"
ONE, TWO, THREE = 100, 300, 448
"""Lengths of bodies whose records take so many pages."""

_images = {}


class Bench:
    """A chip, a journal on it, and what was appended. One at a time: it takes over the image of the last one."""

    def __init__(self, blocks: int = 4) -> None:
        self.chip = nor.Nor(image(blocks))
        self.region = Region(self.chip, 0, blocks)
        self.receipted = 0
        self.bodies = {}
        self.signatures = {}
        self.start()

    def start(self) -> Journal:
        self.journal = Journal(self.region, GENESIS, self.receipted)
        return self.journal

    def append(self, length: int = ONE, content: bytes = b"") -> int:
        journal = self.journal
        content = content or body(journal.next_seq, journal.head, length)
        seq = journal.append(content)
        self.bodies[seq] = content
        return seq

    def sign(self) -> None:
        signature = nor.noise(64)
        self.journal.sign(signature)
        self.signatures[self.journal.next_seq - 1] = signature

    def add(self, *lengths: int) -> None:
        for length in lengths:
            self.append(length)
            self.sign()

    def fill(self, length: int = ONE) -> int:
        """Appends until the journal is full; how many it took."""
        taken = 0
        while True:
            try:
                self.add(length)
            except JournalFull:
                return taken
            taken += 1

    def receipt(self, seq: int) -> None:
        self.receipted = self.journal.receipted = seq

    def programs(self, act, *arguments) -> "list[tuple[int, int]]":
        """Page and length of every program that `act` does."""
        seen = []
        self.chip.before = lambda flash, kind, at, data: seen.append((at // 256, len(data))) if data else None
        act(*arguments)
        self.chip.before = None
        return seen

    def images(self, act) -> "list[bytes]":
        """The image before every operation that `act` does."""
        seen = []
        self.chip.before = lambda flash, kind, at, data: seen.append(bytes(flash.image))
        act()
        self.chip.before = None
        return seen

    def fail(self, number: int) -> None:
        """The program that comes after `number` others reports an error."""
        wanted = self.chip.programs + number + 1
        self.chip.fails = lambda at: self.chip.programs == wanted

    def tear_signature(self) -> None:
        """The newest record keeps a quarter of a signature, and the board starts again."""
        page, _ = self.programs(self.journal.sign, nor.noise(64))[-1]
        tail = memoryview(self.chip.image)[page * 256 + 188 : page * 256 + 256]
        tail[16:] = b"\xff" * 52
        self.start()

    def whole(self) -> None:
        """All that the journal says it holds is what was appended."""
        journal = self.journal
        assert not journal.broken, journal.broken
        assert journal.first_seq <= self.receipted + 1, journal.first_seq
        for seq in range(journal.first_seq, journal.next_seq):
            content, signature, _ = journal.read(seq)
            assert content == self.bodies[seq], seq
            assert signature == self.signatures.get(seq, b""), seq

    def flip(self, seq: int, at: int = 70) -> None:
        """A bit of a record's first page: 0 is the magic, 1 pages, 2 length, 4 crc, 8 the hash, 40 the body."""
        self.chip.image[self.where(seq) - 40 + at] ^= 4

    def where(self, seq: int) -> int:
        """Address at which the body of a record begins. It is the copy that was written last in its block."""
        wanted = self.bodies[seq][:200]
        for at in range(len(self.chip.image) - 256, -1, -256):
            if self.chip.image[at + 40 : at + 40 + len(wanted)] == wanted:
                return at + 40
        raise AssertionError(f"erased: {seq}")


def image(blocks: int) -> bytearray:
    """A blank one; the heap of a board does not hold many."""
    if blocks not in _images:
        _images[blocks] = nor.blank(blocks)
    for at in range(0, len(_images[blocks]), nor.PAGE):
        _images[blocks][at : at + nor.PAGE] = b"\xff" * nor.PAGE
    return _images[blocks]
