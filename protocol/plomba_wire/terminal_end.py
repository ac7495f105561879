"""The terminal's end of the link: bytes in, bytes out. No timers, one cursor; the journal is the retransmission buffer.

What the messages mean is the `service`'s affair (firmware/terminal/link/service.py is the one there is):

    identity() -> (enrolment, terminal id 8, firmware u32, boot u16)
    fresh_nonce() -> 16 bytes, kept until the next session
    serve(message) -> the message that answers it; raises Refusal
    sync_open(SyncOpen) -> (from_seq, next_seq); raises Refusal
    record(seq) -> length, body, signature
    head() -> chain value of the newest record
"""

from plomba_wire import codec, framing
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
        self._stop_streaming()

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
        if not self._streaming:
            return None
        if self._cursor == self._end:
            if self._credited != self._end:
                return None
            self._streaming = False
            ending = codec.SyncEnd(self._end, self._service.head())
            return self._encode(ending, self._next_tag())
        room = self._max_body - 5
        first = self._cursor
        records = []
        while self._cursor < self._end and len(records) < 255:
            record = self._next_record or self._service.record(self._cursor)
            if len(record) > room:
                self._next_record = record
                break
            self._next_record = b""
            room -= len(record)
            records.append(record)
            self._cursor += 1
        wire = self._encode(codec.Data(first, len(records), b"".join(records)), self._next_tag())
        if self._in_flight and self._flight_bytes + len(wire) > self._window:
            self._cursor = first
            self._next_record = b""
            return None
        self._in_flight.append((self._cursor, len(wire)))
        self._flight_bytes += len(wire)
        return wire

    def _frame(self, frame: framing.Frame) -> bytes:
        if frame.type == codec.Hello.TYPE:
            return self._open(frame)
        if frame.session != self._session or not self._session:
            self.stale += 1
            return b""
        layout = codec.MESSAGES.get(frame.type)
        if frame.type == codec.Bye.TYPE:
            self._session = 0
            self._stop_streaming()
            return b""
        if frame.type == codec.Credit.TYPE:
            return self._credit(frame)
        if frame.tag == self._last_tag and frame.type != codec.ObjectData.TYPE:
            return self._last_answer
        try:
            if frame.flags & 0xF0:
                raise Refusal(Error.UNSUPPORTED_FLAG)
            if layout is None or frame.type & 0x80:
                raise Refusal(Error.UNKNOWN_TYPE)
            if frame.type == codec.SyncOpen.TYPE:
                answer = self._sync(codec.SyncOpen.unpack(frame.body))
            elif frame.type == codec.Ping.TYPE:
                answer = codec.Pong(codec.Ping.unpack(frame.body).nonce)
            else:
                answer = self._service.serve(layout.unpack(frame.body))
        except Refusal as refusal:
            answer = codec.Error(refusal.code, frame.type, refusal.detail, refusal.retry_after)
        except codec.Malformed:
            answer = codec.Error(Error.MALFORMED, frame.type, 0, 0)
        if answer is None:
            return b""
        self._last_tag = frame.tag
        self._last_answer = self._encode(answer, frame.tag)
        return self._last_answer

    def _open(self, frame: framing.Frame) -> bytes:
        try:
            hello = codec.Hello.unpack(frame.body)
        except codec.Malformed:
            return b""
        if hello.session == 0 or hello.max_body < MAX_RECORD + 5:
            return b""
        if hello.nonce == self._hello:
            return self._hello_answer
        if not hello.proto_min <= PROTOCOL <= hello.proto_max:
            refusal = codec.Error(Error.VERSION, codec.Hello.TYPE, PROTOCOL, 0)
            return framing.encode(codec.Error.TYPE, 0, 0, frame.tag, refusal.pack())
        self.sessions += 1
        self._session = hello.session
        self._max_body = min(self._limit, hello.max_body)
        self._last_tag = -1
        self._last_answer = b""
        self._stop_streaming()
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

    def _sync(self, request: codec.SyncOpen) -> codec.SyncOpenOk:
        from_seq, next_seq = self._service.sync_open(request)
        self._stop_streaming()
        self._streaming = True
        self._cursor = self._credited = from_seq
        self._end = next_seq
        self._window = request.window * 16
        return codec.SyncOpenOk(from_seq, next_seq)

    def _credit(self, frame: framing.Frame) -> bytes:
        try:
            credit = codec.Credit.unpack(frame.body)
        except codec.Malformed:
            return b""
        if not self._streaming or not self._credited <= credit.next_seq <= self._end:
            return b""
        self._credited = credit.next_seq
        self._window = credit.window * 16
        while self._in_flight and self._in_flight[0][0] <= credit.next_seq:
            self._flight_bytes -= self._in_flight.pop(0)[1]
        if credit.flags & _REWIND or credit.next_seq > self._cursor:
            self._cursor = credit.next_seq
            self._next_record = b""
            self._in_flight = []
            self._flight_bytes = 0
        return b""

    def _stop_streaming(self) -> None:
        self._streaming = False
        self._cursor = self._credited = self._end = 0
        self._window = 0
        self._in_flight: list[tuple[int, int]] = []
        self._flight_bytes = 0
        self._next_record = b""
        self._data_tag = 0

    def _next_tag(self) -> int:
        self._data_tag = (self._data_tag + 1) & 0xFFFF
        return self._data_tag

    def _encode(self, message, tag: int) -> bytes:  # type: ignore[no-untyped-def]
        return framing.encode(message.TYPE, 0, self._session, tag, message.pack())
