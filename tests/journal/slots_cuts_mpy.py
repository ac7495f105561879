"""Cuts the power at every flash operation of transfers into two slots. Under MicroPython only.

The settings are those of test_slots.py: seed, transfers, blocks (of a slot), often (one cut of so many is followed by
whole transfers).
"""

import gc
import json
import random
import sys

import collects  # noqa: F401
import nor
from packages import FRONT, Package, content, slot_of
from situations import refuses

from plomba_wire.terminal_end import Refusal
from terminal.flash import BLOCK

SHOWN = 12
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1)
"""Bytes of the contents; 0 stands for all that a slot holds."""
OTHER = 100000
"""Version of an object that is offered instead."""


class Sweep:
    def __init__(self, settings) -> None:
        self.blocks = settings["blocks"]
        self.often = settings["often"]
        self.chip = nor.Nor(nor.blank(2 * self.blocks))
        self.torn = nor.Nor(nor.blank(2 * self.blocks))
        self.packages = {}
        self.place = ""
        self.in_force = 0
        self.coming = 0
        self.sealing = False
        self.counts = {"cuts": 0, "ignored": 0, "resumed": 0, "finished": 0}
        self.violations = []

    def slots(self, chip):
        return [slot_of(chip, number * self.blocks, self.blocks) for number in range(2)]

    def spare(self, chip):
        """The slot that the object on its way goes to."""
        return self.slots(chip)[self.coming % 2]

    def package(self, version: int) -> Package:
        """Made anew when it was not the last of those that are seldom wanted: the heap of a board does not hold all."""
        if version not in self.packages:
            for seldom in self.packages:
                if seldom not in (self.coming, self.in_force):
                    del self.packages[seldom]
                    break
            gc.collect()
            room = (self.blocks - FRONT) * BLOCK
            size = min(room, SIZES[version % len(SIZES)] or room)
            self.packages[version] = Package(version, content(version, size))
        return self.packages[version]

    def wrong(self, what: str) -> None:
        self.violations.append("transfer of %d, %s: %s" % (self.coming, self.place, what))

    def newest(self, chip) -> int:
        """Version of the newest object; every slot with a title holds the whole of what it says."""
        newest = 0
        for slot in self.slots(chip):
            if slot.size:
                if not self.package(slot.version).whole_in(slot):
                    self.wrong("%d is not whole" % slot.version)
                newest = max(newest, slot.version)
        return newest

    def cut(self, _, kind: int, at: int, data) -> None:
        block = at // BLOCK - self.coming % 2 * self.blocks
        if self.sealing:
            done = self.package(self.coming).size
        else:
            done = self.package(self.coming).boundary(block - FRONT) if block >= FRONT else 0
        for end, name in enumerate(nor.ends(kind)):
            self.place = "%s of what %s at %d" % (name, "programs" if data else "erases", at)
            self.counts["cuts"] += 1
            self.tear(kind, at, data, end)
            newest = self.newest(self.torn)
            if newest == self.coming and self.sealing:
                continue
            if newest != self.in_force:
                self.wrong("%d in force" % newest)
            try:
                self.after(done, kind, at, data, end)
            except Exception as error:
                self.wrong(repr(error))

    def tear(self, *operation) -> None:
        """Makes `torn` what a cut of an operation of the chip leaves."""
        gc.collect()
        self.torn.image[:] = self.chip.image
        self.torn.tear(*operation)

    def after(self, done: int, *operation) -> None:
        """What a start of the board makes of `torn`; the transfer had all before `done` on flash."""
        dice = random.getrandbits(16) % self.often
        offset = self.resume(self.coming, finish=dice == 0)
        if offset < done:
            self.wrong("goes on at %d of %d" % (offset, done))
        if dice == 0:
            for instead in (self.coming - 2, self.coming + OTHER):
                # The one before it in this slot, and one that is nowhere.
                if instead > 0:
                    self.tear(*operation)
                    self.place += ", then %d" % instead
                    if self.resume(instead, finish=True) and instead > OTHER:
                        self.wrong("does not begin anew")

    def resume(self, version: int, finish: bool) -> int:
        """Where a transfer on `torn` begins: it must be what flash holds. `finish` sends the rest, and only that."""
        package, slot = self.package(version), self.spare(self.torn)
        begun = slot.front(len(package.bundle)) == package.bundle
        transfer = package.to(slot)
        offset = transfer.offset
        self.counts["resumed"] += bool(offset)
        if offset and (not begun or offset > package.boundary(package.held(slot))):
            self.wrong("counts %d, and holds less" % offset)
        if version == self.coming and begun and offset != package.boundary(package.held(slot)):
            self.wrong("counts %d, and holds more" % offset)
        if finish:
            held = package.held(slot) if offset else -FRONT
            erases = self.torn.erases
            package.send(transfer, step=1 + random.getrandbits(16) % 2000)
            if self.torn.erases - erases != package.blocks - held:
                self.wrong("sends more than the rest")
            transfer.seal()
            if not transfer.complete or not package.whole_in(self.spare(self.torn)):
                self.wrong("%d does not become whole" % version)
            self.newest(self.torn)
            self.counts["finished"] += 1
        return offset

    def transfer(self):
        """All but the title, with pieces that come twice, too early and too long among them."""
        package = self.package(self.coming)
        transfer = package.to(self.spare(self.chip))
        while transfer.offset < package.size:
            offset = transfer.offset
            end = min(package.size, offset + 1 + random.getrandbits(16) % 1500)
            for stray in (0, offset // 2, offset - 1, offset + 1, end):
                if 0 <= stray < package.size and stray != offset:
                    self.stray(transfer, stray, package.piece(stray, stray + 300))
            if package.size - offset < 2000:
                refuses(Refusal, self.stray, transfer, offset, bytes(package.size - offset + 1))
            if transfer.complete:
                self.wrong("complete at %d" % offset)
            transfer.write(offset, package.piece(offset, end))
        return transfer

    def stray(self, transfer, at: int, piece: bytes) -> None:
        offset, operations = transfer.offset, self.chip.programs + self.chip.erases
        self.counts["ignored"] += 1
        try:
            transfer.write(at, piece)
        finally:
            if transfer.offset != offset or self.chip.programs + self.chip.erases != operations:
                self.wrong("a piece at %d of %d was taken" % (at, offset))

    def run(self, transfers: int):
        self.chip.before = self.cut
        for number in range(transfers):
            self.coming = number + 1
            transfer = self.transfer()
            self.sealing = True
            transfer.seal()
            self.sealing = False
            self.place = "whole"
            self.in_force = self.coming
            if self.newest(self.chip) != self.coming:
                self.wrong("not in force")
        self.counts["wrongs"] = len(self.violations)
        self.counts["violations"] = self.violations[:SHOWN]
        return self.counts


gc.threshold(32768)
settings = json.loads(sys.stdin.readline())
random.seed(settings["seed"])
print(json.dumps(Sweep(settings).run(settings["transfers"])))
