"""The dock's end of the link: bytes and the clock in; events, bytes and the next deadline out. It owns every timer.

Times are seconds of any monotonic clock. Nothing here sleeps, reads or writes.
"""

import hashlib

from plomba_wire import codec, framing, states, tlv
from plomba_wire.pull import Pull, split_records
from plomba_wire.push import Push
from plomba_wire.vocabulary import Error, Feature, Growth

PROTOCOL = 1
MAX_BODY = 2000
WINDOW = 8192
"""Bytes in flight allowed on the way up."""
FEATURES = Feature.SACK | Feature.LIVE | Feature.BAUD

_HELLO_AT = (0.0, 0.15, 0.5, 1.5, 3.5)
_HELLO_PATIENCE = 4.5
_RTO_FIRST = 1.0
_RTO_MIN = 0.25
_RTO_MAX = 3.0
_TRIES = 4
_NEVER = float("inf")
_MUST_UNDERSTAND = 0xF0
_BODY_LEAST = 519
"""A terminal that takes less than a record in a DATA body cannot be worked with; it asks the same of a dock."""


class LocalProtocolError(Exception):
    """This side asked for what its state does not allow; a fault of the program, never of the wire."""


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


class Announced:
    """The terminal has records up to `next_seq`: a sync brings them."""

    def __init__(self, next_seq: int) -> None:
        self.next_seq = next_seq


class Lost:
    """The other end does not answer. The session is over."""

    def __init__(self, waiting_for: str) -> None:
        self.waiting_for = waiting_for


