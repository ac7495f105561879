"""The journal: a log-structured ring of records on its own flash range.

An entry starts on a page and never crosses a block:

    A5 | pages u8 | length u16 | crc u32 | h(n-1) 32 | body ... FF ... | signature 64 | crc u32

The body is programmed first (then the tone sounds), the signature into the end of the same last page after it: two
programs of a page, the part already written padded with FF. What a power cut tore is skipped at the next start, and
a block is always erased on entry, because a half erased one can read as FF (seen with the flash model).
Nothing without a receipt is ever erased; a full journal refuses.
"""

import binascii
import struct
from array import array

from micropython import const

from plomba_wire import chain
from plomba_wire.codec import RecordHead
from terminal.flash import BLOCK, PAGE, Region

_MAGIC = const(0xA5)
_HEAD = const(8)
_FRONT = const(40)
_SIGNED = const(68)
_PER_BLOCK = const(16)
_MAX_PAGES = const(3)
_SEQ_AT = const(8)

BODY_MAX = 448
"""Bytes of the longest body."""


class JournalFull(Exception):
    """No page left that may be written: everything older has no receipt yet."""


class Journal:
    """The records of one epoch. `receipted` is the newest record that has a receipt."""

    def __init__(self, region: Region, genesis: bytes, receipted: int) -> None:
        self.receipted = receipted
        self.torn = 0
        self.broken = 0
        self.first_seq = 1
        self.next_seq = 1
        self.head = genesis
        self._flash = region
        self._pages = region.blocks * _PER_BLOCK
        self._page_of = array("H", bytes(2 * self._pages))
        self._newest_in = array("I", bytes(4 * region.blocks))
        self._page = 0
        self._open = -1
        self._erased = -1
        self._signed = True
        self._buffer = bytearray(_MAX_PAGES * PAGE)
        self._recover(genesis)

    @property
    def unsigned(self) -> "bytes | None":
        """Digest of the newest record while it has no signature, else None."""
        return None if self._signed else self.head

    @property
    def free_pages(self) -> int:
        """Pages that can still be written before something without a receipt stands in the way."""
        blocks = self._flash.blocks
        here = self._page // _PER_BLOCK
        free = 0
        if self._open == here:
            free = _PER_BLOCK - self._page % _PER_BLOCK
            here = (here + 1) % blocks
        for _ in range(blocks - 1):
            if self._newest_in[here] > self.receipted:
                break
            free += _PER_BLOCK
            here = (here + 1) % blocks
        return free

    def append(self, body: bytes) -> int:
        """Makes `body` durable as the next record and returns its number. Raises JournalFull, OSError."""
        assert self._signed and len(body) <= BODY_MAX
        pages = _pages_for(len(body))
        self._make_room(pages)
        self._write(body, self.head, pages)
        seq = self.next_seq
        self._page_of[seq % self._pages] = self._page
        self._newest_in[self._page // _PER_BLOCK] = seq
        self._page += pages
        self._page %= self._pages
        if self._page % _PER_BLOCK == 0:
            self._open = -1
        self.next_seq = seq + 1
        self.head = chain.step(self.head, body)
        self._signed = False
        return seq

    def sign(self, signature: bytes) -> None:
        """Puts the signature of the newest record beside it."""
        seq = self.next_seq - 1
        page = self._page_of[seq % self._pages]
        body, pages, blank = self._entry_tail(page)
        if not blank:
            # A cut tore an earlier signature, and flash cannot be programmed twice with other bits: the record moves.
            self._make_room(pages)
            self._write(body, self._previous_at(page), pages)
            page = self._page
            self._page_of[seq % self._pages] = page
            self._newest_in[page // _PER_BLOCK] = seq
            self._page = (page + pages) % self._pages
            if self._page % _PER_BLOCK == 0:
                self._open = -1
        tail = bytearray(b"\xff" * PAGE)
        tail[-_SIGNED:-4] = signature
        struct.pack_into(">I", tail, PAGE - 4, binascii.crc32(signature))
        self._flash.program((page + pages - 1) * PAGE, tail)
        self._signed = True

    def record(self, seq: int) -> bytes:
        """Length, body and signature, as they go over the wire. Raises IndexError, OSError."""
        body, signature, _ = self.read(seq)
        return struct.pack(">H", len(body)) + body + signature

    def read(self, seq: int) -> "tuple[bytes, bytes, bytes]":
        """Body, signature and h(n-1). Raises IndexError for a record that is not held, OSError for a damaged one."""
        if not self.first_seq <= seq < self.next_seq:
            raise IndexError(seq)
        found = self._entry(self._page_of[seq % self._pages])
        if found is None:
            raise OSError(5)
        pages, length = found
        end = pages * PAGE
        buffer = self._buffer
        return (
            bytes(buffer[_FRONT : _FRONT + length]),
            bytes(buffer[end - _SIGNED : end - 4]),
            bytes(buffer[_HEAD:_FRONT]),
        )

    def digest_before(self, seq: int) -> bytes:
        """h(seq - 1). Raises IndexError, OSError."""
        if seq == self.next_seq:
            return self.head
        return self.read(seq)[2]

    def idle(self) -> bool:
        """Erases the next block ahead of need. True when there was something to do."""
        block = (self._page // _PER_BLOCK + (1 if self._open >= 0 else 0)) % self._flash.blocks
        if block == self._erased or self._newest_in[block] > self.receipted:
            return False
        self._erase(block)
        return True

    def _make_room(self, pages: int) -> None:
        """Moves to a place where `pages` pages can be written."""
        here = self._page // _PER_BLOCK
        if self._open == here and self._page % _PER_BLOCK + pages <= _PER_BLOCK:
            return
        block = (here + 1) % self._flash.blocks if self._open == here else here
        if self._newest_in[block] > self.receipted:
            raise JournalFull
        if block != self._erased:
            self._erase(block)
        self._open = block
        self._erased = -1
        self._page = block * _PER_BLOCK

    def _erase(self, block: int) -> None:
        newest = self._newest_in[block]
        self._newest_in[block] = 0
        if newest >= self.first_seq:
            self.first_seq = newest + 1
        self._flash.erase(block)
        self._erased = block

    def _write(self, body: bytes, previous: bytes, pages: int) -> None:
        buffer = self._buffer
        end = pages * PAGE
        for at in range(end):
            buffer[at] = 0xFF
        length = len(body)
        struct.pack_into(">BBH", buffer, 0, _MAGIC, pages, length)
        buffer[_HEAD:_FRONT] = previous
        buffer[_FRONT : _FRONT + length] = body
        struct.pack_into(">I", buffer, 4, self._crc(length))
        view = memoryview(buffer)
        for index in range(pages):
            self._flash.program((self._page + index) * PAGE, view[index * PAGE : (index + 1) * PAGE])

    def _crc(self, length: int) -> int:
        view = memoryview(self._buffer)
        return binascii.crc32(view[_HEAD : _FRONT + length], binascii.crc32(view[:4]))

    def _entry(self, page: int) -> "tuple[int, int] | None":
        """Reads the entry that starts at `page` into the buffer: pages and body length, or None when there is none."""
        buffer = self._buffer
        view = memoryview(buffer)
        self._flash.read(page * PAGE, view[:PAGE])
        magic, pages, length, crc = struct.unpack_from(">BBHI", buffer, 0)
        if magic != _MAGIC or length > BODY_MAX or pages != _pages_for(length):
            return None
        if page % _PER_BLOCK + pages > _PER_BLOCK:
            return None
        if pages > 1:
            self._flash.read((page + 1) * PAGE, view[PAGE : pages * PAGE])
        return (pages, length) if self._crc(length) == crc else None

    def _entry_tail(self, page: int) -> "tuple[bytes, int, bool]":
        """Body, pages, and whether the place of the signature is still blank."""
        found = self._entry(page)
        if found is None:
            raise OSError(5)
        pages, length = found
        end = pages * PAGE
        return (
            bytes(self._buffer[_FRONT : _FRONT + length]),
            pages,
            self._buffer[end - _SIGNED : end] == b"\xff" * _SIGNED,
        )

    def _previous_at(self, page: int) -> bytes:
        self._entry(page)
        return bytes(self._buffer[_HEAD:_FRONT])

    def _recover(self, genesis: bytes) -> None:
        """Finds the records by their CRC, in whatever order the ring holds them."""
        blank = b"\xff" * PAGE
        lowest = 0
        newest = 0
        newest_page = -1
        held = 0
        after_newest = 0
        for block in range(self._flash.blocks):
            page = block * _PER_BLOCK
            last = page + _PER_BLOCK
            while page < last:
                found = self._entry(page)
                if found is None:
                    if self._buffer[:PAGE] != blank:
                        self.torn += 1
                    page += 1
                    continue
                pages = found[0]
                seq = struct.unpack_from(">I", self._buffer, _FRONT + _SEQ_AT)[0]
                if seq > self._newest_in[block]:
                    self._newest_in[block] = seq
                signed = self._signature_fits(pages)
                if seq > newest or (seq == newest and signed):
                    newest, newest_page, after_newest = seq, page, page + pages
                    self._signed = signed
                if not lowest or seq < lowest:
                    lowest = seq
                held += 1
                self._page_of[seq % self._pages] = page
                page += pages
        if not newest:
            self.next_seq = self.receipted + 1
            return
        self._page_of[newest % self._pages] = newest_page
        self.next_seq = newest + 1
        self._check_chain(lowest, newest, genesis)
        self._find_place(after_newest, blank)

    def _signature_fits(self, pages: int) -> bool:
        end = pages * PAGE
        signature = memoryview(self._buffer)[end - _SIGNED : end - 4]
        return binascii.crc32(signature) == struct.unpack_from(">I", self._buffer, end - 4)[0]

    def _check_chain(self, lowest: int, newest: int, genesis: bytes) -> None:
        """Walks back from the newest record while each one is the one before it; what does not join is `broken`."""
        self.first_seq = newest
        body, _, previous = self.read(newest)
        self.head = chain.step(previous, body)
        seq = newest
        while seq > lowest:
            before = self._page_of[(seq - 1) % self._pages]
            found = self._entry(before)
            if found is None or struct.unpack_from(">I", self._buffer, _FRONT + _SEQ_AT)[0] != seq - 1:
                break
            older = bytes(self._buffer[_FRONT : _FRONT + found[1]])
            older_previous = bytes(self._buffer[_HEAD:_FRONT])
            if chain.step(older_previous, older) != previous:
                break
            previous = older_previous
            seq -= 1
            self.first_seq = seq
        if seq == 1 and previous != genesis:
            self.broken = 1
        elif seq > lowest and seq - 1 > self.receipted:
            self.broken = seq - 1

    def _find_place(self, page: int, blank: bytes) -> None:
        """Goes on behind the newest record, in its block, on the next page that reads blank."""
        while page % _PER_BLOCK:
            self._flash.read(page * PAGE, memoryview(self._buffer)[:PAGE])
            if self._buffer[:PAGE] == blank:
                self._open = page // _PER_BLOCK
                break
            page += 1
        self._page = page % self._pages


def _pages_for(length: int) -> int:
    return (_FRONT + length + _SIGNED + PAGE - 1) // PAGE


assert BLOCK == _PER_BLOCK * PAGE and RecordHead.SIZE < BODY_MAX
