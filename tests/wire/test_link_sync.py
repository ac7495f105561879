"""The way of the records: windows and credits, gaps and rewinds, slow disks, records that cannot be sent."""

from __future__ import annotations

import pytest
from memory_service import MemoryService, octets
from spoken import SESSION, Heard, Listener, answered, opened, opened_dock, read, the_error, wire
from virtual_link import LATENCY, Losing, VirtualLink, frames_of

from plomba_wire import codec, framing
from plomba_wire.dock_end import DockEnd, Records, Refused, Synced
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind


def syncing(service: MemoryService, window: int = 8192, from_seq: int = 1) -> Listener:
    """A terminal's end whose SyncOpen has been answered and that has sent no Data yet."""
    end = opened(Listener(service))
    request = codec.SyncOpen(1, from_seq, service.digests[from_seq - 1], window // 16)
    [(_, message)] = read(end.receive(wire(request, tag=5)))
    assert isinstance(message, codec.SyncOpenOk)
    return end


def pumped(end: Listener) -> Heard:
    """Everything that it sends before it waits."""
    return read(b"".join(iter(end.pump, None)))


def credit(end: Listener, next_seq: int, window: int = 8192, flags: int = 0) -> None:
    assert end.receive(wire(codec.Credit(next_seq, window // 16, flags, b""), tag=60)) == b""


def first_seqs(heard: Heard) -> list[int]:
    return [message.first_seq for _, message in heard if isinstance(message, codec.Data)]


def test_every_record_arrives_once_and_in_order() -> None:
    service = MemoryService(100, 300)
    link = VirtualLink(service)
    link.run()
    assert [len(body).to_bytes(2, "big") + body + signature for body, signature in link.durable] == service.records
    assert (link.sessions, link.rewinds, link.given) == (1, 0, 100)


@pytest.mark.parametrize("length", [66, 67, 200, 513, 514])
@pytest.mark.parametrize("max_body", [519, 600, 2000, 4096])
def test_every_size_of_record_and_body(length: int, max_body: int) -> None:
    link = VirtualLink(MemoryService(30, length), max_body=max_body)
    link.run()
    assert len(link.durable) == 30 and (link.sessions, link.rewinds) == (1, 0)
    data = [frame for frame, message in link.answered.messages if isinstance(message, codec.Data)]
    assert max(len(frame.body) for frame in data) <= max_body


@pytest.mark.parametrize(("terminal", "dock"), [(2000, 600), (600, 2000)])
def test_no_body_is_longer_than_the_other_end_takes(terminal: int, dock: int) -> None:
    service = MemoryService(20, 200)
    end = opened(Listener(service, terminal), dock)
    end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 512), tag=5))
    bodies = [len(frame.body) for frame, message in pumped(end) if isinstance(message, codec.Data)]
    assert 400 < max(bodies) <= 600
    other = opened_dock(max_body=terminal)
    tag = other.push(ObjectKind.MANIFEST, 1, bytes(3000), 3000, 0.0)
    other.outgoing()
    other.receive(wire(codec.ObjectOfferOk(0, 256), tag), 0.0)
    assert max(len(frame.body) for frame, _ in read(other.outgoing())) == terminal


def test_many_records_in_a_frame() -> None:
    link = VirtualLink(MemoryService(600, 66), max_body=4096, window=1 << 19)
    link.run()
    assert len(link.durable) == 600
    assert max(message.count for _, message in link.answered.messages if isinstance(message, codec.Data)) == 61


def test_nothing_to_send() -> None:
    link = VirtualLink(MemoryService(0))
    link.run()
    assert link.durable == [] and link.rewinds == 0
    assert link.answered.count(codec.Data) == 0 and link.answered.count(codec.SyncEnd) == 1


def test_a_sync_goes_on_where_the_disk_is() -> None:
    service = MemoryService(10)
    link = VirtualLink(service)
    link.run()
    for _ in range(5):
        service.add(200)
    link.done = False
    link.connect()
    link.run()
    assert len(link.durable) == 15
    assert [message.from_seq for _, message in link.said.messages if isinstance(message, codec.SyncOpen)] == [1, 11]


def test_records_made_meanwhile_come_with_the_next_sync() -> None:
    """The end of a sync names the chain value there, not that of the newest record."""
    service = MemoryService(40, 300)
    link = VirtualLink(service)
    for at in range(5):
        link.at((5.5 + at / 4) * LATENCY, lambda: service.add(300))
    link.run()
    ends = [message for _, message in link.answered.messages if isinstance(message, codec.SyncEnd)]
    assert [(end.next_seq, end.head) for end in ends] == [(41, service.digests[40])]
    assert service.next_seq() == 46


@pytest.mark.parametrize(
    ("request_", "code", "detail"),
    [
        (codec.SyncOpen(2, 1, bytes(32), 512), Error.EPOCH_CHANGED, 1),
        (codec.SyncOpen(1, 0, bytes(32), 512), Error.BAD_RANGE, 5),
        (codec.SyncOpen(1, 6, bytes(32), 512), Error.BAD_RANGE, 5),
        (codec.SyncOpen(1, 2, bytes(32), 512), Error.CHAIN_FORK, 2),
    ],
)
def test_a_sync_that_is_refused(request_: codec.SyncOpen, code: int, detail: int) -> None:
    end = opened(Listener(MemoryService(4)))
    error = the_error(end.receive(wire(request_)))
    assert (error.code, error.detail, error.about) == (code, detail, codec.SyncOpen.TYPE)
    assert end.pump() is None


@pytest.mark.parametrize("window", [0, 16, 1024, 2048, 5000, 8192, 65535 * 16])
def test_no_more_in_flight_than_the_window(window: int) -> None:
    """But one frame always, or nothing would ever move."""
    service = MemoryService(64, 200)
    end = syncing(service, window)
    sent = pumped(end)
    sizes = [frame.size for frame, _ in sent]
    assert len(sent) == 1 or sum(sizes) <= window
    if first_seqs(sent)[-1] + 9 <= 64:
        assert sum(sizes) + sizes[0] > window, "and no less"
    assert end.pump() is None


def test_a_credit_opens_the_window_by_what_it_covers() -> None:
    service = MemoryService(64, 200)
    end = syncing(service, 4096)
    assert first_seqs(pumped(end)) == [1, 10]
    credit(end, 10, 4096)
    assert first_seqs(pumped(end)) == [19]
    credit(end, 27, 4096)
    assert first_seqs(pumped(end)) == [28], "a frame that is credited in part still counts whole"
    credit(end, 37, 8192)
    assert first_seqs(pumped(end)) == [37, 46, 55, 64], "a credit brings its own window"


@pytest.mark.parametrize("next_seq", [0, 1, 9, 66, 0xFFFFFFFF])
def test_a_credit_that_makes_no_sense_changes_nothing(next_seq: int) -> None:
    service = MemoryService(64, 200)
    end = syncing(service, 4096)
    pumped(end)
    credit(end, 10, 4096)
    pumped(end)
    credit(end, next_seq, 65535, 1)
    assert end.pump() is None
    assert end.receive(framing.encode(codec.Credit.TYPE, 0, SESSION, 9, b"short")) == b""


def test_a_rewind_sends_again_from_there() -> None:
    end = syncing(MemoryService(64, 200), 4096)
    pumped(end)
    credit(end, 5, 4096, 1)
    assert first_seqs(pumped(end)) == [5, 14]


def test_a_credit_over_what_was_sent_skips_it() -> None:
    """After a rewind the dock may turn out to have it already."""
    end = syncing(MemoryService(64, 200), 4096)
    pumped(end)
    credit(end, 1, 4096, 1)
    credit(end, 60, 4096)
    assert first_seqs(pumped(end)) == [60]


def test_the_end_comes_again_with_a_rewind_only() -> None:
    end = syncing(MemoryService(4))
    pumped(end)
    credit(end, 5)
    assert [type(message) for _, message in pumped(end)] == [codec.SyncEnd]
    credit(end, 5)
    assert end.pump() is None
    credit(end, 5, flags=1)
    assert [type(message) for _, message in pumped(end)] == [codec.SyncEnd]


def test_trap_09_tags_of_data_go_round() -> None:
    end = syncing(MemoryService(30, 514), 65535 * 16)
    assert end._stream is not None
    end._stream._tag = 65530
    tags = [frame.tag for frame, _ in pumped(end)]
    assert tags == [65531, 65532, 65533, 65534, 65535, 0, 1, 2, 3, 4]


def test_trap_09_a_whole_docking_over_the_end_of_the_tags() -> None:
    for start in range(65520, 65536):
        service = MemoryService(40, 300)
        link = VirtualLink(service, object=octets("object", 5000), window=1024, max_body=600)
        link.connect()
        link.dock._tag = start
        link.run()
        assert (link.sessions, link.rewinds, len(link.durable), link.installed) == (1, 0, 40, True)
        assert [name for name in service.served if name != "ObjectData"] == [
            "Status",
            "SyncOpen",
            "Receipt",
            "ObjectOffer",
            "ObjectCommit",
        ]


def docking(up: Losing | None = None, down: Losing | None = None) -> VirtualLink:
    link = VirtualLink(MemoryService(60, 300), up=up, down=down, object=octets("object", 9000))
    link.run()
    assert len(link.durable) == 60 and link.given == 60 and link.installed
    return link


@pytest.mark.parametrize("direction", ["up", "down"])
def test_any_one_frame_may_get_lost(direction: str) -> None:
    """The session goes on, with one rewind at most, and nothing is carried out twice."""
    whole = docking()
    frames = {
        "up": sum(frame != b"\0" for frame in frames_of(whole.up.carried)),
        "down": sum(frame != b"\0" for frame in frames_of(whole.down.carried)),
    }[direction]
    assert frames > 10
    rewinds = []
    for number in range(frames):
        link = docking(**{direction: Losing(number)})
        assert link.sessions == 1 and link.rewinds <= 1, number
        served = [name for name in link.service.served if name != "ObjectData"]
        assert served == ["Status", "SyncOpen", "Receipt", "ObjectOffer", "ObjectCommit"], number
        rewinds.append(link.rewinds)
    assert sum(rewinds) >= (3 if direction == "up" else 1)


def test_trap_03_one_rewind_a_gap() -> None:
    """Ten frames of records: each pair of them may get lost, and each gap costs one rewind at most."""
    for first in range(2, 12):
        for second in range(first + 1, 14):
            link = docking(up=Losing(first, second))
            assert link.sessions == 1 and 1 <= link.rewinds <= 2, (first, second)


@pytest.mark.parametrize("disk", [0.1, 0.3, 1.0, 5.0, 60.0])
def test_trap_23_a_slow_disk_is_not_taken_for_a_silent_line(disk: float) -> None:
    link = VirtualLink(MemoryService(100, 300), disk=disk)
    link.run(until=10000.0)
    assert (link.sessions, link.rewinds, len(link.durable)) == (1, 0, 100)


@pytest.mark.parametrize("disk", [0.1, 1.0, 5.0])
def test_a_gap_before_a_slow_disk(disk: float) -> None:
    for number in range(2, 20):
        link = VirtualLink(MemoryService(60, 300), disk=disk, up=Losing(number))
        link.run(until=10000.0)
        assert link.sessions == 1 and link.rewinds <= 1, number


class Unsound(MemoryService):
    """Its third record cannot be sent."""

    def __init__(self, fault: str) -> None:
        super().__init__(2)
        self._fault = fault
        for length in (515 if fault == "big" else 200, 200):
            self.add(length)

    def record(self, seq: int) -> bytes:
        if seq == 3 and self._fault == "flash":
            raise Refusal(Error.STORAGE_FAULT, seq)
        return super().record(seq)


@pytest.mark.parametrize(("fault", "code"), [("big", Error.RECORD_TOO_BIG), ("flash", Error.STORAGE_FAULT)])
def test_trap_06_a_record_that_cannot_be_sent_ends_the_sync(fault: str, code: int) -> None:
    service = Unsound(fault)
    end = opened(Listener(service, 519), 519)
    end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 512), tag=5))
    heard = pumped(end)
    assert first_seqs(heard) == [1], "what lies before it goes out first"
    frame, error = heard[-1]
    assert isinstance(error, codec.Error)
    assert (error.code, error.about, error.detail, frame.tag) == (code, codec.SyncOpen.TYPE, 3, 5)
    assert end.pump() is None
    assert read(end.receive(wire(codec.Ping(bytes(8)), tag=6))), "and the session goes on"


