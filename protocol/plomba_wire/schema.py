"""PLP/1: every message, record and signed object, in construct. The one source of each layout.

`python3 tools gen` makes `codec.py` (struct only, CPython and MicroPython) and the tables of `SPEC.md` from here;
a property test holds the two together. Numbers are big-endian. Reading is strict: a length over its limit, a code
outside its vocabulary and bytes left over are refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import construct as c

VOCABULARY: dict[str, Any] = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
"""Section -> name -> {code, texts...}; the words behind every code."""

BODY_MAX = 4096
"""Ceiling of a frame's body, bytes."""
RECORD_MAX = 514
"""Length field, body and signature of the longest record, bytes."""
BLOCK = 4096
"""Bytes of a block of a large object; the last one may be shorter."""
REVOKED_MAX = 600
"""Rows of the longest revocation list: as a bundle it fits 8192 bytes."""
STAFF_MAX = 230
"""Rows of the longest staff list: as a bundle it fits 8192 bytes."""
SEALS_MAX = 7890
"""Bytes of the rows of the longest list of seals: as a bundle it fits 8192 bytes."""
BLOCKS_MAX = 238
"""Blocks of the largest object: its list fits two erase blocks of flash together with what signs it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One named layout. `code` is its message type, None for what travels inside another layout."""

    name: str
    struct: Any
    doc: str
    code: int | None = None
    sender: str = ""

    def parse(self, data: bytes) -> Mapping[str, Any]:
        """Read `data` whole. Raises construct.ConstructError."""
        parsed: Mapping[str, Any] = self.struct.parse(data)
        return parsed

    def build(self, fields: Mapping[str, Any]) -> bytes:
        """Raises construct.ConstructError."""
        built: bytes = self.struct.build(dict(fields))
        return built


class OneOf(c.Validator):  # type: ignore[misc]
    """An integer that must be a code of one vocabulary section."""

    def __init__(self, subcon: Any, section: str) -> None:
        super().__init__(subcon)
        self.section = section
        self.codes = frozenset(entry["code"] for entry in VOCABULARY[section].values())

    def _validate(self, obj: Any, context: Any, path: Any) -> bool:
        return obj in self.codes


class Blob(c.Validator):  # type: ignore[misc]
    """Bytes behind their own length (u8 or u16), at most `limit` of them."""

    def __init__(self, length: Any, limit: int) -> None:
        super().__init__(c.Prefixed(length, c.GreedyBytes))
        self.length = length
        self.limit = limit

    def _validate(self, obj: Any, context: Any, path: Any) -> bool:
        return len(obj) <= self.limit


