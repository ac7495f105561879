"""NOR flash in a file, as MicroPython's extended block device: bits go from 1 to 0, 4 KiB erase. MicroPython only.

A cut of power at operation n tears that operation in one of five ways and stops the board for good. After that every
call answers -5 and allocates nothing: it may be called from a finaliser, with the heap locked.
"""

import os

_PAGE = 256
_BLOCK = 4096
_one = []


class NorFlash:
    """The image is the file named in SIM_FLASH; a new file is all FF."""

    def __init__(self, path: str, blocks: int) -> None:
        self.operations = 0
        self._blocks = blocks
        try:
            self._file = open(path, "r+b")
        except OSError:
            with open(path, "wb") as fresh:
                for _ in range(blocks * _BLOCK // _PAGE):
                    fresh.write(b"\xff" * _PAGE)
            self._file = open(path, "r+b")
        self._old = bytearray(_PAGE)
        self._cut_at = -1
        self._torn = 0
        self._dead = False
        self._worn = False

    def cut(self, after: int, torn: int) -> None:
        """Power goes in operation `after` from now (0 = the next), torn 0 (nothing done) to 4 (all of it done)."""
        self._cut_at = self.operations + after
        self._torn = torn

    def wear_out(self) -> None:
        """From now on no block can be erased any more: it says so, and stays as it is."""
        self._worn = True

    def readblocks(self, block: int, buffer, offset: int = 0) -> int:
        if self._dead:
            return -5
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buffer)
        return 0

    def writeblocks(self, block: int, data, offset: int = 0) -> int:
        at = block * _BLOCK + offset
        done = 0
        view = memoryview(data)
        while done < len(view):
            if self._dead:
                return -5
            part = view[done : done + _PAGE - at % _PAGE]
            size = len(part)
            if self.operations == self._cut_at:
                self._program(at, part[: size * self._torn // 4])
                return self._die()
            self.operations += 1
            self._program(at, part)
            done += size
            at += size
        return 0

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _BLOCK
        if operation != 6:
            return 0
        if self._dead or self._worn:
            return -5
        at = argument * _BLOCK
        if self.operations == self._cut_at:
            torn = self._torn
            if torn == 1:
                self._erase(at, _BLOCK // 2)
            elif torn == 2:
                self._erase(at + _BLOCK // 2, _BLOCK // 2)
            elif torn == 3:
                self._half_erase(at)
            elif torn == 4:
                self._erase(at, _BLOCK)
            return self._die()
        self.operations += 1
        self._erase(at, _BLOCK)
        return 0

    def _program(self, at: int, data) -> None:
        size = len(data)
        old = self._old
        self._file.seek(at)
        self._file.readinto(memoryview(old)[:size])
        for index in range(size):
            # FF is padding: it leaves what is there. Anything else that wants a 1 back is a bug of the writer.
            if data[index] != 0xFF and data[index] & ~old[index]:
                raise ValueError("flash: a bit cannot go from 0 to 1 at %d" % (at + index))
            old[index] &= data[index]
        self._file.seek(at)
        self._file.write(memoryview(old)[:size])
        self._file.flush()

    def _erase(self, at: int, size: int) -> None:
        self._file.seek(at)
        for _ in range(size // _PAGE):
            self._file.write(b"\xff" * _PAGE)
        self._file.flush()

    def _half_erase(self, at: int) -> None:
        for page in range(at, at + _BLOCK, _PAGE):
            self._file.seek(page)
            self._file.readinto(self._old)
            for index in range(_PAGE):
                self._old[index] |= 0x55
            self._file.seek(page)
            self._file.write(self._old)
        self._file.flush()

    def _die(self) -> int:
        import panel

        self._dead = True
        panel.send({"power": "cut"})
        panel.stand_dark()


def window(at: int, size: int) -> bytes:
    """Flash as a board maps it into memory. Here it is a copy in the heap, which leave_heap does not count."""
    with open(os.getenv("SIM_FLASH"), "rb") as file:
        file.seek(at)
        return file.read(size)


def device() -> NorFlash:
    """The one flash chip of the board."""
    if not _one:
        flash = NorFlash(os.getenv("SIM_FLASH"), int(os.getenv("SIM_FLASH_BLOCKS")))
        boot_cut = os.getenv("SIM_CUT")
        if boot_cut:
            after, torn = boot_cut.split(":")
            flash.cut(int(after), int(torn))
        _one.append(flash)
    return _one[0]
