"""SACK: what came behind a gap is kept, and only what is missing goes over the line again."""

from __future__ import annotations

from random import Random

import pytest
from memory_service import MemoryService
from spoken import Listener, answered, opened, opened_dock, read, wire
from virtual_link import Losing, Rough, VirtualLink

from plomba_wire import codec
from plomba_wire.dock_end import DockEnd, Records
from plomba_wire.pull import AHEAD_MAX
from plomba_wire.stream import AGAIN_MAX
from plomba_wire.vocabulary import Feature

COUNT = 40


def synced(count: int = COUNT) -> tuple[DockEnd, MemoryService]:
    service = MemoryService(count)
    dock = opened_dock(features=Feature.SACK)
    tag = dock.sync(1, 1, service.digests[0], 0.0)
    answered(dock, codec.SyncOpenOk(1, count + 1), tag)
    dock.outgoing()
    return dock, service


def runs(credit: codec.Credit) -> list[tuple[int, int]]:
    rows = [codec.AgainRow.read(credit.again, at) for at in range(0, len(credit.again), codec.AgainRow.SIZE)]
    return [(row.first_seq, row.count) for row in rows]


def asked(dock: DockEnd) -> list[list[tuple[int, int]]]:
    """The runs that each Credit wants again, in the order they were said."""
    credits = [message for _, message in read(dock.outgoing()) if isinstance(message, codec.Credit)]
    assert not any(credit.flags for credit in credits)
    return [runs(credit) for credit in credits if credit.again]


def hear(dock: DockEnd, service: MemoryService, first: int, end: int, now: float = 0.1) -> list[int]:
    """Records first … end - 1 arrive; the numbers that are handed out, each credited at once."""
    found = []
    data = codec.Data(first, end - first, b"".join(service.records[first - 1 : end - 1]))
    for event in dock.receive(wire(data), now):
        assert isinstance(event, Records)
        bodies = [record[2:-64] for record in service.records[event.first_seq - 1 :]]
        assert [body for body, _ in event.records] == bodies[: len(event.records)]
        found += range(event.first_seq, event.first_seq + len(event.records))
        dock.credit(found[-1] + 1, now)
    return found


def test_what_came_behind_a_gap_is_handed_out_when_the_gap_is_filled() -> None:
    dock, service = synced()
    assert hear(dock, service, 1, 4) == [1, 2, 3]
    assert hear(dock, service, 6, 9) == [] and asked(dock) == [[(4, 2)]]
    assert hear(dock, service, 9, 12) == [] and asked(dock) == [], "a gap is asked for once"
    assert hear(dock, service, 14, 15) == [] and asked(dock) == [[(12, 2)]]
    assert hear(dock, service, 4, 6) == list(range(4, 12))
    assert hear(dock, service, 12, 14) == [12, 13, 14]
    assert dock.rewinds == 2


def test_a_gap_may_come_back_in_pieces_and_with_more() -> None:
    dock, service = synced()
    hear(dock, service, 10, 14)
    assert hear(dock, service, 1, 3) == [1, 2]
    assert hear(dock, service, 2, 8) == [3, 4, 5, 6, 7]
    assert hear(dock, service, 6, 12) == [8, 9, 10, 11, 12, 13]
    assert hear(dock, service, 1, 14) == []


def test_silence_asks_for_every_gap_and_for_the_tail() -> None:
    dock, service = synced()
    hear(dock, service, 3, 4)
    hear(dock, service, 7, 9)
    asked(dock)
    deadline = dock.deadline()
    assert deadline is not None and dock.tick(deadline) == []
    assert asked(dock) == [[(1, 2), (4, 3), (9, 0)]]


def test_more_gaps_than_a_credit_holds() -> None:
    dock, service = synced(2 * AGAIN_MAX + 4)
    for seq in range(2, 2 * AGAIN_MAX + 4, 2):
        hear(dock, service, seq, seq + 1)
    asked(dock)
    deadline = dock.deadline()
    assert deadline is not None and dock.tick(deadline) == []
    [rows] = asked(dock)
    assert len(rows) == AGAIN_MAX and rows[-1] == (2 * AGAIN_MAX + 3, 0)


def test_records_far_ahead_of_any_window_are_not_kept() -> None:
    """Memory would be the sender's to fill."""
    dock, service = synced(1)
    for first in range(2, 200_000, 37):
        assert dock.receive(wire(codec.Data(first, 1, service.records[0])), 0.1) == []
    pull = dock._pull
    assert pull is not None and len(pull._ahead) <= AHEAD_MAX


