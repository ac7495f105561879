"""A large object on two flash ranges: the new one is written beside the one in force and takes over with one page.

A slot's first page is its title, programmed last and the first to go: `PLBS | size u32 | bundle u32 | version u32 | crc
u32`. So a slot with a title holds the whole object, and what power cuts leave of any other has none. The bundle stands
behind the title, in the first two blocks; the content begins at the third, so that each of its blocks is one of flash.
"""

import binascii
import hashlib
import struct

from terminal.flash import BLOCK, PAGE, Region

_MAGIC = b"PLBS"
_FRONT = 2
_TITLE = ">4sIIII"


class Slot:
    """One of the two ranges. `size` is bytes of content, 0 while there is no whole object; `bundle` bytes of bundle;
    `readable` is False when nobody can tell whether there is one."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.size = 0
        self.bundle = 0
        self.version = 0
        self.readable = False
        title = bytearray(struct.calcsize(_TITLE))
        try:
            region.read(0, title)
        except OSError:
            # Whatever is here, it cannot be used; the other slot may be whole.
            return
        self.readable = True
        magic, size, bundle, version, crc = struct.unpack(_TITLE, title)
        if magic == _MAGIC and binascii.crc32(title[:-4]) == crc and size <= self.room and bundle <= self.front_room:
            self.size = size
            self.bundle = bundle
            self.version = version

    @property
    def room(self) -> int:
        """Bytes of the largest content."""
        return (self.region.blocks - _FRONT) * BLOCK

    @property
    def front_room(self) -> int:
        """Bytes of the largest bundle."""
        return _FRONT * BLOCK - PAGE

    def front(self, length: int) -> bytearray:
        """The first `length` bytes of the bundle, whether it is whole or not."""
        front = bytearray(length)
        self.region.read(PAGE, front)
        return front

    @property
    def content_at(self) -> int:
        """Where the content begins in the region."""
        return _FRONT * BLOCK

    def read(self, at: int, buffer) -> None:
        """Fills `buffer` from byte `at` of the content."""
        self.region.read(self.content_at + at, buffer)

    def block_digest(self, index: int, length: int) -> bytes:
        """SHA-256 of `length` bytes of the content's block `index`."""
        digest = hashlib.sha256()
        page = memoryview(bytearray(PAGE))
        at = index * BLOCK
        end = at + length
        while at < end:
            part = page[: min(PAGE, end - at)]
            self.read(at, part)
            digest.update(part)
            at += len(part)
        return digest.digest()

    def clear(self) -> None:
        """Takes the title away: the object that was here is none any more. Raises OSError."""
        # A cut erase can leave the first page whole and the others not. And a title can stand on flash although
        # programming it, or an earlier try to take it away, was reported to have failed.
        self.region.program(0, bytes(PAGE))
        self.size = self.bundle = self.version = 0

    def write_front(self, bundle) -> None:
        """Keeps the bundle. Raises OSError."""
        self.clear()
        for block in range(_FRONT):
            self.region.erase(block)
        self._program(PAGE, bundle)

    def write_block(self, index: int, data) -> None:
        """Keeps block `index` of the content. Raises OSError."""
        self.region.erase(_FRONT + index)
        self._program((_FRONT + index) * BLOCK, data)

    def takes_title(self, version: int, bundle: int, size: int) -> bool:
        """Whether the first page can become this title; the zeros that took another one away want an erase first."""
        page = bytearray(PAGE)
        self.region.read(0, page)
        wanted = int.from_bytes(_title_page(version, bundle, size), "big")
        return int.from_bytes(page, "big") & wanted == wanted

    def seal(self, version: int, bundle: int, size: int) -> None:
        """The slot holds a whole object from here on. Raises OSError."""
        self._program(0, _title_page(version, bundle, size))
        self.size, self.bundle, self.version = size, bundle, version

    def _program(self, at: int, data) -> None:
        """Programs page by page and reads each one back."""
        view = memoryview(data)
        kept = bytearray(PAGE)
        for start in range(0, len(view), PAGE):
            page = bytearray(b"\xff" * PAGE)
            part = view[start : start + PAGE]
            page[: len(part)] = part
            self.region.program(at + start, page)
            self.region.read(at + start, kept)
            if kept != page:
                raise OSError(5)


def _title_page(version: int, bundle: int, size: int) -> bytes:
    title = struct.pack(_TITLE[:-1], _MAGIC, size, bundle, version)
    title += struct.pack(">I", binascii.crc32(title))
    return title + b"\xff" * (PAGE - len(title))
