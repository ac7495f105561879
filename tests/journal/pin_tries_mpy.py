"""Wrong and right PINs, and the power cut at every flash operation of each. Under MicroPython only; prints JSON."""

import gc
import json
import random
import sys

import nor
import vfs

from terminal import files
from terminal.flash import FileRange, Region
from terminal.keys.pin import Locked, Tries

BLOCKS = 8
BADGE, OTHER = 42, 7
MOST = 10


class Sweep:
    def __init__(self) -> None:
        self.cuts = 0
        self.wrong = []
        self.image = nor.blank(BLOCKS)
        self.chip = nor.Nor(self.image)
        self.journal = nor.Nor(nor.blank(1))
        self.mount(self.chip)
        self.journal.image[0] = 0xA5

    def mount(self, chip) -> None:
        files.mount(FileRange(chip, 0, BLOCKS), Region(self.journal, 0, 1))

    def check(self, right: bool, before: int) -> None:
        """One PIN is entered; then the same with the power cut in it, in every way."""
        operations = []
        asked = []
        start = bytes(self.image)

        def fits() -> bool:
            asked.append(len(operations))
            return right

        self.chip.before = lambda flash, kind, at, data: operations.append((kind, at, data and bytes(data)))
        result = Tries().check(BADGE, fits)
        self.chip.before = None
        assert result == right and len(asked) == 1
        vfs.umount("/state")
        torn = nor.Nor(bytearray(start))
        for number, (kind, at, data) in enumerate(operations):
            for end in range(len(nor.ends(kind))):
                gc.collect()
                kept = bytes(torn.image)
                torn.tear(kind, at, data, end)
                self.cuts += 1
                self.mount(torn)
                left = Tries().left(BADGE)
                # Once the PIN was looked at, the try is spent, unless the cut came after the right one gave all back.
                looked = number >= asked[0]
                allowed = (before - 1, MOST) if looked and right else (before - 1,) if looked else (before, before - 1)
                if left not in allowed:
                    self.wrong.append("cut %d.%d: %d left of %d, looked %s" % (number, end, left, before, looked))
                if Tries().left(OTHER) != MOST - 1:
                    self.wrong.append("cut %d.%d: another badge" % (number, end))
                vfs.umount("/state")
                torn.image[:] = kept
            torn.tear(kind, at, data, 4)
        self.mount(self.chip)

    def run(self):
        assert not Tries().check(OTHER, lambda: False)
        for used in range(3):
            self.check(False, MOST - used)
        self.check(True, MOST - 3)
        for used in range(MOST):
            self.check(False, MOST - used)
        asked = []
        try:
            Tries().check(BADGE, lambda: asked.append(1) or True)
            self.wrong.append("an eleventh try")
        except Locked:
            pass
        assert not asked
        Tries().restore(BADGE)
        assert Tries().check(BADGE, lambda: True) and Tries().left(OTHER) == MOST - 1
        return {"cuts": self.cuts, "wrong": self.wrong}


gc.threshold(32768)
random.seed(json.loads(sys.stdin.readline())["seed"])
print(json.dumps(Sweep().run()))