def test_a_dock_hears_that_a_record_cannot_be_sent() -> None:
    service = Unsound("big")
    dock = opened_dock(max_body=519)
    end = opened(Listener(service, 519), 519)
    tag = dock.sync(1, 1, service.digests[0], 0.0)
    events = dock.receive(end.receive(dock.outgoing()) + b"".join(iter(end.pump, None)), 0.1)
    refused = events[-1]
    assert isinstance(refused, Refused)
    assert (refused.tag, refused.error.code, refused.error.detail) == (tag, Error.RECORD_TOO_BIG, 3)
    assert [event.first_seq for event in events if isinstance(event, Records)] == [1]
    assert dock.deadline() is None, "nothing more is expected"


def synced_dock(count: int = 4) -> tuple[DockEnd, MemoryService]:
    service = MemoryService(count)
    dock = opened_dock()
    tag = dock.sync(1, 1, service.digests[0], 0.0)
    answered(dock, codec.SyncOpenOk(1, count + 1), tag)
    dock.outgoing()
    return dock, service


def test_a_dock_takes_no_records_before_it_asked() -> None:
    service = MemoryService(1)
    dock = opened_dock()
    assert dock.receive(wire(codec.Data(1, 1, service.records[0])), 0.1) == []
    assert dock.receive(wire(codec.SyncEnd(1, bytes(32))), 0.1) == []
    assert dock.stale == 2


