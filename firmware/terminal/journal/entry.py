"""One entry of the ring: a record and the hash before it, on one to three pages of a block.

    A5 | pages u8 | length u16 | crc u32 | h(n-1) 32 | body ... FF ... | signature 64 | crc u32

The first crc is over everything before the padding but itself, the second over the signature, beginning with the value
of the first. Only an entry's first page begins with A5: where the body puts A5 at the beginning of the second page it
is stored inverted, and bit 7 of `pages` says so.

A scanned code is in the body, and a cut of power can leave one page of it without the other. Without the inversion it
can hold a whole entry that begins the second page, and that became the newest record; without the chained crc it can
hold a signature at the end of the first, and a torn entry passed for one that was whole (both seen with the flash
model). It cannot know the first crc: h(n-1) and the time are in it.
"""

import binascii
import struct

from micropython import const

from plomba_wire.codec import RecordHead
from terminal.flash import BLOCK, PAGE, Region

_MAGIC = const(0xA5)
_INVERTED = const(0x80)
_HEAD = const(8)
_FRONT = const(40)
_SIGNED = const(68)
_SEQ_AT = const(48)

PER_BLOCK = BLOCK // PAGE
"""Pages in a block."""
MAX_PAGES = 3
"""Pages of the longest entry."""
BODY_MAX = 448
"""Bytes of the longest body."""

_BLANK = b"\xff" * PAGE


class Entry:
    """The entry that was loaded or made last."""

    def __init__(self, region: Region) -> None:
        self.pages = 0
        self._length = 0
        self._announced = False
        self._flash = region
        self._buffer = bytearray(MAX_PAGES * PAGE)
        self._view = memoryview(self._buffer)
        self._first_page = self._view[:PAGE]

    @property
    def seq(self) -> int:
        return struct.unpack_from(">I", self._buffer, _SEQ_AT)[0]

    @property
    def previous(self) -> bytes:
        """h(n-1)."""
        return bytes(self._buffer[_HEAD:_FRONT])

    @property
    def body(self) -> bytes:
        return bytes(self._buffer[_FRONT : _FRONT + self._length])

    @property
    def signature(self) -> bytes:
        """64 bytes, or none when there is no signature or it is damaged."""
        return self._signature(self.pages, self._stored_crc())

    @property
    def unsigned(self) -> bool:
        """The place of the signature was never programmed."""
        end = self.pages * PAGE
        return self._buffer[end - _SIGNED : end] == _BLANK[:_SIGNED]

    @property
    def blank(self) -> bool:
        """The page that was read last, by a `load` that found no entry, is FF throughout."""
        return self._first_page == _BLANK

    def load(self, page: int) -> bool:
        """Reads the entry that begins at `page`. Raises OSError.

        False when there is none or it is not whole; `pages` is then what its head says, 1 when that is no head.
        """
        buffer = self._buffer
        self._flash.read(page * PAGE, self._first_page)
        self.pages = 1
        self._announced = False
        if buffer[0] != _MAGIC:
            return False
        _, pages, length, crc = struct.unpack_from(">BBHI", buffer, 0)
        inverted = pages & _INVERTED
        pages -= inverted
        if not RecordHead.SIZE <= length <= BODY_MAX or pages != pages_for(length):
            return False
        if page % PER_BLOCK + pages > PER_BLOCK:
            return False
        self.pages = pages
        self._length = length
        self._announced = True
        if pages > 1:
            self._flash.read((page + 1) * PAGE, self._view[PAGE : pages * PAGE])
        if inverted:
            buffer[PAGE] ^= 0xFF
        return self._crc() == crc

    def blank_block(self, block: int) -> bool:
        """Nothing but FF is in a block; what was loaded or made is gone. Raises OSError."""
        for at in range(block * BLOCK, (block + 1) * BLOCK, len(self._buffer)):
            part = self._view[: min(len(self._buffer), (block + 1) * BLOCK - at)]
            self._flash.read(at, part)
            for start in range(0, len(part), PAGE):
                if part[start : start + PAGE] != _BLANK:
                    return False
        return True

    def lost(self, page: int) -> bool:
        """A `load` of this page found no entry, but there was one: its signature is there, and the body comes first.

        One bit of it may have flipped, in the head or its crc as well; more is taken for torn.
        """
        flipped = self._buffer[0] ^ _MAGIC
        if flipped & (flipped - 1):
            return False
        stored = self._stored_crc()
        if self._announced:
            return bool(self._signature(self.pages, stored) or self._signature(self.pages, self._crc()))
        for pages in range(1, min(MAX_PAGES, PER_BLOCK - page % PER_BLOCK) + 1):
            at = (pages - 1) * PAGE
            self._flash.read(page * PAGE + at, self._view[at : at + PAGE])
            if self._signature(pages, stored):
                self.pages = pages
                return True
        return False

    def make(self, body: bytes, previous: bytes) -> None:
        """An entry without a signature."""
        self.pages = pages_for(len(body))
        self._length = len(body)
        buffer = self._buffer
        for at in range(0, self.pages * PAGE, PAGE):
            buffer[at : at + PAGE] = _BLANK
        struct.pack_into(">BBH", buffer, 0, _MAGIC, self.pages, len(body))
        buffer[_HEAD:_FRONT] = previous
        buffer[_FRONT : _FRONT + len(body)] = body
        inverted = self.pages > 1 and buffer[PAGE] == _MAGIC
        if inverted:
            buffer[1] |= _INVERTED
        struct.pack_into(">I", buffer, 4, self._crc())
        if inverted:
            buffer[PAGE] ^= 0xFF

    def program(self, page: int) -> None:
        """Puts what `make` made on blank pages. Raises OSError."""
        for index in range(self.pages):
            self._flash.program((page + index) * PAGE, self._view[index * PAGE : (index + 1) * PAGE])

    def program_signature(self, page: int, signature: bytes) -> None:
        """Into the last page of the entry, whose other bytes FF leaves as they are. Raises OSError."""
        tail = bytearray(_BLANK)
        tail[-_SIGNED:-4] = signature
        struct.pack_into(">I", tail, PAGE - 4, binascii.crc32(signature, self._stored_crc()))
        self._flash.program((page + self.pages - 1) * PAGE, tail)

    def _signature(self, pages: int, seed: int) -> bytes:
        end = pages * PAGE
        signature = bytes(self._buffer[end - _SIGNED : end - 4])
        crc = struct.unpack_from(">I", self._buffer, end - 4)[0]
        return signature if binascii.crc32(signature, seed) == crc else b""

    def _stored_crc(self) -> int:
        return struct.unpack_from(">I", self._buffer, 4)[0]

    def _crc(self) -> int:
        return binascii.crc32(self._view[_HEAD : _FRONT + self._length], binascii.crc32(self._view[:4]))


def pages_for(length: int) -> int:
    """Pages of an entry whose body has so many bytes."""
    return (_FRONT + length + _SIGNED + PAGE - 1) // PAGE


assert pages_for(BODY_MAX) == MAX_PAGES and _FRONT + BODY_MAX <= 2 * PAGE
