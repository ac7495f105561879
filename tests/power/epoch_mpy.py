"""A change of epoch: the old chain stays whole, or a new one is begun.

What is promised: every start finishes what was begun. After it the old epoch is whole, or the new one is empty and
takes records; it never goes back, and the key stays. Where flash fails in between, nothing is recorded before a start
has finished the change.
"""

import nor
from bodies import body
from packages import ROOT_KEY, signed
from power import main
from small_state import SmallState

from plomba_wire import chain
from plomba_wire.codec import Certificate
from plomba_wire.vocabulary import ObjectKind, Protection, Role
from terminal import files
from terminal.flash import Region
from terminal.journal import epoch
from terminal.journal.ring import Journal
from terminal.keys import entropy, p256
from terminal.keys.identity import Identity
from terminal.keys.signer import SoftwareSigner

_RING = 3
_KEY = 4242
_PUBLIC = p256.public_key(_KEY)
_RECORDS = (40, 100)
"""Before the ring is full, and after it went round."""
_certificates = {}

# A start asks for both; neither changes.
entropy.self_test()
entropy.self_test = lambda source: None
_public_key = p256.public_key
p256.public_key = lambda private: _PUBLIC if private == _KEY else _public_key(private)


def certificate(number: int) -> bytes:
    if number not in _certificates:
        contents = Certificate(Role.TERMINAL, Protection.OPEN, number, _PUBLIC, b"cut").pack()
        _certificates[number] = signed(ObjectKind.CERTIFICATE, number, contents, ROOT_KEY)
    return _certificates[number]


class Change(SmallState):
    """`epoch` is the one that is open, `opening` whether the next one may be."""

    NAME = "epoch"
    FILES = 4
    BLOCKS = 4 + _RING
    VARIANTS = 2

    def begin(self) -> None:
        super().begin()
        self.enter()
        files.save("key", _KEY.to_bytes(32, "big"))
        Identity(SoftwareSigner()).take(certificate(1))
        self.leave()
        self.epoch = 1
        self.receipted = 0
        self.opening = False
        journal = self.ring()
        for _ in range(_RECORDS[self.variant]):
            self.receipted = journal.append(body(journal.next_seq, journal.head, 100))
            journal.sign(nor.noise(64))
            journal.receipted = self.receipted
            journal.idle()
        self.first, self.head = journal.first_seq, journal.head

    def fork(self, child) -> None:
        super().fork(child)
        for name in ("epoch", "receipted", "opening", "first", "head"):
            setattr(child, name, getattr(self, name))

    def journal(self) -> Region:
        return self.region()

    def ring(self) -> Journal:
        return Journal(self.region(), chain.genesis(_PUBLIC, self.epoch), self.receipted)

    def ended(self, error) -> None:
        """A start that cannot finish the change, for its small state is on bad flash, refuses."""
        if isinstance(error, OSError) and 0 <= self.chip.bad < self.FILES:
            self.sweep.refused += 1
        else:
            super().ended(error)

    def live(self) -> None:
        for _ in range(3):
            self.change(self.epoch + 1)
            self.step(self.check)
            self.record()

    def change(self, number: int) -> None:
        """Where it does not come to its end, the next start does what is left."""
        self.opening = True
        try:
            self.step(lambda: epoch.begin(Identity(SoftwareSigner()), certificate(number), self.region()))
            self.opened(number)
        except epoch.Unfinished as error:
            self.refused(error)
            self.recover()

    def region(self) -> Region:
        return Region(self.chip, self.FILES, _RING)

    def opened(self, number: int) -> None:
        self.epoch = number
        self.opening = False
        self.receipted = 0
        self.first, self.head = 1, chain.genesis(_PUBLIC, number)

    def record(self) -> None:
        journal = self.ring()
        journal.append(body(journal.next_seq, journal.head, 100))
        journal.sign(nor.noise(64))
        self.receipted, self.head = journal.next_seq - 1, journal.head
        found = self.ring()
        held = found.next_seq, found.head, found.unsigned
        if held != (journal.next_seq, self.head, None) or (journal.broken and not self.cannot_read):
            self.wrong("epoch %d takes no record" % self.epoch)

    def recover(self) -> None:
        self.step(lambda: epoch.finish(Identity(SoftwareSigner()), self.region()))
        self.step(self.check)

    def check(self) -> None:
        identity = Identity(SoftwareSigner())
        if identity.public != _PUBLIC:
            self.wrong("another key")
        if identity.epoch == self.epoch + 1 and self.opening:
            self.opened(identity.epoch)
        self.opening = False
        if identity.epoch != self.epoch:
            self.wrong("epoch %d, not %d" % (identity.epoch, self.epoch))
        journal = self.ring()
        found = journal.first_seq, journal.next_seq, journal.head, journal.broken
        if self.cannot_read and self.chip.bad >= self.FILES:
            # Its records may be out of reach: then no number is given again.
            if journal.next_seq <= self.receipted:
                self.wrong("numbers are given again: %s" % (found,))
            self.receipted, self.head = journal.next_seq - 1, journal.head
            self.first = journal.first_seq
            return
        if found != (self.first, self.receipted + 1, self.head, 0):
            self.wrong("epoch %d is not whole: %s" % (self.epoch, found))

    def go_on(self) -> None:
        if not self.receipted:
            self.record()
        self.change(self.epoch + 1)
        self.record()
        self.step(self.check)


main(Change)
