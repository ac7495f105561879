"""Single messages on the wire, for an end that is spoken to by hand."""

from __future__ import annotations

from plomba_wire import codec, framing
from plomba_wire.dock_end import Answered, DockEnd, Opened
from plomba_wire.terminal_end import TerminalEnd

SESSION = 0x1234

Heard = list[tuple[framing.Frame, codec.Layout]]


def wire(message: codec.Layout, tag: int = 1, session: int = SESSION, flags: int = 0) -> bytes:
    return framing.encode(message.TYPE, flags, session, tag, message.pack())


def read(data: bytes | None) -> Heard:
    """The frames in bytes that hold whole ones."""
    deframer = framing.Deframer()
    heard = [(frame, codec.MESSAGES[frame.type].unpack(frame.body)) for frame in deframer.feed(data or b"")]
    assert not deframer.bad
    return heard


def the_error(data: bytes | None) -> codec.Error:
    """The one error that was said."""
    [(_, message)] = read(data)
    assert isinstance(message, codec.Error)
    return message


def hello(
    nonce: bytes = b"12345678",
    session: int = SESSION,
    *,
    max_body: int = 2000,
    protos: tuple[int, int] = (1, 1),
    features: int = 0,
    growth: bytes = b"",
) -> bytes:
    message = codec.Hello(nonce, session, *protos, max_body, 512, features, growth)
    return wire(message, tag=0, session=0)


class Listener(TerminalEnd):
    """A terminal's end whose clock the test moves: `now`, ms. It moves by itself, 60 ms with each write."""

    now = 0

    def receive(self, data: bytes, now: int | None = None) -> bytes:
        self.now = self.now + 60 if now is None else now
        return super().receive(data, self.now)


def opened(end: Listener, max_body: int = 2000, features: int = 0) -> Listener:
    """The same end, in session SESSION."""
    [(frame, message)] = read(end.receive(hello(max_body=max_body, features=features)))
    assert isinstance(message, codec.HelloOk) and frame.session == SESSION
    return end


def hello_ok(nonce: bytes, *, max_body: int = 2000, features: int = 0, growth: bytes = b"") -> codec.HelloOk:
    return codec.HelloOk(nonce, 1, 2, max_body, 514, 256, features, bytes(8), 1, 1, bytes(16), growth)


def opened_dock(now: float = 0.0, max_body: int = 2000, features: int = 0) -> DockEnd:
    """A dock's end in session SESSION."""
    dock = DockEnd(b"12345678", SESSION)
    dock.start(now)
    dock.outgoing()
    [event] = dock.receive(wire(hello_ok(b"12345678", max_body=max_body, features=features), tag=0), now)
    assert isinstance(event, Opened)
    return dock


def answered(dock: DockEnd, message: codec.Layout, tag: int, now: float = 0.0) -> object:
    """What the dock makes of an answer."""
    [event] = dock.receive(wire(message, tag), now)
    assert isinstance(event, Answered)
    return event.message
