"""Frames over BLE: no COBS, a frame goes in packets, one write or notification each.

A packet is a header byte and 1 to 511 bytes of the frame: b7 START, b6 END, b5-0 a counter that runs over all packets
of one direction. BLE loses packets whole, at the edges of its stacks, and cuts off what is longer than the peer
takes; the counter shows the one, the frame's CRC-32 the other.
"""

import binascii

from plomba_wire.framing import BODY_MAX, OVERHEAD, Frame, read_frame

START = 0x80
END = 0x40
COUNTER = 0x3F

MTU_MIN = 23
"""Bytes; what holds on LE until the two ends have agreed on more (Bluetooth Core, vol. 3, part G)."""
MTU_MAX = 517
"""Bytes; the longest value behind the longest head of ATT, that of a prepared write."""
PACKET_MAX = 512
"""Bytes of an attribute's value, whatever the MTU (Bluetooth Core, vol. 3, part F, 3.2.9)."""
LIMIT = OVERHEAD + BODY_MAX
"""Bytes of the longest frame."""


class Fragmenter:
    """Cuts frames into the packets of one direction of one connection."""

    def __init__(self, mtu: int = MTU_MIN) -> None:
        self.mtu = mtu
        self._counter = 0

    @property
    def mtu(self) -> int:
        """Bytes, 23 to 517, else ValueError. It may change between frames: some systems report it seconds late."""
        return self._mtu

    @mtu.setter
    def mtu(self, mtu: int) -> None:
        if not MTU_MIN <= mtu <= MTU_MAX:
            raise ValueError(f"MTU {mtu} is not {MTU_MIN} to {MTU_MAX}")
        self._mtu = mtu

    def split(self, frame: bytes) -> "list[bytes]":
        """The packets of one frame (framing.frame_bytes), to be sent in this order."""
        # ATT puts an opcode and a handle, 3 bytes, before the value.
        room = min(self._mtu - 3, PACKET_MAX) - 1
        packets: "list[bytes]" = []
        for at in range(0, len(frame), room):
            head = self._counter
            if at == 0:
                head |= START
            if at + room >= len(frame):
                head |= END
            packets.append(bytes((head,)) + frame[at : at + room])
            self._counter = (self._counter + 1) & COUNTER
        return packets


class Defragmenter:
    """Puts packets of one direction together to frames of at most `limit` bytes. Damage is counted, never raised.

    - `gaps`: packets whose counter is not the next one. What was collected is dropped, up to the next START.
    - `doubled`: packets that are the one before once more. They are dropped, the frame goes on.
    - `bad`: packets that are none, and frames that are damaged, too long, or without a START or an END.

    The counts outlive connections. Its one buffer is made at the start, as the Deframer's is.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.bad = 0
        self.gaps = 0
        self.doubled = 0
        self._buffer = bytearray(limit)
        self.reset()

    def reset(self) -> None:
        """A new connection: its first packet may have any counter."""
        self._fill = 0
        self._size = 0
        self._skip = False
        self._last = -1
        self._mark = 0

    def feed(self, packet: "bytes | memoryview") -> "Frame | None":
        """The frame that `packet` completes."""
        if not 2 <= len(packet) <= PACKET_MAX:
            self.bad += 1
            return None
        head = packet[0]
        if not self._in_turn(head & COUNTER, binascii.crc32(packet)):
            return None
        if head & START:
            self.bad += self._fill > 0
            self._fill = 0
            self._size = 0
        elif not self._fill:
            self._drop(head, not self._skip)
            return None
        end = self._fill + len(packet) - 1
        if end > len(self._buffer):
            self._drop(head, True)
            return None
        self._buffer[self._fill : end] = memoryview(packet)[1:]
        self._fill = end
        self._size += len(packet)
        if not head & END:
            return None
        frame = read_frame(memoryview(self._buffer)[:end], self._size)
        self._drop(head, frame is None)
        return frame

    def _in_turn(self, counter: int, mark: int) -> bool:
        """False for the packet before once more: by the counter alone a packet behind 63 lost ones looks like it."""
        if self._last >= 0:
            if counter == self._last and mark == self._mark:
                self.doubled += 1
                return False
            if counter != (self._last + 1) & COUNTER:
                self.gaps += 1
                self._fill = 0
                self._skip = True
        self._last = counter
        self._mark = mark
        return True

    def _drop(self, head: int, bad: bool) -> None:
        """Empties the buffer. What follows of a dropped frame, up to its END, is not counted again."""
        self.bad += bad
        self._fill = 0
        self._skip = not head & END
