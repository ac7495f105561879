"""Packages as a desk makes them for a terminal, signed with keys of the tests' own. Under MicroPython only."""

import hashlib
import struct

from plomba_wire import chain
from plomba_wire.codec import BlockList, Certificate, Envelope
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import ObjectKind, Protection, Role
from terminal.flash import BLOCK, PAGE, Region
from terminal.keys import p256
from terminal.objects.slots import Slot
from terminal.objects.transfer import Transfer

NOW = 1_800_000_000
ROOT_KEY, DESK_KEY, STRANGER_KEY = 1001, 1002, 1003
"""Private keys: nothing here is secret."""
ROOT = p256.public_key(ROOT_KEY)
FRONT = 2
"""Blocks of a slot before its content."""

_page = memoryview(bytearray(PAGE))


def signed(kind: int, version: int, body: bytes, key: int, since: int = 1, until: int = 0) -> bytes:
    """A signed object; dates are seconds since 1970."""
    envelope = Envelope(kind, chain.key_id(p256.public_key(key)), version, since, until, len(body))
    unsigned = envelope.pack() + body
    return unsigned + p256.sign(key, chain.object_digest(unsigned))


def certificate(role: int = Role.DESK, key: int = DESK_KEY, issuer: int = ROOT_KEY) -> bytes:
    """What `issuer` says about the owner of `key`."""
    body = Certificate(role, Protection.OPEN, 1, p256.public_key(key), b"desk").pack()
    return signed(ObjectKind.CERTIFICATE, 1, body, issuer)


_DESK = certificate()


def bundle(whole: bytes, signer: bytes = _DESK) -> bytes:
    """A signed object behind the certificate of who signed it."""
    return struct.pack(">H", len(signer)) + signer + whole


def hashes(content) -> bytes:
    """The SHA-256 of each block."""
    view = memoryview(content)
    return b"".join(hashlib.sha256(view[at : at + BLOCK]).digest() for at in range(0, len(content), BLOCK))


class Package:
    """A bundle, the content behind it, and the offer that announces both. `body` stands in for the true block list."""

    def __init__(self, version: int, content, kind: int = ObjectKind.MANIFEST, body: bytes = b"") -> None:
        self.version = version
        self.content = content
        body = body or BlockList(len(content), hashes(content)).pack()
        self.bundle = bundle(signed(kind, version, body, DESK_KEY))
        self.size = len(self.bundle) + len(content)
        self.blocks = (len(content) + BLOCK - 1) // BLOCK
        self.offer = offer(self.bundle, version, self.size, kind)

    def piece(self, start: int, end: int) -> bytes:
        """Bytes `start`..`end`; they may lie across bundle and content."""
        border = len(self.bundle)
        return self.bundle[start:end] + bytes(memoryview(self.content)[max(0, start - border) : max(0, end - border)])

    def boundary(self, blocks: int) -> int:
        """Where block number `blocks` of the content begins, or the end."""
        return min(self.size, len(self.bundle) + blocks * BLOCK)

    def to(self, slot: Slot) -> Transfer:
        return Transfer(self.offer, ROOT, NOW, slot)

    def send(self, transfer: Transfer, end: int = -1, step: int = 500) -> None:
        """Sends what the transfer wants up to `end`, or all of it."""
        end = self.size if end < 0 else end
        while transfer.offset < end:
            at = transfer.offset
            transfer.write(at, self.piece(at, min(end, at + step)))

    def whole_in(self, slot: Slot) -> bool:
        """Whether the slot says that it holds this object, and does, byte for byte."""
        if (slot.version, slot.bundle, slot.size) != (self.version, len(self.bundle), len(self.content)):
            return False
        return slot.front(slot.bundle) == self.bundle and self.held(slot) == self.blocks

    def held(self, slot: Slot) -> int:
        """Blocks of the content that flash holds without a gap."""
        wanted = memoryview(self.content)
        for at in range(0, len(wanted), PAGE):
            part = _page[: min(PAGE, len(wanted) - at)]
            slot.read(at, part)
            if part != wanted[at : at + PAGE]:
                return at // BLOCK
        return self.blocks


def offer(whole: bytes, version: int, size: int, kind: int = ObjectKind.MANIFEST) -> "tuple[int, int, int, int, bytes]":
    return kind, version, size, len(whole), hashlib.sha256(whole).digest()


def content(version: int, size: int) -> bytearray:
    """Bytes that another version has nowhere. In every second version they end like blank flash."""
    made = bytearray(size)
    for at in range(0, size, 32):
        made[at : at + 32] = hashlib.sha256(b"%d %d" % (version, at)).digest()[: size - at]
    if version % 2:
        last = (size - 1) % BLOCK + 1
        for at in range(size - (last + 1) // 2, size):
            made[at] = 0xFF
    return made


def wiped(chip) -> Slot:
    """A slot on a chip that is new again: the heap of a board does not hold many."""
    for at in range(0, len(chip.image), PAGE):
        chip.image[at : at + PAGE] = b"\xff" * PAGE
    return slot_of(chip)


def slot_of(chip, first: int = 0, blocks: int = 0) -> Slot:
    """A slot as a start of the board finds it: `blocks` from `first` on, or the whole chip."""
    return Slot(Region(chip, first, blocks or len(chip.image) // BLOCK))


def refusal(chip, act, *arguments) -> "tuple[int, int]":
    """Code and detail of the refusal; no flash operation happens."""
    operations = chip.programs + chip.erases
    try:
        act(*arguments)
    except Refusal as refused:
        assert chip.programs + chip.erases == operations
        return refused.code, refused.detail
    raise AssertionError("not refused")


def flipped(data: bytes, at: int) -> bytes:
    """One bit of byte `at` is another."""
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