class Rest(c.Validator):  # type: ignore[misc]
    """All bytes that are left, at most `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__(c.GreedyBytes)
        self.limit = limit

    def _validate(self, obj: Any, context: Any, path: Any) -> bool:
        return len(obj) <= self.limit


AGAIN_MAX = 16
"""Runs of records that one Credit asks for again."""
LAYOUTS: dict[str, Layout] = {}
_HASH = 32
_KEY = 64
_KEY_ID = 8
_SIGNATURE = 64
_HEALTH = 48
_NONCE = 16


def _layout(name: str, doc: str, *fields: Any, code: int | None = None, sender: str = "") -> None:
    struct = c.Struct(*fields, c.Terminated)
    LAYOUTS[name] = Layout(name, struct, doc, code, sender)


# the frame

_layout(
    "FrameHead",
    "Opens every frame; the body follows, then CRC-32 (IEEE, u32) over all of it.",
    "type" / c.Int8ub * "message type; bit 7 marks a response",
    "flags" / c.Int8ub * "high nibble must be understood, low nibble may be ignored; b0 = retransmission",
    "session" / c.Int16ub * "random, non-zero, from HELLO; 0 only in HELLO and its errors",
    "tag" / c.Int16ub * "request number, echoed in the response; in DATA a frame counter",
)

# session

_layout(
    "Hello",
    "Opens a session, at any time and in any state. What was in flight is worthless from here on.",
    "nonce" / c.Bytes(8) * "fresh; the same one in each repetition",
    "session" / c.Int16ub * "session number the dock chose",
    "proto_min" / c.Int8ub * "lowest protocol version spoken",
    "proto_max" / c.Int8ub * "highest",
    "max_body" / c.Int16ub * "longest body taken, bytes",
    "window" / c.Int16ub * "bytes in flight the dock takes, in units of 16",
    "features" / c.Int32ub * "feature bits offered",
    "growth" / Rest(200) * "TLVs, types ascending; one that is not known is ignored unless bit 7 of its type is set",
    code=0x01,
    sender="dock",
)
_layout(
    "HelloOk",
    "Answers HELLO.",
    "nonce" / c.Bytes(8) * "the dock's, echoed",
    "proto" / c.Int8ub * "version chosen",
    "enrolment" / OneOf(c.Int8ub, "enrolment") * "whether it has a root and a certificate",
    "max_body" / c.Int16ub * "longest body taken, bytes",
    "max_record" / c.Int16ub * "longest record, bytes",
    "window" / c.Int16ub * "bytes in flight the terminal takes, in units of 16",
    "features" / c.Int32ub * "feature bits both sides have",
    "terminal" / c.Bytes(_KEY_ID) * "id of the terminal's key",
    "firmware" / c.Int32ub * "version, major << 24 | minor << 16 | patch",
    "boot" / c.Int16ub * "boot number",
    "device_nonce" / c.Bytes(_NONCE) * "fresh; a time object may answer it within 10 s",
    "growth" / Rest(200) * "TLVs, types ascending; one that is not known is ignored unless bit 7 of its type is set",
    code=0x81,
    sender="terminal",
)
_layout(
    "Ping",
    "Is anybody there.",
    "nonce" / c.Bytes(8) * "echoed",
    code=0x02,
    sender="dock",
)
_layout(
    "Pong",
    "Answers PING.",
    "nonce" / c.Bytes(8) * "the same",
    "next_seq" / c.Int32ub * "number the next record gets: an announcement that got lost shows here",
    code=0x82,
    sender="terminal",
)
_layout(
    "Baud",
    "Asks for another rate of the line (feature BAUD).",
    "baud" / c.Int32ub * "bits per second",
    code=0x06,
    sender="dock",
)
_layout(
    "BaudOk",
    "Said at the old rate; the new one holds behind it. Without a good frame within 500 ms the old one holds again.",
    "baud" / c.Int32ub * "bits per second",
    code=0x86,
    sender="terminal",
)
_layout("Bye", "Ends the session.", "reason" / c.Int8ub * "0 = done", code=0x03, sender="dock")
_layout(
    "Error",
    "A request that cannot be served. CRC errors are never answered, only counted.",
    "code" / OneOf(c.Int8ub, "error") * "why",
    "about" / c.Int8ub * "type of the request",
    "detail" / c.Int32ub * "a number that belongs to the code: the version or record held, an offset",
    "retry_after" / c.Int16ub * "ms; 0 = no time is known",
    code=0x7E,
    sender="terminal",
)

# enrolment

_layout(
    "EnrolKey",
    "Asks for the terminal's public key and a proof that it holds the private one.",
    "nonce" / c.Bytes(_NONCE) * "fresh, from the dock",
    code=0x04,
    sender="dock",
)
_layout(
    "EnrolKeyOk",
    "Answers with a key that was born on the terminal and never leaves it.",
    "public" / c.Bytes(_KEY) * "X || Y",
    "epoch" / c.Int16ub * "epoch the next record belongs to",
    "protection" / OneOf(c.Int8ub, "protection") * "how the private key is kept",
    "enrolment" / OneOf(c.Int8ub, "enrolment") * "state",
    "signature" / c.Bytes(_SIGNATURE) * "over the digest of nonce, public, epoch and protection",
    code=0x84,
    sender="terminal",
)
_layout(
    "EnrolRoot",
    "Offers a root and a certificate under it. A blank terminal shows the fingerprint and waits for its OK key.",
    "root" / c.Bytes(_KEY) * "public key of the organisation's root",
    "certificate" / Blob(c.Int16ub, 200) * "certificate object for the terminal's key",
    code=0x05,
    sender="dock",
)
_layout(
    "EnrolRootOk",
    "Where the enrolment stands. The dock asks again while it is WAITING.",
    "enrolment" / OneOf(c.Int8ub, "enrolment") * "state",
    code=0x85,
    sender="terminal",
)

# status and records

_layout(
    "Status",
    "Asks for the state of the journal and the terminal.",
    "nonce" / c.Bytes(_NONCE) * "fresh; signed together with the head",
    code=0x10,
    sender="dock",
)
_layout(
    "StatusOk",
    "The head is signed: a tail cut off later can be shown.",
    "epoch" / c.Int16ub * "epoch of the journal",
    "first_seq" / c.Int32ub * "oldest record still held",
    "next_seq" / c.Int32ub * "number the next record gets",
    "receipted_seq" / c.Int32ub * "newest record with a receipt; 0 = none",
    "head" / c.Bytes(_HASH) * "chain value of record next_seq - 1",
    "rules" / c.Int32ub * "version of the rule pack; 0 = none",
    "manifest" / c.Int32ub * "version of the manifest; 0 = none",
    "revocations" / c.Int32ub * "number of the revocation list; 0 = none",
    "seals" / c.Int32ub * "version of the list of seals; 0 = none",
    "staff" / c.Int32ub * "version of the list of staff; 0 = none",
    "image" / c.Int32ub * "version of an image that did not come up and is not wanted again; 0 = none",
    "mono_ms" / c.Int32ub * "ms since boot",
    "utc" / c.Int32ub * "s since 1970; 0 = clock never set",
    "health" / c.Bytes(_HEALTH) * "Health",
    "signature" / c.Bytes(_SIGNATURE) * "over the digest of nonce, terminal, epoch, next_seq and head",
    code=0x90,
    sender="terminal",
)
_layout(
    "Health",
    "How the terminal is: in StatusOk, and signed in the records of a start, a clock set and a shift closed.",
    "battery" / c.Int8ub * "percent; 255 = not known",
    "reset" / c.Int8ub * "what started it: machine.reset_cause(), 1 = power, 3 = watchdog",
    "engine" / OneOf(c.Int8ub, "engine") * "the scan engine",
    "reserved" / c.Const(0, c.Int8ub) * "0",
    "checks" / c.Int32ub * "bits of what is wrong",
    "free_pages" / c.Int32ub * "journal pages of 256 bytes that can be written",
    "torn" / c.Int16ub * "journal pages that hold neither a record nor nothing",
    "bad_blocks" / c.Int16ub * "journal blocks that flash did not erase or program since boot",
    "broken" / c.Int32ub * "oldest record without a receipt that is missing or does not join; 0 = none",
    "lost_scans" / c.Int32ub * "scans refused because they could not be recorded, ever",
    "engine_faults" / c.Int32ub * "bytes of the engine not understood, and triggers it did not answer, since boot",
    "bad_frames" / c.Int32ub * "frames dropped since boot: CRC, COBS, length",
    "stale_frames" / c.Int32ub * "frames dropped since boot: another session",
    "errors" / c.Int32ub * "errors said since boot",
    "muted" / c.Int32ub * "answers left out since boot: 20 errors and hellos a second are the limit",
    "resent" / c.Int32ub * "records sent again since boot",
)
_layout(
    "SyncOpen",
    "Asks for all records from a number on. The dock's number is what it has durably.",
    "epoch" / c.Int16ub * "epoch",
    "from_seq" / c.Int32ub * "first record wanted",
    "previous" / c.Bytes(_HASH) * "chain value of record from_seq - 1",
    "window" / c.Int16ub * "bytes in flight allowed, in units of 16",
    code=0x20,
    sender="dock",
)
_layout(
    "SyncOpenOk",
    "Records follow as DATA.",
    "from_seq" / c.Int32ub * "first record that will come",
    "next_seq" / c.Int32ub * "number after the last one",
    code=0xA0,
    sender="terminal",
)
_layout(
    "Data",
    "Whole records, one after the other, each with its own length.",
    "first_seq" / c.Int32ub * "number of the first",
    "count" / c.Int8ub * "how many",
    "records" / Rest(BODY_MAX - 5) * "length u16, body, signature 64 - count times",
    code=0x21,
    sender="terminal",
)
_layout(
    "Credit",
    "Everything before next_seq is on disk; send on.",
    "next_seq" / c.Int32ub * "first record not yet durable",
    "window" / c.Int16ub * "bytes in flight allowed, in units of 16",
    "flags" / c.Int8ub * "b0 = rewind: send again from next_seq",
    "again" / Rest(AGAIN_MAX * 5) * "feature SACK: AgainRow, one for each run of records to send again",
    code=0x22,
    sender="dock",
)
_layout(
    "AgainRow",
    "A run of records that did not arrive.",
    "first_seq" / c.Int32ub * "number of the first",
    "count" / c.Int8ub * "how many; 0 = all from here on",
)
_layout(
    "SyncEnd",
    "All records were credited.",
    "next_seq" / c.Int32ub * "number after the last one",
    "head" / c.Bytes(_HASH) * "chain value of the last one",
    code=0x23,
    sender="terminal",
)
_layout(
    "Announce",
    "A record was committed and signed (feature LIVE). Said once; SyncOpen brings it.",
    "next_seq" / c.Int32ub * "number the next record gets",
    code=0x25,
    sender="terminal",
)
_layout(
    "Receipt",
    "Hands over a receipt. Only this lets the terminal free flash.",
    "bundle" / Rest(700) * "certificate and receipt object",
    code=0x24,
    sender="dock",
)
_layout(
    "Held",
    "Asks for the oldest record from a number on that can be read: what flash has lost is to be known, not waited for.",
    "epoch" / c.Int16ub * "epoch",
    "from_seq" / c.Int32ub * "first record wanted",
    code=0x26,
    sender="dock",
)
_layout(
    "HeldOk",
    "Where records can be had. Its signature, once it is pulled, proves the chain value that stands here.",
    "seq" / c.Int32ub * "its number; 0 = none can be read",
    "previous" / c.Bytes(_HASH) * "chain value of the record before it, as it is kept beside it",
    code=0xA6,
    sender="terminal",
)
_layout(
    "Damaged",
    "Asks for a page of the journal that holds neither a record nor nothing.",
    "from_page" / c.Int32ub * "first page that may be it",
    code=0x27,
    sender="dock",
)
_layout(
    "DamagedOk",
    "Such a page, as flash has it. It is kept until what lies around it has a receipt.",
    "page" / c.Int32ub * "its number; FFFFFFFF = none from there on",
    "content" / Rest(256) * "256 bytes, or none",
    code=0xA7,
    sender="terminal",
)
_layout(
    "ReceiptOk",
    "The receipt was verified and stored.",
    "receipted_seq" / c.Int32ub * "newest record with a receipt",
    code=0xA4,
    sender="terminal",
)

# objects downward

_layout(
    "ObjectOffer",
    "Offers an object. What comes down is its bundle and, behind it, the content that the bundle's block list names.",
    "kind" / OneOf(c.Int8ub, "object_kind") * "what it is",
    "version" / c.Int32ub * "its version",
    "size" / c.Int32ub * "bytes of bundle and content",
    "bundle" / c.Int16ub * "bytes of the bundle",
    "sha256" / c.Bytes(_HASH) * "of the bundle; the transfer goes on where it stopped when this is the same",
    code=0x30,
    sender="dock",
)
_layout(
    "ObjectOfferOk",
    "Where to go on; equal to size when the terminal has it all.",
    "offset" / c.Int32ub * "first byte wanted, by the terminal's own count: never what it was told",
    "window" / c.Int16ub * "bytes in flight it takes, in units of 16",
    code=0xB0,
    sender="terminal",
)
_layout(
    "ObjectData",
    "A piece of the bundle or of the content; it may lie across the two.",
    "offset" / c.Int32ub * "of the first byte",
    "piece" / Rest(BODY_MAX - 4) * "bytes",
    code=0x31,
    sender="dock",
)
_layout(
    "ObjectCredit",
    "The terminal has everything before the offset.",
    "offset" / c.Int32ub * "next byte wanted",
    "window" / c.Int16ub * "bytes in flight it takes, in units of 16",
    code=0x32,
    sender="terminal",
)
_layout(
    "ObjectCommit",
    "Verify and install what was sent.",
    "kind" / OneOf(c.Int8ub, "object_kind") * "what it is",
    "version" / c.Int32ub * "its version",
    code=0x33,
    sender="dock",
)
_layout(
    "ObjectCommitOk",
    "It is installed, and a record says so.",
    "version" / c.Int32ub * "version in force",
    "seq" / c.Int32ub * "the record",
    code=0xB3,
    sender="terminal",
)

# the clock, and a look inside

_layout(
    "TimeProbe",
    "Measures trip and clock; changes nothing but the nonce.",
    "t1" / c.Bytes(8) * "the dock's, echoed",
    code=0x40,
    sender="dock",
)
_layout(
    "TimeProbeOk",
    "The terminal's clock, and the nonce that a time object has to be over.",
    "t1" / c.Bytes(8) * "the same",
    "mono_rx" / c.Int32ub * "ms since boot when the probe was read",
    "mono_tx" / c.Int32ub * "ms since boot when this was written",
    "utc" / c.Int32ub * "s since 1970; 0 = clock never set",
    "device_nonce" / c.Bytes(_NONCE) * "fresh; the one before it is void. A time object may answer it within 10 s",
    code=0xC0,
    sender="terminal",
)
_layout(
    "Diag",
    "Asks for the terminal's diary: unsigned text for people, no part of any proof.",
    "offset" / c.Int32ub * "first byte wanted, counted since boot",
    code=0x50,
    sender="dock",
)
_layout(
    "DiagOk",
    "A piece of the diary.",
    "offset" / c.Int32ub * "of the first byte here; what is older is forgotten",
    "end" / c.Int32ub * "bytes written since boot",
    "text" / Rest(1024) * "UTF-8, lines; perhaps none",
    code=0xD0,
    sender="terminal",
)

# the record

_layout(
    "RecordHead",
    "Opens a record's body; TLVs follow (type u8, length u16, value), types ascending.",
    "ver" / c.Const(1, c.Int8ub) * "layout version",
    "alg" / c.Const(1, c.Int8ub) * "1 = ECDSA P-256 over SHA-256, raw r || s",
    "action" / OneOf(c.Int8ub, "action") * "what was done",
    "verdict" / OneOf(c.Int8ub, "verdict") * "what the terminal answered",
    "flags" / c.Int16ub * "flag bits",
    "epoch" / c.Int16ub * "key epoch",
    "seq" / c.Int32ub * "number; starts at 1 in each epoch",
    "terminal" / c.Bytes(_KEY_ID) * "id of the signing key",
    "boot" / c.Int16ub * "boot number",
    "tries" / c.Int8ub * "decoding attempts",
    "symbology" / OneOf(c.Int8ub, "symbology") * "how it was carried",
    "t_utc" / c.Int32ub * "s since 1970; 0 = clock never set",
    "t_mono_ms" / c.Int32ub * "ms since boot",
    "actor" / c.Int32ub * "badge; 0 = nobody signed in",
    "place" / c.Int32ub * "point, vehicle or store",
    "route" / c.Int32ub * "0 = none",
    "rules" / c.Int16ub * "rule pack the verdict came from; 0 = none",
    "code_kind" / OneOf(c.Int8ub, "code_kind") * "what the code is",
    "state_before" / OneOf(c.Int8ub, "state") * "the terminal's view",
    "state_after" / OneOf(c.Int8ub, "state") * "the terminal's view; the desk decides",
    "reserved" / c.Const(0, c.Int8ub) * "0",
    "order_ref" / c.Int32ub * "first 4 bytes of SHA-256 of the order id; 0 = none. An index, not an identity",
)

# signed objects

_layout(
    "Envelope",
    "Opens every signed object but a record; the body follows, then the signature (64 bytes).",
    "magic" / c.Const(b"PLB1") * "PLB1",
    "kind" / OneOf(c.Int8ub, "object_kind") * "what it is",
    "alg" / c.Const(1, c.Int8ub) * "1 = ECDSA P-256 over SHA-256, raw r || s",
    "key_id" / c.Bytes(_KEY_ID) * "id of the signing key",
    "version" / c.Int32ub * "never goes backwards",
    "not_before" / c.Int32ub * "s since 1970",
    "not_after" / c.Int32ub * "s since 1970; 0 = no end",
    "length" / c.Int32ub * "bytes of the body",
)
_layout(
    "Certificate",
    "Body of a certificate; its version is the serial number.",
    "role" / OneOf(c.Int8ub, "role") * "what the key may sign",
    "protection" / OneOf(c.Int8ub, "protection") * "how the private key is kept",
    "epoch" / c.Int16ub * "epoch of the key",
    "public" / c.Bytes(_KEY) * "X || Y",
    "label" / Blob(c.Int8ub, 32) * "name for people, UTF-8",
)
_layout(
    "RevocationList",
    "Body of a revocation list. Its version is its number, and it holds every key ever revoked under this root.",
    "rows" / Rest(REVOKED_MAX * 13) * "RevokedRow, ascending by key",
)
_layout(
    "RevokedRow",
    "A key that is not to be believed any more.",
    "key" / c.Bytes(_KEY_ID) * "id of the key",
    "since" / c.Int32ub * "s since 1970: what it signed from then on counts for nothing",
    "reason" / OneOf(c.Int8ub, "revocation") * "why",
)
_layout(
    "StaffList",
    "Body of a staff list. Its version is its number. No name is in it: who has which badge stays on the host.",
    "owner" / c.Bytes(_KEY) * "X || Y of who answers challenges; zeros = nobody",
    "rows" / Rest(STAFF_MAX * 33) * "StaffRow, ascending by badge",
)
_layout(
    "StaffRow",
    "A badge, and what it may do.",
    "badge" / c.Int32ub * "its number, from 1",
    "hand" / OneOf(c.Int8ub, "hand") * "what it may do",
    "until" / c.Int32ub * "s since 1970, its last second; 0 = no end",
    "salt" / c.Bytes(8) * "of the proof; zeros, like the proof, = a badge without a PIN",
    "proof" / c.Bytes(16) * "of its PIN (section 3)",
)
_layout(
    "Seal",
    "A seal of ours. On paper it is PLS* and the base45 (RFC 9285) of this.",
    "issuer" / c.Bytes(_KEY_ID) * "id of the issuer's key",
    "batch" / c.Int16ub * "1 to 9999",
    "number" / c.Int32ub * "in the batch, 1 to 999999",
    "signature" / c.Bytes(_SIGNATURE) * "by the issuer, over the digest of all before it",
)
_layout(
    "SealList",
    "Body of a list of seals. What it does not name was not issued.",
    "issuers" / c.Int8ub * "issuers, at most 8",
    "ranges" / c.Int16ub * "ranges of issued numbers",
    "voids" / c.Int16ub * "ranges of numbers that count for nothing any more",
    "rows" / Rest(SEALS_MAX) * "SealIssuer and certificate, ascending; SealRange issued, then void, ascending, apart",
)
_layout(
    "SealIssuer",
    "Opens an issuer; the certificate by the root for its key and the role SEAL_ISSUER follows.",
    "number" / c.Int8ub * "what stands for the issuer in a seal's name, 1 to 99; never another's",
    "length" / c.Int8ub * "bytes of the certificate",
)
_layout(
    "SealRange",
    "Numbers of one batch.",
    "issuer" / c.Int8ub * "number of the issuer",
    "batch" / c.Int16ub * "batch",
    "first" / c.Int32ub * "first number",
    "last" / c.Int32ub * "last number",
)
_layout(
    "RootRotation",
    "Body of a root rotation: the old root signs the object, the new one signs inside it. Its version is its number.",
    "public" / c.Bytes(_KEY) * "X || Y of the root that takes over",
    "signature" / c.Bytes(_SIGNATURE) * "by the root that takes over, over the digest of both keys and the version",
)
_layout(
    "ReceiptBody",
    "Everything up to up_to is on this dock's disk, but what the terminal could not read any more.",
    "terminal" / c.Bytes(_KEY_ID) * "whose records",
    "epoch" / c.Int16ub * "epoch",
    "up_to" / c.Int32ub * "newest record covered",
    "head" / c.Bytes(_HASH) * "its chain value",
    "utc" / c.Int32ub * "the dock's clock, s since 1970",
    "log_size" / c.Int64ub * "leaves of the dock's Merkle log",
    "log_root" / c.Bytes(_HASH) * "its root (RFC 9162 section 2.1)",
)
_layout(
    "TimeBody",
    "The time, for one terminal and one nonce.",
    "terminal" / c.Bytes(_KEY_ID) * "for whom",
    "device_nonce" / c.Bytes(_NONCE) * "the nonce of HELLO's answer",
    "utc" / c.Int32ub * "s since 1970",
    "uncertainty_ms" / c.Int32ub * "at most this far off",
)
_layout(
    "BlockList",
    "Body of a manifest or an image: what the content behind the bundle must be; a block is checked, then kept.",
    "size" / c.Int32ub * "bytes of the content, at least one",
    "hashes" / Rest(BLOCKS_MAX * _HASH) * "SHA-256 of each 4096 bytes of it, in order; the last block may be shorter",
)
_layout(
    "ImageHead",
    "Opens an image's content; a ROMFS of .mpy files follows.",
    "board" / c.Bytes(16) * "the board it is for, ASCII, padded with zeros",
    "mpy" / c.Int8ub * "version of its .mpy files: the low byte of sys.implementation._mpy",
    "version" / c.Int32ub * "what this firmware calls itself; the envelope's",
    "floor" / c.Int32ub * "once it has come up, nothing older than this runs any more",
)
_layout(
    "ManifestHead",
    "Opens a manifest's content. Order rows follow, ascending by ref, then code rows, ascending by tag.",
    "terminal" / c.Bytes(_KEY_ID) * "for whom",
    "epoch" / c.Int16ub * "epoch of through_seq",
    "through_seq" / c.Int32ub * "the desk knew this terminal's records up to here",
    "place" / c.Int32ub * "the point",
    "salt" / c.Bytes(16) * "of the tags",
    "orders" / c.Int32ub * "order rows",
    "codes" / c.Int32ub * "code rows",
)
_layout(
    "OrderRow",
    "One order that this terminal may meet.",
    "ref" / c.Int32ub * "first 4 bytes of SHA-256 of the order id",
    "order_class" / OneOf(c.Int8ub, "order_class") * "which gate holds",
    "state" / OneOf(c.Int8ub, "state") * "where the desk saw it",
    "here" / c.Int8ub * "b0: at this point, else known, but elsewhere; b1: item numbers of it are listed",
    "seals" / c.Int8ub * "seals bound to it",
    "cell" / c.Bytes(8) * "storage cell, UTF-8, padded with zeros",
)
_layout(
    "CodeRow",
    "One code that belongs to one order.",
    "tag" / c.Bytes(12) * "first 12 bytes of SHA-256(salt || kind || code)",
    "order" / c.Int16ub * "index of its order row",
    "kind" / OneOf(c.Int8ub, "code_kind") * "what it is: order, seal, item number or another carrier (docs/codes.md)",
    "flags" / c.Int8ub * "b0 = void",
)

MESSAGES: dict[int, Layout] = {layout.code: layout for layout in LAYOUTS.values() if layout.code is not None}
"""Message type -> layout of its body."""
