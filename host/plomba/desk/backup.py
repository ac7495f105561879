"""An order book as one file, and back into either store: each table as JSON lines in a zip, with what proves it."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import sqlalchemy as sa

from plomba.desk.database import Database
from plomba.desk.migrations import HEAD
from plomba.desk.proving import Prover
from plomba.desk.store import Store
from plomba.errors import StoreError, UsageError
from plomba.trust.organisation import Organisation

FORM = "plomba.desk.backup.1"
_ABOUT = "backup.json"
_FIRST = "0007"
"""The oldest revision of which a backup is taken in. What came to be since has a default, or follows from the records:
a migration of which that is not so raises it."""
_OWN = ("alembic_version",)
_PAGE = 2000
_UNREADABLE = (
    *(OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile),
    *(AttributeError, KeyError, TypeError, ValueError),
)
"""What a damaged file is met with on its way through zip, JSON and base64."""


class About(TypedDict):
    """What opens a backup. `tables`: name -> its rows and the SHA-256 of its lines."""

    form: str
    revision: str
    made: int
    tables: dict[str, list[Any]]


def back_up(store: Store, out: Path, now: int) -> dict[str, int]:
    """Writes all of the book to `out`, which must not exist yet; returns how many rows of each table. Raises UsageError
    `desk_backup_there`, StoreError."""
    if out.exists():
        raise UsageError("desk_backup_there", path=out)
    staged = out.with_name(out.name + ".part")
    about = About(form=FORM, revision=HEAD, made=now, tables={})
    try:
        staged.unlink(missing_ok=True)
        # Whoever reads it has personal data and hashes of passwords.
        staged.touch(0o600)
        with store.transaction(), zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as file:
            for name in _tables(store.database):
                digest, rows = hashlib.sha256(), 0
                with file.open(f"{name}.jsonl", "w", force_zip64=True) as member:
                    for line in _lines(store.database, name):
                        digest.update(line)
                        member.write(line)
                        rows += 1
                about["tables"][name] = [rows, digest.hexdigest()]
            file.writestr(_ABOUT, json.dumps(about))
        staged.replace(out)
    except OSError as error:
        raise StoreError("desk_store_failed", path=out, reason=error) from error
    finally:
        staged.unlink(missing_ok=True)
    return {name: rows for name, (rows, _) in about["tables"].items()}


def restore(source: Path, store: Store, organisation: Organisation | None = None) -> dict[str, int]:
    """Puts a backup into an empty book, all of it or nothing; returns how many rows of each table. Every record is
    proved (proving.py), and what follows from records is worked out anew when the desk starts. Sessions end, and
    cursors that were given out before count no more. Raises UsageError `desk_backup_damaged`, `desk_backup_newer`,
    `desk_restore_full`, VerificationError as Prover does, StoreError."""
    database = store.database
    try:
        with zipfile.ZipFile(source) as file:
            about = _about(file, source)
            with store.transaction():
                if any(store.count(f"FROM {name}") for name in ("events", "orders", "terminals", "accounts", "audit")):
                    raise UsageError("desk_restore_full", path=database.name)
                for name in _tables(database):
                    store.write(f"DELETE FROM {name}") if store.count(f"FROM {name}") else None
                    if name in about["tables"] or about["revision"] == HEAD:
                        _take(file, source, database, name, about)
                Prover(store, source).prove(organisation)
                store.write("DELETE FROM replayed")
                # A cursor names a number, which another record will get; a session may have been ended since.
                store.write("DELETE FROM secrets WHERE name = 'cursors'")
                store.write("DELETE FROM account_sessions")
    except _UNREADABLE as error:
        raise UsageError("desk_backup_damaged", path=source, reason=error) from error
    return {name: rows for name, (rows, _) in about["tables"].items()}


def _about(file: zipfile.ZipFile, source: Path) -> About:
    about: About = json.loads(file.read(_ABOUT))
    if about["form"] != FORM:
        raise ValueError(about["form"])
    if not _FIRST <= about["revision"] <= HEAD:
        raise UsageError("desk_backup_newer", path=source, revision=about["revision"], known=HEAD)
    return about


def _tables(database: Database) -> list[str]:
    return sorted(set(_inspect(database).get_table_names()) - set(_OWN))


def _inspect(database: Database) -> sa.Inspector:
    with database.connection() as connection:
        return sa.inspect(connection)


def _columns(database: Database, table: str) -> dict[str, bool]:
    """Name -> whether it holds bytes, in the order of the names: both stores have the same."""
    with database.connection() as connection:
        found = sa.inspect(connection).get_columns(table)
    return {
        column["name"]: isinstance(column["type"], sa.LargeBinary) for column in sorted(found, key=lambda c: c["name"])
    }


def _lines(database: Database, table: str) -> Iterator[bytes]:
    columns = _columns(database, table)
    with database.connection() as connection:
        keys = sa.inspect(connection).get_pk_constraint(table)["constrained_columns"] or list(columns)
    order, listed = ", ".join(keys), ", ".join(f'"{name}"' for name in columns)
    sql = f"SELECT {listed} FROM {table}"
    rows = database.query(f"{sql} ORDER BY {order} LIMIT {_PAGE}")
    after = f"WHERE ({order}) > ({', '.join(f':{name}' for name in keys)})"
    while rows:
        last = dict(zip(columns, rows[-1], strict=True))
        page, rows = rows, []
        if len(page) == _PAGE:
            values = {name: last[name] for name in keys}
            rows = database.query(f"{sql} {after} ORDER BY {order} LIMIT {_PAGE}", values)
        for row in page:
            named = zip(columns, row, strict=True)
            told = {
                name: base64.b64encode(value).decode() if isinstance(value, bytes) else value for name, value in named
            }
            yield json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _take(file: zipfile.ZipFile, source: Path, database: Database, table: str, about: About) -> None:
    columns, sql = _columns(database, table), ""
    digest, count = hashlib.sha256(), 0
    rows: list[dict[str, Any]] = []
    with file.open(f"{table}.jsonl") as member:
        for line in member:
            digest.update(line)
            count += 1
            row = json.loads(line)
            if not sql:
                if about["revision"] != HEAD:
                    columns = {name: is_bytes for name, is_bytes in columns.items() if name in row}
                listed = ", ".join(f'"{name}"' for name in columns)
                sql = f"INSERT INTO {table} ({listed}) VALUES ({', '.join(f':{name}' for name in columns)})"
            for name, is_bytes in columns.items():
                if is_bytes and row[name] is not None:
                    row[name] = base64.b64decode(row[name], validate=True)
            rows.append(row)
            if len(rows) == _PAGE:
                database.write_many(sql, rows)
                rows = []
    database.write_many(sql, rows)
    if [count, digest.hexdigest()] != about["tables"][table]:
        raise UsageError("desk_backup_damaged", path=source, reason=table)
    if database.postgresql and "number" in columns:
        # The next number comes from a sequence, which knows nothing of rows that brought their own.
        database.query(
            "SELECT setval(found, greatest((SELECT coalesce(max(number), 1) FROM " + table + "), 1))"
            " FROM (SELECT pg_get_serial_sequence(:table, 'number') AS found) AS s WHERE found IS NOT NULL",
            {"table": table},
        )
