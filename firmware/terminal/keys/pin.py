"""Tries of a badge's PIN: counted in flash before the PIN is looked at, so that a cut of power gives none back."""

import struct

from micropython import const

from terminal import files

_FILE = "pins"
_ROW = ">IB"
_SIZE = const(5)
_MOST = const(10)


class Locked(Exception):
    """This badge has no try left. A supervisor who opens a shift, or a newer staff list, gives it new ones."""


class Tries:
    """`left` says how many a badge has. Raises OSError when flash does not take a count: then nothing is looked at."""

    def __init__(self) -> None:
        stored = files.load(_FILE) or b""
        self._used = {}
        for at in range(0, len(stored) - _SIZE + 1, _SIZE):
            badge, used = struct.unpack_from(_ROW, stored, at)
            self._used[badge] = used

    def left(self, badge: int) -> int:
        return _MOST - self._used.get(badge, 0)

    def check(self, badge: int, fits) -> bool:
        """Whether `fits()`; that costs a try unless it does. Raises Locked, and then it is not asked."""
        if self.left(badge) <= 0:
            raise Locked
        self._set(badge, self._used.get(badge, 0) + 1)
        if not fits():
            return False
        self.restore(badge)
        return True

    def restore(self, badge: int) -> None:
        """All tries are there again."""
        self._set(badge, 0)

    def restore_all(self) -> None:
        """All tries of all badges are there again."""
        if self._used:
            files.save(_FILE, b"")
            self._used = {}

    def _set(self, badge: int, used: int) -> None:
        kept = dict(self._used)
        kept[badge] = used
        files.save(_FILE, b"".join([struct.pack(_ROW, badge, used) for badge, used in kept.items() if used]))
        self._used = kept
