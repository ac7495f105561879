"""A large object on two flash ranges: the new one is written beside the one in force and takes over with one page.

A slot's first page is its title, programmed last and the first to go: `PLBS | size u32 | version u32 | crc u32`. So a
slot with a title holds the whole object, and what power cuts leave of any other has none. Pieces arrive in order.
"""

import binascii
import hashlib
import struct

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error
from terminal.flash import BLOCK, PAGE, Region

_MAGIC = b"PLBS"


class Slot:
    """One of the two ranges."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.size = 0
        self.version = 0
        title = bytearray(16)
        region.read(0, title)
        magic, size, version, crc = struct.unpack(">4sIII", title)
        if magic == _MAGIC and binascii.crc32(title[:12]) == crc and size <= self.room:
            self.size = size
            self.version = version

    @property
    def room(self) -> int:
        return self.region.blocks * BLOCK - PAGE

    def read(self, at: int, buffer) -> None:
        """Fills `buffer` from byte `at` of the object."""
        self.region.read(PAGE + at, buffer)

    def digest(self, start: int, end: int, tag: bytes) -> bytes:
        """SHA-256 of `tag` and bytes start..end of the object."""
        digest = hashlib.sha256(tag)
        buffer = memoryview(bytearray(PAGE))
        while start < end:
            part = buffer[: min(PAGE, end - start)]
            self.read(start, part)
            digest.update(part)
            start += len(part)
        return digest.digest()


class Transfer:
    """Writes an object into a slot that is not in force. `offset` is the next byte wanted."""

    def __init__(self, slot: Slot, kind: int, version: int, size: int, sha256: bytes) -> None:
        """Raises Refusal, OSError."""
        if size > slot.room:
            raise Refusal(Error.TOO_BIG, slot.room)
        self.slot = slot
        self.offer = (kind, version, size, sha256)
        self.offset = 0
        self._size = size
        self._page = bytearray(PAGE)
        self._hash = hashlib.sha256()
        titled = slot.size
        slot.size = slot.version = 0
        if titled:
            # A cut erase can leave the first page whole and the others not.
            slot.region.program(0, bytes(PAGE))
        slot.region.erase(0)

    def write(self, offset: int, piece: bytes) -> None:
        """Takes a piece that goes on where the last one ended; another one changes nothing.

        Raises Refusal, OSError; after an OSError the piece goes on at `offset`.
        """
        if offset != self.offset:
            return
        if offset + len(piece) > self._size:
            raise Refusal(Error.TOO_BIG, self._size)
        left = memoryview(piece)
        while len(left):
            inside = self.offset % PAGE
            part = left[: PAGE - inside]
            self._page[inside : inside + len(part)] = part
            end = self.offset + len(part)
            if end % PAGE == 0 or end == self._size:
                self._flush(end)
            self._hash.update(part)
            self.offset = end
            left = left[len(part) :]

    def check(self) -> None:
        """Raises Refusal unless all of it is here and is what was offered."""
        if self.offset != self._size:
            raise Refusal(Error.BAD_RANGE, self.offset)
        if self._hash.digest() != self.offer[3]:
            raise Refusal(Error.BAD_HASH)

    def seal(self) -> None:
        """The slot holds a whole object from here on. Raises OSError."""
        _, version, size, _ = self.offer
        title = struct.pack(">4sII", _MAGIC, size, version)
        page = bytearray(b"\xff" * PAGE)
        page[:16] = title + struct.pack(">I", binascii.crc32(title))
        self._program(0, page)
        self.slot.size = size
        self.slot.version = version

    def _flush(self, end: int) -> None:
        """Puts the page that ends with byte `end` of the object on flash."""
        start = (end - 1) // PAGE * PAGE
        for at in range(end - start, PAGE):
            self._page[at] = 0xFF
        at = PAGE + start
        if at % BLOCK == 0:
            self.slot.region.erase(at // BLOCK)
        self._program(at, self._page)

    def _program(self, at: int, page: bytearray) -> None:
        region = self.slot.region
        region.program(at, page)
        kept = bytearray(PAGE)
        region.read(at, kept)
        if kept != page:
            raise OSError(5)
