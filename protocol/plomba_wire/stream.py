"""The terminal's side of a sync: which records go next, which go again, what is in flight."""

from plomba_wire import codec
from plomba_wire.in_flight import InFlight

REWIND = 0x01
"""Flag of Credit."""
AGAIN_MAX = 16
"""Runs of records that wait to be sent again; more are forgotten, and asked for once more by the dock's timer."""


class Stream:
    """From `first` on, up to `end` whatever is recorded meanwhile; `head` is the chain value there.

    `request` is the tag that asked for it. It outlives its SyncEnd, which may get lost: a rewind brings it again.
    """

    def __init__(self, request: int, first: int, end: int, head: bytes, window: int) -> None:
        self.request = request
        self.end = end
        self.head = head
        self.ended = False
        self.stopped = False
        self._full = False
        self._cursor = first
        self._credited = first
        self._newest = first
        self._again: "list[tuple[int, int]]" = []
        self._in_flight = InFlight(window)
        self._tag = 0

    @property
    def done(self) -> bool:
        """All of it was sent and credited, so that SyncEnd is due, unless it was said."""
        return not self.ended and self._cursor == self._credited == self.end

    def next_run(self) -> "tuple[int, int]":
        """First and end of the records to send next; the same number twice when there are none, or no room for them."""
        if self._again:
            return self._again[0]
        if self._full:
            return self._cursor, self._cursor
        return self._cursor, self.end

    def sent(self, end: int, size: int) -> bool:
        """The records of the next run up to `end` take `size` bytes. False when the window is too full for them.

        What goes again takes the place in the window that it took before it got lost.
        """
        if self._again:
            last = self._again[0][1]
            self._again[0] = (end, last)
            if end >= last:
                self._again.pop(0)
            return True
        if not self._in_flight.fits(end, size):
            self._full = True
            return False
        self._cursor = end
        self._newest = max(self._newest, end)
        return True

    def is_again(self, seq: int) -> bool:
        """Whether the record was sent before."""
        return seq < self._newest

    def credit(self, credit: codec.Credit) -> None:
        """What the dock has, wants again and takes. A number out of range changes nothing."""
        next_seq = credit.next_seq
        if not self._credited <= next_seq <= self.end:
            return
        self._credited = next_seq
        self._full = False
        self._in_flight.window = credit.window * 16
        self._in_flight.credit(next_seq)
        self._again = [run for run in self._again if run[1] > next_seq]
        if credit.flags & REWIND or credit.again:
            # A record that could not be read is tried again, so that an Error the line lost is said again.
            self.stopped = False
        if credit.flags & REWIND or next_seq > self._cursor:
            self._go_back(next_seq)
        for at in range(0, len(credit.again) - codec.AgainRow.SIZE + 1, codec.AgainRow.SIZE):
            row = codec.AgainRow.read(credit.again, at)
            end = row.first_seq + row.count
            if not next_seq <= row.first_seq <= end <= self._cursor:
                continue
            if not row.count:
                self._go_back(row.first_seq)
            elif len(self._again) < AGAIN_MAX:
                self._again.append((row.first_seq, end))

    def next_tag(self) -> int:
        self._tag = (self._tag + 1) & 0xFFFF
        return self._tag

    def _go_back(self, seq: int) -> None:
        self._cursor = seq
        self._newest = max(self._newest, seq)
        self.ended = False
        self._in_flight.rewind(seq)
        self._again = [run for run in self._again if run[1] <= seq]
