"""The dock's side of an object on its way down: what was sent, what the terminal has checked, what may follow."""

from plomba_wire.in_flight import InFlight

_MENDS = 1
"""A block whose hash is wrong behind a good CRC-32 is our disk's doing, not the line's: once more, then no more."""


class Push:
    """`package` is a bundle and the content behind it; `tag` is the offer's, `commit` the commit's."""

    def __init__(self, tag: int, kind: int, version: int, package: bytes) -> None:
        self.tag = tag
        self.commit = 0
        self.begun = False
        self.kind = kind
        self.version = version
        self.tries = 0
        self.deadline = float("inf")
        self._package = package
        self._in_flight = InFlight(0)
        self._sent = 0
        self._credited = 0
        self._mends = 0

    @property
    def complete(self) -> bool:
        """The terminal has all of it."""
        return self._credited >= len(self._package)

    def begin(self, offset: int, window: int) -> None:
        """The terminal says where to go on."""
        self.begun = True
        self._credited = self._sent = min(offset, len(self._package))
        self._in_flight.window = window

    def credit(self, offset: int, window: int) -> bool:
        """The terminal has checked everything before the offset. False for one that says nothing new, is behind the end
        or about an object before this one."""
        if not self.begun or not self._credited < offset <= len(self._package):
            return False
        self.tries = 0
        self._credited = offset
        self._in_flight.window = window
        self._in_flight.credit(offset)
        return True

    def rewind(self) -> None:
        """What was not credited counts as lost."""
        self._sent = self._credited
        self._in_flight.rewind(self._credited)

    def mend(self, offset: int) -> bool:
        """A block from `offset` on was not what its list says. Whether it is sent once more."""
        if self._mends == _MENDS or offset > self._credited:
            return False
        self._mends += 1
        self._credited = offset
        self.rewind()
        return True

    def next_piece(self, room: int) -> "tuple[int, bytes] | None":
        """Offset and bytes to send next, at most `room` of them; None at the end."""
        if self._sent >= len(self._package):
            return None
        return self._sent, self._package[self._sent : self._sent + room]

    def sent(self, end: int, size: int) -> bool:
        """The next piece, up to `end`, takes `size` bytes on the wire. False when the window is too full for it."""
        if not self._in_flight.fits(end, size):
            return False
        self._sent = end
        return True
