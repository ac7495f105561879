"""The order book on disk: one connection, one writer, every commit on the disk before anybody is answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from plomba.desk.database import Database, Values
from plomba.desk.deadlines import Plan
from plomba.desk.events import Claimed
from plomba.desk.migrations import migrate
from plomba.desk.orders import NO_PLAN, Order
from plomba.desk.paging import pages
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


@dataclass(eq=False)
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

    @classmethod
    def of(
        cls, number: int, claimed: Claimed, digest: bytes, order_id: str | None, received: int, bag: bytes | None
    ) -> Event:
        """As it is inserted, without reading again what was read."""
        event = cls(number, claimed.body, claimed.previous, digest, claimed.signature, order_id, received, bag)
        event.__dict__.update(head=claimed.head, parts=claimed.parts)
        return event

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


class Held(NamedTuple):
    """What tells a record that is here from another one, and what its neighbours have to fit."""

    body_hash: bytes
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Issued:
    """The newest signed object of a kind. `content` is the SHA-256 of what it says."""

    version: int
    content: bytes
    bundle: bytes
    made: int


EVENT = "e.number, e.body, e.previous, e.digest, e.signature, e.order_id, e.received, e.bag"
"""What `Event` is made of, of a row `e`."""
_TERMINAL = "terminal, public, epoch, serial, label, place, certificate"


class Store:
    """Belongs to the thread that made it. Every method raises StoreError when the database does not do its part."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        """Opens or creates the order book: SQLite in `folder`, or the PostgreSQL database at `url`. It is held
        exclusively: a second desk on it is refused."""
        self.path = folder / FILE
        if url is None:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not self.path.exists():
                    # SQLite gives its log the mode of the database.
                    self.path.touch(0o600)
            except OSError as error:
                raise StoreError("desk_store_failed", path=self.path, reason=error) from error
        self.database = Database(self.path if url is None else url)
        self._inside = False
        self.query = self.database.query
        self.write = self.database.write
        self.write_many = self.database.write_many
        self.update_many = self.database.update_many
        try:
            migrate(self.database)
        except BaseException:
            self.database.close()
            raise

    @property
    def failed(self) -> StoreError | None:
        """Why the database last did not do its part, until something was written to it again."""
        return self.database.failed

    def close(self) -> None:
        self.database.close()

    def count(self, source: str, values: Values | None = None) -> int:
        """Rows of what follows SELECT."""
        count: int = self.query(f"SELECT count(*) {source}", values)[0][0]
        return count

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside, or nothing of it; committed to disk when it is left. One inside another is a part of
        it, and what was raised in there must not be caught before the outer one is left."""
        if self._inside:
            yield
            return
        with self.database.transaction():
            self._inside = True
            try:
                yield
            finally:
                self._inside = False

    # terminals

    def terminal(self, id: bytes) -> Terminal | None:
        rows = self.query(f"SELECT {_TERMINAL} FROM terminals WHERE terminal = :id", {"id": id})
        return Terminal(*rows[0]) if rows else None

    def terminals(self) -> list[Terminal]:
        return [Terminal(*row) for row in self.query(f"SELECT {_TERMINAL} FROM terminals ORDER BY label, terminal")]

    def put_terminal(self, new: Terminal) -> None:
        self.write(
            f"INSERT INTO terminals ({_TERMINAL}) VALUES (:terminal, :public, :epoch, :serial, :label, :place,"
            " :certificate) ON CONFLICT (terminal) DO UPDATE SET public = :public, epoch = :epoch, serial = :serial,"
            " label = :label, place = :place, certificate = :certificate",
            {
                "terminal": new.id,
                "public": new.public,
                "epoch": new.epoch,
                "serial": new.serial,
                "label": new.label,
                "place": new.place,
                "certificate": new.certificate,
            },
        )

    def heard(self, moments: Mapping[bytes, int]) -> None:
        """The newest moment that the records of each terminal prove; it never falls."""
        self.write_many(
            "UPDATE terminals SET heard = :at WHERE terminal = :terminal AND heard < :at",
            [{"terminal": terminal, "at": at} for terminal, at in sorted(moments.items())],
        )

    def through(self, terminal: bytes, epoch: int) -> int:
        """The highest contiguous record held of that epoch, 0 = none."""
        rows = self.query(
            "SELECT through FROM marks WHERE terminal = :terminal AND epoch = :epoch",
            {"terminal": terminal, "epoch": epoch},
        )
        return rows[0][0] if rows else 0

    def put_through(self, marks: Sequence[tuple[bytes, int, int]]) -> None:
        """(terminal, epoch, the highest contiguous record held) of each."""
        self.write_many(
            "INSERT INTO marks (terminal, epoch, through) VALUES (:terminal, :epoch, :through)"
            " ON CONFLICT (terminal, epoch) DO UPDATE SET through = excluded.through",
            [{"terminal": terminal, "epoch": epoch, "through": through} for terminal, epoch, through in marks],
        )

    def newest_epoch(self, terminal: bytes) -> int:
        rows = self.query("SELECT max(epoch) FROM marks WHERE terminal = :terminal", {"terminal": terminal})
        return rows[0][0] or 0

    # records

    def held(self, terminal: bytes, epoch: int, seqs: Collection[int]) -> dict[int, Held]:
        """Those of these records that are here, by seq."""
        rows = self.query(
            "SELECT seq, body_hash, previous, digest FROM events"
            " WHERE terminal = :terminal AND epoch = :epoch AND seq IN :seqs",
            {"terminal": terminal, "epoch": epoch, "seqs": sorted(seqs)},
        )
        return {seq: Held(*row) for seq, *row in rows}

    def held_of(self, wanted: Mapping[tuple[bytes, int], Collection[int]]) -> dict[tuple[bytes, int], dict[int, Held]]:
        """As `held`, of several chains: (terminal, epoch) -> seqs."""
        if not self.database.postgresql:
            return {key: self.held(*key, seqs) for key, seqs in wanted.items()}
        found: dict[tuple[bytes, int], dict[int, Held]] = {key: {} for key in wanted}
        keys = [(*key, seq) for key, seqs in wanted.items() for seq in seqs]
        if keys:
            terminals, epochs, seqs = (list(column) for column in zip(*keys, strict=True))
            rows = self.query(
                "SELECT e.terminal, e.epoch, e.seq, e.body_hash, e.previous, e.digest FROM"
                " unnest(CAST(:terminals AS bytea[]), CAST(:epochs AS bigint[]), CAST(:seqs AS bigint[]))"
                " AS k(terminal, epoch, seq)"
                " JOIN events e ON e.terminal = k.terminal AND e.epoch = k.epoch AND e.seq = k.seq",
                {"terminals": terminals, "epochs": epochs, "seqs": seqs},
            )
            for terminal, epoch, seq, *held in rows:
                found[terminal, epoch][seq] = Held(*held)
        return found

    def later(self, terminal: bytes, epoch: int, seq: int) -> list[int]:
        """Numbers of the records that are here behind `seq`, rising."""
        rows = self.query(
            "SELECT seq FROM events WHERE terminal = :terminal AND epoch = :epoch AND seq > :seq ORDER BY seq",
            {"terminal": terminal, "epoch": epoch, "seq": seq},
        )
        return [row[0] for row in rows]

    def heads(self, terminal: bytes, epoch: int, first: int, last: int) -> list[tuple[RecordHead, int]]:
        """(head, when it came) of the records that are here from `first` to `last`."""
        rows = self.query(
            "SELECT body, received FROM events"
            " WHERE terminal = :terminal AND epoch = :epoch AND seq BETWEEN :first AND :last",
            {"terminal": terminal, "epoch": epoch, "first": first, "last": last},
        )
        return [(RecordHead.read(body, 0), received) for body, received in rows]

    def event(self, terminal: bytes, epoch: int, seq: int) -> Event | None:
        rows = self.query(
            f"SELECT {EVENT} FROM events e WHERE terminal = :terminal AND epoch = :epoch AND seq = :seq",
            {"terminal": terminal, "epoch": epoch, "seq": seq},
        )
        return Event(*rows[0]) if rows else None

    def next_event(self) -> int:
        """The number that the next record to arrive gets."""
        number: int | None = self.query("SELECT max(number) FROM events")[0][0]
        return (number or 0) + 1

    def add_events(self, rows: Sequence[Values]) -> None:
        """Records as they arrived: the columns of `events` by their names."""
        self.write_many(
            "INSERT INTO events (number, terminal, epoch, seq, body_hash, previous, digest, body, signature, order_id,"
            " order_ref, received, bag, seal, undoes, peer) VALUES (:number, :terminal, :epoch, :seq, :body_hash,"
            " :previous, :digest, :body, :signature, :order_id, :order_ref, :received, :bag, :seal, :undoes, :peer)",
            rows,
        )

    def add_conflict(self, code: str, record: VerifiedRecord, received: int) -> None:
        """Keeps what contradicts a held record, once."""
        head = record.head
        self.write(
            "INSERT INTO conflicts (terminal, epoch, seq, code, previous, body, signature, received) VALUES (:terminal,"
            " :epoch, :seq, :code, :previous, :body, :signature, :received) ON CONFLICT DO NOTHING",
            {
                "terminal": head.terminal,
                "epoch": head.epoch,
                "seq": head.seq,
                "code": code,
                "previous": record.previous,
                "body": record.body,
                "signature": record.signature,
                "received": received,
            },
        )

    # orders

    def order(self, id: str) -> Order | None:
        """The order as it was imported."""
        return self.orders_of([id]).get(id)

    def orders_of(self, ids: Collection[str]) -> dict[str, Order]:
        """Those of these orders that are in the book, as imported."""
        found = self.orders("WHERE id IN :ids", {"ids": sorted(ids)}) if ids else []
        return {order.id: order for order in found}

    def orders(self, where: str = "", values: Values | None = None) -> list[Order]:
        """Orders as imported, with their codes, in the order of import."""
        codes: dict[str, dict[int, list[str]]] = {}
        for kind, code, order_id in self.query(
            f"SELECT kind, code, order_id FROM order_codes WHERE order_id IN (SELECT id FROM orders {where})", values
        ):
            codes.setdefault(order_id, {}).setdefault(kind, []).append(code)
        rows = self.query(
            "SELECT id, class, entered, place, value, currency, shop, cell, plan, items, warehouse, delivery"
            f" FROM orders {where} ORDER BY number",
            values,
        )
        found = []
        for id, order_class, entered, place, value, currency, shop, cell, plan, *told in rows:
            own = {kind: sorted(listed) for kind, listed in codes.get(id, {}).items()}
            seals, uins = tuple(own.pop(CodeKind.SEAL, ())), tuple(own.pop(CodeKind.UIN, ()))
            further = tuple((kind, code) for kind in sorted(own) for code in own[kind])
            promised = Plan(*json.loads(plan)) if plan else NO_PLAN
            found.append(
                Order(
                    id, order_class, entered, place, value, currency, shop, cell, seals, uins, further, promised, *told
                )
            )
        return found

    def with_refs(self, refs: Collection[int]) -> list[str]:
        """Orders that have one of these refs."""
        return [row[0] for row in self.query("SELECT id FROM orders WHERE ref IN :refs", {"refs": sorted(refs)})]

    def with_ref(self, ref: int) -> list[str]:
        return self.with_refs([ref])

    def owners(self, codes: Collection[tuple[int, str]], freed: Collection[str] = ()) -> dict[tuple[int, str], str]:
        """The orders that codes are bound to (`owner`), as if those of the orders `freed` were imported with none."""
        texts = sorted({code for _, code in codes})
        seals = sorted({code.encode() for kind, code in codes if kind == CodeKind.SEAL})
        ids = sorted({code for kind, code in codes if kind == CodeKind.ORDER})
        found: dict[tuple[int, str], str] = {}
        for page in pages(ids):
            for (id,) in self.query("SELECT id FROM orders WHERE id IN :ids", {"ids": page}):
                found[CodeKind.ORDER, id] = id
        for seal_page in pages(seals):
            for seal, id in self.query(
                "SELECT seal, order_id FROM bindings WHERE seal IN :seals", {"seals": seal_page}
            ):
                found[CodeKind.SEAL, seal.decode()] = id
        for page in pages(texts):
            for kind, code, id in self.query(
                "SELECT kind, code, order_id FROM order_codes WHERE kind IN :kinds AND code IN :codes",
                {"kinds": sorted({kind for kind, _ in codes}), "codes": page},
            ):
                if id not in freed:
                    found[kind, code] = id
        return found

    def owner(self, kind: int, code: str) -> str | None:
        """The order a code is bound to, by import or by a scan; an order's number is bound to itself."""
        rows = self.query(
            "SELECT order_id FROM order_codes WHERE kind = :kind AND code = :code", {"kind": kind, "code": code}
        )
        if not rows and kind == CodeKind.SEAL:
            rows = self.query("SELECT order_id FROM bindings WHERE seal = :seal", {"seal": code.encode()})
        if not rows and kind == CodeKind.ORDER:
            rows = self.query("SELECT id FROM orders WHERE id = :code", {"code": code})
        return rows[0][0] if rows else None

    def labelled(self, code: str, ref: int) -> str | None:
        """The order with this ref that has `code` on one of its labels; a seal or an item number is no label."""
        rows = self.query(
            "SELECT id FROM orders JOIN order_codes ON order_id = id"
            f" WHERE code = :code AND ref = :ref AND kind NOT IN ({CodeKind.SEAL}, {CodeKind.UIN})",
            {"code": code, "ref": ref},
        )
        return rows[0][0] if rows else None

    def relink(self, order: Order) -> None:
        """Records that name it by one of its labels, and came before the label did, name it from here on."""
        for _, code in order.further:
            if chain.order_ref(code.encode()) != order.ref:
                self.write(
                    "UPDATE events SET order_id = :id WHERE order_ref = :ref AND order_id = :code",
                    {"id": order.id, "ref": order.ref, "code": code},
                )

    def lacks(self, ids: Collection[str]) -> dict[str, str]:
        """What the intake asks for of each of these orders, where it is something."""
        rows = self.query("SELECT id, lacks FROM orders WHERE id IN :ids AND lacks <> ''", {"ids": sorted(ids)})
        return {id: lacks for id, lacks in rows}

    def put_lacks(self, lacks: Mapping[str, str]) -> None:
        self.write_many(
            "UPDATE orders SET lacks = :lacks WHERE id = :id",
            [{"id": id, "lacks": columns} for id, columns in lacks.items()],
        )

    def unbind(self, ids: Collection[str]) -> None:
        """Frees the codes of the orders."""
        for page in pages(sorted(ids)):
            self.write("DELETE FROM order_codes WHERE order_id IN :ids", {"ids": page})

    def put_order(self, order: Order, now: int) -> None:
        """Inserts it as imported `now`, or replaces one that has no records and whose codes were unbound."""
        self.put_orders([order], now)

    def put_orders(self, orders: Sequence[Order], now: int) -> None:
        """Each of them as `put_order` does."""
        for page in pages(orders):
            self.write_many(
                "INSERT INTO orders (id, ref, class, entered, place, value, currency, shop, cell, state, imported,"
                " plan, items, warehouse, delivery) VALUES (:id, :ref, :class, :entered, :place, :value, :currency,"
                " :shop, :cell, :entered, :now, :plan, :items, :warehouse, :delivery)"
                " ON CONFLICT (id) DO UPDATE SET class = :class, entered = :entered, place = :place, value = :value,"
                " currency = :currency, shop = :shop, cell = :cell, plan = :plan, items = :items,"
                " warehouse = :warehouse, delivery = :delivery",
                [{**_row(order), "now": now} for order in page],
            )
            self.write_many(
                "INSERT INTO order_codes (kind, code, order_id) VALUES (:kind, :code, :id)",
                [{"kind": kind, "code": code, "id": order.id} for order in page for kind, code in order.codes],
            )

    def try_to_write(self) -> None:
        """Writes what is there already: whether anything can be written is known afterwards."""
        with self.transaction():
            rows = [{"lifecycle": lifecycle} for (lifecycle,) in self.query("SELECT lifecycle FROM replayed")]
            self.write("DELETE FROM replayed")
            self.write_many("INSERT INTO replayed (lifecycle) VALUES (:lifecycle)", rows)

    # signed objects and counters

    def issued(self, kind: int, terminal: bytes) -> Issued | None:
        rows = self.query(
            "SELECT version, content, bundle, made FROM issued WHERE kind = :kind AND terminal = :terminal",
            {"kind": kind, "terminal": terminal},
        )
        return Issued(*rows[0]) if rows else None

    def put_issued(self, kind: int, terminal: bytes, new: Issued) -> None:
        self.write(
            "INSERT INTO issued (kind, terminal, version, content, bundle, made) VALUES (:kind, :terminal, :version,"
            " :content, :bundle, :made) ON CONFLICT (kind, terminal) DO UPDATE SET version = :version,"
            " content = :content, bundle = :bundle, made = :made",
            {
                "kind": kind,
                "terminal": terminal,
                "version": new.version,
                "content": new.content,
                "bundle": new.bundle,
                "made": new.made,
            },
        )

    def tally(self, names: Iterable[str]) -> None:
        """One more of each."""
        self.write_many(
            "INSERT INTO counters (name, value) VALUES (:name, :more)"
            " ON CONFLICT (name) DO UPDATE SET value = counters.value + :more",
            [{"name": name, "more": more} for name, more in sorted(Counter(names).items())],
        )


def _row(order: Order) -> dict[str, Any]:
    plan = order.plan
    return {
        "id": order.id,
        "ref": order.ref,
        "class": order.order_class,
        "entered": order.state,
        "place": order.place,
        "value": order.value,
        "currency": order.currency,
        "shop": order.shop,
        "cell": order.cell,
        "plan": "" if plan == NO_PLAN else json.dumps([plan.cutoff, plan.start, plan.slot_end, plan.keep_until]),
        "items": order.items,
        "warehouse": order.warehouse,
        "delivery": order.delivery,
    }
