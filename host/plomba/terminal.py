"""The client of one terminal: a session over a transport, one request at a time, records as they come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from plomba.errors import TerminalError, VerificationError
from plomba.transport import ByteTransport
from plomba.trust.keys import fingerprint, verify
from plomba_wire import chain, codec
from plomba_wire.dock_end import Answered, DockEnd, Lost, Opened, Records, Refused, Synced
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Enrolment, Error

_KEY_PRESS_S = 120.0
_ASK_AGAIN_S = 0.25


class Terminal:
    """One session with one terminal, from HELLO to BYE. An async context manager; a lost link ends it.

    Raises TerminalError: `link_lost`, `terminal_silent`, `terminal_refused` (with the link's code in `link_code`).
    """

    def __init__(self, transport: ByteTransport, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self.transport = transport
        self._entropy = entropy
        nonce, session = entropy(8), int.from_bytes(entropy(2), "big")
        self._end = DockEnd(nonce, session or 1)
        self._hello: codec.HelloOk | None = None
        self._events: list[object] = []
        self._reading: asyncio.Task[bytes] | None = None

    async def __aenter__(self) -> Terminal:
        await self.transport.open()
        try:
            self._end.start(self._now())
            await self._event(Opened)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.close()
        with suppress(TerminalError):
            await self._send()
        await self._close()

    @property
    def hello(self) -> codec.HelloOk:
        """What the terminal said of itself."""
        assert self._hello is not None
        return self._hello

    @property
    def id(self) -> str:
        """Id of its key, 16 hex digits."""
        return self.hello.terminal.hex()

    @property
    def rewinds(self) -> int:
        """How often records had to be asked for again in this session."""
        return self._end.rewinds

    async def public_key(self) -> codec.EnrolKeyOk:
        """Its public key, with possession proved over a fresh nonce. Raises VerificationError `possession_failed`."""
        nonce = self._entropy(16)
        answer: codec.EnrolKeyOk = await self.request(codec.EnrolKey(nonce))
        digest = chain.possession_digest(nonce, answer.public, answer.epoch, answer.protection)
        if chain.key_id(answer.public) != self.hello.terminal or not verify(answer.public, digest, answer.signature):
            raise VerificationError("possession_failed", terminal=self.id)
        return answer

    async def offer_root(self, root: bytes, certificate: bytes, patience: float = _KEY_PRESS_S) -> None:
        """Offers a root and waits for an OK on the terminal. Raises TerminalError `enrol_waiting`, `enrol_refused`."""
        deadline = self._now() + patience
        while True:
            try:
                answer: codec.EnrolRootOk = await self.request(codec.EnrolRoot(root, certificate))
            except TerminalError as error:
                if error.fields.get("link_code") == str(Error.REFUSED_BY_POLICY):
                    raise TerminalError("enrol_refused", terminal=self.id) from error
                raise
            if answer.enrolment == Enrolment.ENROLLED:
                return
            if self._now() >= deadline:
                raise TerminalError("enrol_waiting", terminal=self.id, seconds=patience, fingerprint=fingerprint(root))
            await asyncio.sleep(_ASK_AGAIN_S)

    async def status(self, public: bytes) -> codec.StatusOk:
        """State and signed head. Raises VerificationError `head_signature`."""
        nonce = self._entropy(16)
        answer: codec.StatusOk = await self.request(codec.Status(nonce))
        digest = chain.head_digest(nonce, self.hello.terminal, answer.epoch, answer.next_seq, answer.head)
        if not verify(public, digest, answer.signature):
            raise VerificationError("head_signature", terminal=self.id)
        return answer

    async def pull(self, epoch: int, from_seq: int, previous: bytes) -> AsyncIterator[Records]:
        """Records from `from_seq` on, in batches. Call `credit` for a batch once it is durable; the rest comes then."""
        self._end.sync(epoch, from_seq, previous, self._now())
        while True:
            event = await self._event(Records, Synced, Answered)
            if isinstance(event, Records):
                yield event
            elif isinstance(event, Synced):
                return

    def credit(self, next_seq: int) -> None:
        """Everything before `next_seq` is on disk."""
        self._end.credit(next_seq, self._now())

    async def give_receipt(self, bundle: bytes) -> int:
        """Hands over a receipt; returns the newest record the terminal counts as receipted."""
        answer: codec.ReceiptOk = await self.request(codec.Receipt(bundle))
        return answer.receipted_seq

    async def push(self, kind: int, version: int, bundle: bytes) -> codec.ObjectCommitOk:
        """Sends a signed object down and has it installed."""
        tag = self._end.push(kind, version, bundle, self._now())
        answer: codec.ObjectCommitOk = await self._answer(tag)
        return answer

    async def request(self, message: Any) -> Any:
        """Sends one request and waits for its answer. Raises TerminalError `terminal_confused` for another message."""
        answer = await self._answer(self._end.request(message, self._now()))
        expected = codec.MESSAGES[message.TYPE | 0x80]
        if not isinstance(answer, expected):
            raise TerminalError(
                "terminal_confused",
                port=self.transport.name,
                wanted=expected.__name__,
                found=type(answer).__name__,
            )
        return answer

    async def _answer(self, tag: int) -> Any:
        while True:
            event = await self._event(Answered)
            if isinstance(event, Answered) and event.tag == tag:
                return event.message

    async def _event(self, *wanted: type) -> object:
        """The next event of one of these kinds. A refusal and a lost link are raised."""
        while True:
            while self._events:
                event = self._events.pop(0)
                if isinstance(event, Lost):
                    raise TerminalError("terminal_silent", port=self.transport.name, waiting_for=event.waiting_for)
                if isinstance(event, Refused):
                    raise self._refusal(event.error)
                if isinstance(event, Opened):
                    self._hello = event.hello
                if isinstance(event, wanted):
                    return event
            await self._turn()

    async def _turn(self) -> None:
        """Sends what is due, then waits for bytes or the next deadline."""
        await self._send()
        if self._reading is None:
            self._reading = asyncio.create_task(self.transport.read())
        deadline = self._end.deadline()
        patience = None if deadline is None or deadline == float("inf") else max(0.0, deadline - self._now())
        done, _ = await asyncio.wait({self._reading}, timeout=patience)
        if done:
            reading, self._reading = self._reading, None
            self._events += self._end.receive(reading.result(), self._now())
        else:
            self._events += self._end.tick(self._now())
        await self._send()

    async def _send(self) -> None:
        data = self._end.outgoing()
        if data:
            await self.transport.write(data)

    async def _close(self) -> None:
        await self.transport.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None

    def _refusal(self, error: codec.Error) -> TerminalError:
        about = codec.MESSAGES.get(error.about)
        reasons = {entry["code"]: entry["doc"] for entry in VOCABULARY["error"].values()}
        return TerminalError(
            "terminal_refused",
            request=about.__name__ if about else f"{error.about:#04x}",
            reason=reasons[error.code],
            link_code=error.code,
            detail=error.detail,
        )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
