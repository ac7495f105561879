"""Manifests, really signed, that arrive block by block beside the one in force.

What is promised: until the new one is installed the old one is in force and whole, and from then on the new one; a
slot with a title holds the whole of what it says. A transfer goes on from exactly what flash holds, and sends only the
rest; another one begins anew. Pieces that come twice, too early or too long change nothing.
"""

import random
import struct

from packages import FRONT, ROOT, Package, slot_of
from power import Life, main

from plomba_wire.codec import ManifestHead, OrderRow
from plomba_wire.terminal_end import Refusal
from terminal.flash import BLOCK
from terminal.objects.manifest import Manifest

_SLOT = 4
_TERMINAL = b"terminal"
_ROWS = ((BLOCK - ManifestHead.SIZE) // 16, 0, (BLOCK - ManifestHead.SIZE) // 16 + 1, 3, 0)
"""Orders: as many as fit one block, none, one more, few; the last 0 stands for all that a slot holds."""
_VERSIONS = 6
OTHER = 100000
"""Version of a manifest that is offered instead."""
_packages = {}


def package(version: int) -> Package:
    """Another version has nowhere the same rows; in every second one the last block ends like blank flash."""
    if version not in _packages:
        rows = _ROWS[version % len(_ROWS)]
        if version % len(_ROWS) == 4:
            rows = ((_SLOT - FRONT) * BLOCK - ManifestHead.SIZE) // 16
        content = bytearray(ManifestHead(_TERMINAL, 1, 0, 7, struct.pack(">4I", *[version] * 4), rows, 0).pack())
        for at in range(rows):
            cell = b"\xff" * 8 if version % 2 and at * 2 > rows else struct.pack(">II", version, at)
            content += OrderRow(0xFFFFFFFF if cell[0] == 0xFF else at, 1, 11, 0, 0, cell).pack()
        _packages[version] = Package(version, content)
    return _packages[version]


class Manifests(Life):
    """`in_force` is the version that is, `coming` the one on its way, `sealing` while it may take over."""

    NAME = "manifest"
    BLOCKS = 2 * _SLOT

    def begin(self) -> None:
        self.in_force = self.coming = 0
        self.sealing = False

    def fork(self, child) -> None:
        child.in_force, child.coming, child.sealing = self.in_force, self.coming, self.sealing

    def slots(self):
        return slot_of(self.chip, 0, _SLOT), slot_of(self.chip, _SLOT, _SLOT)

    def ended(self, error) -> None:
        """Where a manifest cannot be read a life is over: what is in force was out of reach, and it was said."""
        if isinstance(error, OSError) and self.cannot_read:
            self.sweep.refused += 1
        else:
            super().ended(error)

    def started(self) -> Manifest:
        """As a start finds it; it has to be what was promised."""
        slots = self.slots()
        for slot in slots:
            if slot.size and self.chip.bad < 0 and not package(slot.version).whole_in(slot):
                self.wrong("%d is not whole" % slot.version)
        manifest = Manifest(slots, _TERMINAL)
        manifest.load(ROOT)
        if self.sealing and manifest.version == self.coming:
            self.in_force = self.coming
            self.coming = 0
        self.sealing = False
        if manifest.version != self.in_force and manifest.damaged and self.cannot_read:
            raise OSError(5)
        if manifest.version != self.in_force:
            self.wrong("%d in force, not %d" % (manifest.version, self.in_force))
        rows = manifest.head.orders if manifest.head else 0
        first = bytes(package(self.in_force).content[ManifestHead.SIZE : ManifestHead.SIZE + 16]) if rows else b""
        if rows and manifest.order(0).pack() != first:
            self.wrong("the first order of %d is another" % self.in_force)
        return manifest

    def live(self) -> None:
        for version in range(1, _VERSIONS + 1):
            manifest = self.started()
            self.send(manifest, version, strays=True)
            self.started()

    def send(self, manifest: Manifest, version: int, strays: bool = False) -> None:
        """A transfer, which may be refused where a block of its slot is bad."""
        try:
            self.transfer(manifest, version, strays)
        except OSError as error:
            self.refused(error)
            if self.chip.bad // _SLOT == (0 if manifest.spare(version).region._first else 1):
                self.wrong("%d is refused, and its slot is good" % version)
            # It is in force where only reading it back failed.
            self.started()
            self.coming = 0

    def transfer(self, manifest: Manifest, version: int, strays: bool) -> None:
        """The whole of it, from where it stands, and its installation."""
        wanted = package(version)
        self.coming = version
        transfer = wanted.to(manifest.spare(version))
        left = wanted.blocks - max(0, transfer.offset - len(wanted.bundle) + BLOCK - 1) // BLOCK
        left += 0 if transfer.offset else FRONT
        erases = self.chip.erases
        while transfer.offset < wanted.size:
            at = transfer.offset
            end = min(wanted.size, at + 1 + random.getrandbits(16) % 2000)
            if strays:
                self.stray(transfer, wanted, at, end)
            piece = wanted.piece(at, end)
            self.step(lambda at=at, piece=piece: transfer.write(at, piece))
        if not transfer.complete:
            self.wrong("all of %d was sent and more is wanted" % version)
        if self.chip.erases - erases != left:
            self.wrong("sends %d blocks, %d were left" % (self.chip.erases - erases, left))
        self.sealing = True
        self.step(lambda: manifest.install(transfer))
        self.sealing = False
        self.in_force, self.coming = version, 0

    def stray(self, transfer, wanted: Package, at: int, end: int) -> None:
        operations = self.chip.programs + self.chip.erases
        for start in (0, at // 2, at - 1, at + 1, end):
            if 0 <= start < wanted.size and start != at:
                transfer.write(start, wanted.piece(start, start + 300))
        if wanted.size - at < 2000:
            try:
                transfer.write(at, bytes(wanted.size - at + 1))
                self.wrong("more than all was taken")
            except Refusal:
                pass
        if transfer.offset != at or self.chip.programs + self.chip.erases != operations:
            self.wrong("a piece that was not wanted at %d was taken" % at)

    def recover(self) -> None:
        """What a start of the board makes of it: it counts what flash holds, no more and no less."""
        coming, sealing = self.coming, self.sealing
        manifest = self.started()
        if not coming or self.in_force == coming:
            return
        wanted = package(coming)
        slot = manifest.spare(coming)
        block = self.cut[1] // BLOCK % _SLOT - FRONT
        done = wanted.size if sealing else wanted.boundary(block) if block >= 0 else 0
        offset = wanted.to(slot).offset
        begun = slot.front(len(wanted.bundle)) == wanted.bundle
        held = wanted.boundary(wanted.held(slot)) if begun else 0
        if self.chip.bad >= 0:
            # A title that an erase did not take away stands in the way of the new one: it begins anew.
            if offset > held:
                self.wrong("goes on at %d, flash holds %d" % (offset, held))
            return
        if offset < done:
            self.wrong("goes on at %d, %d were on flash" % (offset, done))
        if offset != held:
            self.wrong("goes on at %d, flash holds %d" % (offset, held))

    def go_on(self) -> None:
        """The same one or another comes; then the next."""
        version = self.coming or self.in_force + 1
        if random.getrandbits(2) == 0:
            version = self.in_force + OTHER
        manifest = self.started()
        if self.in_force:
            try:
                manifest.spare(self.in_force)
                self.wrong("%d may come again" % self.in_force)
            except Refusal:
                pass
        self.send(manifest, version)
        manifest = self.started()
        if self.level < 2:
            self.send(manifest, version + 1)
            self.started()


main(Manifests)
