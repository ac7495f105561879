"""protocol/vectors/fragments.json: frames in the packets of BLE, and what is left of them on a line that is not well.

Made from SPEC.md and zlib. plomba_wire/fragments.py, which the vectors are for, is not imported here; what has to come
out of each stream is written down, not computed.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from plomba_wire.schema import BODY_MAX
from vector_values import octets

Case = dict[str, Any]
Plain = tuple[int, int, int, int, bytes]
Packets = list[bytes]
Stream = tuple[str, list[bytes | None], list[Plain], tuple[int, int, int]]

START, END = 0x80, 0x40
SMALL = 19
"""Bytes of a frame in a packet at MTU 23."""

PING: Plain = (0x02, 0, 0x1234, 7, octets("ping", 8))
PONG: Plain = (0x82, 0, 0x1234, 7, octets("ping", 8))
FOUR: Plain = (0x21, 0, 0x1234, 8, octets("four packets", 60))
LONGEST: Plain = (0x21, 0, 0xFFFF, 0xFFFF, octets("longest", BODY_MAX))
ZEROS: Plain = (0x31, 0, 1, 0, bytes(600))
RECORD: Plain = (0x21, 0, 1, 1, octets("a run of one record", 5 + 2 + 224))


def fragments() -> Case:
    return {"split": _split(), "streams": [_case(*stream) for stream in [*_well(), *_lost(), *_doubled(), *_damaged()]]}


def whole(type: int, flags: int, session: int, tag: int, body: bytes) -> bytes:
    """A frame before COBS."""
    data = struct.pack(">BBHH", type, flags, session, tag) + body
    return data + struct.pack(">I", zlib.crc32(data))


def packets(*frames: Plain, room: int = SMALL, first: int = 0) -> Packets:
    """All packets of the frames, `room` bytes of a frame in each; `first` is the counter of the first."""
    return _numbered([part for frame in frames for part in _parts(whole(*frame), room)], first)


def _parts(data: bytes, room: int) -> list[tuple[int, bytes]]:
    """Flags and payload of each packet of one frame."""
    rest = [data[at : at + room] for at in range(0, len(data), room)]
    last = len(rest) - 1
    return [(START * (number == 0) + END * (number == last), part) for number, part in enumerate(rest)]


def _numbered(parts: list[tuple[int, bytes]], first: int) -> Packets:
    return [bytes((flags + (first + number) % 64,)) + part for number, (flags, part) in enumerate(parts)]


def _split() -> list[Case]:
    exact: Plain = (0x21, 0, 1, 1, octets("exact", 2 * SMALL - 10))
    over: Plain = (0x21, 0, 1, 1, octets("over", 2 * SMALL - 9))
    senders: dict[str, list[tuple[int, Plain]]] = {
        "one packet": [(23, PING)],
        "no body": [(23, (0x03, 0, 1, 1, b""))],
        "four packets": [(23, FOUR)],
        "two packets, both full": [(23, exact)],
        "one byte over two packets": [(23, over)],
        "zeros, MTU 185": [(185, ZEROS)],
        "a record of 224 bytes, MTU 247": [(247, RECORD)],
        "a frame of 511 bytes, MTU 515": [(515, (0x21, 0, 1, 1, octets("511", 501)))],
        "a frame of 511 bytes, MTU 517: a packet has 512 bytes": [(517, (0x21, 0, 1, 1, octets("511", 501)))],
        "a frame of 512 bytes, MTU 517: not 514": [(517, (0x21, 0, 1, 1, octets("512", 502)))],
        "the counter runs on from frame to frame": [(23, PING), (23, FOUR), (23, PONG)],
        "the counter wraps": [(23, LONGEST), (23, PING)],
        "the longest body, MTU 517": [(517, LONGEST)],
        "the MTU is reported late": [(23, PING), (23, FOUR), (247, FOUR), (247, PONG)],
        "the MTU falls": [(185, FOUR), (23, FOUR)],
    }
    cases = []
    for name, steps in senders.items():
        counter = 0
        content = []
        for mtu, frame in steps:
            made = packets(frame, room=min(mtu - 4, 511), first=counter)
            content.append({"mtu": mtu, "frame": whole(*frame).hex(), "packets": [packet.hex() for packet in made]})
            counter += len(made)
        cases.append({"name": name, "steps": content})
    return cases


def _case(name: str, arrive: list[bytes | None], found: list[Plain], counts: tuple[int, int, int]) -> Case:
    bad, gaps, doubled = counts
    return {
        "name": name,
        "packets": [None if packet is None else packet.hex() for packet in arrive],
        "frames": [
            {"type": type, "flags": flags, "session": session, "tag": tag, "body": body.hex()}
            for type, flags, session, tag, body in found
        ],
        "bad": bad,
        "gaps": gaps,
        "doubled": doubled,
    }


# PING is packet 0 of the line, FOUR is 1 to 4, PONG is 5.
LINE = packets(PING, FOUR, PONG)
LONG = packets(LONGEST, PING)


def _well() -> list[Stream]:
    uneven = _numbered([(START, whole(*PING)[:1]), (0, whole(*PING)[1:12]), (END, whole(*PING)[12:])], 0)
    again = packets(FOUR, PONG)
    clean = (0, 0, 0)
    return [
        ("nothing", [], [], clean),
        ("three frames", [*LINE], [PING, FOUR, PONG], clean),
        ("a frame without a body", [*packets((0x03, 0, 1, 1, b""))], [(0x03, 0, 1, 1, b"")], clean),
        ("a frame of zeros", [*packets(ZEROS)], [ZEROS], clean),
        ("the longest body", [*LONG], [LONGEST, PING], clean),
        ("the longest body in full packets", [*packets(LONGEST, room=511)], [LONGEST], clean),
        ("packets of one byte", [*packets(PING, room=1)], [PING], clean),
        ("packets of any length", [*uneven], [PING], clean),
        ("the first packet has any counter", [*packets(PING, FOUR, first=62)], [PING, FOUR], clean),
        ("a frame that has not ended", [*LINE[:4]], [PING], clean),
        ("a new connection in a frame", [*LINE[:3], None, *again], [PING, FOUR, PONG], clean),
        ("a new connection with the same packet", [LINE[0], None, LINE[0]], [PING, PING], clean),
    ]


def _lost() -> list[Stream]:
    line, long = LINE, LONG
    far = packets(FOUR, PING, first=2 + 64)
    return [
        ("lost: a frame of one packet", [*packets(FOUR), *packets(PONG, first=5)], [FOUR, PONG], (0, 1, 0)),
        ("lost: the first of four", [*line[:1], *line[2:]], [PING, PONG], (0, 1, 0)),
        ("lost: the second of four", [*line[:2], *line[3:]], [PING, PONG], (0, 1, 0)),
        ("lost: the last of four", [*line[:4], line[5]], [PING, PONG], (0, 1, 0)),
        ("lost: the middle of four", [*line[:2], *line[4:]], [PING, PONG], (0, 1, 0)),
        ("lost: the second and the last of four", [*line[:2], line[3], line[5]], [PING, PONG], (0, 2, 0)),
        (
            "lost: an end and a start",
            [*packets(FOUR, FOUR, PING)[:3], *packets(FOUR, FOUR, PING)[5:]],
            [PING],
            (0, 1, 0),
        ),
        ("lost: 62 in a frame", [*long[:70], *long[132:]], [PING], (0, 1, 0)),
        ("lost: 63 in a frame, the counter stands still", [*long[:70], *long[133:]], [PING], (0, 1, 0)),
        ("lost: 64 in a frame, the counter fits", [*long[:70], *long[134:]], [PING], (1, 0, 0)),
        ("lost: 63 between two frames", [*packets(PING, first=2), *far], [PING, FOUR, PING], (0, 1, 0)),
        ("swapped: two of a frame", [*line[:2], line[3], line[2], *line[4:]], [PING, PONG], (0, 3, 0)),
        ("swapped: a start and the one behind it", [line[0], line[2], line[1], *line[3:]], [PING, PONG], (0, 3, 0)),
        ("swapped: an end and the frame behind it", [*line[:4], line[5], line[4]], [PING, PONG], (0, 2, 0)),
        ("swapped: two frames of one packet", [*packets(PING, PONG)[::-1]], [PONG, PING], (0, 1, 0)),
        ("a packet that comes late", [*line[:2], *line[3:], line[2]], [PING, PONG], (0, 2, 0)),
        ("backwards", [*line[::-1]], [PONG, PING], (0, 5, 0)),
    ]


def _doubled() -> list[Stream]:
    line = LINE
    all_there = [PING, FOUR, PONG]
    return [
        ("doubled: a frame of one packet", [line[0], *line], all_there, (0, 0, 1)),
        ("doubled: a start", [*line[:2], *line[1:]], all_there, (0, 0, 1)),
        ("doubled: in the middle", [*line[:3], *line[2:]], all_there, (0, 0, 1)),
        ("doubled: an end", [*line[:5], *line[4:]], all_there, (0, 0, 1)),
        ("doubled: each, twice", [packet for packet in line for _ in range(3)], all_there, (0, 0, 12)),
        ("doubled: later", [*line[:3], line[1], *line[3:]], [PING, PONG], (0, 2, 0)),
        ("the same counter, another packet", [line[0], bytes((line[1][0] - 1,)) + line[1][1:]], [PING], (0, 1, 0)),
    ]


def _damaged() -> list[Stream]:
    line = LINE
    ends = {"a start": 1, "the middle": 2, "an end": 4}
    cut: list[Stream] = [
        (f"truncated: {name}", [*line[:at], line[at][:-1], *line[at + 1 :]], [PING, PONG], (1, 0, 0))
        for name, at in ends.items()
    ]
    over = packets((0x21, 0, 1, 1, octets("over", BODY_MAX + 1)), PING)
    flipped = [*line[:2], line[2][:-1] + bytes((line[2][-1] ^ 1,)), *line[3:]]
    ahead = packets(PING, FOUR)[:3] + packets(PONG, FOUR, first=3)
    endless = _numbered([(START, bytes(SMALL))] + [(0, bytes(SMALL))] * 400, 0)
    short = whole(*PING)[:9]
    return [
        *cut,
        ("truncated: a frame of one packet", [line[0][:12], *line[1:]], [FOUR, PONG], (1, 0, 0)),
        ("truncated to its header", [*line[:2], line[2][:1], *line[3:]], [PING, PONG], (1, 1, 0)),
        ("truncated to nothing", [*line[:2], b"", *line[3:]], [PING, PONG], (1, 1, 0)),
        ("truncated, a long one at MTU 23", [packets(FOUR, room=180)[0][:20], *line[1:]], [FOUR, PONG], (1, 0, 0)),
        ("an empty packet", [*line[:2], b"", *line[2:]], [PING, FOUR, PONG], (1, 0, 0)),
        ("a header alone", [*line[:2], b"\x02", *line[2:]], [PING, FOUR, PONG], (1, 0, 0)),
        ("a packet of 513 bytes", [*line[:2], b"\x02" + bytes(512), *line[2:]], [PING, FOUR, PONG], (1, 0, 0)),
        ("a bit flipped", [*flipped], [PING, PONG], (1, 0, 0)),
        (
            "a flag for END is gone",
            [*line[:4], bytes((line[4][0] - END,)) + line[4][1:], line[5]],
            [PING, PONG],
            (1, 0, 0),
        ),
        ("a START in a frame", [*ahead], [PING, PONG, FOUR], (1, 0, 0)),
        ("begins in a frame", [*line[2:]], [PONG], (1, 0, 0)),
        ("begins with an END", [*line[4:]], [PONG], (1, 0, 0)),
        (
            "two ENDs without a START",
            [line[4], *_numbered([(END, b"?")], 5), *packets(PING, first=6)],
            [PING],
            (2, 0, 0),
        ),
        ("nine bytes", [*_numbered([(START + END, short)], 0), *packets(PING, first=1)], [PING], (1, 0, 0)),
        ("a body one byte over the longest", [*over], [PING], (1, 0, 0)),
        ("a frame without end", [*endless, *packets(PING, first=len(endless))], [PING], (1, 0, 0)),
    ]
