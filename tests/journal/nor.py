"""NOR flash in RAM as MicroPython's extended block device, and what power leaves of an operation that it cuts.

Bits go from 1 to 0 in programs of at most one page; an erase sets a block to FF. `before` is called with each
operation that is about to happen, so one run of a workload can be cut at every operation without running it anew.
"""

import random

PAGE = 256
BLOCK = 4096
PROGRAM = 0
ERASE = 1

PROGRAM_ERROR, ERASE_ERROR, READ_ERROR, PROGRAM_NOOP, ERASE_NOOP = range(5)
BAD_MODES = ("program-error", "erase-error", "read-error", "program-noop", "erase-noop")
"""How a bad block behaves: it reports an error and does nothing, or does nothing and says that it did (the five ways of
littlefs, bd/lfs_emubd.h). What is programmed into a block that was not erased is joined with what was there, as NOR
flash does it."""

_DOES_NOT = ((PROGRAM_ERROR, PROGRAM_NOOP), (ERASE_ERROR, ERASE_NOOP))
_BLANK = b"\xff" * PAGE
_ZEROS = bytes(PAGE)

PROGRAM_ENDS = ("none", "quarter", "half", "three quarters", "whole", "some bits", "last half", "first bytes")
"""What of a program can be on flash; "some bits" is a random half of the bits it should clear, "first bytes" less
than a quarter."""
ERASE_ENDS = ("none", "first half", "second half", "some bits", "whole", "zeros")
"""What of an erase can be on flash; a chip first programs the block to 00 and then erases it."""


def ends(kind: int) -> "tuple[str, ...]":
    """How an operation of this kind can end when the power goes."""
    return PROGRAM_ENDS if kind == PROGRAM else ERASE_ENDS


class Nor:
    """A chip over `image`, whose length is a multiple of 4096.

    `before(chip, PROGRAM or ERASE, address, data or None)` is called with every operation, `fails(address)` tells
    whether a program reports an error and does nothing, and a program leaves 0 at the addresses in `worn`. Block `bad`
    behaves as `mode` says; -1 = none.
    """

    def __init__(self, image) -> None:
        self.image = image
        self.programs = 0
        self.erases = 0
        self.before = None
        self.fails = None
        self.worn = ()
        self.bad = -1
        self.mode = 0
        self._view = memoryview(image)

    def readblocks(self, block: int, buffer, offset: int = 0) -> int:
        at = block * BLOCK + offset
        if self.mode == READ_ERROR and at // BLOCK <= self.bad <= (at + len(buffer) - 1) // BLOCK:
            return -5
        buffer[:] = self._view[at : at + len(buffer)]
        return 0

    def writeblocks(self, block: int, data, offset: int = 0) -> int:
        at = block * BLOCK + offset
        done = 0
        view = memoryview(data)
        while done < len(data):
            part = view[done : done + PAGE - at % PAGE]
            if self.before:
                self.before(self, PROGRAM, at, part)
            self.programs += 1
            if self.fails and self.fails(at):
                return -5
            if self.do(PROGRAM, at, part):
                return -5
            for cell in self.worn:
                if at <= cell < at + len(part):
                    self.image[cell] = 0
            done += len(part)
            at += len(part)
        return 0

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == 4:
            return len(self.image) // BLOCK
        if operation == 5:
            return BLOCK
        if operation == 6:
            at = argument * BLOCK
            if self.before:
                self.before(self, ERASE, at, None)
            self.erases += 1
            return self.do(ERASE, at, None)
        return 0

    def do(self, kind: int, at: int, data) -> int:
        """An operation as this chip does it: 0, or -5 when it reports an error."""
        if at // BLOCK == self.bad:
            if self.mode == (PROGRAM_ERROR if kind == PROGRAM else ERASE_ERROR):
                return -5
            if self.mode == (PROGRAM_NOOP if kind == PROGRAM else ERASE_NOOP):
                return 0
            if kind == PROGRAM:
                self.program_loosely(at, data)
                return 0
        if kind == PROGRAM:
            self.program(at, data)
        else:
            self._fill(at, BLOCK, _BLANK)
        return 0

    def program(self, at: int, data) -> None:
        """Raises ValueError for a bit that would have to go from 0 to 1. FF is padding and leaves what is there."""
        wanted = bytes(data).lstrip(b"\xff")
        at += len(data) - len(wanted)
        old = self._view[at : at + len(wanted)]
        if old != b"\xff" * len(wanted):
            for index in range(len(wanted)):
                if wanted[index] != 0xFF and wanted[index] & ~old[index]:
                    raise ValueError(f"a bit cannot go from 0 to 1 at {at + index}")
            wanted = bytes(byte & old[index] for index, byte in enumerate(wanted))
        self._view[at : at + len(wanted)] = wanted

    def tear(self, kind: int, at: int, data, end: int) -> None:
        """Leaves of an operation what a cut leaves of it; `end` counts in PROGRAM_ENDS or ERASE_ENDS."""
        if at // BLOCK == self.bad and self.mode in _DOES_NOT[kind]:
            return
        if kind == PROGRAM:
            if end == 5:
                chance = noise(len(data))
                self.program_loosely(at, bytes(byte | chance[index] for index, byte in enumerate(data)))
            elif end == 6:
                half = len(data) // 2
                self.program_loosely(at + half, data[half:])
            elif end == 7:
                self.program_loosely(at, data[: noise(1)[0] % (len(data) // 4 + 1)])
            else:
                self.program_loosely(at, data[: len(data) * end // 4])
            return
        view = self._view
        half = BLOCK // 2
        if end == 1 or end == 4:
            self._fill(at, half, _BLANK)
        if end == 2 or end == 4:
            self._fill(at + half, half, _BLANK)
        if end == 3:
            pattern = int.from_bytes(noise(PAGE), "big")
            for page in range(at, at + BLOCK, PAGE):
                left = int.from_bytes(view[page : page + PAGE], "big") | pattern
                view[page : page + PAGE] = left.to_bytes(PAGE, "big")
        if end == 5:
            self._fill(at, BLOCK, _ZEROS)

    def program_loosely(self, at: int, data) -> None:
        """Clears what can be cleared."""
        old = self._view[at : at + len(data)]
        self._view[at : at + len(data)] = bytes(byte & old[index] for index, byte in enumerate(data))

    def _fill(self, at: int, size: int, page: bytes) -> None:
        for start in range(at, at + size, PAGE):
            self._view[start : start + PAGE] = page


def blank(blocks: int) -> bytearray:
    """The image of a new chip."""
    image = bytearray(blocks * BLOCK)
    for at in range(0, len(image), PAGE):
        image[at : at + PAGE] = _BLANK
    return image


def noise(size: int) -> bytes:
    """Seeded random bytes: random.seed() of the caller."""
    return b"".join(random.getrandbits(32).to_bytes(4, "big") for _ in range((size + 3) // 4))[:size]
