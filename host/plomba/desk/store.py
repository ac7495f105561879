"""The order book on disk: SQLite, one connection, one writer, every commit on the disk before anybody is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from plomba.desk.links import Links
from plomba.desk.orders import Order
from plomba.errors import StoreError
from plomba.trust.records import VerifiedRecord
from plomba_wire import chain, tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import CodeKind

FILE = "desk.sqlite3"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal the root vouches for. `serial` and `epoch` are its certificate's."""

    id: bytes
    public: bytes
    epoch: int
    serial: int
    label: str
    place: int
    certificate: bytes


@dataclass(frozen=True)
class Event:
    """A verified record as held. `number` is the order of arrival, `order_id` the order it names, `bag` its bag."""

    number: int
    body: bytes
    previous: bytes
    digest: bytes
    signature: bytes
    order_id: str | None
    received: int
    bag: bytes | None = None

    @cached_property
    def head(self) -> RecordHead:
        return RecordHead.read(self.body, 0)

    @cached_property
    def parts(self) -> dict[int, bytes]:
        return tlv.unpack(self.body, RecordHead.SIZE)

    @property
    def identity(self) -> str:
        """`terminal-epoch-seq`."""
        return f"{self.head.terminal.hex()}-{self.head.epoch}-{self.head.seq}"


@dataclass(frozen=True, slots=True)
class Issued:
    """The newest signed object of a kind. `content` is the SHA-256 of what it says."""

    version: int
    content: bytes
    bundle: bytes
    made: int


_Values = Sequence[Any] | Mapping[str, Any]
EVENT = "e.number, e.body, e.previous, e.digest, e.signature, e.order_id, e.received, e.bag"
"""What `Event` is made of, of a row `e`."""


