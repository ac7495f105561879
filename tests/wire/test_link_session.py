"""Sessions, tags and refusals: what opens and ends a session, what is answered, repeated or dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from memory_service import MemoryService, octets
from spoken import SESSION, Listener, answered, hello, hello_ok, opened, opened_dock, read, the_error, wire
from virtual_link import LATENCY, VirtualLink

from plomba_wire import codec, framing
from plomba_wire.dock_end import Answered, DockEnd, Lost, Opened, Refused
from plomba_wire.vocabulary import Error, ObjectKind

STATUS = codec.Status(bytes(16))


@pytest.fixture
def service() -> MemoryService:
    return MemoryService(4)


@pytest.fixture
def end(service: MemoryService) -> Listener:
    return Listener(service)


def test_hello_is_answered(end: Listener) -> None:
    [(frame, message)] = read(end.receive(b"\0" + hello(b"nonce--1", 0xFFFF)))
    assert isinstance(message, codec.HelloOk)
    assert (frame.session, frame.tag) == (0xFFFF, 0)
    assert message.nonce == b"nonce--1" and message.proto == 1 and message.max_record == 514


def test_hello_again_is_the_same_session(end: Listener, service: MemoryService) -> None:
    first = end.receive(hello())
    assert {end.receive(hello()) for _ in range(2000)} == {first}
    assert end.receive(hello() * 50, end.now + 1000) == first * 20, "and no storm of it is"
    assert (end.sessions, service.nonces) == (1, 1)


def test_hello_again_leaves_the_session_as_it_is(end: Listener, service: MemoryService) -> None:
    opened(end)
    end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 512)))
    assert read(end.pump())
    end.receive(hello())
    end.receive(wire(codec.Credit(5, 512, 0, b""), tag=2))
    [(_, message)] = read(end.pump())
    assert isinstance(message, codec.SyncEnd)


def test_a_storm_of_new_hellos_leaves_the_last_session(end: Listener, service: MemoryService) -> None:
    nonces = set()
    for at in range(1, 501):
        [(_, message)] = read(end.receive(hello(at.to_bytes(8, "big"), at)))
        assert isinstance(message, codec.HelloOk)
        nonces.add(message.device_nonce)
    assert end.sessions == len(nonces) == 500
    assert [bool(end.receive(wire(STATUS, session=at))) for at in (1, 499, 500)] == [False, False, True]


def test_a_new_hello_ends_the_sync(end: Listener, service: MemoryService) -> None:
    opened(end)
    end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 512)))
    end.receive(hello(b"another-", 7))
    assert end.pump() is None
    assert end.receive(wire(codec.Credit(5, 512, 1, b""))) == b"" and end.pump() is None


def test_a_hello_without_a_common_version(end: Listener) -> None:
    opened(end)
    for protos in ((0, 0), (2, 255)):
        [(frame, error)] = read(end.receive(hello(b"too new-", 7, protos=protos)))
        assert isinstance(error, codec.Error) and frame.session == 0
        assert (error.code, error.about, error.detail) == (Error.VERSION, codec.Hello.TYPE, 1)
    assert read(end.receive(wire(STATUS))), "the session before it goes on"
    assert read(end.receive(hello(b"wide----", 7, protos=(0, 255))))


@pytest.mark.parametrize(
    "unwanted",
    [
        hello(session=0),
        hello(max_body=518),
        framing.encode(codec.Hello.TYPE, 0, 0, 0, bytes(19)),
        framing.encode(codec.Hello.TYPE, 0, 0, 0, b""),
    ],
    ids=["session 0", "no room for a record", "short", "empty"],
)
def test_a_hello_that_gets_no_answer(end: Listener, unwanted: bytes) -> None:
    assert end.receive(unwanted) == b""
    assert end.sessions == 0


def test_nothing_is_answered_without_a_session(end: Listener) -> None:
    for session in (0, 1, SESSION):
        assert end.receive(wire(STATUS, session=session)) == b""
    assert end.stale == 3


def test_trap_02_a_frame_of_another_session_is_counted_and_ignored(end: Listener, service: MemoryService) -> None:
    opened(end)
    for session in (0, SESSION - 1, SESSION + 1):
        assert end.receive(wire(STATUS, session=session)) == b""
        assert end.receive(wire(codec.Bye(0), session=session)) == b""
    assert end.stale == 6 and service.served == []
    assert read(end.receive(wire(STATUS)))


def test_a_dock_ignores_frames_of_another_session() -> None:
    dock = opened_dock()
    tag = dock.request(codec.Ping(b"12345678"), 0.0)
    pong = codec.Pong(b"12345678", 0)
    assert dock.receive(wire(pong, tag, SESSION + 1) + wire(pong, tag, 0), 0.1) == []
    assert dock.stale == 2
    assert isinstance(answered(dock, pong, tag), codec.Pong)


def test_bye_ends_the_session(end: Listener) -> None:
    opened(end)
    assert end.receive(wire(codec.Bye(0))) == b""
    assert end.receive(wire(STATUS)) == b""


def test_a_request_is_carried_out_once_and_answered_each_time(end: Listener, service: MemoryService) -> None:
    opened(end)
    receipt = codec.Receipt(b"\0\0\0\3")
    first = end.receive(wire(receipt, tag=9))
    assert [end.receive(wire(receipt, tag=9)) for _ in range(5)] == [first] * 5
    assert service.served == ["Receipt"]
    end.receive(wire(receipt, tag=10))
    assert service.served == ["Receipt", "Receipt"]


def test_a_refusal_is_repeated_too(end: Listener, service: MemoryService) -> None:
    opened(end)
    commit = codec.ObjectCommit(ObjectKind.MANIFEST, 1)
    first = end.receive(wire(commit, tag=9))
    assert the_error(first).code == Error.BAD_RANGE
    assert end.receive(wire(commit, tag=9)) == first
    assert service.served == ["ObjectCommit"]


def test_a_late_piece_does_not_push_the_last_answer_out(end: Listener, service: MemoryService) -> None:
    """Else a commit whose answer got lost would be refused when it is asked for again."""
    opened(end)
    bundle = octets("object", 100)
    offer = codec.ObjectOffer(ObjectKind.MANIFEST, 1, 100, 100, hashlib.sha256(bundle).digest())
    end.receive(wire(offer, tag=1))
    piece = wire(codec.ObjectData(0, bundle), tag=2)
    end.receive(piece)
    commit = wire(codec.ObjectCommit(ObjectKind.MANIFEST, 1), tag=3)
    first = end.receive(commit)
    end.receive(piece)
    assert end.receive(commit) == first
    [(_, message)] = read(first)
    assert isinstance(message, codec.ObjectCommitOk)
    assert service.served.count("ObjectCommit") == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ((0x6F, 0, b""), Error.UNKNOWN_TYPE),
        ((0x04, 0, bytes(16)), Error.UNKNOWN_TYPE),
        ((0x10, 0, bytes(15)), Error.MALFORMED),
        ((0x10, 0, bytes(17)), Error.MALFORMED),
        ((0x33, 0, b"\xee\0\0\0\1"), Error.MALFORMED),
        ((0x10, 0x10, bytes(16)), Error.UNSUPPORTED_FLAG),
        ((0x02, 0x80, bytes(8)), Error.UNSUPPORTED_FLAG),
        ((0x03, 0x40, b"\0"), Error.UNSUPPORTED_FLAG),
    ],
)
def test_refusals_of_the_link(end: Listener, frame: tuple[int, int, bytes], code: int) -> None:
    type, flags, body = frame
    opened(end)
    [(head, error)] = read(end.receive(framing.encode(type, flags, SESSION, 77, body)))
    assert isinstance(error, codec.Error)
    assert (error.code, error.about, head.session, head.tag) == (code, type, SESSION, 77)
    assert read(end.receive(wire(STATUS, tag=78))), "and the session goes on"


def test_a_hello_with_a_flag_that_must_be_understood(end: Listener) -> None:
    [(frame, error)] = read(end.receive(framing.encode(codec.Hello.TYPE, 0x20, 0, 0, bytes(20))))
    assert isinstance(error, codec.Error) and frame.session == 0
    assert (error.code, end.sessions) == (Error.UNSUPPORTED_FLAG, 0)


def test_the_low_flags_may_be_ignored(end: Listener) -> None:
    opened(end)
    [(_, message)] = read(end.receive(wire(STATUS, flags=0x0F)))
    assert isinstance(message, codec.StatusOk)
    dock = opened_dock()
    tag = dock.request(STATUS, 0.0)
    assert dock.receive(wire(message, tag, flags=0x80), 0.0) == []
    assert isinstance(dock.receive(wire(message, tag, flags=0x0F), 0.0)[0], Answered)


def test_an_echo_of_the_terminal_is_not_answered(end: Listener, service: MemoryService) -> None:
    """Else a line that echoes, as a terminal line does before it is made raw, carries errors round for ever."""
    said = end.receive(hello())
    said += end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 512), tag=1))
    said += end.pump() or b""
    end.receive(wire(codec.Credit(5, 512, 0, b""), tag=2))
    said += end.pump() or b""
    said += end.receive(wire(codec.Ping(bytes(8)), tag=3))
    said += end.receive(framing.encode(0x6F, 0, SESSION, 4, b""))
    kinds = {type(message).__name__ for _, message in read(said)}
    assert kinds == {"HelloOk", "SyncOpenOk", "Data", "SyncEnd", "Pong", "Error"}
    assert end.receive(said) == b"" and end.pump() is None


class Echo:
    """What the dock writes arrives, and comes back to it as well."""

    def __init__(self) -> None:
        self.link: VirtualLink | None = None

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        assert self.link is not None
        link = self.link
        link.at(LATENCY / 2, lambda: link.at_dock(data))
        yield LATENCY, data


def test_a_dock_works_on_a_line_that_echoes(service: MemoryService) -> None:
    """The echo of a request has the tag of what is pending, and comes before its answer."""
    dock = opened_dock()
    dock.request(STATUS, 0.0)
    assert dock.receive(dock.outgoing(), 0.1) == []
    echo = Echo()
    link = echo.link = VirtualLink(service, down=echo, object=octets("object", 5000))
    link.run()
    assert link.sessions == 1 and link.installed and link.rewinds == 0


def test_hello_is_said_five_times_then_given_up() -> None:
    dock = DockEnd(b"12345678", SESSION)
    assert dock.deadline() is None
    dock.start(10.0)
    said = {10.0: dock.outgoing()}
    events: list[object] = []
    while (deadline := dock.deadline()) is not None:
        events += dock.tick(deadline)
        said[deadline] = dock.outgoing()
    assert list(said) == [10.0, 10.15, 10.5, 11.5, 13.5, 14.5]
    hellos = list(said.values())
    assert hellos[5] == b"" and set(hellos[:5]) == {hellos[0]}
    assert hellos[0].startswith(b"\0")
    [(frame, message)] = read(hellos[0])
    assert isinstance(message, codec.Hello) and (frame.session, message.session) == (0, SESSION)
    assert [event.waiting_for for event in events if isinstance(event, Lost)] == ["Hello"]
    assert dock.receive(wire(hello_ok(b"12345678"), tag=0), 13.0) == [], "too late"


def test_a_dock_opens_with_its_own_nonce_only() -> None:
    dock = DockEnd(b"12345678", SESSION)
    dock.start(0.0)
    assert dock.receive(wire(hello_ok(b"87654321")), 0.1) == []
    assert dock.receive(wire(hello_ok(b"12345678"), session=SESSION + 1), 0.1) == []
    assert dock.receive(wire(codec.Pong(bytes(8), 0)), 0.1) == []
    assert isinstance(dock.receive(wire(hello_ok(b"12345678")), 0.1)[0], Opened)
    assert dock.receive(wire(hello_ok(b"12345678")) * 3, 0.2) == [], "it is open once"


@pytest.mark.parametrize("max_body", [0, 4, 5, 518])
def test_a_terminal_that_takes_next_to_nothing_is_not_opened(max_body: int) -> None:
    """A piece of an object would be empty for ever."""
    dock = DockEnd(b"12345678", SESSION)
    dock.start(0.0)
    assert dock.receive(wire(hello_ok(b"12345678", max_body=max_body)), 0.1) == []


def test_a_refused_hello_ends_it() -> None:
    dock = DockEnd(b"12345678", SESSION)
    dock.start(0.0)
    [event] = dock.receive(wire(codec.Error(Error.VERSION, codec.Hello.TYPE, 3, 0), tag=0, session=0), 0.1)
    assert isinstance(event, Refused) and event.error.detail == 3
    assert dock.deadline() is None and dock.tick(99.0) == []


def test_a_request_is_repeated_four_times_twice_as_late_each_time() -> None:
    dock = opened_dock()
    dock.request(STATUS, 0.0)
    said = [(0.0, dock.outgoing())]
    events: list[object] = []
    while (deadline := dock.deadline()) is not None:
        events += dock.tick(deadline)
        said.append((deadline, dock.outgoing()))
    assert [at for at, _ in said] == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert len({data for _, data in said[:4]}) == 1 and said[4][1] == b""
    assert [event.waiting_for for event in events if isinstance(event, Lost)] == ["Status"]


@pytest.mark.parametrize(("trip", "wait"), [(0.001, 0.25), (0.1, 0.4), (2.0, 3.0)])
def test_the_wait_follows_the_trip(trip: float, wait: float) -> None:
    dock = opened_dock()
    for _ in range(40):
        tag = dock.request(STATUS, 0.0)
        dock.receive(wire(codec.Pong(bytes(8), 0), tag), trip)
    dock.request(STATUS, 100.0)
    deadline = dock.deadline()
    assert deadline is not None
    assert deadline - 100.0 == pytest.approx(wait)


def test_an_answer_to_a_repeated_request_says_nothing_of_the_trip() -> None:
    """Karn: it may answer the first or the second."""
    dock = opened_dock()
    tag = dock.request(STATUS, 0.0)
    dock.tick(1.0)
    dock.receive(wire(codec.Pong(bytes(8), 0), tag), 1.01)
    dock.request(STATUS, 100.0)
    assert dock.deadline() == 101.0


def test_an_answer_counts_once() -> None:
    dock = opened_dock()
    tag = dock.request(STATUS, 0.0)
    pong = wire(codec.Pong(bytes(8), 0), tag)
    assert len(dock.receive(pong * 4 + wire(codec.Pong(bytes(8), 0), tag + 1), 0.1)) == 1
    assert dock.stale == 4


def test_trap_09_tags_of_a_dock_go_round_without_zero() -> None:
    dock = opened_dock()
    dock._tag = 65533
    tags = [dock.request(STATUS, 0.0) for _ in range(5)]
    assert tags == [65534, 65535, 1, 2, 3]
    assert [frame.tag for frame, _ in read(dock.outgoing())] == tags
    assert all(answered(dock, codec.Pong(bytes(8), 0), tag) for tag in reversed(tags))


def test_a_closed_dock_is_deaf_and_says_bye() -> None:
    dock = opened_dock()
    tag = dock.request(STATUS, 0.0)
    dock.outgoing()
    dock.close()
    [(_, message)] = read(dock.outgoing())
    assert isinstance(message, codec.Bye)
    assert dock.receive(wire(codec.Pong(bytes(8), 0), tag), 0.1) == [] and dock.tick(50.0) == []
