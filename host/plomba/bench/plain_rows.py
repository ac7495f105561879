"""What a store takes to insert the rows of the desk's events and nothing else, through its plain driver."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plomba.desk.store import Store

Columns = Sequence[tuple[str, str]]
"""(name, type) of each, in the order of the table."""
_IDENTITY = "PRIMARY KEY (number), UNIQUE (terminal, epoch, seq)"


def columns(store: Store) -> Columns:
    """Those of `events`, as they stand."""
    if store.database.postgresql:
        sql = (
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'events'"
            " AND table_schema = current_schema() ORDER BY ordinal_position"
        )
    else:
        sql = "SELECT name, type FROM pragma_table_info('events') ORDER BY cid"
    return [(name, type) for name, type in store.query(sql)]


class PlainRows:
    """An empty table with the same columns, primary key and identity. One call is one commit, on the disk."""

    def __init__(self, place: Path | str, columns: Columns) -> None:
        """`place`: the file of SQLite, or the URL of a PostgreSQL database."""
        names = ", ".join(name for name, _ in columns)
        table = f"CREATE TABLE plain ({', '.join(' '.join(column) for column in columns)}, {_IDENTITY})"
        self._sql = f"INSERT INTO plain ({names}) VALUES ({', '.join(['{}'] * len(columns))})"
        self._connection: Any
        if isinstance(place, Path):
            self._connection = sqlite3.connect(place, isolation_level=None)
            # As the desk has it (desk/database.py).
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._sql = self._sql.replace("{}", "?")
        else:
            import psycopg

            self._connection = psycopg.connect(place, autocommit=True)
            self._connection.execute("SET synchronous_commit = on")
            self._sql = self._sql.replace("{}", "%s")
        self._connection.execute(table)

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> float:
        """Seconds until they are committed."""
        cursor = self._connection.cursor()
        began = time.perf_counter()
        cursor.execute("BEGIN")
        cursor.executemany(self._sql, rows)
        cursor.execute("COMMIT")
        return time.perf_counter() - began

    def close(self) -> None:
        self._connection.close()
