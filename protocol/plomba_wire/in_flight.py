"""Bytes in flight: what was sent and not credited yet, against the window that the other end takes."""


class InFlight:
    """Counts frames as they take up the wire. What a frame holds ends before a number: of a record, or an offset."""

    def __init__(self, window: int) -> None:
        self.window = window
        self._frames: "list[tuple[int, int]]" = []
        self._bytes = 0

    def fits(self, end: int, size: int) -> bool:
        """Counts a frame as sent, unless the window is too full for it. One frame always fits."""
        if self._frames and self._bytes + size > self.window:
            return False
        self._frames.append((end, size))
        self._bytes += size
        return True

    def credit(self, before: int) -> None:
        """The other end has everything before a number."""
        while self._frames and self._frames[0][0] <= before:
            self._bytes -= self._frames.pop(0)[1]

    def rewind(self, to: int) -> None:
        """What ends behind a number counts as lost."""
        while self._frames and self._frames[-1][0] > to:
            self._bytes -= self._frames.pop()[1]
