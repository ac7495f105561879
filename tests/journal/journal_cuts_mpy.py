"""Cuts the power at every flash operation of a workload, and again inside what follows. Under MicroPython only.

The settings are those of test_power_cuts.py: seed, blocks, records, receipts ("early", or "late": only when full),
idle (erase ahead after every so many records, 0 = never), second (a second cut at one in so many operations, 0 = none).
"""

import gc
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
BEFORE, BODY, SIGNATURE = range(3)


class Truth:
    """What a journal has promised to hold: (h(n-1), body, signature or None) of each record after `forgotten`.

    `appending` and `signing` are the body and the signature that it was given and has not promised to keep.
    """

    def __init__(self) -> None:
        self.head = GENESIS
        self.records = []
        self.forgotten = 0
        self.receipted = 0
        self.appending = None
        self.signing = None

    def copy(self) -> "Truth":
        other = Truth()
        other.head = self.head
        other.records = self.records[:]
        other.forgotten = self.forgotten
        other.receipted = self.receipted
        return other

    @property
    def newest(self) -> int:
        return self.forgotten + len(self.records)

    def __getitem__(self, seq: int):
        return self.records[seq - self.forgotten - 1]

    def hold(self, content: bytes) -> None:
        self.records.append((self.head, content, None))
        self.head = chain.step(self.head, content)

    def signed(self, signature) -> None:
        before, content, _ = self.records[-1]
        self.records[-1] = (before, content, signature)

    def forget(self, seq: int) -> None:
        """What is so old that no ring can hold it."""
        while self.forgotten < seq:
            self.records.pop(0)
            self.forgotten += 1


