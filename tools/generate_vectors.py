"""protocol/vectors: what an implementation of PLP/1 can be held against; its README.md says how to read it.

Made from schema.py with construct, from zlib, hashlib and cryptography. The codec, the framing and the digests that the
vectors are for are not imported here.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import construct

import generate_chain_vectors
import generate_error_vectors
import generate_fragment_vectors
import generate_object_vectors
from generate_codec import Field, planned
from plomba_wire.schema import BODY_MAX, LAYOUTS, RECORD_MAX, VOCABULARY, Layout
from vector_values import octets, plain

Case = dict[str, Any]


def render() -> dict[str, str]:
    """File name in protocol/vectors -> its text."""
    files = {
        "frames.json": frames(),
        "fragments.json": generate_fragment_vectors.fragments(),
        "layouts.json": layouts(),
        "records.json": records(),
        "digests.json": generate_chain_vectors.digests(),
        "chain.json": generate_chain_vectors.chain(),
        "errors.json": generate_error_vectors.errors(framed),
        "objects.json": generate_object_vectors.objects(),
    }
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in files.items()}


def stuffed(data: bytes) -> bytes:
    """COBS one byte at a time, as in the paper (Cheshire and Baker 1999, appendix A); no delimiter."""
    out = bytearray(1)
    code_at, code = 0, 1
    for byte in data:
        if byte:
            out.append(byte)
            code += 1
        if not byte or code == 255:
            out[code_at] = code
            code_at, code = len(out), 1
            out.append(0)
    out[code_at] = code
    return bytes(out)


def framed(type: int, flags: int, session: int, tag: int, body: bytes) -> bytes:
    """A frame on the wire, delimiter included."""
    data = struct.pack(">BBHH", type, flags, session, tag) + body
    return stuffed(data + struct.pack(">I", zlib.crc32(data))) + b"\0"


def frames() -> Case:
    return {"cobs": _cobs(), "cobs_also_read": _cobs_also_read(), "cobs_bad": _cobs_bad(), "streams": _streams()}


def _cobs() -> list[Case]:
    data = {"empty": b"", "one zero": b"\0", "one FF": b"\xff", "zero, FF, zero": b"\0\xff\0"}
    for length in (8, 254, 300):
        data[f"{length} zeros"] = bytes(length)
    for length in (252, 253, 254, 255, 508, 509):
        run = bytes(at % 255 + 1 for at in range(length))
        data[f"run of {length}"] = run
        data[f"run of {length}, zero"] = run + b"\0"
        data[f"zero, run of {length}"] = b"\0" + run
        data[f"run of {length}, zero, 01"] = run + b"\0\x01"
        data[f"{length} FF"] = b"\xff" * length
    return [{"name": name, "plain": plain.hex(), "encoded": stuffed(plain).hex()} for name, plain in data.items()]


def _cobs_also_read() -> list[Case]:
    """A last run of 254 without the 01 behind it, as some encoders write it."""
    run = bytes(range(1, 255))
    return [
        {"name": "run of 254 at the end", "encoded": (b"\xff" + run).hex(), "plain": run.hex()},
        {"name": "run of 508 at the end", "encoded": (b"\xff" + run + b"\xff" + run).hex(), "plain": (run * 2).hex()},
    ]


def _cobs_bad() -> list[Case]:
    bad = {
        "a code that passes the end": b"\x03\x01",
        "a code that passes the end by one": b"\x02",
        "a second code that passes the end": b"\x02\x01\x05\x01\x02\x03",
        "FF with 253 bytes behind it": b"\xff" + b"\x01" * 253,
        "a zero for a code": b"\x02\x01\x00\x02\x01",
    }
    return [{"encoded": encoded.hex(), "reason": reason} for reason, encoded in bad.items()]


def _streams() -> list[Case]:
    ping = (0x02, 0, 0x1234, 7, octets("ping", 8))
    pong = (0x82, 0, 0x1234, 7, octets("ping", 8))
    longest = (0x21, 0, 0xFFFF, 0xFFFF, octets("longest", BODY_MAX))
    zeros = (0x31, 0, 1, 0, bytes(600))
    all_ones = (0xFF, 0xFF, 0xFFFF, 0xFFFF, b"\xff" * 600)
    wire = framed(*ping)
    data = struct.pack(">BBHH", *ping[:4]) + ping[4]
    crc = zlib.crc32(data)
    little = stuffed(data + struct.pack("<I", crc)) + b"\0"
    of_body = stuffed(data + struct.pack(">I", zlib.crc32(ping[4]))) + b"\0"
    flipped = stuffed(data + struct.pack(">I", crc ^ 1)) + b"\0"
    streams: list[tuple[str, bytes, list[Any], int]] = [
        ("nothing", b"", [], 0),
        ("delimiters only", b"\0\0\0\0", [], 0),
        ("a frame", wire, [ping], 0),
        ("a frame without a body", framed(0x03, 0, 1, 1, b""), [(0x03, 0, 1, 1, b"")], 0),
        ("a frame of zeros", framed(0, 0, 0, 0, b""), [(0, 0, 0, 0, b"")], 0),
        ("a body of zeros", framed(*zeros), [zeros], 0),
        ("all FF", framed(*all_ones), [all_ones], 0),
        ("a type nobody knows", framed(0x6F, 0, 1, 1, b"?"), [(0x6F, 0, 1, 1, b"?")], 0),
        ("the longest body", framed(*longest), [longest], 0),
        ("two frames", wire + framed(*pong), [ping, pong], 0),
        ("delimiters between frames", b"\0" + wire + b"\0\0" + framed(*pong), [ping, pong], 0),
        ("a frame that has not ended", wire + framed(*pong)[:-1], [ping], 0),
        ("a body one byte over the longest", framed(0x21, 0, 1, 1, octets("over", BODY_MAX + 1)) + wire, [ping], 1),
        ("a body of zeros one byte over", framed(0x21, 0, 1, 1, bytes(BODY_MAX + 1)) + wire, [ping], 1),
        ("6000 bytes without a delimiter", b"\x55" * 6000 + b"\0" + wire, [ping], 1),
        ("CRC with a bit flipped", flipped + wire, [ping], 1),
        ("CRC little-endian", little + wire, [ping], 1),
        ("CRC over the body alone", of_body + wire, [ping], 1),
        ("a bit of the body flipped", wire[:9] + bytes((wire[9] ^ 0x10,)) + wire[10:] + wire, [ping], 1),
        ("head and CRC, one byte short", stuffed(bytes(9)) + b"\0" + wire, [ping], 1),
        ("one byte", b"\x01\0" + wire, [ping], 1),
        ("cut off, then whole", wire[:11] + b"\0" + wire, [ping], 1),
        ("cut off, and no delimiter", wire[:11] + wire + framed(*pong), [pong], 1),
        ("a delimiter inside", wire[:6] + b"\0" + wire[7:] + wire, [ping], 2),
        ("a COBS code too large", b"\x40" + wire[1:] + wire, [ping], 1),
        ("noise, then a frame", octets("noise", 40).replace(b"\0", b"\1") + b"\0" + wire, [ping], 1),
    ]
    return [
        {
            "name": name,
            "wire": stream.hex(),
            "frames": [
                {"type": type, "flags": flags, "session": session, "tag": tag, "body": body.hex()}
                for type, flags, session, tag, body in found
            ],
            "bad": bad,
        }
        for name, stream, found, bad in streams
    ]


def layouts() -> Case:
    """Good and bad bytes of every layout."""
    return {layout.name: _layout(layout) for layout in LAYOUTS.values()}


def _layout(layout: Layout) -> Case:
    fields = planned(layout).fields
    given = [f for f in fields if f.const is None]
    good = []
    for name in ("typical", "least", "greatest"):
        values = {f.name: _value(layout, f, name) for f in given}
        good.append({"name": name, "fields": plain(values), "bytes": layout.build(values).hex()})
    bad = [{"bytes": data.hex(), "reason": reason} for reason, data in _damaged(layout, fields).items()]
    content: Case = {"type": layout.code} if layout.code is not None else {}
    return {**content, "good": good, "bad": bad}


def _value(layout: Layout, field: Field, name: str) -> Any:
    if field.section:
        codes = sorted(entry["code"] for entry in VOCABULARY[field.section].values())
        return {"typical": codes[len(codes) // 2], "least": codes[0], "greatest": codes[-1]}[name]
    length = field.size if field.fmt else {"typical": min(field.limit, 20), "least": 0, "greatest": field.limit}[name]
    data = {"typical": octets(f"{layout.name}.{field.name}", length), "least": bytes(length)}.get(
        name, b"\xff" * length
    )
    return data if field.python == "bytes" else int.from_bytes(data, "big")


def _damaged(layout: Layout, fields: list[Field]) -> dict[str, bytes]:
    """Reason -> bytes that construct refuses."""
    typical = layout.build({f.name: _value(layout, f, "typical") for f in fields if f.const is None})
    least = layout.build({f.name: _value(layout, f, "least") for f in fields if f.const is None})
    bad: dict[str, bytes] = {}
    if least:
        bad["no bytes"] = b""
        bad["one byte short"] = least[:-1]
    at = 0
    for field in fields:
        if field.const is not None:
            bad[f"{field.name} is another constant"] = _changed(typical, at, typical[at] ^ 0x03)
        if field.section:
            codes = {entry["code"] for entry in VOCABULARY[field.section].values()}
            unknown = min(set(range(256)) - codes)
            bad[f"{field.name} is outside its vocabulary"] = _changed(typical, at, unknown)
            bad[f"{field.name} is far outside its vocabulary"] = _changed(typical, at, 0xFF)
        if field.prefix:
            length = struct.Struct(f">{field.prefix}")
            front = typical[:at]
            bad[f"{field.name} over its limit"] = front + length.pack(field.limit + 1) + bytes(field.limit + 1)
            bad[f"{field.name} longer than the bytes there are"] = front + length.pack(3) + b"ab"
            bad[f"{field.name} shorter than the bytes there are"] = front + length.pack(1) + b"ab"
        elif not field.fmt:
            bad[f"{field.name} over its limit"] = typical[:at] + bytes(field.limit + 1)
        at += field.size
    if fields[-1].fmt:
        bad["one byte too many"] = typical + b"\0"
    for reason, data in bad.items():
        try:
            layout.parse(data)
        except construct.ConstructError:
            continue
        raise AssertionError(f"{layout.name}, {reason}: construct reads it")
    return bad


def _changed(data: bytes, at: int, byte: int) -> bytes:
    return data[:at] + bytes((byte,)) + data[at + 1 :]


def records() -> Case:
    """Bodies of records with their parts, and the run of records that a DATA message carries."""
    head = LAYOUTS["RecordHead"]
    fields = {f.name: _value(head, f, "typical") for f in planned(head).given}
    built = head.build(fields)
    tlv = {name: entry["code"] for name, entry in VOCABULARY["tlv"].items()}
    room = RECORD_MAX - 2 - 64 - len(built)
    parts: dict[str, dict[int, bytes]] = {
        "no parts": {},
        "a code": {tlv["CODE"]: b"4650075195031"},
        "an empty part": {tlv["CODE"]: b""},
        "a code, an order and a seal": {
            tlv["CODE"]: b"PLB1:SEAL:0001",
            tlv["SEAL"]: b"PLB1:SEAL:0001",
            tlv["ORDER"]: "заказ-17".encode(),
        },
        "a part nobody knows": {tlv["CODE"]: b"1", 0xF0: b"later"},
        "type 0 and type 255": {0: b"\0", 255: b"\xff"},
        "every part": {code: octets(name, 4) for name, code in tlv.items()},
        "the longest record": {tlv["CODE"]: octets("code", 300), tlv["ORDER"]: octets("order", room - 306)},
    }
    good = [
        {
            "name": name,
            "head": plain(fields),
            "parts": {str(type): value.hex() for type, value in sorted(found.items())},
            "body": (built + _tlvs(found)).hex(),
        }
        for name, found in parts.items()
    ]
    bad = {
        "no parts, and the head one byte short": built[:-1],
        "a part without its length": built + b"\x01",
        "a part with half of its length": built + b"\x01\x00",
        "a part longer than the record": built + b"\x01\x00\x05abcd",
        "a part of 65535 bytes that are not there": built + b"\x01\xff\xff",
        "types that descend": built + b"\x04\x00\x01a\x01\x00\x01b",
        "a type twice": built + b"\x01\x00\x01a\x01\x00\x01a",
        "a byte behind the last part": built + b"\x01\x00\x01a\x00",
    }
    return {
        "good": good,
        "bad": [{"body": body.hex(), "reason": reason} for reason, body in bad.items()],
        "runs": _runs([bytes.fromhex(case["body"]) for case in good]),
    }


def _runs(bodies: list[bytes]) -> Case:
    signed = [(body, octets(f"signature {at}", 64)) for at, body in enumerate(bodies)]
    joined = b"".join(_on_the_wire(*record) for record in signed)
    one = _on_the_wire(*signed[0])
    good: list[tuple[str, bytes, list[tuple[bytes, bytes]]]] = [
        ("none", b"", []),
        ("one", one, signed[:1]),
        ("all of them", joined, signed),
        ("a record without a body", _on_the_wire(b"", signed[0][1]), [(b"", signed[0][1])]),
    ]
    bad: list[tuple[str, int, bytes]] = [
        ("fewer than its count", 2, one),
        ("more than its count", 1, one * 2),
        ("a count of none, and a record", 0, one),
        ("cut off in a signature", 1, one[:-1]),
        ("cut off in a length", 2, one + one[:1]),
        ("a length that passes the end", 1, b"\xff\xff" + one[2:]),
        ("a byte behind the last one", 1, one + b"\0"),
    ]
    return {
        "good": [
            {
                "name": name,
                "count": len(found),
                "records": run.hex(),
                "found": [{"body": body.hex(), "signature": signature.hex()} for body, signature in found],
            }
            for name, run, found in good
        ],
        "bad": [{"count": count, "records": run.hex(), "reason": reason} for reason, count, run in bad],
    }


def _on_the_wire(body: bytes, signature: bytes) -> bytes:
    return struct.pack(">H", len(body)) + body + signature


def _tlvs(parts: Mapping[int, bytes]) -> bytes:
    return b"".join(struct.pack(">BH", type, len(value)) + value for type, value in sorted(parts.items()))