def test_a_dock_counts_records_whose_lengths_lie() -> None:
    dock, service = synced_dock()
    assert dock.receive(wire(codec.Data(1, 2, service.records[0])), 0.1) == []
    assert dock.bad == 1
    [records] = dock.receive(wire(codec.Data(1, 2, b"".join(service.records[:2]))), 0.2)
    assert records.first_seq == 1


def test_a_dock_hands_no_record_out_twice() -> None:
    dock, service = synced_dock()
    out = []
    for first, count in ((1, 2), (1, 2), (1, 3), (2, 2), (2, 3), (1, 4), (4, 1)):
        records = b"".join(service.records[first - 1 : first - 1 + count])
        out += dock.receive(wire(codec.Data(first, count, records)), 0.1)
    assert [(event.first_seq, len(event.records)) for event in out] == [(1, 2), (3, 1), (4, 1)]


def test_a_dock_waits_for_the_disk_before_it_believes_the_end() -> None:
    dock, service = synced_dock()
    assert dock.receive(wire(codec.SyncEnd(5, bytes(32))), 0.1) == [], "nothing has arrived yet"
    dock.receive(wire(codec.Data(1, 4, b"".join(service.records))), 0.1)
    assert dock.receive(wire(codec.SyncEnd(4, bytes(32))), 0.1) == [], "another end"
    assert dock.receive(wire(codec.SyncEnd(5, bytes(32))), 0.1) == [], "an end of an earlier sync"
    dock.credit(5, 0.2)
    [end] = dock.receive(wire(codec.SyncEnd(5, service.digests[4])), 0.3)
    assert isinstance(end, Synced) and end.head == service.digests[4]
    assert dock.deadline() is None


