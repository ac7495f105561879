"""Which firmware runs: what is built in, or an image in one of two slots.

A new image is written whole beside the one that runs and tried at the next start; a try is counted before it begins.
One that stays alive is confirmed and from then on is the one; one that does not is given up after its tries, and what
ran before it runs again. Nothing below the floor of a confirmed image is ever chosen again. All of it is one file,
replaced whole or not at all.

A slot's content is codec.ImageHead and a ROMFS. Who signed it was checked before it was written (signed.py); at each
start its blocks are held against the list beside it. That finds rot and torn pages, not a person with a soldering
iron: a board without secured boot runs what its flash holds.
"""

import struct
import sys

from micropython import const

from plomba_wire import chain
from plomba_wire.codec import Envelope, ImageHead, Malformed
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error
from terminal import files
from terminal.flash import BLOCK
from terminal.objects.slots import Slot

_FILE = "image"
_STATE = ">IIIIBB"
_TRIES = const(3)
_HASH = const(32)
_LIST_SIZE = const(4)
_LOW_BATTERY = const(30)


class Images:
    """Two slots and the word on which of them runs. Versions are those of version.py; 0 = none, or what is built in.

    `confirmed` came up, `trial` is being tried, `failed` did not come up; `untold` while no record says so. Raises
    OSError.
    """

    def __init__(self, regions, running: int = 0) -> None:
        """`running` is the version of the firmware that asks."""
        self.slots = (Slot(regions[0]), Slot(regions[1]))
        self.running = running
        state = _state(files.load(_FILE))
        self.confirmed, self.trial, self.failed, self.floor, self._tries, self.untold = state

    @property
    def too_old(self) -> bool:
        """The firmware that runs is below the floor: an image is damaged, and what is built in may only mend it."""
        return self.running < self.floor

    def choose(self) -> "int | None":
        """Number of the slot to start from, None for what is built in."""
        if self.trial:
            number = self._holder(self.trial)
            if number is not None and self._tries < _TRIES:
                self._tries += 1
                self._save()
                return number
            if self._tries:
                self.failed, self.untold = self.trial, 1
            self.trial, self._tries = 0, 0
            self._save()
        return self._holder(self.confirmed) if self.confirmed else None

    def confirm(self) -> bool:
        """The firmware that runs has come up. True when that was in question until now."""
        if not self.trial or self.trial != self.running:
            return False
        number = self._holder(self.trial)
        if number is None:
            return False
        self.floor = max(self.floor, _head(self.slots[number]).floor)
        self.confirmed, self.trial, self._tries = self.trial, 0, 0
        self._save()
        return True

    def told(self) -> None:
        """A record says that an image did not come up."""
        self.untold = 0
        self._save()

    def spare(self, version: int, battery: int) -> Slot:
        """The place for a newer one. `battery` is percent, 255 = on a cable. Raises Refusal.

        While one is being tried there is none: it may be what runs, in place, and it falls back on the other slot.
        """
        if self.trial:
            raise Refusal(Error.BUSY, self.trial)
        if version <= max(self.running, self.floor - 1):
            raise Refusal(Error.ROLLBACK, max(self.running, self.floor))
        if version == self.failed:
            raise Refusal(Error.REFUSED_BY_POLICY, version)
        if battery < _LOW_BATTERY:
            raise Refusal(Error.LOW_BATTERY, battery)
        # Not by its title: of two that bear the confirmed version one may have rotted, and the other one runs.
        kept = self._holder(self.confirmed) if self.confirmed else None
        return self.slots[1] if kept == 0 else self.slots[0]

    def install(self, transfer, board: str) -> None:
        """What was transferred and checked is tried at the next start, if it is for this board. Raises Refusal."""
        slot = transfer.slot
        head = _head(slot)
        if head.board.rstrip(b"\0") != board.encode() or head.mpy != sys.implementation._mpy & 0xFF:
            raise Refusal(Error.WRONG_DEVICE)
        if head.version != transfer.offer[1] or head.floor > head.version:
            raise Refusal(Error.MALFORMED)
        transfer.seal()
        self.trial, self._tries = transfer.offer[1], 0
        self._save()

    def _holder(self, version: int) -> "int | None":
        """Number of the slot that holds this version whole and not below the floor."""
        for number, slot in enumerate(self.slots):
            if slot.size and slot.version == version and version >= self.floor and _whole(slot):
                return number
        return None

    def _save(self) -> None:
        state = (self.confirmed, self.trial, self.failed, self.floor, self._tries, self.untold)
        files.save(_FILE, struct.pack(_STATE, *state))


def on_trial(version: int) -> bool:
    """Whether the firmware of this version is being tried. Raises OSError."""
    return _state(files.load(_FILE))[1] == version


def _state(stored: "bytes | None"):
    """Confirmed, trial, failed, floor, tries, untold. Another firmware's file may be longer or shorter: what it has in
    common with this one counts."""
    size = struct.calcsize(_STATE)
    return struct.unpack(_STATE, ((stored or b"") + bytes(size))[:size])


def _head(slot: Slot) -> ImageHead:
    """Raises Refusal."""
    front = bytearray(min(slot.room, ImageHead.SIZE))
    slot.read(0, front)
    try:
        return ImageHead.unpack(front)
    except Malformed:
        raise Refusal(Error.MALFORMED)


def _whole(slot: Slot) -> bool:
    """Whether every block is what the list in the slot's front says. One that cannot be read is not."""
    try:
        return _as_listed(slot)
    except OSError:
        return False


def _as_listed(slot: Slot) -> bool:
    front = bytes(slot.front(slot.bundle))
    try:
        at = 2 + struct.unpack_from(">H", front, 0)[0]
        envelope = Envelope.read(front, at)
    except (Malformed, ValueError):
        return False
    hashes = front[at + Envelope.SIZE + _LIST_SIZE : -chain.SIGNATURE]
    blocks = (slot.size + BLOCK - 1) // BLOCK
    if envelope.version != slot.version or len(hashes) != blocks * _HASH:
        return False
    for index in range(blocks):
        length = min(BLOCK, slot.size - index * BLOCK)
        if slot.block_digest(index, length) != hashes[index * _HASH : index * _HASH + _HASH]:
            return False
    return True
