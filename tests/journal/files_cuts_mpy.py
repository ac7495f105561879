"""Cuts the power at every flash operation of files.save, and of the very first mount. Under MicroPython only.

The settings are those of test_small_state.py: seed, saves, first (cut the first start).
"""

import gc
import json
import random
import sys

import nor
import vfs

from terminal import files
from terminal.flash import FileRange, Region

BLOCKS = 8
SHOWN = 12
NAMES = ("boot", "receipt", "root", "language")
SIZES = (0, 1, 2, 64, 250, 700)


class Sweep:
    def __init__(self, settings) -> None:
        self.cuts = 0
        self.wrongs = 0
        self.violations = []
        self.held = {}
        self._operations = []
        self._chip = nor.Nor(nor.blank(BLOCKS))
        self._torn = nor.Nor(nor.blank(BLOCKS))
        self._journal = nor.Nor(nor.blank(1))

    def mount(self, chip) -> None:
        files.mount(FileRange(chip, 0, BLOCKS), Region(self._journal, 0, 1))

    def wrong(self, what: str, place: str) -> None:
        self.wrongs += 1
        if self.wrongs <= SHOWN:
            self.violations.append("%s: %s" % (place, what))

    def record(self, act) -> None:
        """Does something on the chip and keeps its operations."""
        self._operations.clear()
        self._chip.before = lambda flash, kind, at, data: self._operations.append((kind, at, data and bytes(data)))
        act()
        self._chip.before = None
        vfs.umount("/state")

    def every_cut(self, kind: str, check) -> None:
        """Calls check(place) with /state as every cut of the recorded operations left it. `_torn` is before them."""
        torn = self._torn
        for number, (operation, at, data) in enumerate(self._operations):
            for end in range(len(nor.ends(operation))):
                gc.collect()
                before = bytes(torn.image)
                torn.tear(operation, at, data, end)
                self.cuts += 1
                place = f"{kind}, operation {number + 1} of {len(self._operations)} ({nor.ends(operation)[end]})"
                try:
                    self.mount(torn)
                    check(place)
                    vfs.umount("/state")
                except Exception as error:
                    self.wrong(repr(error), place)
                torn.image[:] = before
            torn.tear(operation, at, data, 4)
        gc.collect()

    def save(self) -> None:
        name = NAMES[random.getrandbits(8) % len(NAMES)]
        value = nor.noise(SIZES[random.getrandbits(8) % len(SIZES)])
        later = nor.noise(40)

        def check(place: str) -> None:
            for other in NAMES:
                found = files.load(other)
                if found != self.held.get(other) and not (other == name and found == value):
                    self.wrong("%s holds %s" % (other, found), place)
            files.save(name, later)
            if files.load(name) != later:
                self.wrong("cannot be saved again", place)

        self._torn.image[:] = self._chip.image
        self.mount(self._chip)
        self.record(lambda: files.save(name, value))
        self.every_cut("save", check)
        self.held[name] = value

    def first_start(self) -> None:
        def check(place: str) -> None:
            files.save("boot", b"1")
            if files.load("boot") != b"1":
                self.wrong("not usable", place)

        self.record(lambda: self.mount(self._chip))
        self.every_cut("first start", check)

    def run(self, saves: int, first: bool):
        if first:
            self.first_start()
        else:
            self.mount(self._chip)
            vfs.umount("/state")
        # From now on nothing is formatted.
        self._journal.image[0] = 0xA5
        for _ in range(saves):
            self.save()
        return {"cuts": self.cuts, "wrongs": self.wrongs, "violations": self.violations}


gc.threshold(32768)
settings = json.loads(sys.stdin.readline())
random.seed(settings["seed"])
print(json.dumps(Sweep(settings).run(settings["saves"], settings["first"])))
