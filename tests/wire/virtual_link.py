"""A dock's end and a terminal's end on one line, in virtual time: nothing sleeps, the same seed gives the same run.

The dock wants what a dock wants: every record on its disk, a receipt given, an object installed. It begins a new
session when one is lost.
"""

from __future__ import annotations

import heapq
import itertools
import struct
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Protocol

from memory_service import EPOCH, PUBLIC, MemoryService, octets

from plomba_wire import chain, codec, framing
from plomba_wire.dock_end import FEATURES, Answered, DockEnd, Lost, Opened, Records, Refused, Synced
from plomba_wire.terminal_end import WINDOW, TerminalEnd
from plomba_wire.vocabulary import Feature, ObjectKind

LATENCY = 0.004
VERSION = 9
"""Of the object that is pushed."""


class Wire(Protocol):
    """One direction of the line."""

    def carry(self, data: bytes) -> Iterable[tuple[float, bytes]]:
        """What arrives for `data`: seconds on the way, bytes."""
        ...


class Clean:
    """Everything arrives, `latency` seconds later. `carried` is all that was written."""

    def __init__(self, latency: float = LATENCY) -> None:
        self.carried = b""
        self.latency = latency

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        self.carried += data
        yield self.latency, data


class OneByte:
    """One byte, counted from the first that was ever written, is dropped, flipped, doubled or swapped with the next."""

    def __init__(self, at: int, damage: str) -> None:
        self._left = at
        self._damage = damage

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        at, self._left = self._left, self._left - len(data)
        if 0 <= at < len(data):
            one, next = data[at : at + 1], data[at + 1 : at + 2]
            new = {"drop": next, "flip": bytes((one[0] ^ 0x10,)) + next, "double": one + one + next, "swap": next + one}
            data = data[:at] + new[self._damage] + data[at + 2 :]
        yield LATENCY, data


class Rough:
    """Frames are lost, doubled, damaged, or late `by` up to so many seconds: out of order. Chances from 0 to 1."""

    def __init__(
        self, random: Random, *, loss: float = 0, double: float = 0, late: float = 0, by: float = 0.05, noise: float = 0
    ) -> None:
        self.lost = 0
        self._random = random
        self._loss, self._double, self._late, self._by, self._noise = loss, double, late, by, noise

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        chance = self._random.random
        for frame in frames_of(data):
            if chance() < self._loss:
                self.lost += 1
                continue
            if chance() < self._noise:
                at = self._random.randrange(len(frame))
                frame = frame[:at] + self._random.randbytes(1) + frame[at + 1 :]
            for _ in range(1 + (chance() < self._double)):
                yield LATENCY + (self._by * chance() if chance() < self._late else 0), frame


class Losing(Clean):
    """Loses the frames with these numbers, counted from 0."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self._numbers = numbers
        self._count = 0

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        for frame in frames_of(data):
            if frame != b"\0":
                self._count += 1
                if self._count - 1 in self._numbers:
                    continue
            yield from super().carry(frame)


class Cut:
    """Everything arrives up to a byte, and nothing behind it until it is mended."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._mended = False

    def mend(self) -> None:
        self._mended = True

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        left, self._left = self._left, max(0, self._left - len(data))
        yield LATENCY, data if self._mended else data[:left]


