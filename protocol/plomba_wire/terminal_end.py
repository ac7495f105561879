"""The terminal's end of the link: bytes and the clock in; bytes and the next deadline out.

It never has to ask: the dock owns what is repeated, the journal is the retransmission buffer. What the messages mean is
the `service`'s affair (firmware/terminal/link/service.py is the one there is):

    features -> the feature bits that this terminal has
    identity() -> (enrolment, terminal id 8, firmware u32, boot u16)
    growth() -> TLVs of HelloOk, type -> value
    fresh_nonce() -> 16 bytes; the one before it is void
    next_seq() -> number the next record gets
    serve(message) -> the message that answers it; raises Refusal
    sync_open(SyncOpen) -> (from_seq, next_seq); raises Refusal
    record(seq) -> length, body, signature; raises Refusal
    head() -> chain value of the newest record

Times are milliseconds since boot, and never go back.
"""

from plomba_wire import codec, framing, states, tlv
from plomba_wire.stream import Stream
from plomba_wire.vocabulary import Error, Feature, Growth

PROTOCOL = 1
"""The protocol version spoken."""
MAX_BODY = 2000
"""Longest body taken and sent, bytes."""
MAX_RECORD = 514
"""Longest record, length and signature included, bytes."""
WINDOW = 4096
"""Bytes in flight taken on the way down: a UART's worth."""
PARTIAL_MS = 2000
"""A frame that has not come to its end for so long is dropped."""
SILENCE_MS = 60000
"""A session without a frame for so long is over."""
BAUD_MS = 500
"""A new rate without a good frame for so long is given up."""
BAUD_SILENCE_MS = 3000
"""A rate that was kept is given up after so long without a good frame: the next dock begins at the old one."""
SAYS_A_SECOND = 20
"""Errors and answers to HELLO in one second; more are left out and counted, so that no storm feeds itself."""

_RETRANSMISSION = 0x01
_MUST_UNDERSTAND = 0xF0
_MUST_UNDERSTAND_TLV = 0x80


