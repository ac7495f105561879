"""The ledger on SQLite: one connection owns every write and every checkpoint.

SQLite before 3.51.3 can corrupt a WAL when several connections write (the WAL-reset bug), so there is just this one,
and the file is locked against another dock.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from plomba.errors import StoreError, VerificationError
from plomba.ledger.forks import Forks
from plomba.ledger.losses import Loss, Losses
from plomba.ledger.merkle import Frontier, inclusion_proof, leaf_hash
from plomba.trust.records import VerifiedRecord
from plomba_wire import chain
from plomba_wire.vocabulary import Tlv

_MIGRATIONS = ("001_records.sql", "002_chains.sql", "003_losses.sql")
_ORDERS = 12
"""The index by order is in parts of 2 ** 12 leaves (002_chains.sql)."""
_CACHE_KIB = 8192
_PAGE = 8192
"""Bytes; of a new file. A record takes 300: the usual 4096 cost 8 % more."""
_STORED = (
    "SELECT r.leaf, c.terminal, c.epoch, r.seq, r.digest, coalesce(l.previous, p.digest), r.body, r.signature,"
    " t.public{more} FROM record r JOIN chain c ON c.id = r.chain JOIN terminal t ON t.id = c.terminal"
    " LEFT JOIN record p ON p.chain = r.chain AND p.seq = r.seq - 1"
    " LEFT JOIN loss l ON l.chain = r.chain AND l.last_seq = r.seq - 1"
)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A terminal this dock knows."""

    id: bytes
    public: bytes
    epoch: int
    label: str
    place: int
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A record on disk, and its leaf in the log."""

    leaf: int
    terminal: bytes
    epoch: int
    seq: int
    digest: bytes
    previous: bytes
    body: bytes
    signature: bytes

    @classmethod
    def of(cls, row: Sequence[Any]) -> Stored:
        """From a row of _STORED: the first record of a chain has the genesis before it."""
        leaf, terminal, epoch, seq, digest, previous, body, signature, public = row[:9]
        if previous is None:
            previous = chain.genesis(public, epoch)
        return cls(leaf, terminal, epoch, seq, digest, previous, body, signature)

    @property
    def identity(self) -> str:
        return f"{self.terminal.hex()}-{self.epoch}-{self.seq}"


@dataclass(frozen=True, slots=True)
class Queued:
    """A record waiting in the outbox."""

    record: Stored
    attempts: int


class Fork(VerificationError):
    """Another body under an identity that the ledger holds: `held` and `found`, which came now."""

    def __init__(self, held: Stored, found: VerifiedRecord) -> None:
        super().__init__("chain_fork", terminal=held.terminal.hex(), seq=held.seq)
        self.held = held
        self.found = found


class Ledger:
    """Open it with `Ledger.open`; close it, or use it as a context manager. Raises StoreError `ledger_failed`.

    `forks` holds the proofs of copied terminals, `losses` what flash has lost; `db` and `transaction` are for the
    ledger's own rooms.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.db = connection
        self.forks = Forks(self)
        self.losses = Losses(self)

    @classmethod
    def open(cls, path: Path) -> Ledger:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            db.execute(f"PRAGMA page_size = {_PAGE}")
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            db.execute("PRAGMA foreign_keys = ON")
            ledger = cls(path, db)
            ledger._migrate()
        except sqlite3.Error as error:
            raise StoreError("ledger_failed", path=path, reason=error) from error
        return ledger

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def enrol(self, terminal: Enrolled) -> None:
        """Adds a terminal or a new epoch of one, or renews a certificate."""
        with self.transaction():
            self.db.execute(
                "INSERT INTO terminal VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " epoch = excluded.epoch, label = excluded.label, place = excluded.place,"
                " certificate = excluded.certificate",
                (terminal.id, terminal.public, terminal.epoch, terminal.label, terminal.place, terminal.certificate),
            )
            self.db.execute(
                "INSERT INTO chain (terminal, epoch, certificate) VALUES (?, ?, ?)"
                " ON CONFLICT (terminal, epoch) DO UPDATE SET certificate = excluded.certificate",
                (terminal.id, terminal.epoch, terminal.certificate),
            )

    def terminal(self, id: bytes) -> Enrolled | None:
        row = self.db.execute("SELECT * FROM terminal WHERE id = ?", (id,)).fetchone()
        return Enrolled(*row) if row else None

    def certificate(self, terminal: bytes, epoch: int) -> bytes | None:
        """The certificate that held for an epoch."""
        row = self.db.execute(
            "SELECT certificate FROM chain WHERE terminal = ? AND epoch = ?", (terminal, epoch)
        ).fetchone()
        return row[0] if row else None

    def watermark(self, terminal: Enrolled) -> tuple[int, bytes]:
        """Number of the next record this ledger wants, and the chain value before it."""
        row = self.db.execute(
            "SELECT seq, digest FROM record WHERE chain = ? ORDER BY seq DESC LIMIT 1",
            (self._chain(terminal.id, terminal.epoch),),
        ).fetchone()
        if row is None:
            return 1, chain.genesis(terminal.public, terminal.epoch)
        return row[0] + 1, row[1]

    def digest(self, terminal: Enrolled, seq: int) -> bytes:
        """Chain value of a record that is held, or of the last one of a loss; of the genesis for 0. Raises KeyError."""
        if seq == 0:
            return chain.genesis(terminal.public, terminal.epoch)
        id = self._chain(terminal.id, terminal.epoch)
        row = self.db.execute(
            "SELECT digest FROM record WHERE chain = ?1 AND seq = ?2"
            " UNION ALL SELECT previous FROM loss WHERE chain = ?1 AND last_seq = ?2 LIMIT 1",
            (id, seq),
        ).fetchone()
        if row is None:
            raise KeyError(seq)
        digest: bytes = row[0]
        return digest

    def append(self, records: Sequence[VerifiedRecord], behind: Loss | None = None, now: int = 0) -> None:
        """Records of one chain, their leaves and their outbox rows: on disk together, or not at all.

        `behind` is what is missing before the first of them, accepted at `now` (s since 1970). Raises Fork for another
        body under a known identity.
        """
        if not records:
            return
        with self.transaction():
            head = records[0].head
            id = self._chain(head.terminal, head.epoch)
            newest = self.db.execute(
                "SELECT seq FROM record WHERE chain = ? ORDER BY seq DESC LIMIT 1", (id,)
            ).fetchone()
            if newest is not None and head.seq <= newest[0]:
                records = self._unknown(id, records)
            if behind is not None:
                self.losses.accept(id, behind, now)
            frontier = self._frontier()
            leaf = frontier.size
            rows = []
            for record in records:
                order = record.parts.get(Tlv.ORDER)
                rows.append(
                    (
                        leaf,
                        id,
                        record.head.seq,
                        record.digest,
                        record.body,
                        record.signature,
                        order.decode(errors="replace") if order else None,
                        record.parts.get(Tlv.AFTER_RECEIPT),
                    )
                )
                leaf += 1
            frontier.extend([record.digest for record in records])
            self.db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self.db.executemany("INSERT INTO outbox (leaf) VALUES (?)", [row[:1] for row in rows])
            self.db.execute("UPDATE log SET size = ?, peaks = ?", (frontier.size, b"".join(frontier.peaks)))

    def log(self) -> tuple[int, bytes]:
        """Leaves and root of the Merkle log."""
        frontier = self._frontier()
        return frontier.size, frontier.root()

    def receipt(self, terminal: Enrolled, up_to: int) -> bytes | None:
        """The receipt given for exactly this record, if there was one: asked again, it is the same."""
        row = self.db.execute(
            "SELECT bundle FROM receipt WHERE terminal = ? AND epoch = ? AND up_to = ?",
            (terminal.id, terminal.epoch, up_to),
        ).fetchone()
        return row[0] if row else None

    def keep_receipt(self, terminal: Enrolled, up_to: int, log_size: int, bundle: bytes) -> None:
        with self.transaction():
            self.db.execute(
                "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?)",
                (terminal.id, terminal.epoch, up_to, log_size, hashlib.sha256(bundle).digest(), bundle),
            )

    def receipt_covering(self, terminal: bytes, epoch: int, seq: int) -> bytes | None:
        """The first receipt that covers a record."""
        row = self.db.execute(
            "SELECT bundle FROM receipt WHERE terminal = ? AND epoch = ? AND up_to >= ? ORDER BY up_to LIMIT 1",
            (terminal, epoch, seq),
        ).fetchone()
        return row[0] if row else None

    def anchor_of(self, terminal: bytes, epoch: int, seq: int) -> tuple[Stored, bytes] | None:
        """The newest record up to `seq` that names a receipt, and that receipt: `seq` was made after it."""
        row = self.db.execute(
            _STORED.format(more=", receipt.bundle") + " JOIN receipt ON receipt.sha256 = r.after_receipt"
            " WHERE r.chain = ? AND r.seq <= ? AND r.after_receipt IS NOT NULL ORDER BY r.seq DESC LIMIT 1",
            (self._chain(terminal, epoch), seq),
        ).fetchone()
        return (Stored.of(row), row[-1]) if row else None

    def keep_object(self, kind: int, version: int, bundle: bytes) -> None:
        """A signed object that went down to a terminal."""
        with self.transaction():
            self.db.execute("INSERT OR IGNORE INTO object VALUES (?, ?, ?)", (kind, version, bundle))

    def object(self, kind: int, version: int) -> bytes | None:
        row = self.db.execute("SELECT bundle FROM object WHERE kind = ? AND version = ?", (kind, version)).fetchone()
        return row[0] if row else None

    def due(self, now: float, limit: int) -> list[Queued]:
        """Outbox rows whose time has come, oldest record first."""
        rows = self.db.execute(
            _STORED.format(more=", o.attempts") + " JOIN outbox o ON o.leaf = r.leaf"
            " WHERE o.due <= ? AND o.refusal IS NULL ORDER BY o.leaf LIMIT ?",
            (now, limit),
        )
        return [Queued(Stored.of(row), row[-1]) for row in rows]

    def forwarded(self, records: Iterable[Queued]) -> None:
        """The order system has these."""
        with self.transaction():
            self.db.executemany("DELETE FROM outbox WHERE leaf = ?", [(queued.record.leaf,) for queued in records])

    def postpone(self, records: Iterable[Queued], due: float) -> None:
        """The order system did not answer: try these again at `due`."""
        with self.transaction():
            self.db.executemany(
                "UPDATE outbox SET attempts = attempts + 1, due = ? WHERE leaf = ?",
                [(due, queued.record.leaf) for queued in records],
            )

    def refused(self, queued: Queued, reason: str) -> None:
        """The order system will never take this one; it stays, marked, for a person to look at."""
        with self.transaction():
            self.db.execute("UPDATE outbox SET refusal = ? WHERE leaf = ?", (reason, queued.record.leaf))

    def counts(self) -> dict[str, int]:
        """`records`, `waiting` and `refused` in the outbox."""
        records = self.db.execute("SELECT count(*) FROM record").fetchone()[0]
        waiting, refused = self.db.execute("SELECT count(*) - count(refusal), count(refusal) FROM outbox").fetchone()
        return {"records": records, "waiting": waiting, "refused": refused}

    def all_records(self) -> Iterator[Stored]:
        """Every record, in the order of the log."""
        for row in self.db.execute(_STORED.format(more="") + " ORDER BY r.leaf"):
            yield Stored.of(row)

    def records_of(self, order: str) -> list[Stored]:
        """Every record that names an order, as the log has them."""
        found: list[Stored] = []
        (leaves,) = self.db.execute("SELECT size FROM log").fetchone()
        for part in range((leaves >> _ORDERS) + 1):
            rows = self.db.execute(
                _STORED.format(more="") + f" WHERE r.leaf >> {_ORDERS} = ? AND r.order_id = ? ORDER BY r.leaf",
                (part, order),
            )
            found += [Stored.of(row) for row in rows]
        return found

    def record(self, terminal: bytes, epoch: int, seq: int) -> Stored | None:
        row = self.db.execute(
            _STORED.format(more="") + " WHERE r.chain = ? AND r.seq = ?", (self._chain(terminal, epoch), seq)
        ).fetchone()
        return Stored.of(row) if row else None

    def proof(self, leaf: int, size: int) -> list[bytes]:
        """Inclusion proof of a leaf in the log as it was at `size`."""
        rows = self.db.execute("SELECT digest FROM record WHERE leaf < ? ORDER BY leaf", (size,))
        return inclusion_proof([leaf_hash(row[0]) for row in rows], leaf)

    def _chain(self, terminal: bytes, epoch: int) -> int:
        """Id of a chain; 0 for one that was never enrolled."""
        row = self.db.execute("SELECT id FROM chain WHERE terminal = ? AND epoch = ?", (terminal, epoch)).fetchone()
        return row[0] if row else 0

    def _unknown(self, id: int, records: Sequence[VerifiedRecord]) -> list[VerifiedRecord]:
        """Those that are not held yet. Raises Fork."""
        fresh = []
        for record in records:
            row = self.db.execute(
                _STORED.format(more="") + " WHERE r.chain = ? AND r.seq = ?", (id, record.head.seq)
            ).fetchone()
            if row is None:
                fresh.append(record)
            elif (held := Stored.of(row)).digest != record.digest:
                raise Fork(held, record)
        return fresh

    def _frontier(self) -> Frontier:
        size, peaks = self.db.execute("SELECT size, peaks FROM log").fetchone()
        return Frontier(size, [peaks[at : at + 32] for at in range(0, len(peaks), 32)])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError("ledger_failed", path=self.path, reason=error) from error

    def _migrate(self) -> None:
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        for number, name in enumerate(_MIGRATIONS[version:], start=version + 1):
            script = resources.files("plomba.ledger").joinpath(name).read_text(encoding="utf-8")
            self.db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
