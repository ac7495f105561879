"""What framing costs: frames for a byte that got lost, and the host's time for a record."""

from __future__ import annotations

import struct
import time
from bisect import bisect_right
from pathlib import Path
from random import Random
from statistics import mean, median

from plomba import capture
from plomba_wire import codec, framing, tlv
from plomba_wire.pull import split_records

_ROUNDS = 9


def from_terminal(recording: Path) -> list[bytes]:
    """What a terminal said in a capture, piece by piece as it came."""
    return [chunk.data for chunk in capture.read(recording) if chunk.direction == capture.FROM_DEVICE]


def frames_lost(stream: bytes, offsets: int | None, seed: int) -> tuple[float, int]:
    """Mean and worst of the frames that one byte takes with it, dropped at so many offsets of the stream, None = all.

    The frame it belongs to is fed with the next one, the only other that it can harm.
    """
    ends = [at + 1 for at in range(len(stream)) if stream[at] == 0]
    assert ends[-1] == len(stream)
    starts = [0, *ends[:-1]]
    whole = [_frames(stream[start:end]) for start, end in zip(starts, ends, strict=True)]
    size = min(len(stream), offsets or len(stream))
    lost = []
    for offset in Random(seed).sample(range(len(stream)), size):
        hit = bisect_right(starts, offset) - 1
        following = min(hit + 1, len(ends) - 1)
        sent = [frame for index in range(hit, following + 1) for frame in whole[index]]
        came = _frames(stream[starts[hit] : offset] + stream[offset + 1 : ends[following]])
        lost.append(len(sent) - len([frame for frame in came if frame in sent]))
    return mean(lost), max(lost)


def host_cost(pieces: list[bytes]) -> tuple[float, float]:
    """Microseconds a record for framing and parsing, and their ratio to `struct` over the record heads alone."""
    bodies = _parse(pieces)
    head = struct.Struct(codec.RecordHead.FORMAT)
    costs, ratios = [], []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        _parse(pieces)
        parsed = time.perf_counter()
        for body in bodies:
            head.unpack_from(body)
        done = time.perf_counter()
        costs.append((parsed - began) / len(bodies))
        ratios.append((parsed - began) / (done - parsed))
    return median(costs) * 1e6, median(ratios)


def _parse(pieces: list[bytes]) -> list[bytes]:
    """All that is done to what comes in, up to the signatures."""
    deframer = framing.Deframer()
    bodies = []
    for piece in pieces:
        for frame in deframer.feed(piece):
            if frame.type == codec.Data.TYPE:
                records = split_records(codec.Data.unpack(frame.body))
                assert records is not None
                for body, _ in records:
                    codec.RecordHead.read(body, 0)
                    tlv.unpack(body, codec.RecordHead.SIZE)
                    bodies.append(body)
    return bodies


def _frames(stream: bytes) -> list[tuple[int, int, bytes]]:
    return [(frame.type, frame.tag, frame.body) for frame in framing.Deframer().feed(stream)]