class Refusal(Exception):
    """A request that cannot be served; `code` is one of vocabulary.Error."""

    def __init__(self, code: int, detail: int = 0, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class TerminalEnd:
    """One link. Feed it with `receive`, send what it returns, then what `pump` returns until that is None.

    `state` is a row of states.TERMINAL. `baud` is the rate the line has to have once everything returned so far is
    out, 0 while no other one was asked for. `heard` is when the newest bytes came. `sessions`, `stale`, `errors`,
    `muted` and `resent` count since the start.
    """

    def __init__(self, service, max_body: int = MAX_BODY) -> None:  # type: ignore[no-untyped-def]
        self.state = "closed"
        self.baud = 0
        self.heard = 0
        self.sessions = 0
        self.stale = 0
        self.errors = 0
        self.muted = 0
        self.resent = 0
        self._service = service
        self._limit = max_body
        self._deframer = framing.Deframer()
        self._session = 0
        self._features = 0
        self._hello = b""
        self._hello_answer = b""
        self._max_body = max_body
        self._last_request = (-1, 0)
        self._last_answer = b""
        self._last_type = 0
        self._stream: "Stream | None" = None
        self._announced = 0
        self._good = 0
        self._asked_baud = 0
        self._kept_baud = 0
        self._baud_tried = -1
        self._second = 0
        self._said = 0

    @property
    def bad(self) -> int:
        """Frames dropped for damage since start."""
        return self._deframer.bad

    def receive(self, data: bytes, now: int) -> bytes:
        """What has to be sent at once for these bytes."""
        if now - self.heard >= PARTIAL_MS:
            self._deframer.drop()
        self.heard = now
        out = []
        for frame in self._deframer.feed(data):
            answer = self._frame(frame, now)
            if answer:
                out.append(answer)
        return b"".join(out)

    def pump(self) -> "bytes | None":
        """The next frame of a running sync, or an announcement; None when there is none or the window is full."""
        if self.state == "syncing":
            wire = self._pump_stream()
            if wire is not None:
                return wire
        if self.state == "closed" or not self._features & Feature.LIVE:
            return None
        next_seq = self._service.next_seq()
        if next_seq <= self._announced:
            return None
        self._announced = next_seq
        return self._encode(codec.Announce(next_seq), 0)

    def deadline(self) -> "int | None":
        """When `tick` has something to do, if nothing comes before."""
        if self._baud_tried >= 0:
            return self._baud_tried + BAUD_MS
        if self.state == "closed":
            return None
        return self._good + (BAUD_SILENCE_MS if self.baud else SILENCE_MS)

    def tick(self, now: int) -> None:
        """Does what is due."""
        if self._baud_tried >= 0 and now - self._baud_tried >= BAUD_MS:
            self.baud = self._kept_baud
            self._baud_tried = -1
        if self.baud and self._baud_tried < 0 and now - self._good >= BAUD_SILENCE_MS:
            self.baud = self._kept_baud = 0
        if self.state != "closed" and now - self._good >= SILENCE_MS:
            self._move("silence")

    def _pump_stream(self) -> "bytes | None":
        stream = self._stream
        assert stream is not None
        if stream.stopped:
            return None
        first, end = stream.next_run()
        if first == end:
            if not stream.done:
                return None
            stream.ended = True
            return self._encode(codec.SyncEnd(stream.end, stream.head), stream.next_tag())
        try:
            records = self._records(first, end)
        except Refusal as refusal:
            stream.stopped = True
            self.errors += 1
            error = codec.Error(refusal.code, codec.SyncOpen.TYPE, refusal.detail, refusal.retry_after)
            return self._encode(error, stream.request)
        end = first + len(records)
        again = stream.is_again(first)
        flags = _RETRANSMISSION if again else 0
        wire = self._encode(codec.Data(first, len(records), b"".join(records)), stream.next_tag(), flags)
        if not stream.sent(end, len(wire)):
            return None
        if again:
            self.resent += len(records)
        return wire

    def _records(self, seq: int, end: int) -> "list[bytes]":
        """As many records from `seq` on as one frame holds, at least one. Raises Refusal."""
        room = self._max_body - codec.Data.SIZE
        records: "list[bytes]" = []
        while seq < end and len(records) < 255:
            try:
                record = self._service.record(seq)
            except Refusal:
                if not records:
                    raise
                # Those before it go out first.
                break
            if len(record) > room:
                break
            room -= len(record)
            records.append(record)
            seq += 1
        if not records:
            raise Refusal(Error.RECORD_TOO_BIG, seq)
        return records

    def _frame(self, frame: framing.Frame, now: int) -> bytes:
        if frame.type == codec.Hello.TYPE:
            return self._open(frame, now)
        if self.state == "closed" or frame.session != self._session or not self._takes(frame.type):
            self.stale += 1
            return b""
        self._good = now
        if self._baud_tried >= 0 and (frame.tag, frame.type) != self._last_request:
            self._kept_baud = self.baud
            self._baud_tried = -1
        if frame.flags & _MUST_UNDERSTAND == 0:
            if frame.type == codec.Bye.TYPE:
                self._move("Bye")
                return b""
            if frame.type == codec.Credit.TYPE:
                self._credit(frame)
                return b""
        # A piece of an object says by its offset what it is; a late one must not push the last answer out.
        remembered = frame.type != codec.ObjectData.TYPE
        if remembered and (frame.tag, frame.type) == self._last_request:
            if self._last_type == codec.BaudOk.TYPE:
                self._try_baud(self._asked_baud, now)
            return self._say(self._last_type, self._last_answer, now)
        try:
            answer = self._answer(frame)
        except Refusal as refusal:
            answer = codec.Error(refusal.code, frame.type, refusal.detail, refusal.retry_after)
        except codec.Malformed:
            answer = codec.Error(Error.MALFORMED, frame.type, 0, 0)
        if isinstance(answer, codec.BaudOk):
            self._try_baud(answer.baud, now)
        wire = self._encode(answer, frame.tag)
        if remembered:
            self._last_request = (frame.tag, frame.type)
            self._last_answer = wire
            self._last_type = answer.TYPE
        return self._say(answer.TYPE, wire, now)

    def _takes(self, type: int) -> bool:
        """Whether this state takes the message. A request nobody knows is answered; an echo of our own words is not."""
        layout = codec.MESSAGES.get(type)
        if layout is None:
            return not type & 0x80
        return layout.__name__ in states.TERMINAL[self.state]

    def _answer(self, frame: framing.Frame):  # type: ignore[no-untyped-def]
        if frame.flags & _MUST_UNDERSTAND:
            raise Refusal(Error.UNSUPPORTED_FLAG)
        layout = codec.MESSAGES.get(frame.type)
        if layout is None:
            raise Refusal(Error.UNKNOWN_TYPE)
        message = layout.unpack(frame.body)
        if isinstance(message, codec.SyncOpen):
            return self._sync(message, frame.tag)
        if isinstance(message, codec.Ping):
            return codec.Pong(message.nonce, self._service.next_seq())
        return self._service.serve(message)

    def _open(self, frame: framing.Frame, now: int) -> bytes:
        if frame.flags & _MUST_UNDERSTAND:
            return self._no_session(frame, Error.UNSUPPORTED_FLAG, 0, now)
        try:
            hello = codec.Hello.unpack(frame.body)
            growth = tlv.unpack(hello.growth, 0)
        except codec.Malformed:
            self._deframer.bad += 1
            return b""
        if hello.session == 0 or hello.max_body < MAX_RECORD + codec.Data.SIZE:
            self.stale += 1
            return b""
        if hello.nonce == self._hello and self.state != "closed":
            return self._say(codec.HelloOk.TYPE, self._hello_answer, now)
        if any(type & _MUST_UNDERSTAND_TLV for type in growth):
            return self._no_session(frame, Error.UNSUPPORTED_FLAG, 0, now)
        if not hello.proto_min <= PROTOCOL <= hello.proto_max:
            return self._no_session(frame, Error.VERSION, PROTOCOL, now)
        self.sessions += 1
        self._move("Hello")
        self._session = hello.session
        self._features = hello.features & self._service.features
        self._max_body = min(self._limit, hello.max_body)
        self._last_request = (-1, 0)
        self._last_answer = b""
        self._announced = self._service.next_seq()
        self._good = now
        enrolment, terminal, firmware, boot = self._service.identity()
        growth = self._service.growth()
        growth[Growth.SCHEMA] = codec.SCHEMA
        answer = codec.HelloOk(
            hello.nonce,
            PROTOCOL,
            enrolment,
            self._limit,
            MAX_RECORD,
            WINDOW // 16,
            self._features,
            terminal,
            firmware,
            boot,
            self._service.fresh_nonce(),
            tlv.pack(growth),
        )
        self._hello = hello.nonce
        self._hello_answer = self._encode(answer, frame.tag)
        return self._say(answer.TYPE, self._hello_answer, now)

    def _sync(self, request: codec.SyncOpen, tag: int) -> codec.SyncOpenOk:
        from_seq, next_seq = self._service.sync_open(request)
        self._move("SyncOpen")
        self._stream = Stream(tag, from_seq, next_seq, self._service.head(), request.window * 16)
        self._announced = max(self._announced, next_seq)
        return codec.SyncOpenOk(from_seq, next_seq)

    def _credit(self, frame: framing.Frame) -> None:
        try:
            credit = codec.Credit.unpack(frame.body)
        except codec.Malformed:
            self._deframer.bad += 1
            return
        if self._stream is not None:
            self._stream.credit(credit)

    def _try_baud(self, baud: int, now: int) -> None:
        """The answer goes out at the old rate; what comes next is heard at the new one."""
        self.baud = self._asked_baud = baud
        self._baud_tried = now

    def _move(self, word: str) -> None:
        self.state = states.TERMINAL[self.state].get(word, self.state)
        if self.state != "syncing":
            self._stream = None
        if self.state == "closed":
            self.baud = self._kept_baud = 0

    def _say(self, type: int, wire: bytes, now: int) -> bytes:
        """`wire`, unless it is one of too many errors and hellos in this second."""
        if type not in (codec.Error.TYPE, codec.HelloOk.TYPE):
            return wire
        if now - self._second >= 1000:
            self._second = now
            self._said = 0
        if self._said >= SAYS_A_SECOND:
            self.muted += 1
            return b""
        self._said += 1
        if type == codec.Error.TYPE:
            self.errors += 1
        return wire

    def _no_session(self, frame: framing.Frame, code: int, detail: int, now: int) -> bytes:
        error = codec.Error(code, codec.Hello.TYPE, detail, 0)
        return self._say(error.TYPE, framing.encode(error.TYPE, 0, 0, frame.tag, error.pack()), now)

    def _encode(self, message, tag: int, flags: int = 0) -> bytes:  # type: ignore[no-untyped-def]
        return framing.encode(message.TYPE, flags, self._session, tag, message.pack())
