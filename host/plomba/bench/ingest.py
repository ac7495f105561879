"""`plomba bench ingest`: from frames to committed rows, against bare signature checks. Keys: docs/bench.md."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from plomba.bench.journal import Journal, filler
from plomba.ledger import Ledger
from plomba.trust.keys import public_key
from plomba.trust.records import VerifiedRecord, verify_chain
from plomba_wire import chain, codec, framing
from plomba_wire.dock_end import DockEnd, Records

RECORDS = 100_000
ROWS = 1_000_000
LIMITS: dict[str, tuple[str, float]] = {
    "ratio_all": ("at_least", 0.70),
    "ratio_head": ("at_least", 4.0),
    "cost_1e6_vs_1e4": ("at_most", 1.2),
    "memory_growth": ("at_most", 1.05),
}
_ROUNDS = 20
_FEW_ROWS = 100
"""The small ledger has a hundredth of the large one's rows."""
_READ = 1 << 18
"""Bytes that wait at most when a dock is behind (plomba.transport.incoming); what they bring is one commit."""
_NONCE = b"ingest--"
_SESSION = 7

Tell = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Options:
    """`records` are ingested; the large ledger holds `rows` before that."""

    records: int = RECORDS
    rows: int = ROWS


class Docking:
    """One terminal's records on their way into one ledger. Its frames are read as a port would give them."""

    def __init__(self, folder: Path, name: str, journal: Journal, *, by_head: bool) -> None:
        self.ledger = Ledger.open(folder / f"{name}.db")
        self.ledger.enrol(journal.enrolled)
        self._by_head = by_head
        self._journal = journal
        self._next = 1
        self._previous = chain.genesis(journal.enrolled.public, journal.enrolled.epoch)
        self._end = DockEnd(_NONCE, _SESSION, window=1 << 19)
        self._end.start(0.0)
        hello = codec.HelloOk(_NONCE, 1, 2, 2000, 514, 256, 0, journal.enrolled.id, 1, 1, bytes(16), b"")
        self._end.receive(framing.encode(hello.TYPE, 0, _SESSION, 0, hello.pack()), 0.0)
        tag = self._end.sync(journal.enrolled.epoch, 1, self._previous, 0.0)
        opened = codec.SyncOpenOk(1, journal.count + 1)
        self._end.receive(framing.encode(opened.TYPE, 0, _SESSION, tag, opened.pack()), 0.0)

    def take(self, wire: bytes) -> list[VerifiedRecord]:
        """Frames to rows on disk; returns what was committed."""
        taken = []
        for at in range(0, len(wire), _READ):
            batch: list[tuple[bytes, bytes]] = []
            for event in self._end.receive(wire[at : at + _READ], 0.0):
                assert isinstance(event, Records)
                batch += event.records
            enrolled = self._journal.enrolled
            verified = verify_chain(
                enrolled.public, enrolled.epoch, self._next, self._previous, batch, by_head=self._by_head
            )
            self.ledger.append(verified)
            if verified:
                self._next += len(verified)
                self._previous = verified[-1].digest
            self._end.credit(self._next, 0.0)
            self._end.outgoing()
            taken += verified
        return taken


def measure_ingest(options: Options, tell: Tell) -> dict[str, Any]:
    """All figures; `tell` hears of each one when it is there."""
    facts: dict[str, Any] = {}

    def note(name: str, value: object) -> None:
        facts[name] = value
        tell(name, value)

    with tempfile.TemporaryDirectory(prefix="plomba-bench-") as folder:
        scratch = Path(folder)
        journal = Journal.make(scratch / "records.wire", options.records)
        note("records", journal.count)
        note("mean_record_bytes", round(journal.record_bytes / journal.count, 1))
        _against_bare(scratch, journal, note)
        _against_size(scratch, options, note)
    facts["limits"] = {name: {kind: value} for name, (kind, value) in LIMITS.items()}
    facts["met"] = {
        name: facts[name] >= value if kind == "at_least" else facts[name] <= value
        for name, (kind, value) in LIMITS.items()
    }
    return facts


def _against_bare(scratch: Path, journal: Journal, note: Tell) -> None:
    """Rounds of the same records: checked bare, ingested with every signature, ingested by head."""
    every = Docking(scratch, "every", journal, by_head=False)
    head = Docking(scratch, "head", journal, by_head=True)
    bare_s, every_s, head_s = [], [], []
    memory: list[int] = []
    commits = 0
    for wire in journal.pieces(_ROUNDS):
        began = time.perf_counter()
        taken = every.take(wire)
        ingested = time.perf_counter()
        _bare(journal.enrolled.public, taken)
        checked = time.perf_counter()
        head.take(wire)
        done = time.perf_counter()
        every_s.append((ingested - began) / len(taken))
        bare_s.append((checked - ingested) / len(taken))
        head_s.append((done - checked) / len(taken))
        commits += -(-len(wire) // _READ)
        memory.append(_peak_kib())
    assert (
        every.ledger.counts()
        == head.ledger.counts()
        == {
            "records": journal.count,
            "waiting": journal.count,
            "refused": 0,
        }
    )
    note("records_per_commit", round(journal.count / commits, 1))
    note("us_bare", round(median(bare_s) * 1e6, 1))
    note("us_all", round(median(every_s) * 1e6, 1))
    note("us_head", round(median(head_s) * 1e6, 1))
    note("ratio_all", round(median(b / i for b, i in zip(bare_s, every_s, strict=True)), 3))
    note("ratio_head", round(median(b / i for b, i in zip(bare_s, head_s, strict=True)), 2))
    # By two fifths the caches of both ledgers are full; what grows after that would grow for ever.
    early = memory[len(memory) * 2 // 5]
    note("peak_memory_kib", {"two_fifths": early, "end": memory[-1]})
    note("memory_growth", round(memory[-1] / early, 3))
    every.ledger.close()
    head.ledger.close()


def _against_size(scratch: Path, options: Options, note: Tell) -> None:
    """The same records into a ledger with few rows and into one with many, turn by turn, by head."""
    journal = Journal.make(scratch / "more.wire", min(options.records, 20_000))
    few = Docking(scratch, "few", journal, by_head=True)
    many = Docking(scratch, "many", journal, by_head=True)
    for docking, rows in ((few, options.rows // _FEW_ROWS), (many, options.rows)):
        for enrolled, records in filler(rows):
            docking.ledger.enrol(enrolled)
            docking.ledger.append(records)
    note("rows", {"few": few.ledger.counts()["records"], "many": many.ledger.counts()["records"]})
    ratios = []
    for number, wire in enumerate(journal.pieces(_ROUNDS)):
        cost = {}
        for docking in (few, many) if number % 2 else (many, few):
            began = time.perf_counter()
            docking.take(wire)
            cost[docking] = time.perf_counter() - began
        ratios.append(cost[many] / cost[few])
    note("cost_1e6_vs_1e4", round(median(ratios), 3))
    few.ledger.close()
    many.ledger.close()


def _bare(public: bytes, records: list[VerifiedRecord]) -> None:
    """What cannot be saved while every signature is checked: raw r || s to DER, and OpenSSL's verification."""
    key = public_key(public)
    algorithm = ec.ECDSA(Prehashed(hashes.SHA256()))
    for record in records:
        raw = record.signature
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(der, record.digest, algorithm)


def _peak_kib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
