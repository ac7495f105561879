"""An object on its way down: first its bundle, kept in RAM until it is verified; then its content, block by block.

A block is programmed only when its hash is the one in the signed list. What was checked is counted from flash when the
same bundle is offered again, so a transfer goes on where it stopped, across a cut cable and a cut of power.
"""

import hashlib

from plomba_wire.codec import BlockList, Envelope, Malformed
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error
from terminal.flash import BLOCK
from terminal.objects import signed
from terminal.objects.slots import Slot

_HASH = 32
SMALL_MAX = 8192
"""Bytes of the largest bundle that is an object by itself."""


class Transfer:
    """`offer` is (kind, version, size, bundle, sha256) of ObjectOffer; `offset` the next byte wanted.

    Without a slot the bundle is the whole object. `roots`, `now` and `revocations` are those of signed.Opening. Raises
    Refusal, OSError.
    """

    def __init__(
        self,
        offer: "tuple[int, int, int, int, bytes]",
        roots: bytes,
        now: int,
        slot: "Slot | None",
        revocations=None,
    ) -> None:
        _, _, size, length, _ = offer
        self.offer = offer
        self.slot = slot
        self.bundle = b""
        self.envelope: "Envelope | None" = None
        self.body = b""
        self._roots = roots
        self._now = now
        self._revocations = revocations
        self._list: "BlockList | None" = None
        self._checked = 0
        self._part = bytearray()
        if length > size or (slot is None and size != length):
            raise Refusal(Error.MALFORMED)
        room = SMALL_MAX if slot is None else slot.front_room
        if length > room:
            raise Refusal(Error.TOO_BIG, room)
        if slot is not None and size - length > slot.room:
            raise Refusal(Error.TOO_BIG, slot.room)
        if slot is not None and not slot.size:
            self._recall(slot)

    @property
    def offset(self) -> int:
        if self.envelope is None:
            return len(self._part)
        return min(self.offer[2], self.offer[3] + self._checked * BLOCK + len(self._part))

    @property
    def complete(self) -> bool:
        return self.envelope is not None and self._checked == self._blocks and not self._part

    def write(self, offset: int, piece: bytes) -> None:
        """Takes a piece that goes on where the last one ended; another one changes nothing.

        Raises Refusal (a block whose hash is wrong is wanted again from its beginning), OSError (so is one that flash
        did not take).
        """
        if offset != self.offset:
            return
        if offset + len(piece) > self.offer[2]:
            raise Refusal(Error.TOO_BIG, self.offer[2])
        left = memoryview(piece)
        while len(left):
            part = left[: self._wanted() - len(self._part)]
            self._part.extend(part)
            left = left[len(part) :]
            if len(self._part) == self._wanted():
                whole, self._part = self._part, bytearray()
                if self.envelope is None:
                    self._open(bytes(whole))
                    self._keep_front()
                else:
                    self._keep(whole)

    def seal(self) -> None:
        """What arrived is in force from here on. Raises OSError."""
        assert self.slot is not None and self._list is not None and self.complete
        self.slot.seal(self.offer[1], self.offer[3], self._list.size)

    @property
    def _blocks(self) -> int:
        return len(self._list.hashes) // _HASH if self._list is not None else 0

    def _wanted(self) -> int:
        """Bytes of what is being collected: the bundle, or a block."""
        if self.envelope is None:
            return self.offer[3]
        return min(BLOCK, self.offer[2] - self.offer[3] - self._checked * BLOCK)

    def _open(self, bundle: bytes) -> None:
        """Verifies the bundle before anything of it is kept. Raises Refusal."""
        kind, version, size, length, sha256 = self.offer
        if hashlib.sha256(bundle).digest() != sha256:
            raise Refusal(Error.BAD_HASH)
        envelope, body = signed.open_bundle(bundle, kind, self._roots, self._now, self._revocations)
        if envelope.version != version:
            raise Refusal(Error.ROLLBACK, envelope.version)
        if self.slot is not None:
            self._list = block_list(body)
            if self._list.size != size - length:
                raise Refusal(Error.MALFORMED)
        self.bundle, self.envelope, self.body = bundle, envelope, body

    def _keep_front(self) -> None:
        if self.slot is None:
            return
        try:
            self.slot.write_front(self.bundle)
        except OSError:
            self.envelope = None
            raise

    def _keep(self, block: bytearray) -> None:
        assert self.slot is not None and self._list is not None
        index = self._checked
        if hashlib.sha256(block).digest() != self._list.hashes[index * _HASH : (index + 1) * _HASH]:
            raise Refusal(Error.BAD_HASH, self.offset)
        self.slot.write_block(index, block)
        self._checked = index + 1

    def _recall(self, slot: Slot) -> None:
        """Goes on with what an earlier transfer left in the slot, if it is this bundle."""
        _, version, size, length, sha256 = self.offer
        front = bytes(slot.front(length))
        if hashlib.sha256(front).digest() != sha256 or not slot.takes_title(version, length, size - length):
            return
        self._open(front)
        while self._checked < self._blocks:
            index = self._checked
            found = slot.block_digest(index, self._wanted())
            if found != self._list.hashes[index * _HASH : (index + 1) * _HASH]:  # type: ignore[union-attr]
                return
            self._checked = index + 1


def block_list(body: bytes) -> BlockList:
    """The list in a bundle's body. Raises Refusal unless there is content, and one hash for each block of it."""
    try:
        found = BlockList.unpack(body)
    except Malformed:
        raise Refusal(Error.MALFORMED)
    if not found.size or len(found.hashes) != (found.size + BLOCK - 1) // BLOCK * _HASH:
        raise Refusal(Error.MALFORMED)
    return found