class DockEnd:
    """One session with one terminal. `nonce` (8 bytes) and `session` (1..65535) must be fresh and random.

    `features` are the feature bits offered. `state` is a row of states.DOCK. With `idle` seconds a quiet session is
    asked whether it lives. `stale` and `bad` count frames that were dropped.
    """

    def __init__(
        self,
        nonce: bytes,
        session: int,
        max_body: int = MAX_BODY,
        window: int = WINDOW,
        features: int = FEATURES,
    ) -> None:
        self.state = "new"
        self.stale = 0
        self.idle: "float | None" = None
        self.hello: codec.HelloOk | None = None
        self._features = features
        self._nonce = nonce
        self._session = session
        self._limit = max_body
        self._window = window
        self._deframer = framing.Deframer()
        self._out: list[bytes] = []
        self._began = 0.0
        self._hellos = 0
        self._tag = 0
        self._rtt = 0.0
        self._heard = 0.0
        self._pending: dict[int, _Request] = {}
        self._pull: Pull | None = None
        self._pull_deadline = _NEVER
        self._pull_tries = 0
        self._rewinds = 0
        self._push: Push | None = None
        self._next_seq = 0

    @property
    def bad(self) -> int:
        """Frames dropped for damage."""
        return self._deframer.bad

    @property
    def features(self) -> int:
        """The feature bits that both ends have."""
        return self._features & self.hello.features if self.hello is not None else 0

    @property
    def rewinds(self) -> int:
        """How often records were asked for again: once a gap, and once a silence."""
        return self._rewinds + (self._pull.rewinds if self._pull is not None else 0)

    def start(self, now: float) -> None:
        """Begins to say HELLO."""
        self._began = self._heard = now
        self._move("start")
        self.tick(now)

    def outgoing(self) -> bytes:
        """What has to be written now; the bytes are handed out once."""
        out = b"".join(self._out)
        self._out = []
        return out

    def deadline(self) -> "float | None":
        """When `tick` has to be called next; None when nothing will ever be due."""
        if self.state in ("new", "over"):
            return None
        if self.state == "calling":
            return self._began + (_HELLO_AT[self._hellos] if self._hellos < len(_HELLO_AT) else _HELLO_PATIENCE)
        due = min([request.deadline for request in self._pending.values()], default=_NEVER)
        if self._pull is not None and self._pull.owed:
            due = min(due, self._pull_deadline)
        if self._push is not None:
            due = min(due, self._push.deadline)
        if due == _NEVER and self.idle is not None and not self._pending:
            due = self._heard + self.idle
        return None if due == _NEVER else due

    def request(self, message, now: float) -> int:  # type: ignore[no-untyped-def]
        """Sends a request; its tag comes back in Answered or Refused. Raises LocalProtocolError outside a session."""
        if self.state not in ("open", "syncing"):
            raise LocalProtocolError(f"{type(message).__name__} in state {self.state}")
        self._tag = self._tag % 0xFFFF + 1
        wire = framing.encode(message.TYPE, 0, self._session, self._tag, message.pack())
        self._pending[self._tag] = _Request(wire, type(message).__name__, now, now + self._rto())
        self._out.append(wire)
        return self._tag

    def sync(self, epoch: int, from_seq: int, previous: bytes, now: float) -> int:
        """Asks for the records from `from_seq` on; `previous` is the chain value before it."""
        if self.state == "syncing":
            self._move("fault")
        tag = self.request(codec.SyncOpen(epoch, from_seq, previous, self._window // 16), now)
        self._end_pull()
        least = min(self._window // 4, max(1, self._window - framing.longest(self._limit)))
        self._pull = Pull(tag, from_seq, self._window, least, bool(self.features & Feature.SACK))
        self._pull_deadline = _NEVER
        self._pull_tries = 0
        return tag

    def credit(self, next_seq: int, now: float) -> None:
        """Everything before `next_seq` is on disk."""
        pull = self._pull
        if pull is None or self.state != "syncing":
            return
        self._pull_deadline = now + self._rto()
        pull.made_durable(next_seq)
        self._say_credit(now)

    def push(self, kind: int, version: int, package: bytes, bundle: int, now: float) -> int:
        """Sends a signed object down and has it installed; Answered carries ObjectCommitOk under the same tag.

        `package` is a bundle of `bundle` bytes and, behind it, the content that its block list names, if it has one.
        """
        sha256 = hashlib.sha256(package[:bundle]).digest()
        tag = self.request(codec.ObjectOffer(kind, version, len(package), bundle, sha256), now)
        self._push = Push(tag, kind, version, package)
        return tag

    def close(self) -> None:
        """Says BYE."""
        if self.state in ("open", "syncing"):
            self._out.append(framing.encode(codec.Bye.TYPE, 0, self._session, 0, codec.Bye(0).pack()))
        self._move("close")

    def tick(self, now: float) -> "list[object]":
        """Does what is due."""
        if self.state in ("new", "over"):
            return []
        if self.state == "calling":
            return self._say_hello(now)
        for request in self._pending.values():
            if now < request.deadline:
                continue
            if request.tries >= _TRIES:
                return self._lose(request.name)
            request.deadline = now + self._rto() * (1 << request.tries)
            request.tries += 1
            self._out.append(request.wire)
        pull = self._pull
        if pull is not None and pull.owed and now >= self._pull_deadline:
            self._pull_tries += 1
            if self._pull_tries > _TRIES:
                return self._lose("Data")
            pull.silence()
            self._say_credit(now)
            self._pull_deadline = now + self._rto() * (1 << self._pull_tries)
        push = self._push
        if push is not None and now >= push.deadline:
            push.tries += 1
            if push.tries > _TRIES:
                return self._lose("ObjectCredit")
            push.rewind()
            self._send_pieces(push, now)
            push.deadline = now + self._rto() * (1 << push.tries)
        if self.idle is not None and not self._pending and now >= self._heard + self.idle:
            self.request(codec.Ping(self._nonce), now)
        return []

    def receive(self, data: bytes, now: float) -> "list[object]":
        """Events that these bytes complete."""
        events: list[object] = []
        for frame in self._deframer.feed(data):
            if self.state == "over":
                break
            self._frame(frame, now, events)
        return events

    def _frame(self, frame: framing.Frame, now: float, events: "list[object]") -> None:
        layout = codec.MESSAGES.get(frame.type)
        if layout is None or frame.flags & _MUST_UNDERSTAND:
            self.stale += 1
            return
        try:
            message = layout.unpack(frame.body)
        except codec.Malformed:
            self._deframer.bad += 1
            return
        # The answer to a HELLO that cannot be served belongs to no session.
        refused = self.state == "calling" and isinstance(message, codec.Error)
        if layout.__name__ not in states.DOCK[self.state] or frame.session != (0 if refused else self._session):
            self.stale += 1
            return
        self._heard = now
        if isinstance(message, codec.HelloOk):
            self._open(message, events)
        elif refused:
            self._move("Error")
            events.append(Refused(frame.tag, message))
        elif isinstance(message, codec.Data):
            self._data(message, frame.size, now, events)
        elif isinstance(message, codec.SyncEnd):
            pull = self._pull
            if pull is not None and pull.owed and message.next_seq == pull.end == pull.next_seq:
                self._move("SyncEnd")
                self._end_pull()
                events.append(Synced(message.next_seq, message.head))
        elif isinstance(message, codec.ObjectCredit):
            if self._push is not None and self._push.credit(message.offset, message.window * 16):
                self._send_pieces(self._push, now)
        elif isinstance(message, codec.Announce):
            self._announced(message.next_seq, events)
        else:
            self._answer(frame, message, now, events)

    def _open(self, hello: codec.HelloOk, events: "list[object]") -> None:
        try:
            growth = tlv.unpack(hello.growth, 0)
        except codec.Malformed:
            growth = {0x80: b""}
        if hello.nonce != self._nonce or hello.max_body < _BODY_LEAST or any(type & 0x80 for type in growth):
            self.stale += 1
            return
        self._move("HelloOk")
        self.hello = hello
        events.append(Opened(hello))

    def _answer(self, frame: framing.Frame, message, now: float, events: "list[object]") -> None:  # type: ignore[no-untyped-def]
        request = self._pending.pop(frame.tag, None)
        if request is None:
            self._unasked(frame.tag, message, now, events)
            return
        if request.tries == 1:
            sample = now - request.began
            self._rtt = sample if not self._rtt else self._rtt * 0.875 + sample * 0.125
        push = self._push
        if push is not None and frame.tag not in (push.tag, push.commit):
            push = None
        tag = push.tag if push is not None else frame.tag
        if isinstance(message, codec.Error):
            if push is not None:
                self._push = None
            if self._pull is not None and self._pull.tag == tag:
                self._end_pull()
            events.append(Refused(tag, message))
        elif isinstance(message, codec.ObjectOfferOk) and push is not None:
            push.begin(message.offset, message.window * 16)
            self._send_pieces(push, now)
        elif isinstance(message, codec.ObjectCommitOk) and push is not None:
            self._push = None
            events.append(Answered(tag, message))
        else:
            if isinstance(message, codec.SyncOpenOk) and self._pull is not None and self._pull.tag == tag:
                self._move("SyncOpenOk")
                self._pull_deadline = now + self._rto()
                self._pull.opened(message.next_seq)
                self._say_credit(now)
            events.append(Answered(tag, message))
            if isinstance(message, codec.Pong):
                self._announced(message.next_seq, events)

    def _unasked(self, tag: int, message, now: float, events: "list[object]") -> None:  # type: ignore[no-untyped-def]
        """Nothing waits for this: a late answer, or an Error about records or pieces, which have no answer else."""
        pull, push = self._pull, self._push
        if isinstance(message, codec.Error) and self.state == "syncing" and pull is not None and tag == pull.tag:
            self._move("fault")
            self._end_pull()
            events.append(Refused(tag, message))
        elif (
            isinstance(message, codec.Error)
            and push is not None
            and push.begun
            and message.about == codec.ObjectData.TYPE
        ):
            if message.code == Error.BAD_HASH and push.mend(message.detail):
                self._send_pieces(push, now)
            else:
                self._push = None
                events.append(Refused(push.tag, message))
        else:
            self.stale += 1

    def _data(self, data: codec.Data, size: int, now: float, events: "list[object]") -> None:
        pull = self._pull
        assert pull is not None
        records = split_records(data)
        if records is None:
            self._deframer.bad += 1
            return
        first, newest = pull.next_seq, pull.newest
        fresh = pull.take(data, records, size)
        if fresh or pull.newest > newest:
            # What says nothing new is no sign of life.
            self._pull_deadline = now + self._rto()
        if fresh:
            self._pull_tries = 0
            events.append(Records(first, fresh))
        self._say_credit(now)

    def _announced(self, next_seq: int, events: "list[object]") -> None:
        if next_seq > self._next_seq:
            self._next_seq = next_seq
            events.append(Announced(next_seq))

    def _say_credit(self, now: float) -> None:
        pull = self._pull
        if pull is None or pull.due is None:
            return
        self._pull_deadline = now + self._rto()
        self._tag = self._tag % 0xFFFF + 1
        self._out.append(framing.encode(codec.Credit.TYPE, 0, self._session, self._tag, pull.due.pack()))
        pull.said()

    def _send_pieces(self, push: Push, now: float) -> None:
        assert self.hello is not None
        if push.complete:
            if not push.commit:
                push.deadline = _NEVER
                push.commit = self.request(codec.ObjectCommit(push.kind, push.version), now)
            return
        room = min(self._limit, self.hello.max_body) - codec.ObjectData.SIZE
        while (piece := push.next_piece(room)) is not None:
            offset, data = piece
            self._tag = self._tag % 0xFFFF + 1
            body = codec.ObjectData(offset, data).pack()
            wire = framing.encode(codec.ObjectData.TYPE, 0, self._session, self._tag, body)
            if not push.sent(offset + len(data), len(wire)):
                break
            self._out.append(wire)
        push.deadline = now + self._rto()

    def _say_hello(self, now: float) -> "list[object]":
        if self._hellos == len(_HELLO_AT):
            return self._lose("Hello") if now >= self._began + _HELLO_PATIENCE else []
        if now >= self._began + _HELLO_AT[self._hellos]:
            self._hellos += 1
            growth = tlv.pack({Growth.SCHEMA: codec.SCHEMA})
            body = codec.Hello(
                self._nonce,
                self._session,
                PROTOCOL,
                PROTOCOL,
                self._limit,
                self._window // 16,
                self._features,
                growth,
            )
            self._out.append(b"\0" + framing.encode(codec.Hello.TYPE, 0, 0, 0, body.pack()))
        return []

    def _end_pull(self) -> None:
        if self._pull is not None:
            self._rewinds += self._pull.rewinds
            self._next_seq = max(self._next_seq, self._pull.end)
            self._pull = None

    def _lose(self, waiting_for: str) -> "list[object]":
        self._move("silence")
        return [Lost(waiting_for)]

    def _move(self, word: str) -> None:
        self.state = states.DOCK[self.state].get(word, self.state)

    def _rto(self) -> float:
        if not self._rtt:
            return _RTO_FIRST
        return min(_RTO_MAX, max(_RTO_MIN, 4 * self._rtt))


class _Request:
    """What waits for its answer, and when it is asked again."""

    def __init__(self, wire: bytes, name: str, began: float, deadline: float) -> None:
        self.wire = wire
        self.name = name
        self.began = began
        self.deadline = deadline
        self.tries = 1