class Sweep:
    def __init__(self, settings) -> None:
        self.settings = settings
        self.cuts = [0, 0]
        self.recoveries = 0
        self.full = 0
        self.violations = []
        self.operation = 0
        self._later = 0
        blocks = settings["blocks"]
        self._chips = (nor.Nor(nor.blank(blocks)), nor.Nor(nor.blank(blocks)))

    def open(self, chip, truth: Truth) -> Journal:
        return Journal(Region(chip, 0, self.settings["blocks"]), GENESIS, truth.receipted)

    def wrong(self, what: str, place: str) -> None:
        self.violations.append("%s: %s" % (place, what))

    def append(self, journal: Journal, truth: Truth) -> bool:
        """A record, unless the journal is full."""
        truth.appending = body(truth.newest + 1, truth.head)
        try:
            seq = journal.append(truth.appending)
        except JournalFull:
            self.full += 1
            truth.appending = None
            return False
        self.kept(truth)
        truth.hold(truth.appending)
        truth.appending = None
        assert seq == truth.newest
        return True

    def sign(self, journal: Journal, truth: Truth) -> None:
        truth.signing = nor.noise(64)
        journal.sign(truth.signing)
        self.kept(truth)

    def kept(self, truth: Truth) -> None:
        if truth.signing is not None:
            truth.signed(truth.signing)
            truth.signing = None

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
        if newest == truth.newest + 1 and truth.appending is not None:
            if truth.signing is not None:
                held.signed(truth.signing)
            held.hold(truth.appending)
        elif newest != truth.newest:
            self.wrong("newest is %d, not %d" % (newest, truth.newest), place)
            return None
        if journal.head != held.head:
            self.wrong("another head", place)
        if journal.broken:
            self.wrong("broken at %d" % journal.broken, place)
        if journal.first_seq > truth.receipted + 1:
            self.wrong("begins at %d, receipted %d" % (journal.first_seq, truth.receipted), place)
        if held.records and held.records[-1][SIGNATURE] is None:
            if journal.unsigned is None:
                held.signed(truth.signing or b"nobody's")
            elif journal.unsigned != held.head:
                self.wrong("another digest to sign", place)
        self.compare(journal, held, place)
        return (journal, held) if len(self.violations) == before else None

    def compare(self, journal: Journal, held: Truth, place: str) -> None:
        """Every record that the journal says it holds, byte for byte."""
        for seq in range(journal.first_seq, journal.next_seq):
            before, content, signature = held[seq]
            try:
                found = journal.read(seq)
            except OSError:
                self.wrong("%d cannot be read" % seq, place)
                continue
            if found[0] != content or found[2] != before:
                self.wrong("%d is another" % seq, place)
            if found[1] != (signature or b""):
                self.wrong("%d has another signature" % seq, place)

    def go_on(self, chip, journal: Journal, held: Truth, place: str, records: int, tore: bool) -> None:
        """Life after a cut: signs, appends, erases ahead, starts again, and is not stuck when receipts come."""
        if journal.unsigned is not None:
            self.sign(journal, held)
            self.compare(journal, held, place + ", signed")
        taken = 0
        while taken < records and self.append(journal, held):
            self.sign(journal, held)
            taken += 1
        journal.idle()
        if tore and not taken:
            # Full: a record whose signature was torn has nowhere to move to, and is signed in RAM only.
            held.signing = held[held.newest][SIGNATURE]
            held.signed(None)
            again = self.recover(chip, held, place + ", full, started again")
            if again is not None and again[0].unsigned is not None:
                journal = again[0]
                held.signing = nor.noise(64)
                journal.sign(held.signing)
        else:
            self.recover(chip, held, place + ", started again")
        journal.receipted = held.receipted = held.newest
        if self.append(journal, held):
            self.compare(journal, held, place + ", receipted")
        else:
            self.wrong("full though everything is receipted", place)

    def survive(self, chip, truth: Truth, place: str, records: int, second: int) -> None:
        """Recovery after a cut, and what follows."""
        try:
            recovered = self.recover(chip, truth, place)
            if recovered is not None:
                journal, held = recovered
                if second:
                    chip.before = lambda *operation: self.second_cut(*operation, held, place)
                self.go_on(chip, journal, held, place, records, truth.signing is not None)
        except Exception as error:
            self.wrong(repr(error), place)

    def first_cut(self, flash, kind: int, at: int, data, truth: Truth) -> None:
        self.operation += 1
        gc.collect()
        chip = self._chips[0]
        for end in range(len(nor.ends(kind))):
            chip.before = None
            chip.image[:] = flash.image
            chip.tear(kind, at, data, end)
            self.cuts[0] += 1
            place = "cut %d (%s at %d)" % (self.operation, name(kind, end), at)
            self.survive(chip, truth, place, 2, self.settings["second"])

    def second_cut(self, flash, kind: int, at: int, data, truth: Truth, place: str) -> None:
        self._later += 1
        if self._later % self.settings["second"]:
            return
        gc.collect()
        end = random.getrandbits(16) % len(nor.ends(kind))
        chip = self._chips[1]
        chip.image[:] = flash.image
        chip.tear(kind, at, data, end)
        self.cuts[1] += 1
        self.survive(chip, truth, "%s, then (%s at %d)" % (place, name(kind, end), at), 1, 0)

    def run(self):
        settings = self.settings
        flash = nor.Nor(nor.blank(settings["blocks"]))
        truth = Truth()
        journal = self.open(flash, truth)
        flash.before = lambda *operation: self.first_cut(*operation, truth)
        pages = 0
        while truth.newest < settings["records"] and len(self.violations) < SHOWN:
            if self.append(journal, truth):
                pages += (len(truth.records[-1][BODY]) + 108 + 255) // 256
                self.sign(journal, truth)
            else:
                truth.receipted = journal.receipted = truth.newest - random.getrandbits(8) % 3
            if settings["receipts"] == "early" and truth.newest % 5 == 0:
                truth.receipted = journal.receipted = max(truth.receipted, truth.newest - 4)
            if settings["idle"] and truth.newest % settings["idle"] == 0:
                journal.idle()
            truth.forget(truth.newest - 16 * settings["blocks"])
        return {
            "cuts": self.cuts[0],
            "second_cuts": self.cuts[1],
            "recoveries": self.recoveries,
            "operations": [flash.programs, flash.erases],
            "wraps": pages / (16 * settings["blocks"]),
            "full": self.full,
            "wrongs": len(self.violations),
            "violations": self.violations[:SHOWN],
        }


def name(kind: int, end: int) -> str:
    return ("program: ", "erase: ")[kind] + nor.ends(kind)[end]


gc.threshold(32768)
settings = json.loads(sys.stdin.readline())
random.seed(settings["seed"])
print(json.dumps(Sweep(settings).run()))
