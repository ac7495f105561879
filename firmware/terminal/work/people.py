"""Who works: badges, PINs, what each person has read of the rules, and how often they used what is counted."""

import struct

from micropython import const

from plomba_wire.vocabulary import Hand, Verdict
from terminal import files
from terminal.keys.pin import Locked, Tries

_ACKS = "acks"
_ROW = ">IH"
_SIZE = const(6)
_KEPT = const(64)


class NotCounted(Exception):
    """Flash did not take the count of a PIN's tries: then nothing is looked at."""


class People:
    """`actor` is the badge of the open shift, 0 when none is, and `hand` what it may do; `locked` until it is scanned
    again. `spent` counts what is limited, by name, in this shift."""

    def __init__(self, staff) -> None:
        self.actor = 0
        self.hand = 0
        self.locked = False
        self.spent: "dict[str, int]" = {}
        self._staff = staff
        self._tries: "Tries | None" = None
        self._acks: "dict[int, int] | None" = None

    def look(self, badge: int, clock) -> "tuple[int, int]":
        """Verdict.OK and what a badge may do, or why it may not."""
        return self._staff.look(badge, clock.utc(), clock.trusted)

    def supervises(self, badge: int, hand: int) -> bool:
        """Whether this badge may decide for the one whose shift it is. Without a staff list any other person's may."""
        return badge != self.actor and (hand == Hand.SUPERVISOR or not self._staff.listed)

    def wants_pin(self, badge: int) -> bool:
        return self._staff.wants_pin(badge)

    def prove(self, badge: int, pin: bytes) -> int:
        """Verdict.OK, PIN_WRONG or PIN_LOCKED; the try is counted before the PIN is looked at. Raises NotCounted."""
        try:
            if self._tries is None:
                self._tries = Tries()
            fits = self._tries.check(badge, lambda: self._staff.fits(badge, pin))
        except Locked:
            return Verdict.PIN_LOCKED
        except OSError:
            raise NotCounted
        return Verdict.OK if fits else Verdict.PIN_WRONG

    def forgive(self) -> None:
        """All tries of all badges are there again: a supervisor proved to be here, or the desk sent another list."""
        try:
            if self._tries is None:
                self._tries = Tries()
            self._tries.restore_all()
        except OSError:
            # Then they stay spent.
            pass

    def open(self, badge: int, hand: int) -> None:
        """This badge's shift begins; 0 = nobody's. Its own shift goes on when it only was locked."""
        if badge != self.actor:
            self.spent = {}
        self.actor = badge
        self.hand = hand
        self.locked = False

    def spend(self, name: str) -> None:
        self.spent[name] = self.spent.get(name, 0) + 1

    def has_read(self, number: int) -> bool:
        """Whether the person of this shift has acknowledged this rule pack or a newer one."""
        return not self.actor or self._read().get(self.actor, 0) >= number

    def acknowledge(self, number: int) -> None:
        """Kept apart from the journal: a record is freed once it has its receipt, and nobody is to read it twice."""
        acks = dict(self._read())
        acks.pop(self.actor, 0)
        while len(acks) >= _KEPT:
            # Somebody is asked again; nothing is lost by that.
            del acks[next(iter(acks))]
        acks[self.actor] = number
        self._acks = acks
        try:
            files.save(_ACKS, b"".join([struct.pack(_ROW, badge, read) for badge, read in acks.items()]))
        except OSError:
            # The record of it holds. After the next start the rule is shown again.
            pass

    def _read(self) -> "dict[int, int]":
        if self._acks is None:
            try:
                stored = files.load(_ACKS) or b""
            except OSError:
                stored = b""
            self._acks = dict([struct.unpack_from(_ROW, stored, at) for at in range(0, len(stored) - _SIZE + 1, _SIZE)])
        return self._acks
