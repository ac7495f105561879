"""A capture, chunk by chunk, as entries: each byte of it is in exactly one."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from contextlib import suppress

from plomba.capture import FROM_DEVICE, TO_DEVICE, Chunk
from plomba.dissect import entry as kinds
from plomba.dissect.bodies import body as read_body
from plomba.dissect.entry import BAD, Entry
from plomba.dissect.keys import KeyRing
from plomba.dissect.layouts import MESSAGE_NAMES
from plomba.dissect.meaning import Meaning
from plomba.dissect.runs import Run, Runs
from plomba.dissect.summary import Summary
from plomba.dissect.talk import Talk
from plomba_wire import codec
from plomba_wire.framing import BODY_MAX, LIMIT, OVERHEAD, cobs_decode

_MUST_UNDERSTAND = 0xF0
_MUST_UNDERSTAND_TLV = 0x80


class Dissector:
    """Feed it with chunks in their order, then call `end`. Nothing that a chunk may hold makes it raise."""

    def __init__(self, keys: KeyRing | None = None) -> None:
        self._summary = Summary()
        self._talk = Talk()
        self._meaning = Meaning(keys or KeyRing())
        self._runs = {FROM_DEVICE: Runs(), TO_DEVICE: Runs()}
        self._chunks = 0
        self._us = 0
        self._astray = 0

    @property
    def bad(self) -> int:
        """Signatures so far that do not fit."""
        return self._summary.signatures[BAD]

    def feed(self, chunk: Chunk) -> Iterator[Entry]:
        """The entries that a chunk completes. They have to be taken before the next one is fed."""
        self._chunks += 1
        self._us = chunk.us
        runs = self._runs.get(chunk.direction)
        if runs is not None:
            for run in runs.feed(chunk.data, chunk.us):
                yield self._entry(run, chunk.direction)
        elif chunk.data:
            found = self._new(kinds.NO_DIRECTION, None, self._astray, len(chunk.data), chunk.us)
            found.note("direction", f"the chunk names direction {chunk.direction}")
            found.raw = chunk.data[:LIMIT]
            self._astray += len(chunk.data)
            yield self._done(found)

    def end(self, left: bytes = b"") -> Iterator[Entry]:
        """Frames that did not end, and `left`, what the file has of a last chunk that was cut off."""
        for direction, runs in self._runs.items():
            for run in runs.end():
                yield self._entry(run, direction)
        if left:
            found = self._new(kinds.CUT_CHUNK, None, 0, len(left), self._us)
            found.raw = left[:LIMIT]
            yield self._done(found)

    def summary(self) -> dict[str, object]:
        """Of everything so far, as docs/captures.md describes it."""
        return self._summary.as_json(self._talk, self._meaning.chains, self._chunks)

    def _new(self, kind: str, direction: int | None, offset: int, size: int, us: int) -> Entry:
        return Entry(self._summary.entries + 1, us, direction, offset, size, kind)

    def _done(self, entry: Entry) -> Entry:
        self._summary.add(entry)
        return entry

    def _entry(self, run: Run, direction: int) -> Entry:
        found = self._new(kinds.FRAME, direction, run.offset, run.size, run.us)
        body = self._open(found, run)
        if body is not None:
            self._read(found, body)
        return self._done(found)

    def _open(self, found: Entry, run: Run) -> bytes | None:
        """The body of a run that is a frame; of another one the kind of what it is."""
        if not run.data:
            found.kind = kinds.ZEROS
            return None
        found.raw = run.data
        if run.overlong:
            found.kind = kinds.OVERLONG
            return None
        if not run.ended:
            found.kind = kinds.UNFINISHED
            return None
        try:
            data = cobs_decode(run.data)
        except codec.Malformed:
            found.kind = kinds.BAD_COBS
            return None
        if not OVERHEAD <= len(data) <= OVERHEAD + BODY_MAX:
            found.kind = kinds.BAD_LENGTH
            return None
        found.type, found.flags, found.session, found.tag = struct.unpack_from(">BBHH", data)
        if binascii.crc32(data[:-4]) != struct.unpack(">I", data[-4:])[0]:
            found.kind = kinds.BAD_CRC
            return None
        found.raw = b""
        return data[codec.FrameHead.SIZE : -4]

    def _read(self, found: Entry, body: bytes) -> None:
        assert found.type is not None
        message = None
        name = MESSAGE_NAMES.get(found.type)
        if name is None:
            found.kind = kinds.UNKNOWN
            found.fields["body"] = body
        else:
            found.fields = read_body(name, body, found.faults)
            with suppress(codec.Malformed):
                message = codec.MESSAGES[found.type].unpack(body)
        refused = _refused(found.flags, message)
        request = self._talk.hear(found, body, message)
        if refused:
            found.note("must_understand", refused)
        elif message is not None and not found.noted("echo"):
            astray = found.noted("stale", "no_session")
            self._meaning.follow(found, message, None if astray else self._talk.newest, request)
        if found.kind == kinds.FRAME and refused:
            found.kind = kinds.UNSUPPORTED
        elif found.kind == kinds.FRAME and found.faults:
            found.kind = kinds.MISFIT


def _refused(flags: int, message: object) -> str:
    """Why a receiver that keeps to the contract refuses it, if it does."""
    if flags & _MUST_UNDERSTAND:
        return f"flags 0x{flags & _MUST_UNDERSTAND:02X}"
    growth = message.growth if isinstance(message, codec.Hello | codec.HelloOk) else b""
    at = 0
    while at + 3 <= len(growth):
        if growth[at] & _MUST_UNDERSTAND_TLV:
            return f"growth 0x{growth[at]:02X}"
        at += 3 + int.from_bytes(growth[at + 1 : at + 3], "big")
    return ""