def frames_of(data: bytes) -> list[bytes]:
    """The pieces of a write, each with its delimiter."""
    pieces = data.split(b"\0")
    return [piece + b"\0" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


class Tap:
    """Reads along on one direction, before anything is damaged."""

    def __init__(self) -> None:
        self.messages: list[tuple[framing.Frame, codec.Layout]] = []
        self._deframer = framing.Deframer()

    def hear(self, data: bytes) -> list[tuple[framing.Frame, codec.Layout]]:
        heard = [(frame, codec.MESSAGES[frame.type].unpack(frame.body)) for frame in self._deframer.feed(data)]
        self.messages += heard
        return heard

    def count(self, kind: type[codec.Layout]) -> int:
        return sum(isinstance(message, kind) for _, message in self.messages)


class VirtualLink:
    """`now` is the clock. What arrived is durable `disk` seconds later; `object` is pushed down, if there is one.

    While it runs it holds the ends to the rules that stand whatever the line does: records come once and in order, a
    credit is for what is on the disk, a window is not overrun, a sync ends when everything is durable.
    """

    def __init__(
        self,
        service: MemoryService,
        *,
        down: Wire | None = None,
        up: Wire | None = None,
        disk: float = 0.0,
        object: bytes = b"",
        max_body: int = 2000,
        window: int = 8192,
        features: int = FEATURES,
    ) -> None:
        self.now = 0.0
        self.service = service
        self.down: Wire = down or Clean()
        self.up: Wire = up or Clean()
        self.said, self.answered = Tap(), Tap()
        self._taken, self._heard = Tap(), Tap()
        self.terminal = TerminalEnd(service, max_body)
        self.durable: list[tuple[bytes, bytes]] = []
        self.given = 0
        self.installed = False
        self.done = False
        self.sessions = 0
        self.rewinds = 0
        self.stale = 0
        self.lost: list[str] = []
        self._disk, self._object = disk, object
        self._max_body, self._window, self._features = max_body, window, features
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._flying_up: list[tuple[int, int]] = []
        self._flying_down: list[tuple[int, int]] = []
        self._arrived = 0

    def connect(self) -> None:
        """A new session."""
        self.sessions += 1
        nonce = octets(f"dock {self.sessions}", 8)
        self.dock = DockEnd(nonce, self.sessions, self._max_body, self._window, self._features)
        self._flying_up, self._flying_down = [], []
        self.dock.start(self.now)
        self.send()

    def restart_terminal(self) -> None:
        """What is in its journal stays, the session does not."""
        self.terminal = TerminalEnd(self.service, self._max_body)

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Does it that much later."""
        heapq.heappush(self._agenda, (self.now + seconds, next(self._order), action))

    def run(self, until: float = 600.0, sessions: int = 40) -> None:
        """Until the dock has what it wants. Fails when it has not by then, or needs more sessions."""
        if not self.sessions:
            self.connect()
        while not self.done:
            deadline = self.dock.deadline()
            due = self._agenda[0][0] if self._agenda else None
            if due is not None and (deadline is None or due <= deadline):
                self.now, _, action = heapq.heappop(self._agenda)
                action()
            else:
                assert deadline is not None and deadline != float("inf"), "nothing will ever happen again"
                self.now = max(self.now, deadline)
                self.heed(self.dock.tick(self.now))
            assert self.now < until and self.sessions <= sessions, (self.now, self.sessions, self.lost[-3:])

    def send(self) -> None:
        """Puts on the line what the dock has to say."""
        data = self.dock.outgoing()
        if not data:
            return
        for frame, message in self.said.hear(data):
            self._watch_dock(frame, message)
        for delay, part in self.down.carry(data):
            self.at(delay, lambda part=part: self._at_terminal(part))  # type: ignore[misc]

    def heed(self, events: Iterable[object]) -> None:
        """What the dock does about what happened."""
        for event in events:
            if isinstance(event, Opened):
                self.dock.request(codec.Status(bytes(16)), self.now)
            elif isinstance(event, Answered):
                self._answered(event.message)
            elif isinstance(event, Records):
                assert event.first_seq == self._arrived + 1, "records out of order"
                self._arrived += len(event.records)
                dock = self.dock
                self.at(self._disk, lambda dock=dock, event=event: self._commit(dock, event))  # type: ignore[misc]
            elif isinstance(event, Synced):
                self._synced(event)
            elif isinstance(event, Refused):
                self.lost.append(f"refused {event.error.code}")
                self._over()
            elif isinstance(event, Lost):
                self.lost.append(event.waiting_for)
                self._over()
        self.send()

    def _over(self) -> None:
        self.rewinds += self.dock.rewinds
        self.stale += self.dock.stale
        self.connect()

    def _answered(self, message: object) -> None:
        if isinstance(message, codec.StatusOk):
            self.installed = self.installed or message.manifest == VERSION
            head = chain.genesis(PUBLIC, EPOCH)
            for body, _ in self.durable:
                head = chain.step(head, body)
            self._arrived = len(self.durable)
            self.dock.sync(EPOCH, self._arrived + 1, head, self.now)
        elif isinstance(message, codec.ReceiptOk):
            self.given = message.receipted_seq
            if self._object and not self.installed:
                self.dock.push(ObjectKind.MANIFEST, VERSION, self._object, len(self._object), self.now)
            else:
                self._close()
        elif isinstance(message, codec.ObjectCommitOk):
            assert message.version == VERSION
            self.installed = True
            self._close()

    def _synced(self, event: Synced) -> None:
        # Credit says durable, so the end of a sync says that everything is.
        assert event.next_seq == len(self.durable) + 1, "an end before everything is durable"
        assert event.head == self.service.digests[event.next_seq - 1]
        self.dock.request(codec.Receipt(struct.pack(">I", len(self.durable))), self.now)

    def _close(self) -> None:
        self.rewinds += self.dock.rewinds
        self.stale += self.dock.stale
        self.dock.close()
        self.send()
        self.done = True

    def _commit(self, dock: DockEnd, event: Records) -> None:
        """What arrived before the session ended gets to the disk all the same."""
        end = event.first_seq + len(event.records)
        self.durable += event.records[len(self.durable) + 1 - event.first_seq :]
        if dock is self.dock:
            dock.credit(end, self.now)
            self.send()

    def _at_terminal(self, data: bytes) -> None:
        """The loop of the firmware: bytes, the answer, then frames until there is none."""
        for frame, message in self._taken.hear(data):
            self._credited(frame, message)
        out = self.terminal.receive(data, int(self.now * 1000)) or self.terminal.pump()
        while out:
            for frame, message in self.answered.hear(out):
                self._watch_terminal(frame, message)
            for delay, part in self.up.carry(out):
                self.at(delay, lambda part=part: self.at_dock(part))  # type: ignore[misc]
            out = self.terminal.pump()

    def at_dock(self, data: bytes) -> None:
        for frame, message in self._heard.hear(data):
            self._credited(frame, message)
        self.heed(self.dock.receive(data, self.now))

    def _watch_dock(self, frame: framing.Frame, message: codec.Layout) -> None:
        if isinstance(message, codec.Credit):
            assert message.next_seq <= len(self.durable) + 1, "a credit for what is not durable"
        if isinstance(message, codec.ObjectData):
            self._flying_down = [flying for flying in self._flying_down if flying[0] <= message.offset]
            self._flying_down.append((message.offset + len(message.piece), frame.size))
            flying = sum(size for _, size in self._flying_down)
            assert flying <= WINDOW or len(self._flying_down) == 1, "the terminal's window is overrun"

    def _watch_terminal(self, frame: framing.Frame, message: codec.Layout) -> None:
        # What goes again takes the place that it had before it got lost.
        if isinstance(message, codec.Data) and not (frame.flags & 1 and self.dock.features & Feature.SACK):
            self._flying_up.append((message.first_seq + message.count, frame.size))
            flying = sum(size for _, size in self._flying_up)
            assert flying <= self._window or len(self._flying_up) == 1, "the dock's window is overrun"

    def _credited(self, frame: framing.Frame, message: codec.Layout) -> None:
        """What was in flight is credited, or counts as lost once the cursor goes back over it."""
        if frame.session != self.sessions:
            return
        if isinstance(message, codec.Credit):
            rows = [codec.AgainRow.read(message.again, at) for at in range(0, len(message.again), 5)]
            back = [row.first_seq for row in rows if not row.count]
            last = 0 if message.flags & 1 else min(back, default=1 << 32)
            self._flying_up = [fly for fly in self._flying_up if message.next_seq < fly[0] <= last]
        elif isinstance(message, codec.ObjectCredit):
            self._flying_down = [flying for flying in self._flying_down if flying[0] > message.offset]
