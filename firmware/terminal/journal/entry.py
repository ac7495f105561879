"""One entry of the ring: a record and the hash before it, on one to three pages of a block.

    A5 | pages u8 | length u16 | crc u32 | h(n-1) 32 | body ... FF ... | signature 64 | crc u32

The first crc is over everything before the padding but itself, the second over the signature. Only an entry's first
page begins with A5: where the body puts A5 at the beginning of the second page it is stored inverted, and bit 7 of
`pages` says so. Without that a scanned code could hold a whole entry there, and a cut of power between the two pages
made it the newest record (seen with the flash model).
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
        end = self.pages * PAGE
        signature = bytes(self._buffer[end - _SIGNED : end - 4])
        return signature if binascii.crc32(signature) == struct.unpack_from(">I", self._buffer, end - 4)[0] else b""

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

    def lost(self, page: int) -> bool:
        """A `load` of this page found no entry, but there was one: it has a signature, which comes after a whole body.

        `pages` is then how many it took. The body of a torn entry can hold what looks like a signature, so it counts
        only at the end of the last page; where a bit of the head has flipped, that may be any of three.
        """
        buffer = self._buffer
        flipped = buffer[0] ^ _MAGIC
        if flipped & (flipped - 1):
            return False
        last = self.pages if self._announced else min(MAX_PAGES, PER_BLOCK - page % PER_BLOCK)
        for index in range(last):
            if index:
                self._flash.read((page + index) * PAGE, self._view[index * PAGE : (index + 1) * PAGE])
                if buffer[index * PAGE] == _MAGIC:
                    return False
            self.pages = index + 1
            if (index == last - 1 or not self._announced) and self.signature:
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
        struct.pack_into(">I", tail, PAGE - 4, binascii.crc32(signature))
        self._flash.program((page + self.pages - 1) * PAGE, tail)

    def _crc(self) -> int:
        return binascii.crc32(self._view[_HEAD : _FRONT + self._length], binascii.crc32(self._view[:4]))


def pages_for(length: int) -> int:
    """Pages of an entry whose body has so many bytes."""
    return (_FRONT + length + _SIGNED + PAGE - 1) // PAGE


assert pages_for(BODY_MAX) == MAX_PAGES and _FRONT + BODY_MAX <= 2 * PAGE
