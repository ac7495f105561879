"""What takes bytes from outside, each as a function of bytes. Nothing may come out but what it promises to raise."""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from plomba.errors import PlombaError
from plomba.trust.objects import Trust
from plomba.trust.records import verify_chain
from plomba_wire import chain, codec, framing, tlv
from plomba_wire.dock_end import DockEnd, Records
from plomba_wire.fragments import Defragmenter
from plomba_wire.pull import split_records
from plomba_wire.terminal_end import TerminalEnd

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "wire"))

from memory_service import MemoryService  # noqa: E402

_VECTORS = ROOT / "protocol" / "vectors"
_SESSION = 0x1234
_NONCE = b"12345678"
_PUBLIC = bytes.fromhex(json.loads((_VECTORS / "objects.json").read_text(encoding="utf-8"))["root"])


def layouts(data: bytes) -> None:
    """Every layout, and what is read packs to the same bytes again."""
    name = codec.__all__[data[0] % len(codec.__all__)] if data else "Ping"
    layout: Any = getattr(codec, name)
    if not isinstance(layout, type) or not hasattr(layout, "FIELDS"):
        return
    try:
        message = layout.unpack(data[1:])
    except codec.Malformed:
        return
    assert message.pack() == data[1:], name


def cobs(data: bytes) -> None:
    assert framing.cobs_decode(framing.cobs_encode(data)[:-1]) == data
    try:
        framing.cobs_decode(data)
    except codec.Malformed:
        return


def stream(data: bytes) -> None:
    """Whatever the pieces, the same frames."""
    whole = framing.Deframer()
    pieces = framing.Deframer()
    cut = data[0] + 1 if data else 1
    found = [(f.type, f.tag, f.body) for f in whole.feed(data)]
    split = [(f.type, f.tag, f.body) for at in range(0, len(data), cut) for f in pieces.feed(data[at : at + cut])]
    assert found == split and whole.bad == pieces.bad


def packets(data: bytes) -> None:
    end = Defragmenter()
    at = 0
    while at < len(data):
        size = data[at]
        end.feed(data[at + 1 : at + 1 + size])
        at += 1 + size


def terminal(data: bytes) -> None:
    """The terminal's end in an open session: raw bytes, or frames with a head that is right and any body."""
    service = MemoryService(8)
    end = TerminalEnd(service)
    hello = codec.Hello(_NONCE, _SESSION, 1, 1, 2000, 512, 7, b"").pack()
    end.receive(framing.encode(codec.Hello.TYPE, 0, 0, 0, hello), 0)
    for number, piece in enumerate(_pieces(data)):
        end.receive(piece, number * 40)
        end.tick(number * 40)
        while end.pump():
            pass
    assert end.receive(framing.encode(codec.Hello.TYPE, 0, 0, 0, b"other---" + hello[8:]), 10**6)


def dock(data: bytes) -> None:
    """The dock's end while it syncs; it hands no record out twice and none out of order."""
    end = DockEnd(_NONCE, _SESSION)
    end.start(0.0)
    ok = codec.HelloOk(_NONCE, 1, 2, 2000, 514, 256, 7, bytes(8), 1, 1, bytes(16), b"")
    end.receive(framing.encode(ok.TYPE, 0, _SESSION, 0, ok.pack()), 0.0)
    tag = end.sync(1, 1, bytes(32), 0.0)
    opened = codec.SyncOpenOk(1, 1000)
    end.receive(framing.encode(opened.TYPE, 0, _SESSION, tag, opened.pack()), 0.0)
    next_seq = 1
    for number, piece in enumerate(_pieces(data)):
        for event in end.receive(piece, number * 0.01):
            if isinstance(event, Records):
                assert event.first_seq == next_seq
                next_seq += len(event.records)
                end.credit(next_seq, number * 0.01)
        end.tick(number * 0.01)
        end.outgoing()


def records(data: bytes) -> None:
    """A run of records, and each record under a key that did not sign it."""
    count = data[0] if data else 0
    found = split_records(codec.Data(1, count, data[1:]))
    for body, signature in found or [(data, bytes(64))]:
        try:
            verify_chain(_PUBLIC, 1, 1, chain.genesis(_PUBLIC, 1), [(body, signature)])
        except PlombaError:
            continue
        raise AssertionError("a record nobody signed was verified")


def parts(data: bytes) -> None:
    try:
        found = tlv.unpack(data, 0)
    except codec.Malformed:
        return
    assert tlv.pack(found) == data


def objects(data: bytes) -> None:
    """A package, under a root; the vectors' good ones are among the seeds, so forged ones are near."""
    kind = data[0] % 8 if data else 0
    try:
        Trust(_PUBLIC).open(data[1:], kind or 3, now=1_782_864_000)
    except PlombaError:
        return
    assert hashlib.sha256(data[1:]).digest() in _good(), "a package nobody signed was verified"


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (layouts, cobs, stream, packets, terminal, dock, records, parts, objects)
}


def seeds() -> Iterator[tuple[str, bytes]]:
    """Inputs to begin with, by target: the golden vectors, good and bad."""
    frames, shapes, signed, runs = (_read(name) for name in ("frames", "layouts", "objects", "records"))
    for case in frames["streams"]:
        wire = bytes.fromhex(case["wire"])
        yield "stream", wire
    for case in frames["cobs"]:
        yield "cobs", bytes.fromhex(case["plain"])
    for index, name in enumerate(codec.__all__):
        for case in shapes.get(name, {}).get("good", []):
            body = bytes.fromhex(case["bytes"])
            yield "layouts", bytes((index,)) + body
            kind = shapes[name].get("type")
            if kind is not None:
                # What _pieces makes a frame of: type, length, body.
                piece = bytes((kind, 0)) + struct.pack(">H", len(body)) + body
                yield "dock" if kind & 0x80 else "terminal", b"\1" + piece
    for case in [*signed["good"], *signed["bad"]]:
        yield "objects", bytes((case["kind"],)) + bytes.fromhex(case["bundle"]) + bytes.fromhex(case.get("content", ""))
    for case in [*runs["runs"]["good"], *runs["runs"]["bad"]]:
        yield "records", bytes((case["count"],)) + bytes.fromhex(case["records"])
    for case in runs["good"]:
        yield "parts", bytes.fromhex(case["body"])[codec.RecordHead.SIZE :]
    for case in _read("fragments")["streams"]:
        packets = [bytes.fromhex(packet) for packet in case["packets"] if packet and len(packet) < 512]
        yield "packets", b"".join(bytes((len(packet),)) + packet for packet in packets)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Raw pieces of 64 bytes, or, behind a first byte that is odd, frames: type, flags, length u16, body."""
    if not data or not data[0] & 1:
        for at in range(1, len(data), 64):
            yield data[at : at + 64]
        return
    at = 1
    tag = 0
    while at + 4 <= len(data):
        kind, flags, length = struct.unpack_from(">BBH", data, at)
        at += 4
        tag += 1
        # A body over the limit cannot be framed; cobs and stream see to those.
        body = data[at : at + min(length, framing.BODY_MAX)]
        yield framing.encode(kind, flags, _SESSION, tag, body)
        at += length


def _read(name: str) -> Any:
    return json.loads((_VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def _good() -> set[bytes]:
    if not _GOOD:
        for case in _read("objects")["good"]:
            data = bytes.fromhex(case["bundle"]) + bytes.fromhex(case.get("content", ""))
            _GOOD.add(hashlib.sha256(data).digest())
    return _GOOD


_GOOD: set[bytes] = set()
