"""Small state that people's work hangs on: the lists of staff, seals and revocations, really signed, and which rules
each person has read.

What is promised: a list in force is the newest that was installed, or the one under way; it is whole, and none that is
not newer is taken. What is remembered apart from it is never ahead of it: else a cut would look like a list that is
gone. What a person has acknowledged stays, and so does what the others have.
"""

import random
import struct

from packages import DESK_KEY, NOW, ROOT, ROOT_KEY, bundle, offer, signed
from power import main
from small_state import SmallState

from plomba_wire.codec import RevokedRow, SealList, StaffRow
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Hand, ObjectKind, Verdict
from terminal import files
from terminal.objects.newest import Newest
from terminal.objects.revocations import Revocations
from terminal.objects.seals import Seals
from terminal.objects.staff import Staff
from terminal.objects.transfer import Transfer
from terminal.work.people import People

_STEPS = 16
_ROWS = 130
_BADGES = (7, 42, 43, 900, 123456789)
_NAMES = {ObjectKind.STAFF: "staff", ObjectKind.SEALS: "seals", ObjectKind.REVOCATIONS: "revoked"}
_KINDS = tuple(sorted(_NAMES))
_bundles = {}


def made(kind: int, version: int) -> bytes:
    """A bundle of so many rows that some lie beside the names of the files and some are longer than a block."""
    if (kind, version) not in _bundles:
        rows = 1 + version * 53 % _ROWS
        if kind == ObjectKind.STAFF:
            row = bytes(8) + bytes(16)
            rows = [StaffRow(version + at, Hand.CLERK, 0, row[:8], row[8:]).pack() for at in range(rows)]
            whole = bundle(signed(kind, version, bytes(64) + b"".join(rows), DESK_KEY))
        elif kind == ObjectKind.SEALS:
            whole = bundle(signed(kind, version, SealList(0, 0, 0, b"").pack(), DESK_KEY))
        else:
            rows = [RevokedRow(key(version + at), NOW, 1).pack() for at in range(2 * rows)]
            whole = struct.pack(">H", 0) + signed(kind, version, b"".join(rows), ROOT_KEY)
        _bundles[kind, version] = whole
    return _bundles[kind, version]


def stored() -> "dict[int, int]":
    acks = files.load("acks") or b""
    return dict([struct.unpack_from(">IH", acks, at) for at in range(0, len(acks), 6)])


def key(number: int) -> bytes:
    return struct.pack(">Q", number)


class Lists(SmallState):
    """`read` is badge -> number of the rules it has acknowledged, `reading` the same when what is under way is done."""

    NAME = "lists"
    FILES = 14
    BLOCKS = 14

    def begin(self) -> None:
        super().begin()
        self.read = self.reading = {}

    def fork(self, child) -> None:
        super().fork(child)
        child.read, child.reading = self.read, self.reading

    def live(self) -> None:
        for number in range(1, _STEPS):
            self.install(_KINDS[random.getrandbits(8) % len(_KINDS)])
            if random.getrandbits(1):
                self.acknowledge(_BADGES[random.getrandbits(8) % len(_BADGES)], number)
        self.step(self.check)

    def number(self, kind: int) -> int:
        """The list that was promised; 0 = none."""
        held = self.held.get(_NAMES[kind])
        return next(version for version in range(1, 3 * _STEPS) if made(kind, version) == held) if held else 0

    def install(self, kind: int) -> None:
        number = self.number(kind) + 1
        self.put(_NAMES[kind], made(kind, number), lambda: self.taken(kind, number))

    def acknowledge(self, badge: int, number: int) -> None:
        self.reading = self.read.copy()
        self.reading[badge] = number
        try:
            self.step(lambda: self.reads(badge, number))
            self.read = self.reading
        except OSError as error:
            self.refused(error)
        self.step(self.check)

    def reads(self, badge: int, number: int) -> None:
        """Raises OSError where flash did not take it: the terminal goes on, and asks again after its next start."""
        people = self.person(badge)
        people.acknowledge(number)
        if not people.has_read(number):
            self.wrong("%d has read %d and is asked again" % (badge, number))
        if stored() != self.reading:
            raise OSError(5)

    def person(self, badge: int) -> People:
        people = People(Staff())
        people.open(badge, Hand.CLERK)
        return people

    def taken(self, kind: int, number: int) -> None:
        """As link/service.py takes one."""
        held = self.loaded(kind)
        whole = made(kind, number)
        transfer = Transfer(offer(whole, number, len(whole), kind), ROOT, NOW, None)
        transfer.write(0, whole)
        if kind == ObjectKind.SEALS:
            held.install(transfer, ROOT)
        else:
            held.install(transfer)
        Newest().rise(kind, held.number)

    def loaded(self, kind: int):
        new = {ObjectKind.STAFF: Staff, ObjectKind.REVOCATIONS: Revocations}.get(kind)
        held = new() if new else Seals(Revocations())
        held.load(ROOT, Newest().held(kind))
        return held

    def check(self) -> None:
        super().check()
        found = stored()
        if found not in (self.read, self.reading):
            self.wrong("%s was read, not %s or %s" % (found, self.read, self.reading))
        self.read = self.reading = found
        for kind in _KINDS:
            number, held = self.number(kind), self.loaded(kind)
            if (held.number, held.damaged) != (number, False):
                self.wrong("%s %d is in force, not %d, damaged %s" % (_NAMES[kind], held.number, number, held.damaged))
            if number and kind == ObjectKind.STAFF:
                # Two lists that follow each other differ in their first badge.
                said = [held.look(number + at, 0, False)[0] for at in (-1, 0)]
                if said != [Verdict.BADGE_UNKNOWN, Verdict.OK]:
                    self.wrong("the staff of %d is another" % number)
            if number and kind == ObjectKind.REVOCATIONS:
                said = [held.holds(key(number + at)) for at in (-1, 0)]
                if said != [False, True]:
                    self.wrong("the revocations of %d are others" % number)
        for badge in _BADGES:
            people, number = self.person(badge), self.read.get(badge, 0)
            if (number and not people.has_read(number)) or people.has_read(number + 1):
                self.wrong("%d has not read %d" % (badge, number))

    def recover(self) -> None:
        self.step(self.check)

    def go_on(self) -> None:
        kind = _KINDS[self.cut[1] % len(_KINDS)]
        number = self.number(kind)
        if number:
            try:
                self.step(lambda: self.taken(kind, number))
                self.wrong("%d was taken again" % number)
            except Refusal:
                pass
        self.install(kind)
        self.acknowledge(_BADGES[self.cut[1] % len(_BADGES)], 99)
        self.step(self.check)


main(Lists)
