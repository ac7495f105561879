"""What the two ends say to each other: sessions, requests and their answers, what is said twice or out of place."""

from __future__ import annotations

from dataclasses import dataclass, field

from plomba.capture import FROM_DEVICE, TO_DEVICE
from plomba.dissect.entry import Answers, Entry
from plomba_wire import codec
from plomba_wire.schema import MESSAGES

_NO_ANSWER = (codec.Bye.TYPE, codec.Credit.TYPE)
_UNPROMPTED = (codec.Data.TYPE, codec.SyncEnd.TYPE, codec.Announce.TYPE)
_OPENING = (codec.Hello.TYPE, codec.HelloOk.TYPE)
_SENDERS = {"dock": TO_DEVICE, "terminal": FROM_DEVICE}


@dataclass(slots=True)
class Session:
    """`terminal` is None while no HelloOk was heard; `ended` is empty, Bye or Hello. `both` is whether the dock was
    heard, too; `sync` is the newest SyncOpen, `expected` the record that should come next."""

    session: int
    began_us: int
    nonce: bytes
    both: bool
    terminal: bytes | None = None
    ended: str = ""
    ended_us: int | None = None
    sync: codec.SyncOpen | None = None
    expected: int = 0

    def end(self, why: str, us: int) -> None:
        if not self.ended:
            self.ended, self.ended_us = why, us


@dataclass(slots=True)
class Request:
    """A request, to be answered under its tag. `number` is its entry's, `us` when it was said last."""

    number: int
    us: int
    type: int
    tag: int
    body: bytes
    answers: set[int] = field(default_factory=set)


class Talk:
    """`sessions` in their order. `newest` is the one that both ends should be in."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.newest: Session | None = None
        self._asked: dict[tuple[int, int], Request] = {}
        self._open: list[Request] = []
        self._numbers: set[int] = set()
        self._dock_heard = False

    def hear(self, entry: Entry, body: bytes, message: object) -> Request | None:
        """Notes what an entry is among the others, and gives the request that it answers."""
        assert entry.type is not None
        layout = MESSAGES.get(entry.type)
        if layout is not None and _SENDERS[layout.sender] != entry.direction:
            entry.note("echo", f"a message of the {layout.sender}'s")
            return None
        self._dock_heard = self._dock_heard or entry.direction == TO_DEVICE
        if isinstance(message, codec.Hello):
            self._hello(entry, body, message)
            return None
        if isinstance(message, codec.HelloOk):
            self._opened(entry, message)
        elif entry.type in _OPENING:
            # One that does not fit opens nothing.
            return None
        elif not self._belongs(entry, message):
            return None
        request = None
        if entry.direction == FROM_DEVICE:
            request = None if entry.type in _UNPROMPTED else self._answer(entry)
        elif entry.type not in _NO_ANSWER:
            self._request(entry, body)
        if isinstance(message, codec.Bye) and self.newest is not None:
            self.newest.end("Bye", entry.us)
        return request

    def unanswered(self) -> list[Request]:
        """Requests that nothing was heard about."""
        return [request for request in self._open if not request.answers]

    def _hello(self, entry: Entry, body: bytes, hello: codec.Hello) -> None:
        newest = self.newest
        if newest is None or newest.nonce != hello.nonce or newest.ended:
            if newest is not None:
                newest.end("Hello", entry.us)
            self._begin(hello.session, entry.us, hello.nonce)
        self._request(entry, body)

    def _begin(self, session: int, us: int, nonce: bytes) -> Session:
        self.newest = Session(session, us, nonce, self._dock_heard)
        self.sessions.append(self.newest)
        self._numbers.add(session)
        return self.newest

    def _opened(self, entry: Entry, hello: codec.HelloOk) -> None:
        newest = self.newest
        if newest is None or (not self._dock_heard and newest.nonce != hello.nonce):
            # Only the terminal is heard: a passive ear on one line of the two.
            newest = self._begin(entry.session, entry.us, hello.nonce)
        if newest.nonce != hello.nonce or newest.session != entry.session:
            entry.note("stale", "answers another Hello")
            return
        newest.terminal = hello.terminal

    def _belongs(self, entry: Entry, message: object) -> bool:
        """Whether a frame is of the session under way; else it is noted, and means nothing."""
        newest = self.newest
        if entry.session == 0 and isinstance(message, codec.Error) and message.about == codec.Hello.TYPE:
            return True
        if newest is not None and newest.session == entry.session and not newest.ended:
            return True
        if entry.session in self._numbers:
            entry.note("stale", f"session {entry.session} is over")
        else:
            entry.note("no_session", f"no Hello of session {entry.session} before it")
        return False

    def _request(self, entry: Entry, body: bytes) -> None:
        assert entry.type is not None
        key = (entry.session, entry.tag)
        before = self._asked.get(key)
        if before is not None and (before.type, before.body) == (entry.type, body):
            entry.note("repeated", f"said before in #{before.number}")
            before.us = entry.us
            return
        self._asked[key] = request = Request(entry.number, entry.us, entry.type, entry.tag, body)
        self._open.append(request)

    def _answer(self, entry: Entry) -> Request | None:
        hello = entry.type == codec.HelloOk.TYPE
        request = self._asked.get((0 if hello else entry.session, entry.tag))
        if request is None or not _answers(entry.type, request.type):
            if self._dock_heard:
                entry.note("unasked", f"no request with tag {entry.tag} before it")
            return None
        assert entry.type is not None
        if entry.type in request.answers:
            entry.note("repeated", f"#{request.number} was answered so before")
        request.answers.add(entry.type)
        entry.answers = Answers(request.number, entry.us - request.us)
        return request


def _answers(type: int | None, request: int) -> bool:
    if type == codec.Error.TYPE:
        return True
    return type == (codec.ObjectCredit.TYPE if request == codec.ObjectData.TYPE else request | 0x80)