def streaming(features: int = Feature.SACK) -> tuple[Listener, MemoryService]:
    """A terminal's end that has sent all of 40 records, in frames of 9, and was credited for none."""
    service = MemoryService(COUNT)
    end = opened(Listener(service), features=features)
    end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 1024), tag=5))
    assert numbers(end) == list(range(1, COUNT + 1))
    return end, service


def numbers(end: Listener, flags: int = 0) -> list[int]:
    found: list[int] = []
    while (out := end.pump()) is not None:
        [(frame, data)] = read(out)
        if isinstance(data, codec.Data):
            assert frame.flags == flags
            found += range(data.first_seq, data.first_seq + data.count)
    return found


def again(*rows: tuple[int, int], next_seq: int = 1) -> bytes:
    packed = b"".join(codec.AgainRow(first, count).pack() for first, count in rows)
    return wire(codec.Credit(next_seq, 1024, 0, packed), tag=77)


def test_only_what_is_named_goes_again() -> None:
    end, _ = streaming()
    assert end.receive(again((4, 2), (30, 3))) == b""
    assert numbers(end, flags=1) == [4, 5, 30, 31, 32]
    assert end.resent == 5
    assert numbers(end) == [], "and not twice"


def test_a_run_that_is_longer_than_a_frame() -> None:
    end, _ = streaming()
    end.receive(again((2, 37)))
    assert numbers(end, flags=1) == list(range(2, 39))


def test_all_from_there_on() -> None:
    end, _ = streaming()
    end.receive(again((5, 1), (38, 0)))
    assert numbers(end, flags=1) == [5, 38, 39, 40]


@pytest.mark.parametrize("row", [(0, 1), (41, 1), (41, 255), (40, 2), (0xFFFFFFFF, 255), (42, 0)])
def test_a_run_that_was_never_sent_is_left_out(row: tuple[int, int]) -> None:
    end, _ = streaming()
    end.receive(again(row, (7, 1)))
    assert numbers(end, flags=1) == [7]


def test_a_run_that_is_durable_is_left_out() -> None:
    end, _ = streaming()
    end.receive(again((3, 2), next_seq=10))
    end.receive(again((12, 1), next_seq=12))
    end.receive(again(next_seq=13))
    assert numbers(end) == []


def test_a_flood_of_runs_is_bounded() -> None:
    end, _ = streaming()
    for _ in range(100):
        end.receive(again(*[(1, 40)] * AGAIN_MAX))
    stream = end._stream
    assert stream is not None and len(stream._again) == AGAIN_MAX


def test_what_goes_again_takes_no_new_place_in_the_window() -> None:
    """Else a window full of what came behind a gap would keep the gap from being filled."""
    service = MemoryService(COUNT)
    end = opened(Listener(service), features=Feature.SACK)
    end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 256), tag=5))
    sent = numbers(end)
    assert sent and sent[-1] < COUNT
    end.receive(wire(codec.Credit(1, 256, 0, codec.AgainRow(1, 9).pack()), tag=6))
    assert numbers(end, flags=1) == list(range(1, 10))


@pytest.mark.parametrize("lost", [0.01, 0.03, 0.1])
def test_a_lost_frame_costs_one_frame(lost: float) -> None:
    """Against go-back-N on the same line: what goes again is what was lost, and hardly more."""
    sizes = {}
    for features in (0, Feature.SACK):
        up = Rough(Random(4), loss=lost)
        link = VirtualLink(MemoryService(2000, 200), up=up, features=features)
        link.run()
        sizes[features] = sum(frame.size for frame, m in link.answered.messages if isinstance(m, codec.Data))
    assert sizes[Feature.SACK] < 2000 * 200 * 1.012 + up.lost * 2016
    assert sizes[Feature.SACK] < sizes[0]


@pytest.mark.parametrize("number", range(3, 60, 4))
def test_any_two_frames_of_records_may_get_lost(number: int) -> None:
    link = VirtualLink(MemoryService(300, 200), up=Losing(number, number + 2))
    link.run()
    assert link.sessions == 1 and len(link.durable) == 300 and link.rewinds <= 3


def test_a_dock_or_terminal_without_it_goes_back_n() -> None:
    service = MemoryService(100, 200)
    service.features = 0
    link = VirtualLink(service, up=Losing(5))
    link.run()
    assert all(not m.again for _, m in link.said.messages if isinstance(m, codec.Credit)) and link.rewinds == 1
