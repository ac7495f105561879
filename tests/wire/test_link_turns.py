"""Who speaks when: answers before what they open, late words about what is over, silence that is not death."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from memory_service import MemoryService
from spoken import SESSION, Listener, answered, opened, opened_dock, read, the_error, wire
from virtual_link import Clean, VirtualLink, frames_of

from plomba.sim.interpreter import interpreter
from plomba_wire import codec, framing
from plomba_wire.dock_end import Announced, Lost, Records, Refused
from plomba_wire.terminal_end import BAUD_MS, Refusal
from plomba_wire.vocabulary import Error, Feature, ObjectKind

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def said_first(mode: str) -> list[str]:
    path = [ROOT / "protocol", ROOT / "firmware", ROOT / "firmware" / "lib", HERE, ".frozen"]
    done = subprocess.run(
        [str(interpreter()), "-X", "heapsize=1024wk", str(HERE / "serial_order_mpy.py"), mode],
        env={**os.environ, "MICROPYPATH": ":".join(map(str, path))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def test_no_record_overtakes_the_answer_that_opens_the_sync() -> None:
    """A scan is signed while SyncOpen lies in the UART: seen with the lock taken only after the request was served."""
    said = said_first("sync")
    order = [word.split("@")[0] for word in said]
    assert order.index("SyncOpenOk") < order.index("Data"), said


def test_the_answer_to_baud_goes_out_at_the_old_rate_and_nothing_behind_it() -> None:
    said = said_first("baud")
    assert "BaudOk@115200" in said
    assert said[said.index("BaudOk@115200") + 1] == "rate=921600", said


def test_a_hello_does_not_wait_for_a_whole_window() -> None:
    """64 KB at 115,200 baud are six seconds."""
    order = [word.split("@")[0] for word in said_first("hello")]
    assert order.index("HelloOk") <= 3 and "SyncEnd" not in order, order


class LosingTheFirstError(Clean):
    """The line loses one Error."""

    lost = False

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        for piece in frames_of(data):
            [frame] = framing.Deframer().feed(piece) or [None]
            if frame is not None and frame.type == codec.Error.TYPE and not self.lost:
                self.lost = True
                continue
            yield from super().carry(piece)


class Unreadable(MemoryService):
    def record(self, seq: int) -> bytes:
        if seq == 20:
            raise Refusal(Error.STORAGE_FAULT, seq)
        return super().record(seq)


def test_an_error_about_a_record_that_the_line_lost_is_said_again() -> None:
    """Else the dock would take a flash fault for a dead cable."""
    link = VirtualLink(Unreadable(40, 200), up=LosingTheFirstError())
    heard: list[object] = []
    over = link._over

    def once() -> None:
        heard.append((link.lost[-1], link.now))
        link.done = True

    link._over = once  # type: ignore[method-assign]
    link.run()
    assert over is not None and len(link.durable) == 19
    [(what, when)] = heard  # type: ignore[misc]
    assert what == f"refused {Error.STORAGE_FAULT}" and when < 1.5


def test_a_late_error_about_one_object_does_not_refuse_the_next() -> None:
    """The terminal verified for longer than the dock waited, so it got the piece twice, and refused it twice."""
    dock = opened_dock()
    first = dock.push(ObjectKind.RULES, 1, b"A" * 700, 700, 0.0)
    dock.outgoing()
    dock.receive(wire(codec.ObjectOfferOk(0, 256), first), 0.005)
    [(once, _)] = read(dock.outgoing())
    dock.tick(0.3)
    [(twice, _)] = read(dock.outgoing())
    error = codec.Error(Error.BAD_SIGNATURE, codec.ObjectData.TYPE, 0, 0)
    [refused] = dock.receive(wire(error, once.tag), 0.9)
    assert isinstance(refused, Refused) and refused.tag == first
    second = dock.push(ObjectKind.MANIFEST, 9, b"B" * 3000, 700, 0.9)
    dock.outgoing()
    late = codec.Error(Error.BAD_RANGE, codec.ObjectData.TYPE, 0, 0)
    assert dock.receive(wire(late, twice.tag), 0.95) == []
    assert dock.receive(wire(codec.ObjectCredit(700, 256), twice.tag), 0.95) == []
    assert dock.outgoing() == b"", "nothing of the second before the terminal has said where to go on"
    dock.receive(wire(codec.ObjectOfferOk(0, 256), second), 1.0)
    assert read(dock.outgoing())


def patience(dock_does: str) -> float:
    """How long a good link may be silent before it is given up, s."""
    dock = opened_dock()
    for _ in range(20):
        answered(dock, codec.Pong(bytes(8), 0), dock.request(codec.Ping(bytes(8)), 0.0), 0.005)
    dock.outgoing()
    if dock_does == "push":
        tag = dock.push(ObjectKind.RULES, 1, bytes(700), 700, 1.0)
        dock.receive(wire(codec.ObjectOfferOk(0, 256), tag), 1.0)
    elif dock_does == "pull":
        answered(dock, codec.SyncOpenOk(1, 5), dock.sync(1, 1, bytes(32), 1.0), 1.0)
    else:
        dock.request(STATUS, 1.0)
    events: list[object] = []
    deadline = None
    while (due := dock.deadline()) is not None:
        deadline = due
        events += dock.tick(due)
    assert deadline is not None and [type(event) for event in events] == [Lost]
    return deadline - 1.0


STATUS = codec.Status(bytes(16))


@pytest.mark.parametrize("dock_does", ["request", "push", "pull"])
def test_a_terminal_that_thinks_for_three_seconds_is_not_dead(dock_does: str) -> None:
    """Verifying and signing take it that long, whatever the dock waits for."""
    assert patience(dock_does) > 3.5


def test_what_says_nothing_new_is_no_sign_of_life() -> None:
    """Else records that are always the same ones would keep a sync open for ever."""
    service = MemoryService(4)
    dock = opened_dock()
    answered(dock, codec.SyncOpenOk(1, 5), dock.sync(1, 1, service.digests[0], 0.0))
    same = wire(codec.Data(1, 1, service.records[0]))
    [event] = dock.receive(same, 0.1)
    assert isinstance(event, Records)
    dock.credit(2, 0.1)
    now, events = 0.1, []
    while not events and now < 60:
        now += 0.05
        assert dock.receive(same, now) == []
        events = dock.tick(now)
    assert [type(event) for event in events] == [Lost] and now < 40


def test_a_repeated_request_does_not_keep_a_rate_that_nobody_has_heard() -> None:
    end = opened(Listener(MemoryService(4)), features=Feature.BAUD)
    asked = wire(codec.Baud(921600), tag=7)
    end.receive(asked + asked)
    end.tick(end.now + BAUD_MS)
    assert end.baud == 0


def test_a_small_window_does_not_stall() -> None:
    """A short record waits for its credit, a long one for room: window 640 stalled while the two ends counted apart."""
    for window in range(528, 1400, 16):
        service = MemoryService()
        for number in range(60):
            service.add((120, 500)[number % 2])
        link = VirtualLink(service, window=window, max_body=519)
        link.run()
        assert link.rewinds == 0, window


def test_an_announcement_in_the_middle_of_a_pull_is_kept() -> None:
    service = MemoryService(4)
    dock = opened_dock(features=Feature.LIVE)
    answered(dock, codec.SyncOpenOk(1, 5), dock.sync(1, 1, service.digests[0], 0.0))
    events: Iterable[object] = dock.receive(wire(codec.Announce(9), tag=0), 0.1)
    assert [type(event) for event in events] == [Announced]


def test_a_tag_is_remembered_with_its_request() -> None:
    """Another request under the same tag is another request."""
    end = opened(Listener(MemoryService(4)))
    assert read(end.receive(wire(codec.Ping(bytes(8)), tag=9)))
    assert the_error(end.receive(framing.encode(0x6F, 0, SESSION, 9, b""))).code == Error.UNKNOWN_TYPE
