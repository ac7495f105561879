"""The staff list in force: which badges there are, what each may do, what proves its PIN, who answers challenges."""

from plomba_wire.codec import Malformed, StaffList, StaffRow
from plomba_wire.pin_proof import pin_proof
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind, Verdict
from terminal import files
from terminal.keys import p256
from terminal.objects import newest
from terminal.objects.transfer import Transfer

_FILE = "staff"
_OWNER = 64
_ROW = StaffRow.SIZE
_BADGE = 4


class Staff:
    """`number` is 0 while there is none. `damaged`: the stored list does not verify or is gone, and no badge is known
    until the dock brings another one."""

    def __init__(self) -> None:
        self.number = 0
        self.damaged = False
        self._body = b""

    def load(self, roots: bytes, least: int = 0) -> None:
        """Takes the stored list if it verifies and is not older than `least`; dates and revocations count only when it
        arrives."""
        try:
            found = newest.stored(_FILE, ObjectKind.STAFF, roots, least)
            if found is not None:
                # Firmware that was put back may not know every hand that was written.
                _check(found[1])
                self._take(found[0].version, found[1])
        except Refusal:
            self.damaged = True

    def install(self, transfer: Transfer) -> None:
        """Puts a list that was verified as it came in force. Raises Refusal, OSError."""
        number = transfer.offer[1]
        if number <= self.number:
            raise Refusal(Error.ROLLBACK, self.number)
        _check(transfer.body)
        files.save(_FILE, transfer.bundle)
        self._take(number, transfer.body)

    @property
    def listed(self) -> bool:
        """Whether badges are held against a list; without one every badge is as good as another."""
        return self.damaged or self.number > 0

    @property
    def owner(self) -> bytes:
        """X || Y of who answers challenges, b"" = nobody."""
        owner = self._body[:_OWNER]
        return owner if any(owner) else b""

    def look(self, badge: int, utc: int, trusted: bool) -> "tuple[int, int]":
        """(Verdict.OK, BADGE_UNKNOWN or BADGE_REVOKED, what the badge may do: a Hand, 0 = not known or nothing).

        `utc` is s since 1970; only by a `trusted` clock a badge has ended.
        """
        if not self.listed:
            return Verdict.OK, 0
        row = self._row(badge)
        if row is None:
            return Verdict.BADGE_UNKNOWN, 0
        if trusted and row.until and utc > row.until:
            return Verdict.BADGE_REVOKED, 0
        return Verdict.OK, row.hand

    def wants_pin(self, badge: int) -> bool:
        """Whether a PIN has to prove the badge."""
        row = self._row(badge)
        return row is not None and any(row.salt + row.proof)

    def fits(self, badge: int, pin: bytes) -> bool:
        """Whether `pin` (ASCII digits) is the badge's; never for a badge without one. Takes as long as a proof does."""
        row = self._row(badge)
        return row is not None and pin_proof(row.salt, badge, pin) == row.proof

    def _row(self, badge: int) -> "StaffRow | None":
        body = self._body
        low, high = 0, (len(body) - _OWNER) // _ROW
        while low < high:
            middle = (low + high) // 2
            at = _OWNER + middle * _ROW
            found = int.from_bytes(body[at : at + _BADGE], "big")
            if found == badge:
                return StaffRow.read(body, at)
            if found < badge:
                low = middle + 1
            else:
                high = middle
        return None

    def _take(self, number: int, body: bytes) -> None:
        self.number = number
        self.damaged = False
        self._body = body


def _check(body: bytes) -> None:
    """Raises Refusal unless these are a point or nobody, and whole rows, ascending by badge."""
    before = 0
    try:
        owner = StaffList.unpack(body).owner
        if any(owner) and not p256.is_point(owner):
            raise Malformed("owner")
        for at in range(_OWNER, len(body), _ROW):
            badge = StaffRow.unpack(body[at : at + _ROW]).badge
            if badge <= before:
                raise Malformed("order")
            before = badge
    except Malformed:
        raise Refusal(Error.MALFORMED)
