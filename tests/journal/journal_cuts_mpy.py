"""Cuts the power at every flash operation of a workload, and again inside what follows. Under MicroPython only.

settings: seed, blocks, records, receipts ("early", "late"), idle (one in so many records, 0 = never),
second (a second cut at one in so many operations, 0 = none).
"""

import json
import random
import sys

import nor
from bodies import body
from plomba_wire import chain
from terminal.flash import Region
from terminal.journal.ring import Journal, JournalFull

GENESIS = b"genesis of this journal, 32 byte"
SHOWN = 12


class Truth:
    """What a journal has promised: what it must still hold."""

    def __init__(self) -> None:
        self.head = GENESIS
        self.bodies = []
        self.before = []
        self.signatures = []
        self.receipted = 0
        self.pending = None
        self.signing = None

    def copy(self) -> "Truth":
        other = Truth()
        other.head = self.head
        other.bodies = self.bodies[:]
        other.before = self.before[:]
        other.signatures = self.signatures[:]
        other.receipted = self.receipted
        return other

    @property
    def newest(self) -> int:
        return len(self.bodies)

    def held(self, content: bytes) -> None:
        self.before.append(self.head)
        self.bodies.append(content)
        self.signatures.append(None)
        self.head = chain.step(self.head, content)


class Sweep:
    def __init__(self, settings) -> None:
        self.settings = settings
        self.cuts = [0, 0]
        self.recoveries = 0
        self.full = 0
        self.violations = []
        self.operation = 0
        self._seconds = 0
        blocks = settings["blocks"]
        self._chips = (nor.Nor(nor.blank(blocks)), nor.Nor(nor.blank(blocks)))

    def open(self, chip, truth: Truth) -> Journal:
        return Journal(Region(chip, 0, self.settings["blocks"]), GENESIS, truth.receipted)

    def wrong(self, what: str, place: str) -> None:
        self.violations.append("%s: %s" % (place, what))

    def append(self, journal: Journal, truth: Truth) -> bool:
        """A record, unless the journal is full."""
        content = body(truth.newest + 1, truth.head)
        truth.pending = content
        try:
            seq = journal.append(content)
        except JournalFull:
            truth.pending = None
            self.full += 1
            return False
        truth.pending = None
        truth.held(content)
        if seq != truth.newest:
            raise AssertionError("number")
        return True

    def sign(self, journal: Journal, truth: Truth) -> None:
        signature = nor.noise(64)
        truth.signing = signature
        journal.sign(signature)
        truth.signing = None
        truth.signatures[-1] = signature

    def recover(self, chip, truth: Truth, place: str) -> "tuple[Journal, Truth] | None":
        """The journal after a cut and what it holds, or None when it broke a promise."""
        self.recoveries += 1
        before = len(self.violations)
        chip.programs = chip.erases = 0
        journal = self.open(chip, truth)
        if chip.programs or chip.erases:
            self.wrong("recovery wrote to flash", place)
        newest = journal.next_seq - 1
        held = truth.copy()
        if newest == truth.newest + 1 and truth.pending is not None:
            held.held(truth.pending)
        elif newest != truth.newest:
            self.wrong("newest is %d, not %d" % (newest, truth.newest), place)
            return None
        if journal.head != held.head:
            self.wrong("another head", place)
        if journal.broken:
            self.wrong("broken at %d" % journal.broken, place)
        if journal.first_seq > truth.receipted + 1:
            self.wrong("begins at %d, receipted %d" % (journal.first_seq, truth.receipted), place)
        if held.bodies:
            self._newest_signature(journal, held, truth, place)
        self.compare(journal, held, place)
        return (journal, held) if len(self.violations) == before else None

    def _newest_signature(self, journal: Journal, held: Truth, truth: Truth, place: str) -> None:
        if held.signatures[-1] is not None:
            return
        if journal.unsigned is None:
            if truth.signing is None:
                self.wrong("signed by nobody", place)
            held.signatures[-1] = truth.signing
        elif journal.unsigned != held.head:
            self.wrong("another digest to sign", place)

    def compare(self, journal: Journal, held: Truth, place: str) -> None:
        """Every record that the journal says it holds, byte for byte."""
        for seq in range(journal.first_seq, journal.next_seq):
            try:
                content, signature, previous = journal.read(seq)
            except OSError:
                self.wrong("%d cannot be read" % seq, place)
                continue
            if content != held.bodies[seq - 1] or previous != held.before[seq - 1]:
                self.wrong("%d is another" % seq, place)
            expected = held.signatures[seq - 1]
            if expected is not None and signature != expected:
                self.wrong("%d lost its signature" % seq, place)

    def go_on(self, chip, journal: Journal, held: Truth, place: str, records: int) -> None:
        """Life after a cut: signs, appends, erases ahead, starts again, and is not stuck when receipts come."""
        if journal.unsigned is not None:
            self.sign(journal, held)
            self.compare(journal, held, place + ", signed")
        for _ in range(records):
            if not self.append(journal, held):
                break
            self.sign(journal, held)
        journal.idle()
        self.recover(chip, held, place + ", started again")
        journal.receipted = held.receipted = held.newest
        if not self.append(journal, held):
            self.wrong("full though everything is receipted", place)

    def survive(self, chip, truth: Truth, place: str, records: int, second: int) -> None:
        """Recovery after a cut, and what follows."""
        try:
            recovered = self.recover(chip, truth, place)
            if recovered is not None:
                journal, held = recovered
                if second:
                    chip.before = lambda *operation: self.second_cut(*operation, held, place)
                self.go_on(chip, journal, held, place, records)
        except Exception as error:
            self.wrong(repr(error), place)

    def first_cut(self, flash, kind: int, at: int, data, truth: Truth) -> None:
        self.operation += 1
        for end in range(6):
            chip = self._chips[0]
            chip.before = None
            chip.image[:] = flash.image
            chip.tear(kind, at, data, end)
            self.cuts[0] += 1
            place = "cut %d (%s at %d)" % (self.operation, name(kind, end), at)
            self.survive(chip, truth, place, 2, self.settings["second"])

    def second_cut(self, flash, kind: int, at: int, data, truth: Truth, place: str) -> None:
        self._seconds += 1
        if self._seconds % self.settings["second"]:
            return
        end = random.getrandbits(16) % 6
        chip = self._chips[1]
        chip.image[:] = flash.image
        chip.tear(kind, at, data, end)
        self.cuts[1] += 1
        place = "%s, then (%s at %d)" % (place, name(kind, end), at)
        self.survive(chip, truth, place, 1, 0)

    def run(self):
        settings = self.settings
        flash = nor.Nor(nor.blank(settings["blocks"]))
        truth = Truth()
        journal = self.open(flash, truth)
        flash.before = lambda *operation: self.first_cut(*operation, truth)
        pages = erases = 0
        while truth.newest < settings["records"]:
            if len(self.violations) > SHOWN:
                break
            if self.append(journal, truth):
                pages += (len(truth.bodies[-1]) + 108 + 255) // 256
                self.sign(journal, truth)
            else:
                truth.receipted = journal.receipted = truth.newest - random.getrandbits(8) % 3
            if settings["receipts"] == "early" and truth.newest % 5 == 0:
                truth.receipted = journal.receipted = max(truth.receipted, truth.newest - 4)
            if settings["idle"] and truth.newest % settings["idle"] == 0:
                journal.idle()
        return {
            "cuts": self.cuts[0],
            "second_cuts": self.cuts[1],
            "recoveries": self.recoveries,
            "operations": self.operation,
            "wraps": pages / (16 * settings["blocks"]),
            "erases": flash.erases,
            "full": self.full,
            "violations": self.violations[:SHOWN],
        }


def name(kind: int, end: int) -> str:
    return "program: " + nor.PROGRAM_ENDS[end] if kind == nor.PROGRAM else "erase: " + nor.ERASE_ENDS[end]


settings = json.loads(sys.argv[1])
random.seed(settings["seed"])
print(json.dumps(Sweep(settings).run()))