def rewinds_said(dock: DockEnd) -> list[int]:
    """Where the credits with the rewind bit say to go on."""
    credits = [message for _, message in read(dock.outgoing()) if isinstance(message, codec.Credit)]
    return [credit.next_seq for credit in credits if credit.flags & 1]


def test_a_dock_asks_at_once_for_what_a_gap_leaves_out() -> None:
    """Once a gap, and at every gap; it does not wait for silence."""
    dock, service = synced_dock(10)

    for seq, rewinds in ((1, []), (3, [2]), (4, []), (5, []), (2, []), (3, []), (5, [4]), (6, []), (4, []), (6, [5])):
        for event in dock.receive(wire(codec.Data(seq, 1, service.records[seq - 1])), 0.1):
            assert isinstance(event, Records) and event.first_seq == seq
            dock.credit(seq + 1, 0.1)
        assert rewinds_said(dock) == rewinds, seq
    assert dock.rewinds == 3


def test_silence_begins_when_the_disk_is_done() -> None:
    """Though the credit itself may wait for more to be credited."""
    dock, service = synced_dock(40)
    dock.receive(wire(codec.Data(1, 1, service.records[0])), 0.1)
    assert dock.deadline() is None and dock.tick(50.0) == [] and dock.outgoing() == b""
    dock.credit(2, 50.0)
    assert dock.outgoing() == b"" and dock.deadline() == 51.0


def test_silence_is_forgiven_when_something_comes() -> None:
    """Four times in a row is too often, forty times in a session is not."""
    dock, service = synced_dock(40)
    for seq in range(1, 41):
        deadline = dock.deadline()
        assert deadline is not None
        assert dock.tick(deadline) == [] and rewinds_said(dock) == [seq]
        assert len(dock.receive(wire(codec.Data(seq, 1, service.records[seq - 1])), deadline + 0.1)) == 1
        dock.credit(seq + 1, deadline + 0.1)
        dock.outgoing()


def test_credits_are_for_a_quarter_of_the_window_or_the_end() -> None:
    link = VirtualLink(MemoryService(100, 500), window=8192)
    link.run()
    data, credits = link.answered.count(codec.Data), link.said.count(codec.Credit)
    assert data == 34 and 17 <= credits <= 18


def test_a_silent_terminal_is_asked_again_then_given_up() -> None:
    dock, _ = synced_dock()
    asked = 0
    while (deadline := dock.deadline()) is not None:
        events = dock.tick(deadline)
        for _, message in read(dock.outgoing()):
            assert isinstance(message, codec.Credit) and message.flags == 1 and message.next_seq == 1
            asked += 1
    assert asked == dock.rewinds == 4
    assert [event.waiting_for for event in events] == ["Data"]
