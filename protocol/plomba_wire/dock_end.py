"""The dock's end of the link: bytes and the clock in; events, bytes and the next deadline out. It owns every timer.

Times are seconds of any monotonic clock. Nothing here sleeps, reads or writes.
"""

import hashlib

from plomba_wire import codec, framing
from plomba_wire.in_flight import InFlight

PROTOCOL = 1
MAX_BODY = 2000
WINDOW = 8192
"""Bytes in flight allowed on the way up."""

_HELLO_AT = (0.0, 0.15, 0.5, 1.5)
_HELLO_PATIENCE = 2.5
_RTO_FIRST = 1.0
_RTO_MIN = 0.25
_RTO_MAX = 3.0
_TRIES = 4
_REWIND = 0x01
_MUST_UNDERSTAND = 0xF0
_BODY_LEAST = 519
"""A terminal that takes less than a record in a DATA body cannot be worked with; it asks the same of a dock."""


class Opened:
    """The session is open; `hello` is what the terminal said of itself."""

    def __init__(self, hello: codec.HelloOk) -> None:
        self.hello = hello


class Answered:
    """A request was answered."""

    def __init__(self, tag: int, message: "object") -> None:
        self.tag = tag
        self.message = message


class Refused:
    """A request was refused; `error.code` is one of vocabulary.Error."""

    def __init__(self, tag: int, error: codec.Error) -> None:
        self.tag = tag
        self.error = error


class Records:
    """Records in order, from `first_seq` on, each as body and signature. Credit them when they are durable."""

    def __init__(self, first_seq: int, records: "list[tuple[bytes, bytes]]") -> None:
        self.first_seq = first_seq
        self.records = records


class Synced:
    """Every record was sent and credited."""

    def __init__(self, next_seq: int, head: bytes) -> None:
        self.next_seq = next_seq
        self.head = head


class Lost:
    """The other end does not answer. The session is over."""

    def __init__(self, waiting_for: str) -> None:
        self.waiting_for = waiting_for


