"""Every record of a book proved once more, as if each came from its terminal: a backup passes through many hands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from plomba.desk.events import named_order
from plomba.desk.receiving import contradiction
from plomba.desk.store import Held, Store, Terminal
from plomba.errors import PlombaError, VerificationError
from plomba.trust.objects import SignedObject
from plomba.trust.organisation import Organisation
from plomba.trust.records import VerifiedRecord, verify_record
from plomba_wire import chain
from plomba_wire.codec import Certificate, Malformed
from plomba_wire.vocabulary import Role

MISSING = "missing"
COLUMNS = "columns"
"""What stands beside a record in its row is not what the record says."""
MARK = "mark"
"""The book says of fewer records than it holds that they are there."""
_PAGE = 2000
_ROW = "terminal, epoch, seq, previous, body, signature"


class _Row(NamedTuple):
    terminal: bytes
    epoch: int
    seq: int
    previous: bytes
    body: bytes
    signature: bytes
    beside: tuple[Any, ...]


class Prover:
    """Inside a transaction of the store. `source` is what the book came from, for messages."""

    def __init__(self, store: Store, source: Path) -> None:
        self._store = store
        self._source = source
        self._terminals: dict[bytes, Terminal] = {}

    def prove(self, organisation: Organisation | None = None) -> int:
        """Proves every terminal's certificate, every record's signature and place in its chain, and that no record is
        missing of those that the book says it holds; returns how many records. Without an organisation a certificate
        has to be of the key that its terminal is named by, but may be anybody's.

        Raises VerificationError `desk_backup_terminal`, `desk_backup_record`."""
        for terminal in self._store.terminals():
            self._certified(terminal, organisation)
            self._terminals[terminal.id] = terminal
        proved = self._chains()
        for row in self._rows("conflicts", "number", "1"):
            self._proved(row)
        return proved

    def _chains(self) -> int:
        marks = {(id, epoch): through for id, epoch, through in self._store.query("SELECT * FROM marks")}
        ends: dict[tuple[bytes, int], int] = {}
        proved = 0
        before: dict[int, Held] = {}
        beside = "body_hash, digest, order_ref, order_id"
        for row in self._rows("events", "terminal, epoch, seq", beside):
            key = row.terminal, row.epoch
            if key not in ends:
                ends[key], before = 0, {}
            record = self._proved(row)
            wrong = contradiction(record, record.digest, before, self._terminals[row.terminal])
            if wrong is not None:
                raise self._refused(row, wrong.code)
            body_hash = hashlib.sha256(row.body).digest()
            *told, order_id = row.beside
            if told != [body_hash, record.digest, record.head.order_ref] or not _names(record, order_id):
                raise self._refused(row, COLUMNS)
            before = {row.seq: Held(body_hash, row.previous, record.digest)}
            ends[key] += ends[key] == row.seq - 1
            proved += 1
        for (id, epoch), through in sorted({**dict.fromkeys(ends, 0), **marks}.items()):
            end = ends.get((id, epoch), 0)
            if end != through:
                raise self._missing(id, min(end, through) + 1, MISSING if end < through else MARK)
        return proved

    def _proved(self, row: _Row) -> VerifiedRecord:
        terminal = self._terminals.get(row.terminal)
        if terminal is None:
            raise self._refused(row, "desk_terminal_unknown")
        try:
            record = verify_record(terminal.public, row.previous, row.body, row.signature)
        except VerificationError as error:
            raise self._refused(row, error.code) from error
        if (record.head.epoch, record.head.seq) != (row.epoch, row.seq):
            raise self._refused(row, COLUMNS)
        return record

    def _certified(self, terminal: Terminal, organisation: Organisation | None) -> None:
        try:
            if organisation is not None:
                certificate = organisation.trust.certificate(terminal.certificate, what="terminal")
            else:
                certificate = Certificate.unpack(SignedObject.parse(terminal.certificate).body)
        except (PlombaError, Malformed) as error:
            reason = error.code if isinstance(error, PlombaError) else "object_malformed"
            raise self._foreign(terminal, reason) from error
        if certificate.role != Role.TERMINAL:
            raise self._foreign(terminal, "role_wrong")
        if certificate.public != terminal.public or chain.key_id(terminal.public) != terminal.id:
            raise self._foreign(terminal, COLUMNS)

    def _rows(self, table: str, order: str, beside: str) -> Iterator[_Row]:
        keys = order.split(", ")
        after = ", ".join(f":{key}" for key in keys)
        columns = f"{_ROW}, {beside}, {order}"
        sql = f"SELECT {columns} FROM {table}"
        rows = self._store.query(f"{sql} ORDER BY {order} LIMIT {_PAGE}")
        while rows:
            for row in rows:
                terminal, epoch, seq, previous, body, signature, *rest = row
                yield _Row(terminal, epoch, seq, previous, body, signature, tuple(rest[: -len(keys)]))
            last = dict(zip(keys, rows[-1][-len(keys) :], strict=True))
            rows = self._store.query(f"{sql} WHERE ({order}) > ({after}) ORDER BY {order} LIMIT {_PAGE}", last)

    def _refused(self, row: _Row, reason: str) -> VerificationError:
        return self._missing(row.terminal, row.seq, reason)

    def _missing(self, terminal: bytes, seq: int, reason: str) -> VerificationError:
        return VerificationError(
            "desk_backup_record", path=self._source, terminal=terminal.hex(), seq=seq, reason=reason
        )

    def _foreign(self, terminal: Terminal, reason: str) -> VerificationError:
        return VerificationError("desk_backup_terminal", path=self._source, terminal=terminal.id.hex(), reason=reason)


def _names(record: VerifiedRecord, order_id: str | None) -> bool:
    """Whether the order is the one that the record names, by its number or by a label beside the number's hash."""
    named = named_order(record.head, record.parts)
    if named is None or order_id is None:
        return order_id == named
    return order_id == named or chain.order_ref(order_id.encode()) == record.head.order_ref
