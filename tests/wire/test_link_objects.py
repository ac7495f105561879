"""The way of the objects: windows, lost pieces, transfers that go on in the next session, refusals."""

from __future__ import annotations

import hashlib

import pytest
from memory_service import MemoryService, octets
from spoken import Heard, Listener, opened, opened_dock, read, the_error, wire
from virtual_link import VERSION, Cut, Losing, VirtualLink

from plomba_wire import codec
from plomba_wire.dock_end import Answered, DockEnd, Lost, Refused
from plomba_wire.terminal_end import WINDOW
from plomba_wire.vocabulary import Error, ObjectKind

OBJECT = octets("object", 20000)


def pieces(heard: Heard) -> list[tuple[int, int]]:
    """Offset and length of each piece."""
    return [(message.offset, len(message.piece)) for _, message in heard if isinstance(message, codec.ObjectData)]


def pushing(size: int = 20000, *, offset: int = 0, window: int = WINDOW) -> tuple[DockEnd, int]:
    """A dock's end whose offer was just answered, and the tag of its push."""
    dock = opened_dock()
    tag = dock.push(ObjectKind.MANIFEST, VERSION, OBJECT[:size], size, 0.0)
    [(_, offer)] = read(dock.outgoing())
    assert isinstance(offer, codec.ObjectOffer)
    assert (offer.kind, offer.version, offer.size) == (ObjectKind.MANIFEST, VERSION, size)
    assert offer.sha256 == hashlib.sha256(OBJECT[:size]).digest()
    assert dock.receive(wire(codec.ObjectOfferOk(offset, window // 16), tag), 0.0) == []
    return dock, tag


@pytest.mark.parametrize("size", [1, 1995, 1996, 1997, 4096, 20000])
def test_an_object_arrives_and_is_installed_once(size: int) -> None:
    service = MemoryService(3)
    link = VirtualLink(service, object=OBJECT[:size])
    link.run()
    assert service.installed == {VERSION: OBJECT[:size]} and link.installed
    assert service.served.count("ObjectCommit") == 1
    sent = pieces(link.said.messages)
    assert sum(length for _, length in sent) == size and sent == sorted(sent)


def test_no_more_pieces_than_the_window() -> None:
    dock, _ = pushing()
    sent = read(dock.outgoing())
    sizes = [frame.size for frame, _ in sent]
    assert sum(sizes) <= WINDOW < sum(sizes) + sizes[0]
    dock.receive(wire(codec.ObjectCredit(1996, WINDOW // 16)), 0.1)
    assert pieces(read(dock.outgoing())) == [(2 * 1996, 1996)]


@pytest.mark.parametrize("window", [0, 16, 1024])
def test_one_piece_at_a_time_through_a_small_window(window: int) -> None:
    dock, _ = pushing(5000, window=window)
    sent = pieces(read(dock.outgoing()))
    for offset in (1996, 3992):
        dock.receive(wire(codec.ObjectCredit(offset, window // 16)), 0.1)
        sent += pieces(read(dock.outgoing()))
    assert sent == [(0, 1996), (1996, 1996), (3992, 1008)]


@pytest.mark.parametrize("offset", [20000, 20001, 0xFFFFFFFF])
def test_nothing_is_sent_that_the_terminal_has(offset: int) -> None:
    dock, _ = pushing(offset=offset)
    [(_, message)] = read(dock.outgoing())
    assert isinstance(message, codec.ObjectCommit)


def test_a_credit_over_the_end_is_ignored() -> None:
    dock, _ = pushing()
    dock.outgoing()
    dock.receive(wire(codec.ObjectCredit(20001, WINDOW // 16)), 0.1)
    assert dock.outgoing() == b""


def test_commit_is_answered_under_the_tag_of_the_push() -> None:
    dock, tag = pushing(100)
    dock.outgoing()
    dock.receive(wire(codec.ObjectCredit(100, 256)) * 3, 0.1)
    [(frame, commit)] = read(dock.outgoing())
    assert isinstance(commit, codec.ObjectCommit) and frame.tag != tag
    [event] = dock.receive(wire(codec.ObjectCommitOk(VERSION, 7), frame.tag), 0.2)
    assert isinstance(event, Answered) and event.tag == tag
    assert dock.deadline() is None


@pytest.mark.parametrize("at_commit", [False, True])
def test_a_refusal_comes_under_the_tag_of_the_push(at_commit: bool) -> None:
    dock, tag = (pushing if at_commit else _offering)(100)
    refused = tag
    if at_commit:
        dock.outgoing()
        dock.receive(wire(codec.ObjectCredit(100, 256)), 0.1)
        [(frame, _)] = read(dock.outgoing())
        refused = frame.tag
    [event] = dock.receive(wire(codec.Error(Error.ROLLBACK, codec.ObjectOffer.TYPE, 9, 0), refused), 0.2)
    assert isinstance(event, Refused) and event.tag == tag
    assert dock.deadline() is None, "and the push is over"


def _offering(size: int) -> tuple[DockEnd, int]:
    dock = opened_dock()
    tag = dock.push(ObjectKind.MANIFEST, VERSION, OBJECT[:size], size, 0.0)
    dock.outgoing()
    return dock, tag


def test_a_terminal_refuses_what_is_older_or_not_what_was_offered() -> None:
    service = MemoryService()
    service.installed[5] = b""
    end = opened(Listener(service))
    offer = codec.ObjectOffer(ObjectKind.MANIFEST, 5, 4, 4, bytes(32))
    assert the_error(end.receive(wire(offer, tag=1))).code == Error.ROLLBACK
    offer.version = 6
    end.receive(wire(offer, tag=2))
    commit = codec.ObjectCommit(ObjectKind.MANIFEST, 6)
    assert the_error(end.receive(wire(commit, tag=3))).code == Error.BAD_RANGE
    [(_, credit)] = read(end.receive(wire(codec.ObjectData(0, b"four"), tag=4)))
    assert isinstance(credit, codec.ObjectCredit) and credit.offset == 4
    assert the_error(end.receive(wire(commit, tag=5))).code == Error.BAD_HASH


def test_pieces_with_the_same_tag_are_each_answered() -> None:
    """Late and doubled ones are told where to go on."""
    end = opened(Listener(MemoryService()))
    end.receive(wire(codec.ObjectOffer(ObjectKind.MANIFEST, 1, 8, 8, bytes(32)), tag=1))
    offsets = []
    for offset in (0, 0, 4, 4, 0, 99):
        [(_, credit)] = read(end.receive(wire(codec.ObjectData(offset, b"four"), tag=2)))
        assert isinstance(credit, codec.ObjectCredit)
        offsets.append(credit.offset)
    assert offsets == [4, 4, 8, 8, 8, 8]


def test_lost_pieces_are_sent_again() -> None:
    for number in range(10):
        service = MemoryService(1)
        link = VirtualLink(service, object=OBJECT, down=Losing(number))
        link.run()
        assert link.sessions == 1 and service.installed == {VERSION: OBJECT}, number


def test_a_silent_terminal_is_sent_the_same_pieces_then_given_up() -> None:
    dock, _ = pushing()
    first = pieces(read(dock.outgoing()))
    again = []
    while (deadline := dock.deadline()) is not None:
        events = dock.tick(deadline)
        again.append(pieces(read(dock.outgoing())))
    assert again == [first] * 4 + [[]]
    assert [event.waiting_for for event in events if isinstance(event, Lost)] == ["ObjectCredit"]


@pytest.mark.parametrize("after", range(600, 20000, 1900))
def test_a_broken_transfer_goes_on_where_it_stopped(after: int) -> None:
    service = MemoryService(1)
    cut = Cut(after)
    link = VirtualLink(service, object=OBJECT, down=cut)
    link.at(20.0, cut.mend)
    link.run()
    assert link.sessions > 1 and service.installed == {VERSION: OBJECT}
    offers = [message.offset for _, message in link.answered.messages if isinstance(message, codec.ObjectOfferOk)]
    assert offers == sorted(offers)
    assert after < 3000 or offers[-1] > 0, "it went on, it did not begin again"
    carried = sum(length for _, length in pieces(link.said.messages))
    assert carried <= len(OBJECT) + 5 * WINDOW, "what was in flight, said once and four times again"
