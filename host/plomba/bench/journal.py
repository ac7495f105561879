"""Records as a day at a pick-up point makes them, built and signed here: a bench needs more than a terminal holds."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plomba.ledger import Enrolled
from plomba.trust.keys import PrivateKey
from plomba.trust.records import VerifiedRecord
from plomba_wire import chain, framing, tlv
from plomba_wire.codec import Data, RecordHead
from plomba_wire.vocabulary import Action, CodeKind, State, Symbology, Tlv, Verdict

_BODY = 2000
_START = 1_790_000_000
_FILL = 500
_TERMINALS = 50

# Of one parcel, from the shelf to the customer: action, verdict, what was read, states.
_STEPS = (
    (Action.STORE, Verdict.OK, CodeKind.ORDER, State.AT_POINT, State.READY),
    (Action.CUSTOMER_IDENT, Verdict.OK, CodeKind.CUSTOMER, State.NONE, State.NONE),
    (Action.RETRIEVE, Verdict.NEED_SEAL, CodeKind.ORDER, State.READY, State.IDENTIFIED),
    (Action.SEAL_CHECK, Verdict.SEAL_OK, CodeKind.SEAL, State.IDENTIFIED, State.VERIFIED),
    (Action.HANDOUT, Verdict.OK, CodeKind.KEY, State.VERIFIED, State.DELIVERED),
)


def body(key_id: bytes, seq: int) -> bytes:
    """The body of record `seq`: every five records are a parcel."""
    action, verdict, kind, before, after = _STEPS[seq % len(_STEPS)]
    order = b"%08d-%04d-1" % (seq // len(_STEPS) * 7919 % 100_000_000, seq % 9973)
    parts = {Tlv.ORDER: order}
    if kind == CodeKind.ORDER:
        parts[Tlv.CODE] = order
    elif kind == CodeKind.SEAL:
        parts[Tlv.CODE] = parts[Tlv.SEAL] = b"PLB1:%016d" % seq
    elif kind == CodeKind.CUSTOMER:
        parts = {Tlv.BEARER: hashlib.sha256(order).digest()}
    head = RecordHead(
        *(action, verdict, 1, 1, seq, key_id, 1, 1, Symbology.CODE_128, _START + seq * 9, seq * 9000, 42, 7, 0, 1),
        *(kind, before, after, chain.order_ref(order)),
    )
    return head.pack() + tlv.pack(parts)


@dataclass(frozen=True, slots=True)
class Journal:
    """`count` records of one terminal as frames in a file; `record_bytes` with length fields and signatures."""

    path: Path
    enrolled: Enrolled
    count: int
    record_bytes: int

    @classmethod
    def make(cls, path: Path, count: int) -> Journal:
        key = PrivateKey.generate()
        enrolled = Enrolled(key.id, key.public, 1, "bench", 7, b"bench")
        digest = chain.genesis(key.public, 1)
        size = 0
        run: list[bytes] = []
        first = 1
        room = _BODY - Data.SIZE
        with path.open("wb") as file:

            def flush() -> None:
                data = Data(first, len(run), b"".join(run))
                file.write(framing.encode(data.TYPE, 0, 7, 0, data.pack()))

            for seq in range(1, count + 1):
                unsigned = body(key.id, seq)
                digest = chain.step(digest, unsigned)
                record = struct.pack(">H", len(unsigned)) + unsigned + key.sign(digest)
                if sum(map(len, run)) + len(record) > room:
                    flush()
                    first, run = seq, []
                run.append(record)
                size += len(record)
            flush()
        return cls(path, enrolled, count, size)

    def pieces(self, rounds: int) -> Iterator[bytes]:
        """The file in so many pieces, cut between frames."""
        size = self.path.stat().st_size // rounds + 1
        with self.path.open("rb") as file:
            rest = b""
            while data := file.read(size):
                whole, zero, tail = (rest + data).rpartition(b"\0")
                rest = tail
                if whole:
                    yield whole + zero


def filler(rows: int) -> Iterator[tuple[Enrolled, list[VerifiedRecord]]]:
    """Rows of 50 other terminals, for a ledger that is to be large: never signed, for nobody will check them."""
    for terminal in range(_TERMINALS):
        public = hashlib.sha512(b"filler %d" % terminal).digest()
        key_id = chain.key_id(public)
        enrolled = Enrolled(key_id, public, 1, "filler", 7, b"filler")
        digest = chain.genesis(public, 1)
        last = rows // _TERMINALS
        for first in range(1, last + 1, _FILL):
            records = []
            for seq in range(first, min(first + _FILL, last + 1)):
                unsigned = body(key_id, seq)
                previous, digest = digest, chain.step(digest, unsigned)
                head = RecordHead.read(unsigned, 0)
                parts = tlv.unpack(unsigned, RecordHead.SIZE)
                records.append(VerifiedRecord(head, parts, previous, unsigned, bytes(64), digest))
            yield enrolled, records
