"""The client of one terminal: a session over a transport, one request at a time, records as they come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from plomba.errors import TerminalError, TerminalRefused, VerificationError
from plomba.transport import ByteTransport
from plomba.trust.keys import fingerprint, verify
from plomba.trust.objects import split_package
from plomba_wire import chain, codec, tlv
from plomba_wire.dock_end import FEATURES, Announced, Answered, DockEnd, Lost, Opened, Records, Refused, Synced
from plomba_wire.terminal_end import BAUD_SILENCE_MS
from plomba_wire.vocabulary import Enrolment, Error, Feature, Growth

_KEY_PRESS_S = 120.0
_ASK_AGAIN_S = 0.25
_BAUD_PATIENCE_S = 0.4
_BAUD_LOOKED_AT_S = 0.3
_BAUD_ALIVE_S = 1.0
_ALIVE_S = 10.0
_DIARY_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A terminal's clock against ours: `trip` s for the probe and back; `offset` s by which the terminal is ahead, None
    while its clock was never set; `mono_ms` since its boot, `at` our clock (s since 1970) in the middle of the trip."""

    trip: float
    offset: float | None
    mono_ms: int
    at: float
    nonce: bytes


class Terminal:
    """One session with one terminal, from HELLO to BYE. An async context manager; a lost link ends it.

    `features` are the feature bits offered; the rate of a line without one is not spoken of. Raises TerminalError
    (`link_lost`, `terminal_silent`) and TerminalRefused.
    """

    def __init__(
        self,
        transport: ByteTransport,
        entropy: Callable[[int], bytes] = os.urandom,
        *,
        features: int = FEATURES,
    ) -> None:
        self.transport = transport
        self._entropy = entropy
        if transport.baud is None:
            features &= ~Feature.BAUD
        nonce, session = entropy(8), int.from_bytes(entropy(2), "big")
        self._end = DockEnd(nonce, session or 1, features=features)
        self._hello: codec.HelloOk | None = None
        self._events: list[object] = []
        self._reading: asyncio.Task[bytes] | None = None
        self._pulled: list[object] = []
        self._announced = self._told = 0

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
    def root_id(self) -> bytes:
        """Id of the root it trusts; empty when it says none."""
        try:
            return tlv.unpack(self.hello.growth, 0).get(Growth.ROOT, b"")
        except codec.Malformed:
            return b""

    @property
    def features(self) -> int:
        """The feature bits that both ends have."""
        return self._end.features

    @property
    def rewinds(self) -> int:
        """How often records had to be asked for again in this session."""
        return self._end.rewinds

    async def public_key(self) -> codec.EnrolKeyOk:
        """Its public key, with possession proved over a fresh nonce. Raises VerificationError `possession_failed`."""
        return await self.request_key(self._entropy(16))

    async def request_key(self, nonce: bytes) -> codec.EnrolKeyOk:
        """The same over a nonce of yours, 16 bytes: its proof can be shown to somebody else."""
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
            except TerminalRefused as error:
                if error.link_code == Error.REFUSED_BY_POLICY:
                    known = self.hello.enrolment == Enrolment.ENROLLED
                    raise TerminalError("enrol_refused" if known else "enrol_declined", terminal=self.id) from error
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
        """Records from `from_seq` on, in batches as they came. Call `credit` for a batch once it is durable; the rest
        comes then."""
        self._alive("SyncOpen")
        self._end.sync(epoch, from_seq, previous, self._now())
        self._pulled.clear()
        while True:
            event = await self._event(Records, Synced, Answered)
            if isinstance(event, Records):
                # What has come in one read is one batch, and one commit.
                while self._events and isinstance(more := self._events[0], Records):
                    event.records += more.records
                    self._events.pop(0)
                yield event
            elif isinstance(event, Synced):
                return

    async def holds(self, epoch: int, seq: int, digest: bytes) -> bool:
        """Whether its record `seq` has this chain value. Raises TerminalRefused for one it does not hold any more."""
        try:
            await self._answer(self._end.sync(epoch, seq + 1, digest, self._now()))
        except TerminalRefused as refused:
            if refused.link_code == Error.CHAIN_FORK:
                return False
            raise
        return True

    def credit(self, next_seq: int) -> None:
        """Everything before `next_seq` is on disk."""
        self._end.credit(next_seq, self._now())

    async def give_receipt(self, bundle: bytes) -> int:
        """Hands over a receipt; returns the newest record the terminal counts as receipted."""
        answer: codec.ReceiptOk = await self.request(codec.Receipt(bundle))
        return answer.receipted_seq

    async def push(self, kind: int, version: int, package: bytes) -> codec.ObjectCommitOk:
        """Sends a signed object down and has it installed. Raises VerificationError for a package that is none."""
        bundle, _ = split_package(package)
        self._alive("ObjectOffer")
        tag = self._end.push(kind, version, package, len(bundle), self._now())
        answer: codec.ObjectCommitOk = await self._answer(tag)
        return answer

    async def clock(self, now: Callable[[], float]) -> ClockReading:
        """Reads the terminal's clock and gets a fresh nonce for a time object. `now` is s since 1970."""
        sent, asked = now(), self._now()
        answer: codec.TimeProbeOk = await self.request(codec.TimeProbe(self._entropy(8)))
        trip = self._now() - asked
        # utc is whole seconds: half of one is the best guess for what is cut off.
        offset = answer.utc + 0.5 - (sent + trip / 2) if answer.utc else None
        return ClockReading(trip, offset, answer.mono_tx, sent + trip / 2, answer.device_nonce)

    async def diary(self) -> str:
        """What the terminal wrote down for people since its boot; unsigned."""
        text, offset = b"", 0
        while True:
            answer: codec.DiagOk = await self.request(codec.Diag(offset))
            text += answer.text
            before, offset = offset, answer.offset + len(answer.text)
            if offset <= before or offset >= answer.end or len(text) > _DIARY_MAX:
                return text.decode(errors="replace")

    async def change_baud(self, baud: int) -> bool:
        """Asks for another rate of the line. False when the new one did not carry and the old one holds again.

        Raises TerminalRefused for a rate the terminal does not have, TerminalError `baud_unsupported` for a line that
        has none.
        """
        before = self.transport.baud
        if before is None or not self.features & Feature.BAUD:
            raise TerminalError("baud_unsupported", port=self.transport.name)
        await self.request(codec.Baud(baud))
        await self.transport.set_baud(baud)
        pinging = self._end.request(codec.Ping(self._entropy(8)), self._now())
        try:
            async with asyncio.timeout(_BAUD_PATIENCE_S):
                await self._answer(pinging)
        except TimeoutError:
            await self.transport.set_baud(before)
            # It may have kept the new rate, and only our ping's answer came late.
            await asyncio.sleep(BAUD_SILENCE_MS / 1000 + _BAUD_LOOKED_AT_S)
            await self._answer(pinging)
            return False
        self._end.idle = _BAUD_ALIVE_S
        return True

    async def announcements(self) -> AsyncIterator[int]:
        """Waits for new records; each time the number the next one will get. Needs the feature LIVE; a ping after
        10 s of silence finds what got lost. Between two of them anything may be asked."""
        self._end.idle = min(self._end.idle or _ALIVE_S, _ALIVE_S)
        while True:
            event = await self._event(Announced)
            assert isinstance(event, Announced)
            yield event.next_seq

    async def meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for something else than this terminal, and keeps the session alive."""
        task = asyncio.create_task(work)
        while not (await asyncio.wait({task}, timeout=self._end.idle or _ALIVE_S))[0]:
            with suppress(TerminalError):
                await self.request(codec.Ping(self._entropy(8)))
        await task

    async def request(self, message: Any) -> Any:
        """Sends one request and waits for its answer. Raises TerminalError `terminal_confused` for another message."""
        self._alive(type(message).__name__)
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

    def _alive(self, wanted: str) -> None:
        if self._end.state == "over":
            raise TerminalError("terminal_silent", port=self.transport.name, waiting_for=wanted)

    async def _answer(self, tag: int) -> Any:
        while True:
            event = await self._event(Answered)
            if isinstance(event, Answered) and event.tag == tag:
                return event.message

    async def _event(self, *wanted: type) -> object:
        """The next event of one of these kinds. A refusal and a lost link are raised."""
        while True:
            if Records in wanted and self._pulled:
                return self._pulled.pop(0)
            while self._events:
                event = self._events.pop(0)
                if isinstance(event, Lost):
                    raise TerminalError("terminal_silent", port=self.transport.name, waiting_for=event.waiting_for)
                if isinstance(event, Refused):
                    raise self._refusal(event.error)
                if isinstance(event, Opened):
                    self._hello = event.hello
                if isinstance(event, Announced):
                    # Kept while something else is waited for.
                    self._announced = max(self._announced, event.next_seq)
                elif isinstance(event, wanted):
                    return event
                elif isinstance(event, (Records, Synced)):
                    # Something else is asked for in the middle of a pull.
                    self._pulled.append(event)
            if Announced in wanted and self._announced > self._told:
                self._told = self._announced
                return Announced(self._told)
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

    def _refusal(self, error: codec.Error) -> TerminalRefused:
        about = codec.MESSAGES.get(error.about)
        request = about.__name__ if about else f"{error.about:#04x}"
        terminal = self._hello.terminal.hex() if self._hello is not None else ""
        return TerminalRefused(error.code, request, error.detail, error.retry_after, terminal)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
