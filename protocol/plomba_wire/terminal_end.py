"""The terminal's end of the link: bytes in, bytes out. No timers, one cursor; the journal is the retransmission buffer.

What the messages mean is the `service`'s affair (firmware/terminal/link/service.py is the one there is):

    identity() -> (enrolment, terminal id 8, firmware u32, boot u16)
    fresh_nonce() -> 16 bytes, kept until the next session
    serve(message) -> the message that answers it; raises Refusal
    sync_open(SyncOpen) -> (from_seq, next_seq); raises Refusal
    record(seq) -> length, body, signature; raises Refusal
    head() -> chain value of the newest record
"""

from plomba_wire import codec, framing
from plomba_wire.in_flight import InFlight
from plomba_wire.vocabulary import Error

PROTOCOL = 1
"""The protocol version spoken."""
MAX_BODY = 2000
"""Longest body taken and sent, bytes."""
MAX_RECORD = 514
"""Longest record, length and signature included, bytes."""
WINDOW = 4096
"""Bytes in flight taken on the way down: a UART's worth."""

_REWIND = 0x01
_MUST_UNDERSTAND = 0xF0
# What only a terminal sends, beside every type with bit 7. An echoing line brings it back; answers would never end.
_ONLY_OURS = (codec.Data.TYPE, codec.SyncEnd.TYPE, codec.ObjectCredit.TYPE, codec.Error.TYPE)


