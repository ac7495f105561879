"""The cable between terminal and dock does what its script says, byte by byte, in virtual time."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from plomba.sim.relay import Direction, Fault


class VirtualLoop:
    """As much of an event loop as one direction of the relay asks for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> object:
        heapq.heappush(self._due, (when, len(self._due), callback))
        return object()

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, callback = heapq.heappop(self._due)
            callback()
        self.now = end


class Cable:
    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.cuts = 0
        self.out, sink = os.pipe()
        os.set_blocking(self.out, False)
        self._sink = sink
        loop: Any = self.loop
        self.way = Direction(loop, self._cut)
        self.way.attach(sink)

    def _cut(self) -> None:
        self.cuts += 1

    def read(self) -> bytes:
        try:
            return os.read(self.out, 1 << 16)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self.out)
        os.close(self._sink)


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.close()


DATA = bytes(range(100))


def test_unpaced_bytes_pass_at_once_and_are_counted(cable: Cable) -> None:
    cable.way.put(DATA)
    assert cable.read() == DATA
    assert cable.way.bytes == 100


def test_pace_is_ten_bits_a_byte(cable: Cable) -> None:
    cable.way.baud = 9600
    cable.way.put(bytes(960))
    cable.loop.advance(0.5)
    half = len(cable.read())
    cable.loop.advance(0.5)
    assert abs(half - 480) <= 5 and half + len(cable.read()) == 960
    assert cable.loop.now == pytest.approx(1.0)


def test_a_second_burst_waits_for_the_first(cable: Cable) -> None:
    cable.way.baud = 9600
    cable.way.put(bytes(480))
    cable.way.put(b"\x01" * 480)
    cable.loop.advance(0.5)
    assert b"\x01" not in cable.read()
    cable.loop.advance(0.5)
    assert cable.read().count(b"\x01") == 480


def test_drop(cable: Cable) -> None:
    cable.way.script(Fault("drop", 10, 3), Fault("drop", 50))
    cable.way.put(DATA[:30])
    cable.way.put(DATA[30:])
    assert cable.read() == DATA[:10] + DATA[13:50] + DATA[51:]


def test_flip(cable: Cable) -> None:
    cable.way.script(Fault("flip", 20, 2))
    cable.way.put(DATA)
    assert cable.read() == DATA[:20] + bytes([21, 20]) + DATA[22:]


def test_delay(cable: Cable) -> None:
    cable.way.script(Fault("delay", 0, seconds=2.0))
    cable.way.put(DATA)
    cable.loop.advance(1.9)
    assert cable.read() == b""
    cable.loop.advance(0.2)
    assert cable.read() == DATA


def test_cut_before_a_byte(cable: Cable) -> None:
    cable.way.script(Fault("cut", 40))
    cable.way.put(DATA)
    assert cable.read() == DATA[:40]
    assert cable.cuts == 1


def test_a_pulled_plug_loses_what_is_under_way(cable: Cable) -> None:
    cable.way.baud = 9600
    cable.way.put(DATA)
    cable.way.attach(None)
    cable.loop.advance(10)
    assert cable.read() == b""


def test_an_unknown_fault_is_named(cable: Cable) -> None:
    unknown: Any = "melt"
    with pytest.raises(ValueError, match="unknown fault 'melt'; there are drop, flip, delay, cut"):
        cable.way.script(Fault(unknown, 1))


def test_latency_comes_on_top_of_the_pace(cable: Cable) -> None:
    cable.way.baud, cable.way.latency = 9600, 0.2
    cable.way.put(bytes(96))
    assert cable.way.busy_until == pytest.approx(0.1)
    cable.loop.advance(0.2)
    assert cable.read() == b""
    cable.loop.advance(0.1)
    assert cable.read() == bytes(96)


def test_a_late_line_keeps_the_order(cable: Cable) -> None:
    cable.way.latency = 0.2
    cable.way.put(b"one")
    cable.loop.advance(0.1)
    cable.way.put(b"two")
    cable.loop.advance(0.1)
    assert cable.read() == b"one"
    cable.loop.advance(0.1)
    assert cable.read() == b"two"


FRAMES = [bytes([1 + number % 255]) * (1 + number % 7) + b"\0" for number in range(400)]


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_frames_are_lost_whole_whatever_chunks_they_come_in(cable: Cable, chunk: int) -> None:
    cable.way.lose(0.25, Random(7))
    random = Random(7)
    kept = b"".join(frame for frame in FRAMES if random.random() >= 0.25)
    stream = b"".join(FRAMES)
    for at in range(0, len(stream), chunk):
        cable.way.put(stream[at : at + chunk])
    assert cable.read() == kept
    assert cable.way.frames_lost == len(FRAMES) - kept.count(0) > 50
    assert cable.way.bytes == cable.way.carried == len(stream)


def test_an_empty_frame_is_nothing_to_lose(cable: Cable) -> None:
    cable.way.lose(1.0, Random(1))
    cable.way.put(b"\0\0lost\0\0")
    assert cable.read() == b"\0\0\0"
    assert cable.way.frames_lost == 1


def test_a_pulled_plug_carries_nothing(cable: Cable) -> None:
    cable.way.script(Fault("drop", 10, 5), Fault("cut", 40))
    cable.way._on_cut = lambda: cable.way.attach(None)
    cable.way.put(DATA)
    cable.way.put(DATA)
    assert (cable.way.bytes, cable.way.carried) == (200, 40)


def test_what_is_handed_on_is_told(cable: Cable) -> None:
    told: list[tuple[float, bytes]] = []
    cable.way.arrived = lambda data: told.append((cable.loop.now, data))
    cable.way.latency = 0.5
    cable.way.put(b"late")
    cable.loop.advance(1)
    assert told == [(0.5, b"late")]
