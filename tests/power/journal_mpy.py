"""Records of a journal: appended, signed, receipted, erased ahead, more than once round the ring.

What is promised: a record whose append returned is there, once, unchanged, and the chain is whole; beyond it there is
at most the one under way. Recovery writes nothing. The newest has its signature or wants one, and takes it. Nothing
without a receipt is gone; appends go on; after the next start all of it still holds.

With a bad block too, unless the only copy of a record lies in a block that cannot be read: that is told by `broken`
after the next start, the record is not claimed, and its number is not given again.
"""

import random

import nor
from bodies import body
from power import Life, main

from plomba_wire import chain
from terminal.flash import Region
from terminal.journal.ring import Journal, JournalFull

GENESIS = b"genesis of this journal, 32 byte"
_VARIANTS = ((4, "early", 3), (3, "late", 0), (4, "late", 1), (5, "early", 1), (4, "early", 0), (5, "late", 4))
"""Blocks; receipts "early", or "late": only when full; erase ahead after every so many records, 0 = never."""
_RECORDS = 20
"""For each block."""


class Truth:
    """What a journal has promised to hold: seq -> (h(n-1), body, signature or None).

    `appending` and `signing` are the body and the signature that it was given and has not promised to keep.
    """

    def __init__(self) -> None:
        self.head = GENESIS
        self.newest = 0
        self.records = {}
        self.receipted = 0
        self.appending = None
        self.signing = None

    def copy(self) -> "Truth":
        other = Truth()
        other.head = self.head
        other.newest = self.newest
        other.records = self.records.copy()
        other.receipted = self.receipted
        other.appending = self.appending
        other.signing = self.signing
        return other

    def hold(self, content: bytes) -> None:
        self.newest += 1
        self.records[self.newest] = (self.head, content, None)
        self.head = chain.step(self.head, content)

    def signed(self, signature) -> None:
        before, content, _ = self.records[self.newest]
        self.records[self.newest] = (before, content, signature)

    def forget(self, below: int) -> None:
        for seq in [seq for seq in self.records if seq < below]:
            del self.records[seq]


