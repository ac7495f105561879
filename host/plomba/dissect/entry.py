"""One entry of a dump: a frame, or bytes that are none."""

from __future__ import annotations

from dataclasses import dataclass, field

from plomba.capture import FROM_DEVICE, TO_DEVICE
from plomba.dissect.layouts import message_name
from plomba.dissect.values import Fields, as_json, named_bits

DIRECTIONS = {TO_DEVICE: "to_terminal", FROM_DEVICE: "from_terminal"}

FRAME = "frame"
"""Arrived whole, and everything in it fits its layout."""
MISFIT = "misfit"
"""The CRC is good, but something in the body does not fit; `faults` names it."""
UNKNOWN = "unknown"
"""The CRC is good, but no message has this type."""
UNSUPPORTED = "unsupported"
"""A flag in the high nibble that nobody knows, or a growth TLV like it: a receiver must refuse it."""
BAD_CRC = "bad_crc"
BAD_COBS = "bad_cobs"
BAD_LENGTH = "bad_length"
"""Shorter than an empty frame, or with a body over 4096 bytes."""
OVERLONG = "overlong"
"""Over 4608 bytes without a 00."""
UNFINISHED = "unfinished"
"""No 00 came any more."""
ZEROS = "zeros"
"""Delimiters that end nothing, as before each Hello."""
NO_DIRECTION = "no_direction"
"""A chunk of the file that went neither way."""
CUT_CHUNK = "cut_chunk"
"""What the file has of a last chunk that was not written to its end."""

DAMAGED = (BAD_CRC, BAD_COBS, BAD_LENGTH, OVERLONG)
WHOLE = (FRAME, MISFIT, UNKNOWN, UNSUPPORTED)
"""Kinds with a good CRC."""

OK = "ok"
BAD = "bad"
UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Signature:
    """Whether a signature fits: `verdict` is ok, bad or unchecked, `reason` why it is not ok.

    `key` is the id of the key it was held against, `source` who vouches for that key: capture, ledger, root,
    certificate. `waits`: the verdict follows when the record before it has come.
    """

    what: str
    verdict: str
    reason: str = ""
    key: bytes = b""
    source: str = ""
    waits: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "what": self.what,
            "verdict": self.verdict,
            "reason": self.reason or None,
            "key": self.key.hex() or None,
            "source": self.source or None,
        }


@dataclass(frozen=True, slots=True)
class Note:
    """Something about an entry among the others; docs/captures.md lists the codes."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Entry of the request that this one answers, and the microseconds since it was said last."""

    number: int
    us: int


@dataclass(slots=True)
class Entry:
    """`offset` counts in its direction's bytes, `size` is what it took there. `raw` is what could not be read."""

    number: int
    us: int
    direction: int | None
    offset: int
    size: int
    kind: str
    type: int | None = None
    flags: int = 0
    session: int = 0
    tag: int = 0
    fields: Fields = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    answers: Answers | None = None
    raw: bytes = b""

    @property
    def name(self) -> str:
        """Of its message; of what it is when it is none."""
        return self.kind if self.type is None else message_name(self.type)

    @property
    def crc(self) -> str | None:
        """None where there is none to check."""
        return OK if self.kind in WHOLE else BAD if self.kind == BAD_CRC else None

    def note(self, code: str, detail: str = "") -> None:
        self.notes.append(Note(code, detail))

    def noted(self, *codes: str) -> bool:
        """Whether one of these notes is there."""
        return any(note.code in codes for note in self.notes)

    def as_json(self) -> dict[str, object]:
        """The keys are described in docs/captures.md and stay."""
        headed = self.type is not None
        return {
            "number": self.number,
            "us": self.us,
            "direction": DIRECTIONS.get(self.direction) if self.direction is not None else None,
            "offset": self.offset,
            "size": self.size,
            "kind": self.kind,
            "crc": self.crc,
            "type": self.name if headed else None,
            "code": self.type,
            "flags": as_json(flag_bits(self.flags)) if headed else None,
            "session": self.session if headed else None,
            "tag": self.tag if headed else None,
            "fields": as_json(self.fields),
            "faults": self.faults,
            "notes": [{"code": note.code, "detail": note.detail or None} for note in self.notes],
            "signatures": [signature.as_json() for signature in self.signatures],
            "answers": {"number": self.answers.number, "us": self.answers.us} if self.answers else None,
            "raw": self.raw.hex() or None,
        }


def flag_bits(value: int) -> object:
    """The flags of a frame's head."""
    return named_bits({1: "RETRANSMISSION"}, value)
