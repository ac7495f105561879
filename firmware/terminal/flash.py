"""A range of NOR flash: pages of 256 bytes are programmed (bits go from 1 to 0), blocks of 4096 are erased.

The device is MicroPython's extended block-device protocol (readblocks, writeblocks with an offset, ioctl 6 = erase),
as `rp2.Flash` and `esp32.Partition` speak it.
"""

from micropython import const

PAGE = 256
BLOCK = 4096
_ERASE = const(6)
_CORRUPT = const(-84)


class Region:
    """`blocks` blocks of a device from `first` on. Addresses are bytes from the region's start. Raises OSError."""

    def __init__(self, device, first: int, blocks: int) -> None:
        self.blocks = blocks
        self.reads = 0
        self.programs = 0
        self.erases = 0
        self._device = device
        self._first = first

    def read(self, at: int, buffer) -> None:
        """Fills `buffer`; it may cross pages and blocks."""
        self.reads += 1
        if self._device.readblocks(self._first + at // BLOCK, buffer, at % BLOCK):
            raise OSError(5)

    def program(self, at: int, data) -> None:
        """Programs `data`, which lies inside one page."""
        self.programs += 1
        if self._device.writeblocks(self._first + at // BLOCK, data, at % BLOCK):
            raise OSError(5)

    def erase(self, block: int) -> None:
        """Sets a whole block to FF."""
        self.erases += 1
        if self._device.ioctl(_ERASE, self._first + block):
            raise OSError(5)


class FileRange:
    """A region as a block device of its own, for LittleFS.

    A block that cannot be programmed or erased is reported as corrupt, so that LittleFS takes another one (lfs.c:
    LFS_ERR_CORRUPT relocates, any other error fails). One that cannot be read is an error: as a corrupt one LittleFS
    would go back to the older half of a pair without a word.
    """

    def __init__(self, device, first: int, blocks: int) -> None:
        self._device = device
        self._first = first
        self._blocks = blocks

    def readblocks(self, block: int, buffer, offset: int = 0) -> int:
        return self._device.readblocks(self._first + block, buffer, offset)

    def writeblocks(self, block: int, buffer, offset: int = 0) -> int:
        return _CORRUPT if self._device.writeblocks(self._first + block, buffer, offset) else 0

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == 4:
            return self._blocks
        if operation == 5:
            return BLOCK
        if operation == _ERASE:
            return _CORRUPT if self._device.ioctl(_ERASE, self._first + argument) else 0
        return self._device.ioctl(operation, argument)
