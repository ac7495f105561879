"""What the clock does at both ends: rates that are tried and given up, silence, storms, announcements, growth."""

from __future__ import annotations

import pytest
from memory_service import MemoryService
from spoken import SESSION, Listener, answered, hello, hello_ok, opened, opened_dock, read, the_error, wire

from plomba_wire import codec, framing, states, tlv
from plomba_wire.dock_end import Announced, DockEnd, LocalProtocolError, Lost
from plomba_wire.terminal_end import BAUD_MS, BAUD_SILENCE_MS, PARTIAL_MS, SAYS_A_SECOND, SILENCE_MS
from plomba_wire.vocabulary import Error, Feature

PING = codec.Ping(bytes(8))


@pytest.fixture
def end() -> Listener:
    return opened(Listener(MemoryService(4)), features=Feature.LIVE | Feature.BAUD)


def test_the_tables_name_messages_and_states_that_exist() -> None:
    words = {"start", "close", "silence", "fault"} | {layout.__name__ for layout in codec.MESSAGES.values()}
    for table in (states.TERMINAL, states.DOCK):
        for row in table.values():
            assert set(row) <= words and set(row.values()) <= set(table)
    taken = {word for table in (states.TERMINAL, states.DOCK) for row in table.values() for word in row}
    assert {layout.__name__ for layout in codec.MESSAGES.values()} <= taken, "a message nobody ever takes"


@pytest.mark.parametrize("state", states.TERMINAL)
def test_a_terminal_takes_what_its_table_says(state: str) -> None:
    """And nothing else: whatever is in it, what a state does not take changes nothing and is not answered."""
    for layout in codec.MESSAGES.values():
        service = MemoryService(4)
        end = Listener(service) if state == "closed" else opened(Listener(service))
        if state == "syncing":
            end.receive(wire(codec.SyncOpen(1, 1, service.digests[0], 512)))
            end.pump()
        assert end.state == state
        if layout is codec.Hello:
            continue
        stale, served = end.stale, list(service.served)
        said = end.receive(framing.encode(layout.TYPE, 0, SESSION, 9, bytes(layout.SIZE or 4)))
        taken = layout.__name__ in states.TERMINAL[state]
        assert (end.stale == stale) == taken, layout.__name__
        assert taken or (said == b"" and service.served == served), layout.__name__


@pytest.mark.parametrize("state", ["calling", "open", "syncing", "over"])
def test_a_dock_takes_what_its_table_says(state: str) -> None:
    for layout in codec.MESSAGES.values():
        service = MemoryService(4)
        dock = DockEnd(b"12345678", SESSION)
        dock.start(0.0)
        if state != "calling":
            dock.receive(wire(hello_ok(b"12345678"), tag=0), 0.0)
        if state == "syncing":
            answered(dock, codec.SyncOpenOk(1, 5), dock.sync(1, 1, service.digests[0], 0.0))
        if state == "over":
            dock.close()
        assert dock.state == state
        taken = layout.__name__ in states.DOCK[state]
        # An answer nobody waits for is stale too, where it is taken at all.
        if not taken:
            assert dock.receive(framing.encode(layout.TYPE, 0, SESSION, 9, bytes(layout.SIZE)), 0.1) == []
            assert dock.state == state


def test_a_request_outside_a_session_is_our_own_fault() -> None:
    dock = DockEnd(b"12345678", SESSION)
    for _ in range(2):
        with pytest.raises(LocalProtocolError):
            dock.request(PING, 0.0)
        dock.close()
    assert dock.outgoing() == b""


def test_a_rate_is_changed_behind_its_answer_and_kept_by_a_good_frame(end: Listener) -> None:
    [(_, answer)] = read(end.receive(wire(codec.Baud(921600), tag=7)))
    assert isinstance(answer, codec.BaudOk) and answer.baud == end.baud == 921600
    assert end.deadline() == end.now + BAUD_MS
    assert read(end.receive(wire(PING, tag=8)))
    end.tick(end.now + BAUD_MS)
    assert end.baud == 921600


def test_a_rate_that_does_not_carry_is_given_up(end: Listener) -> None:
    end.receive(wire(codec.Baud(460800), tag=7))
    end.receive(wire(PING, tag=8))
    end.receive(wire(codec.Baud(921600), tag=9))
    end.receive(b"\x55\xaa" * 200 + b"\0")
    end.tick(end.now + BAUD_MS - 61)
    assert end.baud == 921600
    end.tick(end.now + BAUD_MS)
    assert end.baud == 460800


def test_the_request_comes_again_when_its_answer_got_lost(end: Listener) -> None:
    end.receive(wire(codec.Baud(921600), tag=7))
    end.tick(end.now + BAUD_MS)
    assert end.baud == 0
    [(_, answer)] = read(end.receive(wire(codec.Baud(921600), tag=7)))
    assert isinstance(answer, codec.BaudOk) and end.baud == 921600


def test_a_rate_nobody_uses_any_more_is_given_up(end: Listener) -> None:
    """The next dock begins at the first rate."""
    end.receive(wire(codec.Baud(921600), tag=7))
    end.receive(wire(PING, tag=8))
    assert end.deadline() == end.now + BAUD_SILENCE_MS
    end.tick(end.now + BAUD_SILENCE_MS)
    assert end.baud == 0
    end.receive(wire(codec.Baud(921600), tag=9))
    end.receive(wire(codec.Bye(0)))
    assert end.baud == 0


def test_a_rate_it_does_not_have(end: Listener) -> None:
    error = the_error(end.receive(wire(codec.Baud(1000000), tag=7)))
    assert (error.code, error.detail, end.baud) == (Error.BAD_RANGE, 921600, 0)


