"""Cuts the power at every flash operation of a change of epoch, and again while the next start finishes it.

Under MicroPython only. The settings are those of test_epoch_cuts.py: seed, records.
"""

import gc
import json
import random
import sys

import nor
import vfs
from bodies import body
from packages import ROOT_KEY, signed

from plomba_wire import chain
from plomba_wire.codec import Certificate
from plomba_wire.vocabulary import ObjectKind, Protection, Role
from terminal import files
from terminal.flash import FileRange, Region
from terminal.journal import epoch
from terminal.journal.ring import Journal
from terminal.keys.identity import Identity
from terminal.keys.signer import SoftwareSigner

FILES = 4
RING = 3
SHOWN = 12
_WHOLE = 4

CHIP, OUTER, TORN, INNER = [nor.blank(FILES + RING) for _ in range(4)]
"""The chip, and what it was before the cuts under way."""


class Sweep:
    def __init__(self, records: int) -> None:
        self.cuts = 0
        self.again = 0
        self.faults = 0
        self.wrongs = 0
        self.violations = []
        self.kept = 0
        self.begun = 0
        self.changed = False
        self.chip = nor.Nor(CHIP)
        self.mount()
        identity = Identity(SoftwareSigner())
        self.public = identity.public
        identity.take(self.certificate(1))
        journal = self.journal(1, 0)
        for _ in range(records):
            seq = journal.append(body(journal.next_seq, journal.head, 100))
            journal.sign(nor.noise(64))
            journal.receipted = seq
            journal.idle()
        self.first, self.receipted = journal.first_seq, journal.receipted
        self.head = journal.head
        vfs.umount("/state")

    def certificate(self, number: int) -> bytes:
        contents = Certificate(Role.TERMINAL, Protection.OPEN, number, self.public, b"cut").pack()
        return signed(ObjectKind.CERTIFICATE, number, contents, ROOT_KEY)

    def mount(self) -> None:
        files.mount(FileRange(self.chip, 0, FILES), self.region())

    def region(self) -> Region:
        return Region(self.chip, FILES, RING)

    def journal(self, number: int, receipted: int) -> Journal:
        return Journal(self.region(), chain.genesis(self.public, number), receipted)

    def wrong(self, what: str, place: str) -> None:
        self.wrongs += 1
        if self.wrongs <= SHOWN:
            self.violations.append("%s: %s" % (place, what))

    def operations(self, act) -> "list[tuple]":
        """What `act` does to flash."""
        seen = []
        self.mount()
        self.chip.before = lambda flash, kind, at, data: seen.append((kind, at, data and bytes(data)))
        act()
        self.chip.before = None
        vfs.umount("/state")
        return seen

    def start(self) -> None:
        """What a start does, as far as epochs go."""
        epoch.finish(Identity(SoftwareSigner()), self.region())

    def check(self, place: str) -> None:
        """The start is over: the old epoch is whole, or the new one is empty and takes records."""
        self.mount()
        identity = Identity(SoftwareSigner())
        if identity.public != self.public:
            self.wrong("another key", place)
        if identity.epoch == 1:
            self.kept += 1
            journal = self.journal(1, self.receipted)
            if (journal.first_seq, journal.head, journal.broken) != (self.first, self.head, 0):
                self.wrong("the old epoch is not whole", place)
            if self.changed:
                self.wrong("the old epoch is back", place)
        else:
            self.begun += 1
            journal = self.journal(2, 0)
            if (identity.epoch, journal.next_seq, journal.oldest_seq, journal.broken) != (2, 1, 1, 0):
                self.wrong("the new epoch is not empty", place)
            journal.append(body(1, journal.head, 100))
            journal.sign(nor.noise(64))
            found = self.journal(2, 0)
            if (found.next_seq, found.head, found.broken, found.unsigned) != (2, journal.head, 0, None):
                self.wrong("the new epoch takes no record", place)
        vfs.umount("/state")

    def run(self):
        chip = self.chip
        OUTER[:] = CHIP
        certificate = self.certificate(2)
        change = self.operations(lambda: epoch.begin(Identity(SoftwareSigner()), certificate, self.region()))
        CHIP[:] = OUTER
        self.fail(certificate, sum(kind == nor.PROGRAM for kind, _, _ in change))
        CHIP[:] = OUTER
        for number, (kind, at, data) in enumerate(change):
            whole = False
            for end, name in enumerate(nor.ends(kind)):
                gc.collect()
                begun = self.begun
                OUTER[:] = CHIP
                chip.tear(kind, at, data, end)
                self.cuts += 1
                self.finish("operation %d of %d (%s)" % (number + 1, len(change), name))
                CHIP[:] = OUTER
                if end == _WHOLE:
                    whole = self.begun > begun
            chip.tear(kind, at, data, _WHOLE)
            self.changed = self.changed or whole
        return {
            name: getattr(self, name) for name in ("cuts", "again", "faults", "kept", "begun", "wrongs", "violations")
        }

    def fail(self, certificate: bytes, programs: int) -> None:
        """Each program in turn is the first that flash does not take, nor any other until the next start.

        The terminal must not go on recording: its next start may empty the ring.
        """
        chip = self.chip
        for number in range(programs):
            gc.collect()
            CHIP[:] = OUTER
            self.mount()
            identity, region = Identity(SoftwareSigner()), self.region()
            last = chip.programs + number
            chip.fails = lambda at, last=last: chip.programs > last
            try:
                epoch.begin(identity, certificate, region)
                self.wrong("goes on", "failing program %d" % number)
            except epoch.Unfinished:
                self.faults += 1
            chip.fails = None
            vfs.umount("/state")
            self.operations(self.start)
            self.check("failing program %d" % number)

    def finish(self, place: str) -> None:
        """The next start; then the same with its power cut at every operation too, each in one way."""
        chip = self.chip
        TORN[:] = CHIP
        finishing = self.operations(self.start)
        self.check(place)
        CHIP[:] = TORN
        for number, (kind, at, data) in enumerate(finishing):
            gc.collect()
            INNER[:] = CHIP
            end = random.getrandbits(16) % len(nor.ends(kind))
            chip.tear(kind, at, data, end)
            self.again += 1
            self.operations(self.start)
            self.check("%s, then operation %d (%s)" % (place, number + 1, nor.ends(kind)[end]))
            CHIP[:] = INNER
            chip.tear(kind, at, data, _WHOLE)


gc.threshold(32768)
settings = json.loads(sys.stdin.readline())
random.seed(settings["seed"])
print(json.dumps(Sweep(settings["records"]).run()))