class DockEnd:
    """One session with one terminal. `nonce` (8 bytes) and `session` (1..65535) must be fresh and random."""

    def __init__(self, nonce: bytes, session: int, max_body: int = MAX_BODY, window: int = WINDOW) -> None:
        self.stale = 0
        self.rewinds = 0
        self.hello: codec.HelloOk | None = None
        self._nonce = nonce
        self._session = session
        self._limit = max_body
        self._window = window
        self._deframer = framing.Deframer()
        self._out: list[bytes] = []
        self._began = -1.0
        self._hellos = 0
        self._tag = 0
        self._rtt = 0.0
        self._pending: dict[int, list] = {}  # type: ignore[type-arg]
        self._lost = False
        self._syncing = False
        self._sync_tag = 0
        self._next_seq = 0
        self._durable = 0
        self._end_seq = 0
        self._arrived: list[tuple[int, int]] = []
        self._uncredited = 0
        self._gap = False
        self._sync_deadline = 0.0
        self._sync_tries = 0
        self._push: _Push | None = None

    @property
    def bad(self) -> int:
        """Frames dropped for damage."""
        return self._deframer.bad

    def start(self, now: float) -> None:
        """Begins to say HELLO."""
        self._began = now
        self.tick(now)

    def outgoing(self) -> bytes:
        """What has to be written now; the bytes are handed out once."""
        out = b"".join(self._out)
        self._out = []
        return out

    def deadline(self) -> "float | None":
        """When `tick` has to be called next."""
        if self._lost or self._began < 0:
            return None
        if self.hello is None:
            if self._hellos < len(_HELLO_AT):
                return self._began + _HELLO_AT[self._hellos]
            return self._began + _HELLO_PATIENCE
        deadlines = [entry[2] for entry in self._pending.values()]
        if self._owed():
            deadlines.append(self._sync_deadline)
        if self._push is not None:
            deadlines.append(self._push.deadline)
        return min(deadlines) if deadlines else None

    def request(self, message, now: float) -> int:  # type: ignore[no-untyped-def]
        """Sends a request; its tag comes back in Answered or Refused."""
        self._tag = self._tag % 0xFFFF + 1
        wire = framing.encode(message.TYPE, 0, self._session, self._tag, message.pack())
        self._pending[self._tag] = [wire, message, now + self._rto(), 1, now]
        self._out.append(wire)
        return self._tag

    def sync(self, epoch: int, from_seq: int, previous: bytes, now: float) -> int:
        """Asks for the records from `from_seq` on; `previous` is the chain value before it."""
        self._next_seq = self._durable = from_seq
        self._arrived = []
        self._uncredited = 0
        self._sync_tag = self.request(codec.SyncOpen(epoch, from_seq, previous, self._window // 16), now)
        return self._sync_tag

    def credit(self, next_seq: int, now: float) -> None:
        """Everything before `next_seq` is on disk. Sent when a quarter of the window waits for it, or all is there."""
        if not self._syncing:
            return
        self._durable = max(self._durable, next_seq)
        self._sync_deadline = now + self._rto()
        while self._arrived and self._arrived[0][0] <= next_seq:
            self._uncredited += self._arrived.pop(0)[1]
        if self._uncredited >= self._window // 4 or next_seq >= self._end_seq:
            self._send_credit(next_seq, 0, now)

    def push(self, kind: int, version: int, bundle: bytes, now: float) -> int:
        """Sends a signed object down and has it installed; Answered carries ObjectCommitOk under the same tag."""
        offer = codec.ObjectOffer(kind, version, len(bundle), hashlib.sha256(bundle).digest())
        tag = self.request(offer, now)
        self._push = _Push(tag, kind, version, bundle)
        return tag

    def close(self) -> None:
        """Says BYE."""
        if self.hello is not None and not self._lost:
            self._out.append(framing.encode(codec.Bye.TYPE, 0, self._session, 0, codec.Bye(0).pack()))
        self._lost = True

    def tick(self, now: float) -> "list[object]":
        """Does what is due."""
        if self._lost or self._began < 0:
            return []
        if self.hello is None:
            return self._say_hello(now)
        for entry in self._pending.values():
            if now < entry[2]:
                continue
            if entry[3] >= _TRIES:
                return self._lose(type(entry[1]).__name__)
            entry[2] = now + self._rto() * (1 << entry[3])
            entry[3] += 1
            self._out.append(entry[0])
        if self._owed() and now >= self._sync_deadline:
            self._sync_tries += 1
            if self._sync_tries > _TRIES:
                return self._lose("Data")
            self._send_credit(self._durable, _REWIND, now)
        push = self._push
        if push is not None and now >= push.deadline:
            push.tries += 1
            if push.tries > _TRIES:
                return self._lose("ObjectCredit")
            push.rewind()
            self._send_pieces(push, now)
        return []

    def receive(self, data: bytes, now: float) -> "list[object]":
        """Events that these bytes complete."""
        events: list[object] = []
        for frame in self._deframer.feed(data):
            if self._lost:
                break
            self._frame(frame, now, events)
        return events

    def _frame(self, frame: framing.Frame, now: float, events: "list[object]") -> None:
        layout = codec.MESSAGES.get(frame.type)
        if layout is None or frame.flags & _MUST_UNDERSTAND:
            return
        try:
            message = layout.unpack(frame.body)
        except codec.Malformed:
            self._deframer.bad += 1
            return
        if frame.session != self._session:
            if frame.session == 0 and self.hello is None and isinstance(message, codec.Error):
                self._lost = True
                events.append(Refused(frame.tag, message))
            else:
                self.stale += 1
        elif isinstance(message, codec.HelloOk):
            if message.nonce == self._nonce and self.hello is None and message.max_body >= _BODY_LEAST:
                self.hello = message
                events.append(Opened(message))
        elif self.hello is None:
            self.stale += 1
        elif isinstance(message, codec.Data):
            self._data(message, frame.size, now, events)
        elif isinstance(message, codec.SyncEnd):
            if self._owed() and message.next_seq == self._end_seq == self._next_seq:
                self._syncing = False
                events.append(Synced(message.next_seq, message.head))
        elif isinstance(message, codec.ObjectCredit):
            self._object_credit(message, now)
        elif frame.type & 0x80 or isinstance(message, codec.Error):
            self._answer(frame, message, now, events)
        else:
            # A line that echoes brings our own requests back, with the tags of what is pending.
            self.stale += 1

    def _answer(self, frame: framing.Frame, message, now: float, events: "list[object]") -> None:  # type: ignore[no-untyped-def]
        entry = self._pending.pop(frame.tag, None)
        if entry is None:
            if self._syncing and frame.tag == self._sync_tag and isinstance(message, codec.Error):
                self._syncing = False
                events.append(Refused(frame.tag, message))
            else:
                self.stale += 1
            return
        if entry[3] == 1:
            sample = now - entry[4]
            self._rtt = sample if not self._rtt else self._rtt * 0.875 + sample * 0.125
        push = self._push
        tag = push.tag if push is not None and frame.tag in (push.tag, push.commit_tag) else frame.tag
        if isinstance(message, codec.Error):
            if push is not None and tag == push.tag:
                self._push = None
            events.append(Refused(tag, message))
        elif isinstance(message, codec.ObjectOfferOk) and push is not None:
            push.in_flight.window = message.window * 16
            push.credited = push.sent = min(message.offset, len(push.bundle))
            self._send_pieces(push, now)
        elif isinstance(message, codec.ObjectCommitOk) and push is not None:
            self._push = None
            events.append(Answered(tag, message))
        else:
            if isinstance(message, codec.SyncOpenOk):
                self._syncing = True
                self._gap = False
                self._sync_tries = 0
                self._end_seq = message.next_seq
                self._sync_deadline = now + self._rto()
                if self._end_seq == self._next_seq:
                    self._send_credit(self._next_seq, 0, now)
            events.append(Answered(tag, message))

    def _data(self, data: codec.Data, size: int, now: float, events: "list[object]") -> None:
        if not self._syncing:
            self.stale += 1
            return
        self._sync_deadline = now + self._rto()
        if data.first_seq > self._next_seq:
            if not self._gap:
                self._gap = True
                self._send_credit(self._durable, _REWIND, now)
            return
        records = split_records(data)
        if records is None:
            self._deframer.bad += 1
            return
        fresh = records[self._next_seq - data.first_seq :]
        if not fresh:
            return
        first = self._next_seq
        self._gap = False
        self._sync_tries = 0
        self._next_seq += len(fresh)
        self._arrived.append((self._next_seq, size))
        events.append(Records(first, fresh))

    def _owed(self) -> bool:
        """Whether silence is the line's. While the disk is behind, the terminal may be waiting for us."""
        return self._syncing and self._durable >= self._next_seq

    def _send_credit(self, next_seq: int, flags: int, now: float) -> None:
        if flags & _REWIND:
            self.rewinds += 1
        self._uncredited = 0
        self._sync_deadline = now + self._rto()
        self._tag = self._tag % 0xFFFF + 1
        body = codec.Credit(next_seq, self._window // 16, flags).pack()
        self._out.append(framing.encode(codec.Credit.TYPE, 0, self._session, self._tag, body))

    def _object_credit(self, credit: codec.ObjectCredit, now: float) -> None:
        push = self._push
        if push is None or credit.offset > len(push.bundle):
            return
        if credit.offset > push.credited:
            push.tries = 0
        push.credited = max(push.credited, credit.offset)
        push.in_flight.window = credit.window * 16
        push.in_flight.credit(push.credited)
        self._send_pieces(push, now)

    def _send_pieces(self, push: "_Push", now: float) -> None:
        assert self.hello is not None
        total = len(push.bundle)
        if push.credited >= total:
            if not push.commit_tag:
                push.deadline = float("inf")
                push.commit_tag = self.request(codec.ObjectCommit(push.kind, push.version), now)
            return
        room = min(self._limit, self.hello.max_body) - codec.ObjectData.SIZE
        while push.sent < total:
            piece = push.bundle[push.sent : push.sent + room]
            self._tag = self._tag % 0xFFFF + 1
            body = codec.ObjectData(push.sent, piece).pack()
            wire = framing.encode(codec.ObjectData.TYPE, 0, self._session, self._tag, body)
            if not push.in_flight.fits(push.sent + len(piece), len(wire)):
                break
            self._out.append(wire)
            push.sent += len(piece)
        push.deadline = now + self._rto()

    def _say_hello(self, now: float) -> "list[object]":
        if self._hellos == len(_HELLO_AT):
            return self._lose("Hello") if now >= self._began + _HELLO_PATIENCE else []
        if now >= self._began + _HELLO_AT[self._hellos]:
            self._hellos += 1
            body = codec.Hello(self._nonce, self._session, PROTOCOL, PROTOCOL, self._limit, self._window // 16, 0, b"")
            self._out.append(b"\0" + framing.encode(codec.Hello.TYPE, 0, 0, 0, body.pack()))
        return []

    def _lose(self, waiting_for: str) -> "list[object]":
        self._lost = True
        return [Lost(waiting_for)]

    def _rto(self) -> float:
        if not self._rtt:
            return _RTO_FIRST
        return min(_RTO_MAX, max(_RTO_MIN, 4 * self._rtt))


class _Push:
    def __init__(self, tag: int, kind: int, version: int, bundle: bytes) -> None:
        self.tag = tag
        self.commit_tag = 0
        self.kind = kind
        self.version = version
        self.bundle = bundle
        self.in_flight = InFlight(0)
        self.sent = 0
        self.credited = 0
        self.tries = 0
        self.deadline = float("inf")

    def rewind(self) -> None:
        self.sent = self.credited
        self.in_flight.clear()


def split_records(data: codec.Data) -> "list[tuple[bytes, bytes]] | None":
    """Body and signature of each record; None when the lengths do not come out."""
    out = []
    at = 0
    raw = data.records
    end = len(raw)
    for _ in range(data.count):
        if at + 2 > end:
            return None
        length = raw[at] << 8 | raw[at + 1]
        at += 2
        if at + length + 64 > end:
            return None
        out.append((raw[at : at + length], raw[at + length : at + length + 64]))
        at += length + 64
    return out if at == end else None
