"""The highest version of each kind of object that was in force: where that one is damaged or gone, nothing older comes
back, and nobody takes it for never given."""

import struct

from micropython import const

from plomba_wire.codec import Envelope
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error
from terminal import files
from terminal.objects import signed

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

    def held(self, kind: int) -> int:
        """The version that was in force, 0 when none ever was."""
        return self._held.get(kind, 0)

    def check(self, kind: int, version: int) -> None:
        """Raises Refusal for a version below one that was in force."""
        held = self.held(kind)
        if version < held:
            raise Refusal(Error.ROLLBACK, held)

    def rise(self, kind: int, version: int) -> None:
        """This version is in force."""
        if version <= self.held(kind):
            return
        held = dict(self._held)
        held[kind] = version
        files.save(_FILE, b"".join([struct.pack(_ROW, kind, version) for kind, version in sorted(held.items())]))
        self._held = held


def stored(name: str, kind: int, roots: bytes, least: int) -> "tuple[Envelope, bytes] | None":
    """Envelope and body of the object in a file, None when there never was one; `least` is what Newest holds.

    Raises Refusal where it does not verify, and where it is gone or an older one came back; OSError.
    """
    bundle = files.load(name)
    if bundle is None:
        if least:
            raise Refusal(Error.STORAGE_FAULT)
        return None
    envelope, body = signed.open_bundle(bundle, kind, roots, 0)
    if envelope.version < least:
        raise Refusal(Error.ROLLBACK, least)
    return envelope, body
