"""Application images: written, tried, confirmed or given up, start after start.

What is promised: a start runs the confirmed image, whole, or the one on trial, or what is built in while there is
none. A try is counted before it begins, and there are three. What was confirmed stays; what failed is not tried again;
the floor never falls. All of the state is the one before or the one after the operation that was cut.
"""

import random
import sys

from packages import Package, bundle, certificate, hashes, offer, signed, slot_of
from power import main
from small_state import SmallState

from plomba_wire.codec import BlockList, ImageHead
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import ObjectKind, Role
from terminal.flash import BLOCK
from terminal.update import Images

_SLOT = 4
_BOARD = "sweep"
_MPY = sys.implementation._mpy & 0xFF
_TRIES = 3
_CABLE = 255
BUILT_IN = 1
_GOOD = (2, 3, 5, 6, 8)
"""Versions that come up; 4 and 7 do not."""
_VERSIONS = 8
_RELEASE_KEY = 1005
_RELEASE = certificate(Role.RELEASE, _RELEASE_KEY)
_packages = {}


class Image(Package):
    """Signed by a release key."""

    def __init__(self, version: int, content) -> None:
        super().__init__(version, content, ObjectKind.IMAGE)
        body = BlockList(len(content), hashes(content)).pack()
        self.bundle = bundle(signed(ObjectKind.IMAGE, version, body, _RELEASE_KEY), _RELEASE)
        self.size = len(self.bundle) + len(content)
        self.offer = offer(self.bundle, version, self.size, ObjectKind.IMAGE)


def package(version: int) -> Package:
    if version not in _packages:
        size = (1 + version % 2) * BLOCK - (version % 3) * 700
        board = _BOARD.encode() + bytes(16 - len(_BOARD))
        content = bytearray(ImageHead(board, _MPY, version, max(0, version - 2)).pack())
        while len(content) < size:
            content += bytes(((version * 37 + len(content)) % 251,))
        _packages[version] = Image(version, content)
    return _packages[version]


class State:
    """What the terminal promised: the fields of Images."""

    def __init__(self, confirmed=0, trial=0, failed=0, floor=0, tries=0, untold=0) -> None:
        self.fields = confirmed, trial, failed, floor, tries, untold
        self.confirmed, self.trial, self.failed, self.floor, self.tries, self.untold = self.fields

    def installed(self, version: int) -> "State":
        return State(self.confirmed, version, self.failed, self.floor, 0, self.untold)

    def started(self) -> "tuple[State, int]":
        """The state after a start, and the version that runs."""
        if not self.trial:
            return self, self.confirmed or BUILT_IN
        if self.tries < _TRIES:
            return State(self.confirmed, self.trial, self.failed, self.floor, self.tries + 1, self.untold), self.trial
        return State(self.confirmed, 0, self.trial, self.floor, 0, 1), self.confirmed or BUILT_IN

    def came_up(self) -> "State":
        return State(self.trial, 0, self.failed, max(self.floor, self.trial - 2), 0, self.untold)

    def told(self) -> "State":
        return State(self.confirmed, self.trial, self.failed, self.floor, self.tries, 0)


class Updates(SmallState):
    """`state` is what was promised, `next_state` what it becomes by the operation under way, `running` a version."""

    NAME = "image"
    FILES = 6
    BLOCKS = 6 + 2 * _SLOT

    def begin(self) -> None:
        super().begin()
        self.state = self.next_state = State()
        self.running = BUILT_IN

    def fork(self, child) -> None:
        super().fork(child)
        child.state, child.next_state, child.running = self.state, self.next_state, self.running

    def ended(self, error) -> None:
        """A start whose small state is on bad flash runs what is built in."""
        if isinstance(error, OSError) and 0 <= self.chip.bad < self.FILES:
            self.sweep.refused += 1
        else:
            super().ended(error)

    def images(self) -> Images:
        images = Images((self.region(0), self.region(1)), self.running)
        found = images.confirmed, images.trial, images.failed, images.floor, images._tries, images.untold
        if found not in (self.state.fields, self.next_state.fields):
            self.wrong("the state is %s, not %s or %s" % (found, self.state.fields, self.next_state.fields))
        self.state = self.next_state if found == self.next_state.fields else self.state
        self.next_state = self.state
        return images

    def region(self, number: int):
        return slot_of(self.chip, self.FILES + number * _SLOT, _SLOT).region

    def looked_at(self) -> Images:
        """A start reads the state and writes nothing."""
        self.enter()
        try:
            return self.images()
        finally:
            self.leave()

    def start(self) -> None:
        images = self.looked_at()
        self.next_state, wanted = self.state.started()
        number = self.step(images.choose)
        self.looked_at()
        found = BUILT_IN if number is None else images.slots[number].version
        if found != wanted:
            self.wrong("%d runs, not %d" % (found, wanted))
        if number is not None and not package(found).whole_in(images.slots[number]):
            self.wrong("%d runs and is not whole" % found)
        self.running = found

    def come_up(self) -> None:
        images = self.looked_at()
        self.next_state = self.state.came_up()
        if not self.step(images.confirm):
            self.wrong("%d is not confirmed" % self.running)
        self.looked_at()

    def tell(self) -> None:
        images = self.looked_at()
        self.next_state = self.state.told()
        self.step(images.told)
        self.looked_at()

    def install(self, version: int) -> bool:
        """False where it is refused because a block of its slot is bad."""
        images = self.looked_at()
        wanted = package(version)
        try:
            slot = images.spare(version, _CABLE)
            transfer = wanted.to(slot)
            while transfer.offset < wanted.size:
                at = transfer.offset
                piece = wanted.piece(at, min(wanted.size, at + 1 + random.getrandbits(16) % 2500))
                self.step(lambda at=at, piece=piece: transfer.write(at, piece))
            self.next_state = self.state.installed(version)
            self.step(lambda: images.install(transfer, _BOARD))
            self.looked_at()
            return True
        except OSError as error:
            self.refused(error)
            at = self.chip.bad - self.FILES
            if not self.cannot_read and at >= 0 and at // _SLOT != (slot is images.slots[1]):
                self.wrong("%d is refused, and its slot is good" % version)
            self.looked_at()
            return False

    def live(self) -> None:
        for version in range(2, _VERSIONS + 1):
            if not self.install(version):
                continue
            self.start()
            if version in _GOOD:
                if version % 2:
                    self.start()
                self.come_up()
            else:
                for _ in range(_TRIES):
                    self.start()
                self.tell()
            self.start()

    def recover(self) -> None:
        self.looked_at()
        self.start()

    def go_on(self) -> None:
        """What is on trial comes up and stays; what failed stays refused; the next one is taken."""
        if self.running == self.state.trial:
            self.come_up()
            self.start()
        if self.state.untold:
            self.tell()
        if self.state.failed > self.running:
            try:
                self.looked_at().spare(self.state.failed, _CABLE)
                self.wrong("%d failed and may come again" % self.state.failed)
            except Refusal:
                pass
        if self.install(max(self.running, self.state.failed) + 1):
            self.start()
            self.come_up()
            self.start()


main(Updates)
