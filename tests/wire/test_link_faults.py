"""Bad lines, from seeds: the dock ends up with what it wants, and the rules of virtual_link hold all the way."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from memory_service import EPOCH, MemoryService, octets
from spoken import Listener, opened, opened_dock, read, wire
from virtual_link import LATENCY, VERSION, Clean, Cut, Rough, VirtualLink, frames_of

from plomba_wire import codec

OBJECT = octets("object", 9000)
COUNT = 40


def docked(link: VirtualLink, sessions: int = 60) -> VirtualLink:
    """Runs it, and sees that nothing is missing, twice, or changed."""
    link.run(until=7200.0, sessions=sessions)
    service = link.service
    assert [len(body).to_bytes(2, "big") + body + signature for body, signature in link.durable] == service.records
    assert link.given == service.receipted == len(service.records)
    assert link.installed and service.installed == {VERSION: OBJECT}
    return link


def rough(seed: int, disk: float = 0.0, **chances: float) -> VirtualLink:
    random = Random(seed)
    down, up = Rough(random, **chances), Rough(random, **chances)
    return VirtualLink(MemoryService(COUNT, 300), object=OBJECT, down=down, up=up, max_body=1200, disk=disk)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize(
    "chances",
    [
        {"loss": 0.02},
        {"loss": 0.3},
        {"double": 0.5},
        {"late": 0.5, "by": 0.01},
        {"late": 0.2, "by": 0.5},
        {"noise": 0.2},
        {"loss": 0.1, "double": 0.2, "late": 0.2, "noise": 0.1},
    ],
    ids=lambda chances: " ".join(f"{name} {chance}" for name, chance in chances.items()),
)
def test_bad_lines(chances: dict[str, float], seed: int) -> None:
    docked(rough(seed, disk=(seed % 3) * 0.2, **chances))


@pytest.mark.parametrize("seed", range(15))
def test_each_gap_costs_one_rewind(seed: int) -> None:
    """With frames lost on the way up only: no more rewinds than losses, those that silence showed included."""
    up = Rough(Random(seed), loss=0.15)
    link = docked(VirtualLink(MemoryService(200, 300), object=OBJECT, up=up))
    assert 0 < link.rewinds <= up.lost


@pytest.mark.parametrize("seed", range(15))
def test_doubles_cost_nothing(seed: int) -> None:
    link = docked(rough(seed, double=1.0))
    assert (link.sessions, link.rewinds) == (1, 0)
    assert [name for name in link.service.served if name != "ObjectData"] == [
        "Status",
        "SyncOpen",
        "Receipt",
        "ObjectOffer",
        "ObjectCommit",
    ]


@pytest.mark.parametrize("after", range(0, 16000, 640))
@pytest.mark.parametrize("direction", ["down", "up"])
def test_a_cable_that_is_pulled(direction: str, after: int) -> None:
    """What was durable is not asked for again, and the next session starts from there."""
    cut = Cut(after)
    link = VirtualLink(MemoryService(COUNT, 300), object=OBJECT, **{direction: cut})
    link.at(30.0, cut.mend)
    docked(link)
    opens = [message.from_seq for _, message in link.said.messages if isinstance(message, codec.SyncOpen)]
    assert opens == sorted(opens)


class Late:
    """Holds everything back from the nth write on; once released, a frame of it comes before every new write."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._held: list[bytes] = []
        self._released = False

    def release(self) -> None:
        self._released = True

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        self._left -= 1
        if self._left < 0 and not self._released:
            self._held += frames_of(data)
            return
        if self._held and self._released:
            yield LATENCY, self._held.pop(0)
        yield LATENCY, data


@pytest.mark.parametrize("after", range(1, 24))
def test_trap_01_answers_that_come_after_the_session_was_given_up(after: int) -> None:
    late = Late(after)
    link = VirtualLink(MemoryService(COUNT, 300), object=OBJECT, up=late, max_body=1200)
    link.at(20.0, late.release)
    docked(link)
    assert link.sessions > 1 and link.stale > 0


def test_trap_02_late_frames_are_counted_as_stale() -> None:
    """Everything of one session reaches both ends of the next."""
    service = MemoryService(COUNT, 300)
    down, up = Clean(), Clean()
    docked(VirtualLink(service, object=OBJECT, down=down, up=up))
    end = opened(Listener(MemoryService(COUNT, 300)))
    late = [frame for frame in read(down.carried) if not isinstance(frame[1], codec.Hello)]
    for frame, message in late:
        assert end.receive(wire(message, frame.tag, frame.session)) == b"" and end.pump() is None
    assert end.stale == len(late) > 10
    dock = opened_dock()
    dock.sync(EPOCH, 1, service.digests[0], 0.0)
    assert dock.receive(up.carried, 0.1) == []
    assert dock.stale == len(read(up.carried)) > 10


def test_a_terminal_that_starts_anew_in_the_middle() -> None:
    """It knows no session; the dock gives up and opens another one."""
    for at in range(1, 20):
        link = VirtualLink(MemoryService(COUNT, 300), object=OBJECT)
        link.at(at * 0.004, link.restart_terminal)
        docked(link)
        assert link.sessions <= 2