def test_a_session_without_a_frame_for_a_minute_is_over(end: Listener) -> None:
    assert end.deadline() == end.now + SILENCE_MS
    end.tick(end.now + SILENCE_MS - 1)
    assert read(end.receive(wire(PING, tag=8)))
    end.tick(end.now + SILENCE_MS)
    assert end.state == "closed" and end.receive(wire(PING, tag=9)) == b""


def test_a_frame_that_does_not_end_is_dropped(end: Listener) -> None:
    ping = wire(PING, tag=8)
    assert end.receive(ping[:9], 10_000) == b""
    assert end.receive(ping, 10_000 + PARTIAL_MS) and end.bad == 1
    assert end.receive(ping[:9], 20_000) == b""
    assert end.receive(ping[9:], 20_000 + PARTIAL_MS - 1), "a slow line is no broken one"


def test_trap_03_no_storm_of_errors(end: Listener) -> None:
    """NAK storms are real (bellows #699): whatever comes in a second, no more than 20 errors go out."""
    storm = b"".join(framing.encode(0x6F, 0, SESSION, tag, b"") for tag in range(1, 1001))
    said = [len(read(end.receive(storm, 10_000 + ms))) for ms in (0, 300, 999, 1000, 1999)]
    assert said == [SAYS_A_SECOND, 0, 0, SAYS_A_SECOND, 0]
    assert end.errors == 2 * SAYS_A_SECOND and end.muted == 5 * 1000 - end.errors
    assert read(end.receive(wire(PING, tag=2000), 12_500)), "and the session goes on"


def test_trap_03_no_storm_of_hellos(end: Listener) -> None:
    for say in (lambda n: hello(), lambda n: hello(n.to_bytes(8, "big"), n)):
        storm = b"".join(say(number) for number in range(1, 501))
        begin = end.now + 5000
        assert len(read(end.receive(storm, begin))) == SAYS_A_SECOND
        assert end.receive(storm[:2000], begin + 999) == b""


def test_a_record_is_announced_once(end: Listener) -> None:
    service = end._service
    assert end.pump() is None
    service.add(200)
    service.add(200)
    [(frame, message)] = read(end.pump())
    assert isinstance(message, codec.Announce) and message.next_seq == 7 and frame.session == SESSION
    assert end.pump() is None


def test_nothing_is_announced_to_who_did_not_ask_or_is_gone(end: Listener) -> None:
    service = MemoryService(4)
    plain = opened(Listener(service))
    service.add(200)
    assert plain.pump() is None
    end.receive(wire(codec.Bye(0)))
    end._service.add(200)
    assert end.pump() is None


def test_a_dock_hears_of_records_by_announcement_or_by_ping() -> None:
    dock = opened_dock(features=Feature.LIVE)
    [event] = dock.receive(wire(codec.Announce(9), tag=0), 0.1)
    assert isinstance(event, Announced) and event.next_seq == 9
    assert dock.receive(wire(codec.Announce(9), tag=0) * 3, 0.2) == []
    dock.idle = 10.0
    assert dock.deadline() == pytest.approx(10.2)
    assert dock.tick(10.2) == []
    [(frame, ping)] = read(dock.outgoing())
    assert isinstance(ping, codec.Ping)
    events = dock.receive(wire(codec.Pong(ping.nonce, 11), frame.tag), 10.3)
    assert [event.next_seq for event in events if isinstance(event, Announced)] == [11]
    assert dock.deadline() == pytest.approx(20.3)


def test_trap_24_a_laptop_that_slept_for_an_hour() -> None:
    """The timers are all overdue at once: requests go again, and what is dead is given up in order, not in a burst."""
    dock = opened_dock()
    dock.idle = 10.0
    dock.request(PING, 1.0)
    dock.outgoing()
    assert dock.tick(3601.0) == []
    assert len(read(dock.outgoing())) == 1, "once, not once for each second slept"
    events: list[object] = []
    while (deadline := dock.deadline()) is not None:
        events += dock.tick(deadline)
    assert [event.waiting_for for event in events if isinstance(event, Lost)] == ["Ping"]


def test_growth_that_must_be_understood_refuses_the_session() -> None:
    end = Listener(MemoryService())
    assert read(end.receive(hello(growth=tlv.pack({0x7F: b"later"}))))
    [(frame, error)] = read(end.receive(hello(b"another-", 7, growth=tlv.pack({0x80: b""}))))
    assert isinstance(error, codec.Error) and (error.code, frame.session) == (Error.UNSUPPORTED_FLAG, 0)
    assert end.receive(hello(b"broken--", 7, growth=b"\1\0\5x")) == b"" and end.bad == 1
    dock = DockEnd(b"12345678", SESSION)
    dock.start(0.0)
    for growth in (tlv.pack({0x80: b""}), b"\1\0\5x"):
        assert dock.receive(wire(hello_ok(b"12345678", growth=growth), tag=0), 0.1) == []
    assert dock.receive(wire(hello_ok(b"12345678", growth=tlv.pack({0x7F: b""})), tag=0), 0.1)


def test_features_are_what_both_have() -> None:
    service = MemoryService()
    service.features = Feature.LIVE
    end = Listener(service)
    [(_, answer)] = read(end.receive(hello(features=0xFFFFFFFF)))
    assert isinstance(answer, codec.HelloOk) and answer.features == Feature.LIVE
    assert opened_dock(features=0xFFFFFFFF).features == Feature.SACK | Feature.LIVE | Feature.BAUD