class Refusal(Exception):
    """A request that cannot be served; `code` is one of vocabulary.Error."""

    def __init__(self, code: int, detail: int = 0, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class TerminalEnd:
    """One link. Feed it with `receive`, send what it returns, then what `pump` returns until that is None."""

    def __init__(self, service, max_body: int = MAX_BODY) -> None:  # type: ignore[no-untyped-def]
        self.stale = 0
        self.sessions = 0
        self._service = service
        self._limit = max_body
        self._deframer = framing.Deframer()
        self._session = 0
        self._hello = b""
        self._hello_answer = b""
        self._max_body = max_body
        self._last_tag = -1
        self._last_answer = b""
        self._stream: "_Stream | None" = None

    @property
    def bad(self) -> int:
        """Frames dropped for damage since start."""
        return self._deframer.bad

    def receive(self, data: bytes) -> bytes:
        """What has to be sent at once for these bytes."""
        out = []
        for frame in self._deframer.feed(data):
            answer = self._frame(frame)
            if answer:
                out.append(answer)
        return b"".join(out)

    def pump(self) -> "bytes | None":
        """The next frame of a running sync, or None when there is none or the window is full."""
        stream = self._stream
        if stream is None or stream.ended:
            return None
        if stream.cursor == stream.end:
            if stream.credited != stream.end:
                return None
            stream.ended = True
            return self._encode(codec.SyncEnd(stream.end, stream.head), stream.next_tag())
        try:
            records = self._records(stream.cursor, stream.end)
        except Refusal as refusal:
            self._stream = None
            error = codec.Error(refusal.code, codec.SyncOpen.TYPE, refusal.detail, refusal.retry_after)
            return self._encode(error, stream.request)
        end = stream.cursor + len(records)
        wire = self._encode(codec.Data(stream.cursor, len(records), b"".join(records)), stream.next_tag())
        if not stream.in_flight.fits(end, len(wire)):
            return None
        stream.cursor = end
        return wire

    def _records(self, seq: int, end: int) -> "list[bytes]":
        """As many records from `seq` on as one frame holds, at least one. Raises Refusal."""
        room = self._max_body - codec.Data.SIZE
        records: "list[bytes]" = []
        while seq < end and len(records) < 255:
            record = self._service.record(seq)
            if len(record) > room:
                break
            room -= len(record)
            records.append(record)
            seq += 1
        if not records:
            raise Refusal(Error.RECORD_TOO_BIG, seq)
        return records

    def _frame(self, frame: framing.Frame) -> bytes:
        if frame.type == codec.Hello.TYPE:
            return self._open(frame)
        ours = frame.type & 0x80 or frame.type in _ONLY_OURS
        if frame.session != self._session or not self._session or ours:
            self.stale += 1
            return b""
        if frame.flags & _MUST_UNDERSTAND == 0:
            if frame.type == codec.Bye.TYPE:
                self._session = 0
                self._stream = None
                return b""
            if frame.type == codec.Credit.TYPE:
                self._credit(frame)
                return b""
        # A piece of an object says by its offset what it is; a late one must not push the last answer out.
        remembered = frame.type != codec.ObjectData.TYPE
        if remembered and frame.tag == self._last_tag:
            return self._last_answer
        try:
            answer = self._answer(frame)
        except Refusal as refusal:
            answer = codec.Error(refusal.code, frame.type, refusal.detail, refusal.retry_after)
        except codec.Malformed:
            answer = codec.Error(Error.MALFORMED, frame.type, 0, 0)
        wire = self._encode(answer, frame.tag)
        if remembered:
            self._last_tag = frame.tag
            self._last_answer = wire
        return wire

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
            return codec.Pong(message.nonce)
        return self._service.serve(message)

    def _open(self, frame: framing.Frame) -> bytes:
        if frame.flags & _MUST_UNDERSTAND:
            return _no_session(frame, Error.UNSUPPORTED_FLAG)
        try:
            hello = codec.Hello.unpack(frame.body)
        except codec.Malformed:
            return b""
        if hello.session == 0 or hello.max_body < MAX_RECORD + 5:
            return b""
        if hello.nonce == self._hello:
            return self._hello_answer
        if not hello.proto_min <= PROTOCOL <= hello.proto_max:
            return _no_session(frame, Error.VERSION, PROTOCOL)
        self.sessions += 1
        self._session = hello.session
        self._max_body = min(self._limit, hello.max_body)
        self._last_tag = -1
        self._last_answer = b""
        self._stream = None
        enrolment, terminal, firmware, boot = self._service.identity()
        answer = codec.HelloOk(
            hello.nonce,
            PROTOCOL,
            enrolment,
            self._limit,
            MAX_RECORD,
            WINDOW // 16,
            0,
            terminal,
            firmware,
            boot,
            self._service.fresh_nonce(),
            b"",
        )
        self._hello = hello.nonce
        self._hello_answer = self._encode(answer, frame.tag)
        return self._hello_answer

    def _sync(self, request: codec.SyncOpen, tag: int) -> codec.SyncOpenOk:
        from_seq, next_seq = self._service.sync_open(request)
        self._stream = _Stream(tag, from_seq, next_seq, self._service.head(), request.window * 16)
        return codec.SyncOpenOk(from_seq, next_seq)

    def _credit(self, frame: framing.Frame) -> None:
        try:
            credit = codec.Credit.unpack(frame.body)
        except codec.Malformed:
            return
        if self._stream is not None:
            self._stream.credit(credit.next_seq, credit.window * 16, credit.flags & _REWIND)

    def _encode(self, message, tag: int) -> bytes:  # type: ignore[no-untyped-def]
        return framing.encode(message.TYPE, 0, self._session, tag, message.pack())


def _no_session(frame: framing.Frame, code: int, detail: int = 0) -> bytes:
    error = codec.Error(code, codec.Hello.TYPE, detail, 0)
    return framing.encode(codec.Error.TYPE, 0, 0, frame.tag, error.pack())


class _Stream:
    """A running sync: where it is, what was credited, what is in flight. `request` is the tag that asked for it.

    It ends before `end` whatever is recorded meanwhile, and `head` is the chain value there. It outlives its SyncEnd,
    which may get lost: a rewind brings it again.
    """

    def __init__(self, request: int, first: int, end: int, head: bytes, window: int) -> None:
        self.request = request
        self.cursor = first
        self.credited = first
        self.end = end
        self.head = head
        self.ended = False
        self.in_flight = InFlight(window)
        self._tag = 0

    def credit(self, next_seq: int, window: int, rewind: int) -> None:
        if not self.credited <= next_seq <= self.end:
            return
        self.credited = next_seq
        self.in_flight.window = window
        self.in_flight.credit(next_seq)
        if rewind or next_seq > self.cursor:
            self.cursor = next_seq
            self.ended = False
            self.in_flight.clear()

    def next_tag(self) -> int:
        self._tag = (self._tag + 1) & 0xFFFF
        return self._tag
