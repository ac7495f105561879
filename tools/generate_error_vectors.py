"""The vectors of what a terminal answers with an Error, and of what it does not answer at all."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from plomba_wire.schema import LAYOUTS, VOCABULARY

Case = dict[str, Any]
Framed = Callable[[int, int, int, int, bytes], bytes]

_SESSION = 0x1234
_HELLO = {
    "nonce": b"errors--",
    "session": _SESSION,
    "proto_min": 1,
    "proto_max": 1,
    "max_body": 2000,
    "window": 512,
    "features": 0,
    "growth": b"",
}


def errors(framed: Framed) -> Case:
    """`framed` puts a frame on the wire: type, flags, session, tag, body."""

    def hello(**changes: Any) -> bytes:
        return framed(0x01, 0, 0, 0, LAYOUTS["Hello"].build({**_HELLO, **changes}))

    good = LAYOUTS["Ping"].build({"nonce": b"pingping"})
    status = LAYOUTS["Status"].build({"nonce": bytes(16)})
    damaged = bytearray(framed(0x02, 0, _SESSION, 9, good))
    damaged[5] ^= 0x01
    wrong_crc = struct.pack(">BBHH", 2, 0, _SESSION, 9) + good
    wrong_crc += struct.pack(">I", zlib.crc32(wrong_crc) ^ 1)
    answered = [
        ("a type nobody knows", framed(0x6F, 0, _SESSION, 77, b""), "UNKNOWN_TYPE", 0x6F, 77),
        ("a flag that must be understood", framed(0x02, 0x10, _SESSION, 78, good), "UNSUPPORTED_FLAG", 0x02, 78),
        ("every high flag", framed(0x10, 0xF0, _SESSION, 79, status), "UNSUPPORTED_FLAG", 0x10, 79),
        ("a byte too few", framed(0x10, 0, _SESSION, 80, status[:-1]), "MALFORMED", 0x10, 80),
        ("a byte too many", framed(0x10, 0, _SESSION, 81, status + b"\0"), "MALFORMED", 0x10, 81),
        ("no body", framed(0x02, 0, _SESSION, 82, b""), "MALFORMED", 0x02, 82),
        ("a kind outside the vocabulary", framed(0x33, 0, _SESSION, 83, b"\xee\0\0\0\1"), "MALFORMED", 0x33, 83),
        ("a length that lies", framed(0x05, 0, _SESSION, 84, bytes(64) + b"\0\5four"), "MALFORMED", 0x05, 84),
    ]
    refused = [
        ("an older version only", hello(nonce=b"older---", proto_min=0, proto_max=0), "VERSION", 1),
        ("newer versions only", hello(nonce=b"newer---", proto_min=2, proto_max=255), "VERSION", 1),
        ("growth that must be understood", hello(nonce=b"growth--", growth=b"\x80\0\0"), "UNSUPPORTED_FLAG", 0),
    ]
    silent = [
        ("another session", framed(0x02, 0, _SESSION + 1, 9, good)),
        ("no session", framed(0x02, 0, 0, 9, good)),
        ("an answer, as an echo brings it", framed(0x82, 0, _SESSION, 9, good + bytes(4))),
        ("records, which only a terminal has", framed(0x21, 0, _SESSION, 9, bytes(5))),
        ("an Error", framed(0x7E, 0, _SESSION, 9, b"\1\1\0\0\0\0\0\0")),
        ("a credit outside a sync", framed(0x22, 0, _SESSION, 9, bytes(7))),
        ("a byte changed on the way", bytes(damaged)),
        ("a CRC that is wrong by one", _stuffed(wrong_crc) + b"\0"),
        ("a Hello for session 0", hello(nonce=b"zero----", session=0)),
        ("a Hello with no room for a record", hello(nonce=b"narrow--", max_body=518)),
        ("a Hello whose growth does not come out", hello(nonce=b"growth-2", growth=b"\1\0\5x")),
    ]
    return {
        "hello": hello().hex(),
        "alive": framed(0x02, 0, _SESSION, 99, good).hex(),
        "answered": [
            {"name": name, "wire": wire.hex(), "session": _SESSION, "tag": tag, "error": _error(error, about)}
            for name, wire, error, about, tag in answered
        ],
        "refused": [
            {"name": name, "wire": wire.hex(), "session": 0, "tag": 0, "error": _error(error, 0x01, detail)}
            for name, wire, error, detail in refused
        ],
        "silent": [{"name": name, "wire": wire.hex()} for name, wire in silent],
    }


def _error(name: str, about: int, detail: int = 0) -> Case:
    return {"code": VOCABULARY["error"][name]["code"], "about": about, "detail": detail, "retry_after": 0}


def _stuffed(data: bytes) -> bytes:
    """COBS of fewer than 254 bytes."""
    return b"".join(bytes((len(run) + 1,)) + run for run in data.split(b"\0"))
