"""The highest version of each kind of object that was in force: where that one is damaged, nothing older comes back."""

import struct

from micropython import const

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error
from terminal import files

_FILE = "newest"
_ROW = ">BI"
_SIZE = const(5)


class Newest:
    """Kept apart from the objects, so that it outlives them. Raises OSError."""

    def __init__(self) -> None:
        stored = files.load(_FILE) or b""
        self._held = {}
        for at in range(0, len(stored) - _SIZE + 1, _SIZE):
            kind, version = struct.unpack_from(_ROW, stored, at)
            self._held[kind] = version

    def check(self, kind: int, version: int) -> None:
        """Raises Refusal for a version below one that was in force."""
        held = self._held.get(kind, 0)
        if version < held:
            raise Refusal(Error.ROLLBACK, held)

    def rise(self, kind: int, version: int) -> None:
        """This version is in force."""
        if version <= self._held.get(kind, 0):
            return
        held = dict(self._held)
        held[kind] = version
        files.save(_FILE, b"".join([struct.pack(_ROW, kind, version) for kind, version in sorted(held.items())]))
        self._held = held
