"""The dock's side of a sync: what has arrived, what is missing, what is durable, and what Credit has to say of it."""

import struct

from plomba_wire import codec
from plomba_wire.stream import AGAIN_MAX, REWIND

AHEAD_MAX = 1024
"""Records kept behind a gap. A window of 8 KiB holds 70; who sends more does not keep to his window."""


class Pull:
    """Records from `first` on. `tag` is the request's; `end` the number after the last one, as SyncOpenOk says it.

    Credit is due when `least` bytes of frames wait for it: a quarter of the window, and less where that would leave no
    room for a frame. `due` is the Credit that has to be said, or None; who says it calls `said`. `rewinds` counts what
    was asked for again: once for each gap, and again only when the line has been silent. `newest` is behind the newest
    record that came.
    """

    def __init__(self, tag: int, first: int, window: int, least: int, selective: bool) -> None:
        self.tag = tag
        self.end = first
        self.next_seq = first
        self.durable = first
        self.due: "codec.Credit | None" = None
        self.rewinds = 0
        self._window = window
        self._least = least
        self._selective = selective
        self._ahead: "dict[int, tuple[bytes, bytes]]" = {}
        self.newest = first
        self._asked = False
        self._uncredited = 0
        self._taken = 0
        self._sizes: "list[tuple[int, int]]" = []

    @property
    def owed(self) -> bool:
        """Whether silence is the line's. While the disk is behind, the terminal may be waiting for us."""
        return self.durable >= self.next_seq

    def opened(self, end: int) -> None:
        self.end = end
        if end == self.next_seq:
            self._credit()

    def take(self, data: codec.Data, records: "list[tuple[bytes, bytes]]", size: int) -> "list[tuple[bytes, bytes]]":
        """The records that now follow on from `next_seq`, which is moved behind them; often those of `data`.

        `size` is what the frame took on the wire: the window is counted in that, at the terminal too.
        """
        first = data.first_seq
        end = first + len(records)
        if end <= self.next_seq:
            return []
        self._taken += size
        if first > self.next_seq:
            self._hold(first, records)
            return []
        fresh = records[self.next_seq - first :]
        self._asked = False
        self.next_seq = end
        while self.next_seq in self._ahead:
            fresh.append(self._ahead.pop(self.next_seq))
            self.next_seq += 1
        for seq in [seq for seq in self._ahead if seq < self.next_seq]:
            del self._ahead[seq]
        self.newest = max(self.newest, self.next_seq)
        self._sizes.append((self.next_seq, self._taken))
        self._taken = 0
        return fresh

    def made_durable(self, next_seq: int) -> None:
        """Everything before `next_seq` is on disk. Credit is due when `least` bytes wait for it, or it is all."""
        self.durable = max(self.durable, next_seq)
        while self._sizes and self._sizes[0][0] <= next_seq:
            self._uncredited += self._sizes.pop(0)[1]
        if self._uncredited >= self._least or next_seq >= self.end:
            self._credit()

    def silence(self) -> None:
        """Nothing has come for too long: everything that is missing is asked for."""
        self.rewinds += 1
        if not self._selective:
            self._credit(REWIND)
            return
        gaps = self._gaps()
        if self.newest < self.end or not gaps:
            gaps.append((self.newest, 0))
        self._credit(0, gaps)

    def said(self) -> None:
        self.due = None
        self._uncredited = 0

    def _hold(self, first: int, records: "list[tuple[bytes, bytes]]") -> None:
        """What came behind a gap. The gap is asked for once."""
        if not self._selective:
            self.newest = max(self.newest, first + len(records))
            if not self._asked:
                self._asked = True
                self.rewinds += 1
                self._credit(REWIND)
            return
        if first + len(records) > self.next_seq + AHEAD_MAX:
            return
        for seq, record in enumerate(records, first):
            self._ahead[seq] = record
        if first > self.newest:
            self.rewinds += 1
            self._credit(0, self._runs(self.newest, first))
        self.newest = max(self.newest, first + len(records))

    def _gaps(self) -> "list[tuple[int, int]]":
        """What is missing before the newest record that came, as first and count."""
        gaps = []
        seq = self.next_seq
        while seq < self.newest:
            end = seq
            while end < self.newest and end not in self._ahead:
                end += 1
            gaps += self._runs(seq, end)
            while end in self._ahead:
                end += 1
            seq = end
        return gaps[: AGAIN_MAX - 1]

    @staticmethod
    def _runs(first: int, end: int) -> "list[tuple[int, int]]":
        return [(at, min(255, end - at)) for at in range(first, end, 255)]

    def _credit(self, flags: int = 0, again: "list[tuple[int, int]] | tuple[()]" = ()) -> None:
        rows = b"".join([struct.pack(">IB", first, count) for first, count in again[:AGAIN_MAX]])
        self.due = codec.Credit(self.durable, self._window // 16, flags, rows)


def split_records(data: codec.Data) -> "list[tuple[bytes, bytes]] | None":
    """Body and signature of each record; None when the lengths do not come out."""
    out = []
    at = 0
    raw = data.records
    end = len(raw)
    for _ in range(data.count):
        if at + 2 > end:
            return None
        length = raw[at] << 8 | raw[at + 1]
        at += 2
        if at + length + 64 > end:
            return None
        out.append((raw[at : at + length], raw[at + length : at + length + 64]))
        at += length + 64
    return out if at == end else None
