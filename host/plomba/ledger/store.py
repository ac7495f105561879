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

from plomba.errors import StoreError, VerificationError
from plomba.ledger.merkle import Frontier, inclusion_proof, leaf_hash
from plomba.trust.records import VerifiedRecord
from plomba_wire import chain
from plomba_wire.vocabulary import Tlv

_MIGRATIONS = ("001_records.sql",)
_STORED = "leaf, record.terminal, record.epoch, seq, digest, previous, body, signature"


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
class Queued:
    """A record waiting in the outbox."""

    terminal: bytes
    epoch: int
    seq: int
    attempts: int
    previous: bytes
    body: bytes
    signature: bytes

    @property
    def identity(self) -> str:
        return f"{self.terminal.hex()}-{self.epoch}-{self.seq}"


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


class Ledger:
    """Open it with `Ledger.open`; close it, or use it as a context manager. Raises StoreError `ledger_failed`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> Ledger:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            ledger = cls(path, db)
            ledger._migrate()
        except sqlite3.Error as error:
            raise StoreError("ledger_failed", path=path, reason=error) from error
        return ledger

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def enrol(self, terminal: Enrolled) -> None:
        """Adds a terminal, or renews its certificate."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO terminal VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " epoch = excluded.epoch, label = excluded.label, place = excluded.place,"
                " certificate = excluded.certificate",
                (terminal.id, terminal.public, terminal.epoch, terminal.label, terminal.place, terminal.certificate),
            )

    def terminal(self, id: bytes) -> Enrolled | None:
        row = self._db.execute("SELECT * FROM terminal WHERE id = ?", (id,)).fetchone()
        return Enrolled(*row) if row else None

    def watermark(self, terminal: Enrolled) -> tuple[int, bytes]:
        """Number of the next record this ledger wants, and the chain value before it."""
        row = self._db.execute(
            "SELECT seq, digest FROM record WHERE terminal = ? AND epoch = ? ORDER BY seq DESC LIMIT 1",
            (terminal.id, terminal.epoch),
        ).fetchone()
        if row is None:
            return 1, chain.genesis(terminal.public, terminal.epoch)
        return row[0] + 1, row[1]

    def append(self, records: Sequence[VerifiedRecord]) -> None:
        """Records, their leaves and their outbox rows: on disk together, or not at all.

        Raises VerificationError `chain_fork` for another body under a known identity.
        """
        with self._transaction():
            frontier = self._frontier()
            for record in records:
                head = record.head
                identity = (head.terminal, head.epoch, head.seq)
                known = self._db.execute(
                    "SELECT digest FROM record WHERE terminal = ? AND epoch = ? AND seq = ?", identity
                ).fetchone()
                if known is not None:
                    if known[0] != record.digest:
                        raise VerificationError("chain_fork", terminal=head.terminal.hex(), seq=head.seq)
                    continue
                order = record.parts.get(Tlv.ORDER)
                self._db.execute(
                    "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *identity,
                        frontier.size,
                        record.digest,
                        record.previous,
                        record.body,
                        record.signature,
                        order.decode(errors="replace") if order else None,
                        record.parts.get(Tlv.AFTER_RECEIPT),
                    ),
                )
                self._db.execute("INSERT INTO outbox (terminal, epoch, seq) VALUES (?, ?, ?)", identity)
                frontier.append(leaf_hash(record.digest))
            self._db.execute("UPDATE log SET size = ?, peaks = ?", (frontier.size, b"".join(frontier.peaks)))

    def log(self) -> tuple[int, bytes]:
        """Leaves and root of the Merkle log."""
        frontier = self._frontier()
        return frontier.size, frontier.root()

    def receipt(self, terminal: Enrolled, up_to: int) -> bytes | None:
        """The receipt given for exactly this record, if there was one: asked again, it is the same."""
        row = self._db.execute(
            "SELECT bundle FROM receipt WHERE terminal = ? AND epoch = ? AND up_to = ?",
            (terminal.id, terminal.epoch, up_to),
        ).fetchone()
        return row[0] if row else None

    def keep_receipt(self, terminal: Enrolled, up_to: int, log_size: int, bundle: bytes) -> None:
        with self._transaction():
            self._db.execute(
                "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?)",
                (terminal.id, terminal.epoch, up_to, log_size, hashlib.sha256(bundle).digest(), bundle),
            )

    def receipt_covering(self, terminal: bytes, epoch: int, seq: int) -> bytes | None:
        """The first receipt that covers a record."""
        row = self._db.execute(
            "SELECT bundle FROM receipt WHERE terminal = ? AND epoch = ? AND up_to >= ? ORDER BY up_to LIMIT 1",
            (terminal, epoch, seq),
        ).fetchone()
        return row[0] if row else None

    def anchor_of(self, terminal: bytes, epoch: int, seq: int) -> tuple[Stored, bytes] | None:
        """The newest record up to `seq` that names a receipt, and that receipt: `seq` was made after it."""
        row = self._db.execute(
            f"SELECT {_STORED}, receipt.bundle FROM record JOIN receipt ON receipt.sha256 = record.after_receipt"
            " WHERE record.terminal = ? AND record.epoch = ? AND seq <= ? AND after_receipt IS NOT NULL"
            " ORDER BY seq DESC LIMIT 1",
            (terminal, epoch, seq),
        ).fetchone()
        return (Stored(*row[:-1]), row[-1]) if row else None

    def keep_object(self, kind: int, version: int, bundle: bytes) -> None:
        """A signed object that went down to a terminal."""
        with self._transaction():
            self._db.execute("INSERT OR IGNORE INTO object VALUES (?, ?, ?)", (kind, version, bundle))

    def object(self, kind: int, version: int) -> bytes | None:
        row = self._db.execute("SELECT bundle FROM object WHERE kind = ? AND version = ?", (kind, version)).fetchone()
        return row[0] if row else None

    def due(self, now: float, limit: int) -> list[Queued]:
        """Outbox rows whose time has come, oldest record first."""
        rows = self._db.execute(
            "SELECT o.terminal, o.epoch, o.seq, o.attempts, r.previous, r.body, r.signature"
            " FROM outbox o JOIN record r USING (terminal, epoch, seq)"
            " WHERE o.due <= ? AND o.refusal IS NULL ORDER BY r.leaf LIMIT ?",
            (now, limit),
        )
        return [Queued(*row) for row in rows]

    def forwarded(self, records: Iterable[Queued]) -> None:
        """The order system has these."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM outbox WHERE terminal = ? AND epoch = ? AND seq = ?",
                [(record.terminal, record.epoch, record.seq) for record in records],
            )

    def postpone(self, records: Iterable[Queued], due: float) -> None:
        """The order system did not answer: try these again at `due`."""
        with self._transaction():
            self._db.executemany(
                "UPDATE outbox SET attempts = attempts + 1, due = ? WHERE terminal = ? AND epoch = ? AND seq = ?",
                [(due, record.terminal, record.epoch, record.seq) for record in records],
            )

    def refused(self, record: Queued, reason: str) -> None:
        """The order system will never take this one; it stays, marked, for a person to look at."""
        with self._transaction():
            self._db.execute(
                "UPDATE outbox SET refusal = ? WHERE terminal = ? AND epoch = ? AND seq = ?",
                (reason, record.terminal, record.epoch, record.seq),
            )

    def counts(self) -> dict[str, int]:
        """`records`, `waiting` and `refused` in the outbox."""
        records = self._db.execute("SELECT count(*) FROM record").fetchone()[0]
        waiting, refused = self._db.execute("SELECT count(*) - count(refusal), count(refusal) FROM outbox").fetchone()
        return {"records": records, "waiting": waiting, "refused": refused}

    def all_records(self) -> Iterator[Stored]:
        """Every record, in the order of the log."""
        for row in self._db.execute(f"SELECT {_STORED} FROM record ORDER BY leaf"):
            yield Stored(*row)

    def records_of(self, order: str) -> list[Stored]:
        """Every record that names an order, as the log has them."""
        rows = self._db.execute(f"SELECT {_STORED} FROM record WHERE order_id = ? ORDER BY leaf", (order,))
        return [Stored(*row) for row in rows]

    def proof(self, leaf: int, size: int) -> list[bytes]:
        """Inclusion proof of a leaf in the log as it was at `size`."""
        rows = self._db.execute("SELECT digest FROM record WHERE leaf < ? ORDER BY leaf", (size,))
        return inclusion_proof([leaf_hash(row[0]) for row in rows], leaf)

    def _frontier(self) -> Frontier:
        size, peaks = self._db.execute("SELECT size, peaks FROM log").fetchone()
        return Frontier(size, [peaks[at : at + 32] for at in range(0, len(peaks), 32)])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError("ledger_failed", path=self.path, reason=error) from error

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        for number, name in enumerate(_MIGRATIONS[version:], start=version + 1):
            script = resources.files("plomba.ledger").joinpath(name).read_text(encoding="utf-8")
            self._db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
