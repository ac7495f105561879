"""The signed list of orders, seals and item numbers this terminal may meet, looked up in place on flash."""

import struct

from plomba_wire import chain
from plomba_wire.codec import CodeRow, Malformed, ManifestHead, OrderRow
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal.flash import BLOCK
from terminal.objects import signed
from terminal.objects.slots import Slot
from terminal.objects.transfer import Transfer, block_list

_TAG = 12


class Manifest:
    """The manifest in force, if any; `made` is when, s UTC.

    Codes are found by their tag with a binary search: 16 bytes a step.

    `damaged`: the newest one that was in force does not verify any more, or is gone; an older one may have taken its
    place.
    """

    def __init__(self, slots: "tuple[Slot, Slot]", terminal: bytes) -> None:
        self.version = 0
        self.made = 0
        self.damaged = False
        self.head: "ManifestHead | None" = None
        self._slots = slots
        self._slot = slots[0]
        self._terminal = terminal
        self._orders_at = 0
        self._codes_at = 0
        self._row = bytearray(CodeRow.SIZE)

    def load(self, roots: bytes, least: int = 0) -> None:
        """Takes the newest slot that verifies; dates and revocations count only when it arrives. `least` is the version
        that was in force."""
        self.damaged = not (self._slots[0].readable and self._slots[1].readable)
        for slot in sorted(self._slots, key=lambda slot: -slot.version):
            if slot.size:
                try:
                    self._open(slot, roots)
                    break
                except (Refusal, OSError):
                    self.damaged = True
        self.damaged = self.damaged or self.version < least

    def spare(self, version: int) -> Slot:
        """The place for a newer one. Raises Refusal."""
        if version <= self.version:
            raise Refusal(Error.ROLLBACK, self.version)
        free = [slot for slot in self._slots if not self.version or slot is not self._slot]
        return free[0] if free[0].readable else free[-1]

    def install(self, transfer: Transfer) -> None:
        """Puts what was transferred and checked in force, if it is a manifest for this terminal. Raises Refusal."""
        slot = transfer.slot
        assert slot is not None
        if transfer.offer[1] <= self.version:
            raise Refusal(Error.ROLLBACK, self.version)
        head = self._head(slot, transfer.offer[2] - transfer.offer[3])
        transfer.seal()
        assert transfer.envelope is not None
        self._use(slot, head, transfer.envelope.not_before)
        self.damaged = False

    def find(self, code: bytes, kind: int) -> "tuple[int, CodeRow] | None":
        """Index of the order a code belongs to, and the code's row."""
        head = self.head
        if head is None:
            return None
        tag = chain.code_tag(head.salt, kind, code)
        low, high = 0, head.codes
        while low < high:
            middle = (low + high) // 2
            self._slot.read(self._codes_at + middle * CodeRow.SIZE, self._row)
            found = bytes(self._row[:_TAG])
            if found == tag:
                row = CodeRow.unpack(self._row)
                return (row.order, row) if row.order < head.orders and row.kind == kind else None
            if found < tag:
                low = middle + 1
            else:
                high = middle
        return None

    def order(self, index: int) -> OrderRow:
        """Raises codec.Malformed, OSError."""
        self._slot.read(self._orders_at + index * OrderRow.SIZE, self._row)
        return OrderRow.unpack(self._row)

    def index_of(self, ref: int) -> int:
        """Index of the order with this ref, -1 when there is none."""
        if self.head is None:
            return -1
        low, high = 0, self.head.orders
        while low < high:
            middle = (low + high) // 2
            self._slot.read(self._orders_at + middle * OrderRow.SIZE, self._row)
            found = struct.unpack_from(">I", self._row, 0)[0]
            if found == ref:
                return middle
            if found < ref:
                low = middle + 1
            else:
                high = middle
        return -1

    def _open(self, slot: Slot, roots: bytes) -> None:
        """Raises Refusal unless the slot holds a manifest for this terminal, signed by a desk under one of `roots`."""
        envelope, body = signed.open_bundle(bytes(slot.front(slot.bundle)), ObjectKind.MANIFEST, roots, 0)
        if envelope.version != slot.version:
            raise Refusal(Error.ROLLBACK, envelope.version)
        blocks = block_list(body)
        if blocks.size != slot.size:
            raise Refusal(Error.MALFORMED)
        for index in range(len(blocks.hashes) // 32):
            length = min(BLOCK, blocks.size - index * BLOCK)
            if slot.block_digest(index, length) != blocks.hashes[index * 32 : index * 32 + 32]:
                raise Refusal(Error.BAD_HASH, index * BLOCK)
        self._use(slot, self._head(slot, slot.size), envelope.not_before)

    def _head(self, slot: Slot, size: int) -> ManifestHead:
        """Raises Refusal."""
        front = bytearray(min(size, ManifestHead.SIZE))
        slot.read(0, front)
        try:
            head = ManifestHead.unpack(front)
        except Malformed:
            raise Refusal(Error.MALFORMED)
        if size != ManifestHead.SIZE + head.orders * OrderRow.SIZE + head.codes * CodeRow.SIZE:
            raise Refusal(Error.MALFORMED)
        if head.terminal != self._terminal:
            raise Refusal(Error.WRONG_DEVICE)
        return head

    def _use(self, slot: Slot, head: ManifestHead, made: int) -> None:
        self.made = made
        self.version = slot.version
        self.head = head
        self._slot = slot
        self._orders_at = ManifestHead.SIZE
        self._codes_at = self._orders_at + head.orders * OrderRow.SIZE
