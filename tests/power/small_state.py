"""A life with small state on LittleFS. Under MicroPython only."""

import nor
import vfs
from power import Life

from terminal import files
from terminal.flash import FileRange, Region


class SmallState(Life):
    """The file system is on the first FILES blocks. Every step is a start: it is mounted before and unmounted after.

    `used` tells whether there is a journal that was written, so that nothing is formatted any more.
    `held` is name -> value of what was saved, `coming` (name, value) of the save under way.
    """

    FILES = 8
    BLOCKS = 8

    def begin(self) -> None:
        self.held = {}
        self.coming = None
        self.mounted = self.used = False
        self.enter()
        self.leave()
        self.used = True

    def fork(self, child) -> None:
        child.held = self.held.copy()
        child.coming = self.coming
        child.mounted = False
        child.used = self.used

    def journal(self) -> Region:
        """What files.mount looks at before it formats anything."""
        return Region(nor.Nor(bytearray(nor.BLOCK) if self.used else nor.blank(1)), 0, 1)

    def enter(self) -> None:
        files.mount(FileRange(self.chip, 0, self.FILES), self.journal())
        self.mounted = True

    def leave(self) -> None:
        if self.mounted:
            self.mounted = False
            vfs.umount("/state")

    def ended(self, error) -> None:
        """A start that cannot read its small state refuses: it would go on with older values, or with none.

        So does the very first one where the file system's two fixed blocks are not both good.
        """
        if isinstance(error, OSError) and (self.cannot_read or (self.chip.bad >= 0 and not self.used)):
            self.sweep.refused += 1
        else:
            super().ended(error)

    def save(self, name: str, value: bytes) -> None:
        self.put(name, value, lambda: files.save(name, value))

    def put(self, name: str, value: bytes, act) -> None:
        """act() saves a value; where it fails the old one may have stayed."""
        self.coming = name, value
        try:
            self.step(act)
            self.held[name] = value
            self.coming = None
        except OSError as error:
            self.refused(error)
            self.step(self.check)

    def check(self) -> None:
        """Every value is what was saved last; the one under way is the old one or the new one."""
        name, value = self.coming or ("", b"")
        for other in self.names():
            found = files.load(other)
            if other == name and found == value:
                self.held[name] = value
            elif found != self.held.get(other):
                self.wrong(f"{other} holds {found}")
        self.coming = None

    def names(self):
        return list(self.held) + ([self.coming[0]] if self.coming and self.coming[0] not in self.held else [])