class Store:
    """Belongs to the thread that made it. Every method raises StoreError when the disk does not do its part."""

    def __init__(self, folder: Path) -> None:
        """Opens or creates the order book. The file is held exclusively: a second desk on it is refused."""
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error
        try:
            # Before the first access: in WAL mode an exclusive holder needs no shared memory, and nobody else gets in.
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._migrate()
        except sqlite3.Error as error:
            self._db.close()
            raise self._failed(error) from error
        except StoreError:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def query(self, sql: str, values: _Values = ()) -> list[tuple[Any, ...]]:
        """All rows of a SELECT."""
        return self._run(sql, values).fetchall()

    def count(self, source: str, values: _Values = ()) -> int:
        """Rows of what follows SELECT."""
        count: int = self.query(f"SELECT count(*) {source}", values)[0][0]
        return count

    def write(self, sql: str, values: _Values = ()) -> None:
        """One statement that changes the book."""
        self._run(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside, or nothing of it; committed to disk when it is left. One inside another is a part of
        it, and what was raised in there must not be caught before the outer one is left."""
        if self._db.in_transaction:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # terminals

    def terminal(self, id: bytes) -> Terminal | None:
        row = self._one("SELECT * FROM terminals WHERE terminal = ?", (id,))
        return None if row is None else Terminal(*row)

    def terminals(self) -> list[Terminal]:
        return [Terminal(*row) for row in self._run("SELECT * FROM terminals ORDER BY label, terminal")]

    def put_terminal(self, new: Terminal) -> None:
        self._run(
            "INSERT OR REPLACE INTO terminals VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new.id, new.public, new.epoch, new.serial, new.label, new.place, new.certificate),
        )

    def through(self, terminal: bytes, epoch: int) -> int:
        """The highest contiguous record held of that epoch, 0 = none."""
        row = self._one("SELECT through FROM marks WHERE terminal = ? AND epoch = ?", (terminal, epoch))
        return 0 if row is None else row[0]

    def newest_epoch(self, terminal: bytes) -> int:
        row = self._one("SELECT max(epoch) FROM marks WHERE terminal = ?", (terminal,))
        return 0 if row is None or row[0] is None else row[0]

    # records

    def event(self, terminal: bytes, epoch: int, seq: int) -> Event | None:
        row = self._one(
            f"SELECT {EVENT} FROM events e WHERE terminal = ? AND epoch = ? AND seq = ?", (terminal, epoch, seq)
        )
        return None if row is None else Event(*row)

    def add_event(
        self, record: VerifiedRecord, body_hash: bytes, order_id: str | None, links: Links, received: int
    ) -> None:
        head = record.head
        self._run(
            "INSERT INTO events (terminal, epoch, seq, body_hash, previous, digest, body, signature, order_id,"
            " order_ref, received, bag, seal, undoes, peer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(head.terminal, head.epoch, head.seq, body_hash, record.previous, record.digest),
                *(record.body, record.signature, order_id, head.order_ref, received, *links),
            ),
        )
        through = self.through(head.terminal, head.epoch)
        later = self._db.execute(
            "SELECT seq FROM events WHERE terminal = ? AND epoch = ? AND seq > ? ORDER BY seq",
            (head.terminal, head.epoch, through),
        )
        for (seq,) in later:
            if seq != through + 1:
                break
            through = seq
        later.close()
        self._run("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (head.terminal, head.epoch, through))

    def add_conflict(self, code: str, record: VerifiedRecord, received: int) -> None:
        """Keeps what contradicts a held record, once."""
        head = record.head
        self._run(
            "INSERT OR IGNORE INTO conflicts (terminal, epoch, seq, code, previous, body, signature, received)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(head.terminal, head.epoch, head.seq, code, record.previous, record.body),
                *(record.signature, received),
            ),
        )

    # orders

    def order(self, id: str) -> Order | None:
        """The order as it was imported."""
        found = self.orders("WHERE id = ?", (id,))
        return found[0] if found else None

    def orders(self, where: str = "", values: _Values = ()) -> list[Order]:
        """Orders as imported, with their codes, in the order of import."""
        codes: dict[str, dict[int, list[str]]] = {}
        for kind, code, order_id in self._run(
            f"SELECT kind, code, order_id FROM order_codes WHERE order_id IN (SELECT id FROM orders {where})"
            " ORDER BY code",
            values,
        ):
            codes.setdefault(order_id, {}).setdefault(kind, []).append(code)
        rows = self._run(
            f"SELECT id, class, entered, place, value, currency, shop, cell FROM orders {where} ORDER BY number",
            values,
        )
        found = []
        for id, order_class, entered, place, value, currency, shop, cell in rows:
            own = codes.get(id, {})
            seals, uins = tuple(own.pop(CodeKind.SEAL, ())), tuple(own.pop(CodeKind.UIN, ()))
            further = tuple((kind, code) for kind in sorted(own) for code in sorted(own[kind]))
            found.append(Order(id, order_class, entered, place, value, currency, shop, cell, seals, uins, further))
        return found

    def with_ref(self, ref: int) -> list[str]:
        return [row[0] for row in self._run("SELECT id FROM orders WHERE ref = ?", (ref,))]

    def owner(self, kind: int, code: str) -> str | None:
        """The order a code is bound to, by import or by a scan; an order's number is bound to itself."""
        row = self._one(
            "SELECT order_id FROM order_codes WHERE kind = :kind AND code = :code UNION ALL"
            f" SELECT order_id FROM bindings WHERE :kind = {CodeKind.SEAL} AND seal = CAST(:code AS BLOB)",
            {"kind": kind, "code": code},
        )
        if row is None and kind == CodeKind.ORDER:
            row = self._one("SELECT id FROM orders WHERE id = ?", (code,))
        return None if row is None else row[0]

    def labelled(self, code: str, ref: int) -> str | None:
        """The order with this ref that has `code` on one of its labels; a seal or an item number is no label."""
        row = self._one(
            "SELECT id FROM orders JOIN order_codes ON order_id = id"
            f" WHERE code = ? AND ref = ? AND kind NOT IN ({CodeKind.SEAL}, {CodeKind.UIN})",
            (code, ref),
        )
        return None if row is None else row[0]

    def relink(self, order: Order) -> None:
        """Records that name it by one of its labels, and came before the label did, name it from here on."""
        for _, code in order.further:
            if chain.order_ref(code.encode()) != order.ref:
                self._run(
                    "UPDATE events SET order_id = ? WHERE order_ref = ? AND order_id = ?", (order.id, order.ref, code)
                )

    def unbind(self, order_id: str) -> None:
        """Frees the order's codes."""
        self._run("DELETE FROM order_codes WHERE order_id = ?", (order_id,))

    def put_order(self, order: Order) -> None:
        """Inserts it, or replaces one that has no records and whose codes were unbound."""
        self._run(
            "INSERT INTO orders (id, ref, class, entered, place, value, currency, shop, cell, state)"
            " VALUES (:id, :ref, :class, :entered, :place, :value, :currency, :shop, :cell, :entered)"
            " ON CONFLICT (id) DO UPDATE SET class = :class, entered = :entered, place = :place, value = :value,"
            " currency = :currency, shop = :shop, cell = :cell",
            {
                "id": order.id,
                "ref": order.ref,
                "class": order.order_class,
                "entered": order.state,
                "place": order.place,
                "value": order.value,
                "currency": order.currency,
                "shop": order.shop,
                "cell": order.cell,
            },
        )
        for kind, code in order.codes:
            self._run("INSERT INTO order_codes VALUES (?, ?, ?)", (kind, code, order.id))

    # signed objects and counters

    def issued(self, kind: int, terminal: bytes) -> Issued | None:
        row = self._one(
            "SELECT version, content, bundle, made FROM issued WHERE kind = ? AND terminal = ?", (kind, terminal)
        )
        return None if row is None else Issued(*row)

    def put_issued(self, kind: int, terminal: bytes, new: Issued) -> None:
        self._run(
            "INSERT OR REPLACE INTO issued VALUES (?, ?, ?, ?, ?, ?)",
            (kind, terminal, new.version, new.content, new.bundle, new.made),
        )

    def tally(self, names: Iterable[str]) -> None:
        """One more of each."""
        for name in names:
            self._run("INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (name,))

    # the machinery

    def _run(self, sql: str, values: _Values = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, values)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _one(self, sql: str, values: _Values) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._run(sql, values).fetchone()
        return row

    def _migrate(self) -> None:
        """Runs the numbered scripts this file has not seen, each in a transaction of its own."""
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        folder = resources.files("plomba.desk").joinpath("migrations")
        scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name)
        if version > len(scripts):
            raise StoreError("desk_store_newer", path=self.path, version=version, known=len(scripts))
        for number, script in enumerate(scripts[version:], start=version + 1):
            text = script.read_text(encoding="utf-8")
            try:
                self._db.executescript(f"BEGIN IMMEDIATE; {text}\n PRAGMA user_version = {number}; COMMIT;")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _failed(self, error: Exception) -> StoreError:
        busy = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        return StoreError("desk_store_busy" if busy else "desk_store_failed", path=self.path, reason=error)
