"""Captures made by hand: frames in either direction, a millisecond apart."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from plomba.capture import FROM_DEVICE, TO_DEVICE, Chunk, Recorder
from plomba.dissect import Dissector, Entry, KeyRing, entry_lines, summary_lines
from plomba.trust.keys import PrivateKey
from plomba_wire import chain, codec, framing
from plomba_wire.layout import Layout
from plomba_wire.vocabulary import Enrolment

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"
SESSION = 7
CHAIN = json.loads((VECTORS / "chain.json").read_text(encoding="utf-8"))
OBJECTS = json.loads((VECTORS / "objects.json").read_text(encoding="utf-8"))
LAYOUTS = json.loads((VECTORS / "layouts.json").read_text(encoding="utf-8"))
TERMINAL = PrivateKey(ec.derive_private_key(int(CHAIN["private"], 16), ec.SECP256R1()))
ROOT_KEY = PrivateKey(ec.derive_private_key(int(OBJECTS["keys"]["root"]["private"], 16), ec.SECP256R1()))
PUBLIC = bytes.fromhex(CHAIN["public"])
EPOCH = CHAIN["epoch"]
GENESIS = bytes.fromhex(CHAIN["genesis"])
RECORDS = [(bytes.fromhex(r["body"]), bytes.fromhex(r["signature"])) for r in CHAIN["records"]]
DIGESTS = [GENESIS, *(bytes.fromhex(r["digest"]) for r in CHAIN["records"])]
ROOT = bytes.fromhex(OBJECTS["root"])


class Recorded:
    """Collects what passes, each write a chunk of its own."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, bytes]] = []

    def down(self, message: Layout, tag: int = 0, **head: int) -> Recorded:
        """The dock says something."""
        return self.raw(TO_DEVICE, wire(message, tag, **head))

    def up(self, message: Layout, tag: int = 0, **head: int) -> Recorded:
        """The terminal says something."""
        return self.raw(FROM_DEVICE, wire(message, tag, **head))

    def raw(self, direction: int, data: bytes) -> Recorded:
        self.chunks.append((direction, data))
        return self

    def opened(self, session: int = SESSION, nonce: bytes = b"dock  no") -> Recorded:
        """A session begins."""
        hello = codec.Hello(nonce, session, 1, 1, 2000, 512, 7, b"\x01\x00\x08" + codec.SCHEMA)
        self.raw(TO_DEVICE, b"\0" + wire(hello, session=0))
        id = chain.key_id(PUBLIC)
        answer = codec.HelloOk(nonce, 1, Enrolment.ENROLLED, 2000, 514, 256, 7, id, 0x01020003, 4, bytes(16), b"")
        return self.up(answer, session=session)

    def keyed(self) -> Recorded:
        """The terminal's key is told, and proved."""
        digest = chain.possession_digest(bytes(16), PUBLIC, EPOCH, 1)
        self.down(codec.EnrolKey(bytes(16)), 90)
        return self.up(codec.EnrolKeyOk(PUBLIC, EPOCH, 1, 2, TERMINAL.sign(digest)), 90)

    def syncing(self, first: int = 1, tag: int = 2) -> Recorded:
        self.down(codec.SyncOpen(EPOCH, first, DIGESTS[first - 1], 512), tag)
        return self.up(codec.SyncOpenOk(first, len(RECORDS) + 1), tag)

    def records(self, first: int, *records: tuple[bytes, bytes], **head: int) -> Recorded:
        packed = [struct.pack(">H", len(body)) + body + signature for body, signature in records]
        return self.up(codec.Data(first, len(records), b"".join(packed)), 1, **head)

    def write(self, path: Path) -> Path:
        times = iter(range(1, 1_000_000))
        recorder = Recorder(path, lambda: next(times) / 1000)
        for direction, data in self.chunks:
            recorder.record(direction, data)
        recorder.close()
        return path


def wire(message: Layout, tag: int = 0, *, session: int = SESSION, flags: int = 0) -> bytes:
    return framing.encode(message.TYPE, flags, session, tag, message.pack())


def dissected(recorded: Recorded, keys: KeyRing | None = None) -> tuple[list[Entry], dict[str, Any]]:
    """Entries and summary; both ways to show them must not fail on any of it."""
    dissector = Dissector(keys)
    entries = []
    for number, (direction, data) in enumerate(recorded.chunks):
        entries += dissector.feed(Chunk(number * 1000, direction, data))
    entries += dissector.end()
    summary = dissector.summary()
    shown(entries, summary)
    return entries, summary


def shown(entries: list[Entry], summary: dict[str, Any] | None = None) -> str:
    """The dump as a person gets it."""
    lines = [line.text for entry in entries for line in entry_lines(entry)]
    lines += [line.text for line in summary_lines(summary)] if summary else []
    json.dumps([[entry.as_json() for entry in entries], summary])
    return "\n".join(lines)


def notes(entry: Entry) -> set[str]:
    return {note.code for note in entry.notes}


def verdicts(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(signature.what, signature.verdict) for entry in entries for signature in entry.signatures]
