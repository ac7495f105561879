"""Dockings over the packets of BLE: the two ends on a VirtualLink whose frames go through a Fragmenter."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from memory_service import MemoryService, octets
from virtual_link import LATENCY, Clean, VirtualLink, Wire, frames_of

from plomba_wire.fragments import MTU_MAX, Defragmenter, Fragmenter
from plomba_wire.framing import Deframer, Frame, cobs_decode, encode, frame_bytes

MTUS = [23, 185, 247, 517]


def fields(frame: Frame) -> tuple[int, int, int, int, bytes]:
    return frame.type, frame.flags, frame.session, frame.tag, frame.body


def counts(defragmenter: Defragmenter) -> tuple[int, int, int]:
    return defragmenter.bad, defragmenter.gaps, defragmenter.doubled


class Notified(Clean):
    """One direction over BLE, frame by frame, its packets perhaps lost, doubled or cut off. Chances from 0 to 1."""

    def __init__(
        self, mtu: int, random: Random | None = None, *, loss: float = 0, double: float = 0, cut: float = 0
    ) -> None:
        super().__init__()
        self.packets = 0
        self.hurt = 0
        self.defragmenter = Defragmenter()
        self._fragmenter = Fragmenter(mtu)
        self._random = random or Random(0)
        self._loss, self._double, self._cut = loss, double, cut

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        self.carried += data
        for wire in frames_of(data):
            if wire == b"\0":
                continue
            for packet in self._fragmenter.split(cobs_decode(wire[:-1])):
                self.packets += 1
                for arrived in self._arrives(packet):
                    frame = self.defragmenter.feed(arrived)
                    if frame is not None:
                        yield LATENCY, encode(*fields(frame))

    def _arrives(self, packet: bytes) -> list[bytes]:
        chance = self._random.random
        if chance() < self._loss:
            self.hurt += 1
            return []
        if chance() < self._cut:
            self.hurt += 1
            return [packet[: self._random.randrange(len(packet))]]
        return [packet] * (1 + (chance() < self._double))


def docking(up: Wire, down: Wire) -> VirtualLink:
    link = VirtualLink(MemoryService(60, 300), object=octets("object", 12000), up=up, down=down)
    link.run(until=3600.0)
    assert len(link.durable) == link.given == 60 and link.installed
    return link


@pytest.mark.parametrize("mtu", MTUS)
def test_trap_18_a_docking_goes_through_whole(mtu: int) -> None:
    """Over packets the two ends say byte for byte what they say over a line."""
    line_up, line_down = Clean(), Clean()
    docking(line_up, line_down)
    up, down = Notified(mtu), Notified(mtu)
    docking(up, down)
    assert (up.carried, down.carried) == (line_up.carried, line_down.carried)
    assert counts(up.defragmenter) == counts(down.defragmenter) == (0, 0, 0)
    assert up.packets > 64 or mtu == MTU_MAX


@pytest.mark.parametrize("mtu", MTUS)
def test_trap_18_what_a_docking_said_goes_through_late_mtus(mtu: int) -> None:
    """20 bytes a packet until a frame in the middle, then what the MTU allows."""
    up, down = Clean(), Clean()
    docking(up, down)
    for carried in (up.carried, down.carried):
        sent = [fields(frame) for frame in Deframer().feed(carried)]
        for late in range(0, len(sent), 7):
            fragmenter, defragmenter = Fragmenter(), Defragmenter()
            found: list[Frame | None] = []
            for at, frame in enumerate(sent):
                if at == late:
                    fragmenter.mtu = mtu
                found += [defragmenter.feed(packet) for packet in fragmenter.split(frame_bytes(*frame))]
            assert [fields(frame) for frame in found if frame] == sent and counts(defragmenter) == (0, 0, 0)


@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize("seed", range(3))
def test_trap_18_lost_doubled_and_truncated_packets_cost_a_docking_time_only(mtu: int, seed: int) -> None:
    """One to nine packets of some thirty frames are lost or cut off on the way up, whatever the MTU."""
    rate = 0.05 * min(1.0, mtu / 517)
    random = Random(seed)
    up = Notified(mtu, random, loss=rate, double=rate, cut=rate / 2)
    down = Notified(mtu, random, loss=rate, double=rate, cut=rate / 2)
    docking(up, down)
    assert up.hurt and down.hurt
    assert up.defragmenter.gaps or up.defragmenter.bad
