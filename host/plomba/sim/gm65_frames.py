"""Frames of the GM65 class: finding the host's commands among its bytes, and building the answers.

    host    7E 00 | type | length | address, 2 bytes | data | CRC, 2 bytes
    engine  02 00 | 00   | length |                    data | CRC

The CRC is CRC-16/XMODEM over all that is between the two-byte head and the CRC. A host may send AB CD
instead.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final, NamedTuple

READ: Final = 0x07
WRITE: Final = 0x08
SAVE: Final = 0x09
HEARTBEAT: Final = 0x0A

MAX_WRITE: Final = 245
PATIENCE_S: Final = 0.4

_HEAD: Final = b"\x7e\x00"
_UNCHECKED: Final = b"\xab\xcd"


class Command(NamedTuple):
    """A well-formed frame of the host: its type, the register address and the data."""

    kind: int
    address: int
    data: bytes


class CommandReader:
    """Finds commands in a stream of bytes.

    Whatever is not a command is dropped without a word: the engine has no negative answer. So is a frame
    that is not complete 400 ms after its head.
    """

    def __init__(self) -> None:
        self._frame = bytearray()
        self._began = 0.0

    def reset(self) -> None:
        self._frame.clear()

    def feed(self, byte: int, now: float) -> Command | None:
        """Take one byte that arrived at `now` (seconds); the command, when this byte completes one."""
        frame = self._frame
        if len(frame) >= len(_HEAD) and now - self._began >= PATIENCE_S:
            frame.clear()
        frame.append(byte)
        if not self._is_possible():
            # The byte that spoils a frame may be the head of the next one.
            frame[:] = _HEAD[:1] if byte == _HEAD[0] else b""
            return None
        if len(frame) == len(_HEAD):
            self._began = now
        if len(frame) < 4 or len(frame) < 8 + frame[3]:
            return None
        body, crc = bytes(frame[2:-2]), bytes(frame[-2:])
        frame.clear()
        if crc != _UNCHECKED and int.from_bytes(crc) != crc_hqx(body, 0):
            return None
        command = Command(body[0], int.from_bytes(body[2:4]), body[4:])
        if command.kind in (SAVE, HEARTBEAT) and (command.address or any(command.data)):
            return None
        return command

    def _is_possible(self) -> bool:
        frame = self._frame
        if len(frame) <= len(_HEAD):
            return _HEAD.startswith(frame)
        if frame[2] not in (READ, WRITE, SAVE, HEARTBEAT):
            return False
        if len(frame) == 4:
            return 1 <= frame[3] <= MAX_WRITE if frame[2] == WRITE else frame[3] == 1
        return True


def answer(data: bytes, head: int = 0x02) -> bytes:
    """The engine's frame around 1 to 256 bytes of data; a length of 256 goes over the wire as 00."""
    body = bytes((0x00, len(data) & 0xFF)) + data
    return bytes((head, 0x00)) + body + crc_hqx(body, 0).to_bytes(2)


DONE: Final = answer(b"\x00")
"""Acknowledges a write or a save. The answer to a read of a register that holds 00 is the same bytes."""

ALIVE: Final = answer(b"\x00", head=0x03)
