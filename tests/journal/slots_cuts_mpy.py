"""Cuts the power at every flash operation of transfers into two slots. Under MicroPython only.

The settings are those of test_slots.py: seed, transfers, blocks (of a slot).
"""

import gc
import hashlib
import json
import random
import sys

import nor
from situations import refuses

from plomba_wire.terminal_end import Refusal
from terminal.flash import Region
from terminal.objects.slots import Slot, Transfer

SHOWN = 12
KIND = 3
SIZES = (1, 255, 256, 257, 3839, 3840, 3841, 4096, 7936, 0)
"""Bytes of the objects; 3840 is what the first block holds behind the title, 0 stands for all that a slot holds."""


class Sweep:
    def __init__(self, settings) -> None:
        self.blocks = settings["blocks"]
        self.chip = nor.Nor(nor.blank(2 * self.blocks))
        self.torn = nor.Nor(nor.blank(2 * self.blocks))
        self.objects = {}
        self.in_force = 0
        self.coming = 0
        self.sealing = False
        self.cuts = 0
        self.ignored = 0
        self.wrongs = 0
        self.violations = []

    def slots(self, chip):
        return [Slot(Region(chip, number * self.blocks, self.blocks)) for number in range(2)]

    def wrong(self, what: str, place: str) -> None:
        self.wrongs += 1
        if self.wrongs <= SHOWN:
            self.violations.append("%s: %s" % (place, what))

    def piece(self, version: int, start: int, end: int) -> bytes:
        """An object's bytes are made from its version, so that none has to be kept."""
        made = b"".join(
            hashlib.sha256(b"%d %d" % (version, number)).digest() for number in range(start // 32, end // 32 + 1)
        )
        return made[start % 32 : start % 32 + end - start]

    def digest(self, version: int, size: int) -> bytes:
        digest = hashlib.sha256()
        for at in range(0, size, 256):
            digest.update(self.piece(version, at, min(size, at + 256)))
        return digest.digest()

    def newest(self, chip, place: str) -> int:
        """Version of the newest object; every slot with a title holds the whole of what it says."""
        versions = [0]
        for slot in self.slots(chip):
            if slot.size:
                size, digest = self.objects[slot.version]
                if slot.size != size or slot.digest(0, size, b"") != digest:
                    self.wrong("%d is not whole" % slot.version, place)
                versions.append(slot.version)
        return max(versions)

    def cut(self, flash, kind: int, at: int, data) -> None:
        gc.collect()
        for end in range(len(nor.ends(kind))):
            self.torn.image[:] = flash.image
            self.torn.tear(kind, at, data, end)
            self.cuts += 1
            place = "transfer of %d (%s at %d)" % (self.coming, nor.ends(kind)[end], at)
            newest = self.newest(self.torn, place)
            if newest != self.in_force and not (self.sealing and newest == self.coming):
                self.wrong("%d in force" % newest, place)
            if random.getrandbits(8) % 8 == 0:
                slots = self.slots(self.torn)
                self.transfer(slots[0] if slots[1].version == newest else slots[1], self.coming + 1000).seal()
                if self.newest(self.torn, place + ", again") != self.coming + 1000:
                    self.wrong("cannot be transferred again", place)

    def transfer(self, slot: Slot, version: int) -> Transfer:
        """All but the title, with pieces that come twice, too early and too long among them."""
        size = SIZES[version % len(SIZES)] or slot.room
        if version not in self.objects:
            self.objects[version] = (size, self.digest(version, size))
        operations = self.chip.programs + self.chip.erases
        transfer = Transfer(slot, KIND, version, size, self.objects[version][1])
        while transfer.offset < size:
            offset = transfer.offset
            end = min(size, offset + 1 + random.getrandbits(16) % 700)
            for other in (0, offset // 2, offset - 1, offset + 1, end):
                if 0 <= other < size and other != offset:
                    operations = self.chip.programs + self.chip.erases
                    transfer.write(other, self.piece(version, other, min(size, other + 300)))
                    self.ignored += 1
                    if transfer.offset != offset or self.chip.programs + self.chip.erases != operations:
                        self.wrong("a piece at %d of %d was taken" % (other, offset), str(version))
            refuses(Refusal, transfer.write, offset, bytes(size - offset + 1))
            refuses(Refusal, transfer.check)
            transfer.write(offset, self.piece(version, offset, end))
        transfer.check()
        return transfer

    def run(self, transfers: int):
        self.chip.before = self.cut
        slots = self.slots(self.chip)
        for number in range(transfers):
            self.coming = number + 1
            transfer = self.transfer(slots[number % 2], self.coming)
            self.sealing = True
            transfer.seal()
            self.sealing = False
            self.in_force = self.coming
            if self.newest(self.chip, "whole") != self.coming:
                self.wrong("not in force", "transfer of %d" % self.coming)
            slots = self.slots(self.chip)
        return {"cuts": self.cuts, "ignored": self.ignored, "wrongs": self.wrongs, "violations": self.violations}


gc.threshold(32768)
settings = json.loads(sys.stdin.readline())
random.seed(settings["seed"])
print(json.dumps(Sweep(settings).run(settings["transfers"])))