class Records(Life):
    NAME = "journal"
    BLOCKS = 5
    VARIANTS = len(_VARIANTS)

    def begin(self) -> None:
        self.blocks, self.receipts, self.ahead = _VARIANTS[self.variant]
        self.truth = Truth()
        self.journal = self.open()

    def fork(self, child) -> None:
        child.blocks = self.blocks
        child.truth = self.truth.copy()

    def bad_blocks(self) -> int:
        return self.blocks

    def open(self) -> Journal:
        return Journal(Region(self.chip, 0, self.blocks), GENESIS, self.truth.receipted)

    def live(self) -> None:
        truth = self.truth
        stuck = 0
        while truth.newest < _RECORDS * self.blocks and stuck < 4:
            try:
                if self.append():
                    self.sign()
                    stuck = 0
                else:
                    stuck += 1
                    self.receipt(truth.newest - random.getrandbits(8) % 3 // stuck)
                if self.receipts == "early" and truth.newest % 5 == 0:
                    self.receipt(max(truth.receipted, truth.newest - 4))
                if self.ahead and truth.newest % self.ahead == 0:
                    self.step(self.journal.idle)
                truth.forget(truth.newest - 16 * self.blocks)
            except OSError as error:
                self.refused(error)
                stuck += 1
                self.recover()
        self.compare()
        self.not_stuck()

    def receipt(self, seq: int) -> None:
        self.truth.receipted = self.journal.receipted = seq

    def append(self) -> bool:
        """A record, unless the journal is full."""
        truth = self.truth
        truth.appending = body(truth.newest + 1, truth.head)
        try:
            seq = self.step(lambda: self.journal.append(truth.appending))
        except (JournalFull, OSError) as refused:
            truth.appending = None
            if isinstance(refused, OSError):
                raise
            return False
        self.kept()
        truth.hold(truth.appending)
        truth.appending = None
        if seq != truth.newest:
            self.wrong("%d was given for %d" % (seq, truth.newest))
        return True

    def sign(self) -> None:
        truth = self.truth
        truth.signing = nor.noise(64)
        self.step(lambda: self.journal.sign(truth.signing))
        # Without room to move to it is held in RAM, and promised only when the next record is.
        if not self.journal._signature:
            self.kept()

    def kept(self) -> None:
        truth = self.truth
        if truth.signing is not None:
            truth.signed(truth.signing)
            truth.signing = None

    def recover(self) -> None:
        truth = self.truth
        self.chip.programs = self.chip.erases = 0
        journal = self.journal = self.open()
        if self.chip.programs or self.chip.erases:
            self.wrong("recovery wrote to flash")
        newest = journal.next_seq - 1
        if newest == truth.newest + 1 and truth.appending is not None:
            if truth.signing is not None:
                truth.signed(truth.signing)
            truth.hold(truth.appending)
        elif newest > truth.newest and journal.broken and self.cannot_read:
            self.gap()
        elif newest != truth.newest:
            self.wrong("newest is %d, not %d" % (newest, truth.newest))
        if journal.head != truth.head:
            self.wrong("another head")
        if not self.cannot_read:
            if journal.broken:
                self.wrong("broken at %d" % journal.broken)
            if journal.first_seq > truth.receipted + 1:
                self.wrong("begins at %d, receipted %d" % (journal.first_seq, truth.receipted))
        if newest in truth.records and truth.records[newest][2] is None:
            if journal.unsigned is None:
                truth.signed(truth.signing or b"nobody's")
            elif journal.unsigned != truth.head:
                self.wrong("another digest to sign")
        truth.appending = truth.signing = None
        self.compare(started=True)

    def gap(self) -> None:
        """Numbers were passed over: the chain goes on from a record that was held."""
        truth, journal = self.truth, self.journal
        if truth.signing is not None and journal.oldest_seq <= truth.newest:
            try:
                if journal.read(truth.newest)[1] == truth.signing:
                    truth.signed(truth.signing)
            except OSError:
                pass
        if truth.appending is not None and journal.head == chain.step(truth.head, truth.appending):
            truth.hold(truth.appending)
        heads = [record[0] for record in truth.records.values()] + [truth.head, GENESIS]
        if journal.head not in heads:
            self.wrong("goes on from a head of nobody")
        truth.newest = journal.next_seq - 1
        truth.head = journal.head

    def compare(self, started: bool = False) -> None:
        """Every record that the journal says it holds, byte for byte; and it holds all that have no receipt."""
        journal, truth = self.journal, self.truth
        for seq in range(journal.first_seq, journal.next_seq):
            if seq not in truth.records:
                self.wrong("%d was never there" % seq)
        for seq, (before, content, signature) in truth.records.items():
            if seq < journal.first_seq and seq <= truth.receipted:
                continue
            try:
                found = journal.read(seq)
            except (IndexError, OSError) as error:
                if not (self.cannot_read and self.hidden(before, content)):
                    self.wrong("%d cannot be read: %r" % (seq, error))
                if started and seq > truth.receipted and not 0 < journal.broken <= seq:
                    self.wrong("%d is missing, broken says %d" % (seq, journal.broken))
                continue
            if found[0] != content or found[2] != before:
                self.wrong("%d is another" % seq)
            if seq == truth.newest and signature is None:
                signature = truth.signing
            if found[1] != (signature or b"") and (found[1] or not self.cannot_read):
                self.wrong("%d has another signature" % seq)

    def hidden(self, before: bytes, content: bytes) -> bool:
        """No whole copy of a record lies outside the bad block."""
        image = self.chip.image
        for at in range(0, self.blocks * nor.BLOCK, nor.PAGE):
            if at // nor.BLOCK != self.chip.bad and image[at] == 0xA5 and image[at + 8 : at + 40] == before:
                found = image[at + 40 : at + 40 + len(content)]
                if found[:216] == content[:216] and found[217:] == content[217:]:
                    return False
        return True

    def go_on(self) -> None:
        """Signs, appends, erases ahead, starts again, and is not stuck when receipts come."""
        taken = 0
        try:
            if self.journal.unsigned is not None:
                self.sign()
                self.compare()
            while taken < 3 - self.level and self.append():
                self.sign()
                taken += 1
            self.step(self.journal.idle)
        except OSError as error:
            self.refused(error)
        self.recover()
        self.not_stuck()

    def not_stuck(self) -> None:
        """A start with receipts for everything: with two good blocks there is always room."""
        truth = self.truth
        truth.receipted = truth.newest
        self.recover()
        if self.journal.unsigned is not None:
            self.sign()
        for _ in range(2):
            if not self.append():
                self.wrong("full though everything is receipted")
            self.sign()
        self.compare()
        self.recover()


main(Records)
