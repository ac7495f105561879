"""Damages one page of a stored journal, starts on it and compares what is held with what was. Under MicroPython only.

The settings are those of test_damage.py: seed, blocks, records, receipted, and what is damaged: "bits" flips one bit at
each of `count` places from `first` on, `step` bits apart; "noise" fills `count` random pages with random bytes.
"""

import gc
import hashlib
import json
import random
import struct
import sys
import time

import nor
from bodies import body

from plomba_wire import chain
from terminal.flash import Region
from terminal.journal.ring import Journal, JournalFull

GENESIS = b"genesis of this journal, 32 byte"
SHOWN = 12
FRONT, SIGNED = 40, 68
_ROW = ">32sH8s8s"
_ROW_SIZE = struct.calcsize(_ROW)


class Stored:
    """A journal at work, its image, and where everything lies in it."""

    def __init__(self, settings) -> None:
        self.blocks = settings["blocks"]
        self.chip = nor.Nor(nor.blank(self.blocks))
        self.receipted = settings["receipted"]
        self.rows = bytearray(_ROW_SIZE * (settings["records"] + 1))
        self.saved = [bytearray(nor.BLOCK) for _ in range(3)]
        self.touched = []
        self.head = GENESIS
        self.owner = [0] * (self.blocks * 16)
        self.part = [0] * (self.blocks * 16)
        journal = Journal(Region(self.chip, 0, self.blocks), GENESIS, 0)
        while journal.next_seq <= settings["records"]:
            self.append(journal)
            journal.receipted = min(self.receipted, journal.next_seq - 1)
        self.oldest = journal.first_seq
        self.newest = journal.next_seq - 1

    def append(self, journal: Journal) -> None:
        seq = journal.next_seq
        content = body(seq, self.head)
        pages = []
        self.chip.before = lambda flash, kind, at, data: pages.append(at // 256) if kind == nor.PROGRAM else None
        journal.append(content)
        self.chip.before = None
        signature = nor.noise(64)
        journal.sign(signature)
        for index, page in enumerate(pages):
            self.owner[page] = seq
            self.part[page] = index - len(pages)
        row = (self.head, len(content), digest(content, self.head), digest(signature))
        struct.pack_into(_ROW, self.rows, _ROW_SIZE * seq, *row)
        self.head = chain.step(self.head, content)

    def row(self, seq: int):
        """h(n-1), length, digest of body and h(n-1), digest of signature."""
        return struct.unpack_from(_ROW, self.rows, _ROW_SIZE * seq)

    def keep(self, flash, kind: int, at: int, data) -> None:
        start = at // nor.BLOCK * nor.BLOCK
        if start not in self.touched:
            self.saved[len(self.touched)][:] = memoryview(flash.image)[start : start + nor.BLOCK]
            self.touched.append(start)

    def restore(self) -> None:
        """Takes back what was written since the last time."""
        for start, saved in zip(self.touched, self.saved):
            self.chip.image[start : start + nor.BLOCK] = saved
        self.touched.clear()

    def what(self, byte: int) -> "tuple[int, str]":
        """The record a byte of flash belongs to, 0 for none, and what of it."""
        page = byte // 256
        seq = self.owner[page]
        if seq < self.oldest:
            return 0, "blank" if self.blank(page) else "old"
        length = self.row(seq)[1]
        pages = (FRONT + length + SIGNED + 255) // 256
        at = (pages + self.part[page]) * 256 + byte % 256
        if at >= pages * 256 - SIGNED:
            return seq, "signature"
        return seq, "record" if at < FRONT + length else "padding"

    def blank(self, page: int) -> bool:
        return self.chip.image[page * 256 : page * 256 + 256] == b"\xff" * 256


class Damage:
    def __init__(self, settings) -> None:
        self.settings = settings
        self.stored = Stored(settings)
        self.wrongs = 0
        self.violations = []
        self.kinds = {}

    def wrong(self, what: str, place: str) -> None:
        self.wrongs += 1
        if self.wrongs <= SHOWN:
            self.violations.append("%s: %s" % (place, what))

    def journal(self) -> Journal:
        return Journal(Region(self.stored.chip, 0, self.stored.blocks), GENESIS, self.stored.receipted)

    def check(self, journal: Journal, damaged: int, kind: str, place: str) -> None:
        """`kind` is what of the record `damaged` is no longer what it was."""
        stored = self.stored
        lost = damaged if kind in ("record", "page") else 0
        head = stored.row(stored.newest)[0] if lost == stored.newest else stored.head
        if journal.next_seq != stored.newest + 1 or journal.head != head:
            self.wrong("goes on at %d" % journal.next_seq, place)
        if journal.broken != (lost if lost > stored.receipted else 0):
            self.wrong("broken %d" % journal.broken, place)
        if (journal.torn == 0) != (not lost and kind != "blank"):
            self.wrong("torn %d" % journal.torn, place)
        if journal.first_seq != (lost + 1 if lost else stored.oldest):
            self.wrong("first_seq %d" % journal.first_seq, place)
        if journal.oldest_seq != (lost + 1 if lost == stored.oldest else stored.oldest):
            self.wrong("oldest_seq %d" % journal.oldest_seq, place)
        wants = kind == "signature" and damaged == stored.newest
        if (journal.unsigned is not None) != wants:
            self.wrong("unsigned %s" % journal.unsigned, place)
        for seq in range(stored.oldest, stored.newest + 1):
            _, length, content, signature = stored.row(seq)
            try:
                found = journal.read(seq)
            except (OSError, IndexError):
                if seq != lost:
                    self.wrong("%d cannot be read" % seq, place)
                continue
            if seq == lost:
                self.wrong("%d can be read" % seq, place)
            if digest(found[0], found[2]) != content or len(found[0]) != length:
                self.wrong("%d is another" % seq, place)
            if (found[1] != b"") if seq == damaged and kind == "signature" else digest(found[1]) != signature:
                self.wrong("%d has another signature" % seq, place)
        if lost > stored.oldest and journal.digest_before(lost) != stored.row(lost)[0]:
            self.wrong("digest before it", place)

    def go_on(self, damaged: int, kind: str, place: str) -> None:
        """What is appended after the damage is held, what was damaged stays noticed."""
        stored = self.stored
        journal = self.journal()
        if journal.unsigned is not None:
            journal.sign(nor.noise(64))
        broken = journal.broken
        head = journal.head
        added = []
        try:
            for _ in range(3):
                content = body(journal.next_seq, journal.head)
                added.append((journal.append(content), content))
                head = journal.head
                journal.sign(nor.noise(64))
        except JournalFull:
            pass
        journal.idle()
        journal = self.journal()
        if journal.broken != broken or journal.head != head:
            self.wrong("forgotten after the next start: broken %d" % journal.broken, place)
        for seq, content in added:
            if journal.read(seq)[0] != content or not journal.read(seq)[1]:
                self.wrong("what came after is another", place)
        for seq in range(stored.receipted + 1, stored.newest + 1):
            if seq != damaged:
                content, _, before = journal.read(seq)
                if digest(content, before) != stored.row(seq)[2]:
                    self.wrong("%d did not stay" % seq, place)

    def attempt(self, damaged: int, kind: str, place: str, further: bool) -> None:
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        try:
            self.check(self.journal(), damaged, kind, place)
            if further:
                self.go_on(damaged, kind, place)
        except Exception as error:
            self.wrong(repr(error), place)
        self.stored.restore()

    def bits(self) -> None:
        image = self.stored.chip.image
        step = self.settings["step"]
        for number in range(self.settings["count"]):
            bit = self.settings["first"] + number * step
            damaged, kind = self.stored.what(bit // 8)
            image[bit // 8] ^= 1 << bit % 8
            self.attempt(damaged, kind, "bit %d (%s of %d)" % (bit, kind, damaged), number % 16 == 0)
            image[bit // 8] ^= 1 << bit % 8

    def noise(self) -> None:
        image = self.stored.chip.image
        for number in range(self.settings["count"]):
            page = random.getrandbits(30) % (self.stored.blocks * 16)
            damaged, kind = self.stored.what(page * 256)
            if damaged:
                # A page that begins with padding holds nothing but the signature.
                kind = "page" if kind == "record" else "signature"
            before = bytes(image[page * 256 : page * 256 + 256])
            image[page * 256 : page * 256 + 256] = nor.noise(256)
            # Of the newest record not even the signature tells any longer that there was one: a torn page.
            if damaged != self.stored.newest:
                self.attempt(damaged, kind, "page %d (%s of %d)" % (page, kind, damaged), number % 16 == 0)
            image[page * 256 : page * 256 + 256] = before

    def run(self):
        began = time.ticks_ms()
        stored = self.stored
        stored.chip.before = stored.keep
        self.check(self.journal(), 0, "nothing", "untouched")
        {"bits": self.bits, "noise": self.noise}[self.settings["damage"]]()
        return {
            "attempts": sum(self.kinds.values()),
            "kinds": self.kinds,
            "held": stored.newest - stored.oldest + 1,
            "seconds": time.ticks_diff(time.ticks_ms(), began) / 1000,
            "wrongs": self.wrongs,
            "violations": self.violations,
        }


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()[:8]


settings = json.loads(sys.stdin.readline())
random.seed(settings["seed"])
gc.collect()
print(json.dumps(Damage(settings).run()))
