"""One connection to the desk's database, SQLite or PostgreSQL: SQL in, rows out, every commit on the disk.

The SQL of the desk is written once, for both. Whoever holds the database holds it alone: a second desk is refused.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from plomba.errors import PlombaError, StoreError, UsageError

Values = Mapping[str, Any]
Rows = list[tuple[Any, ...]]

_LOCK = 0x706C6F6D6261
"""Key of the advisory lock that a desk holds on its PostgreSQL database: "plomba"."""
_CACHE_KIB = 65536
_WAL_PAGES = 10_000
"""Pages of the log before they go into the file: a page that changes often is written there once."""
_NAME = re.compile(r":(\w+)")
_LISTS = (list, tuple, set, frozenset)
_IN = re.compile(r"\bIN :(\w+)")
_NOT_IN = re.compile(r"\bNOT IN :(\w+)")
_WIDE = 4
"""PostgreSQL: columns of rows that are better copied into a table first, and updated from there. In arrays, value by
value, they would take twice the time; of fewer, half."""
_PLAIN_INSERT = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \(([:\w, ]+)\)")
_SAFE = ("fsync", "full_page_writes")
"""Settings of a PostgreSQL server without which a commit is no promise."""
_SETTINGS = (
    *("synchronous_commit = on", "enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off"),
    "jit = off",
)
"""Of our connection. A statement is planned once, often while its table is still empty, and must not go on reading all
of a table that has grown: what the desk asks for has an index. That makes reading all of it look so dear to the planner
that it would compile it."""


class Database:
    """Belongs to the thread that made it. Every method raises StoreError when the database does not do its part;
    after one that was lost the next call connects again."""

    def __init__(self, place: Path | str) -> None:
        """`place`: the file of SQLite, or the URL of a PostgreSQL database (`postgresql://user@host/name`). Raises
        UsageError `desk_store_url`, PlombaError `extra_missing`, StoreError."""
        self.generation = 0
        """Rises with each connection, and with each transaction that was broken off: what was remembered of the
        database before counts no more."""
        self.failed: StoreError | None = None
        """Why the database last did not do its part, until something was written to it again."""
        self.failing: Callable[[StoreError], None] = lambda error: None
        """Is told of the first failure of those."""
        self._wrote = False
        self._engine = _engine(place)
        self.name = str(place) if isinstance(place, Path) else self._engine.url.render_as_string(hide_password=True)
        self._connection: sa.Connection | None = None
        self._statements: dict[str, tuple[str, tuple[str, ...] | None]] = {}
        self._columns: dict[str, Mapping[str, str]] = {}
        self._staged: dict[tuple[str, tuple[str, ...]], str] = {}
        self._staged_in = 0
        self._live()

    @property
    def postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()

    def query(self, sql: str, values: Values | None = None) -> Rows:
        """All rows of a SELECT. `:name` stands for a value, `IN :names` for a list of them."""
        with self._guarded() as connection:
            return [tuple(row) for row in connection.execute(self._text(sql, values), self._values(values))]

    def write(self, sql: str, values: Values | None = None) -> int:
        """One statement; returns how many rows it changed."""
        with self._guarded() as connection:
            self._wrote = True
            return connection.execute(self._text(sql, values), self._values(values)).rowcount

    def _text(self, sql: str, values: Values | None) -> sa.TextClause:
        if self.postgresql:
            return _with_arrays(sql)
        return _expanded(sql, tuple(name for name, value in (values or {}).items() if isinstance(value, _LISTS)))

    def _values(self, values: Values | None) -> Values:
        if not values or not self.postgresql:
            return values or {}
        return {name: list(value) if isinstance(value, _LISTS) else value for name, value in values.items()}

    def write_many(self, sql: str, rows: Sequence[Values]) -> None:
        """One statement for each of the rows, which all have the same names."""
        if not rows:
            return
        plain = _PLAIN_INSERT.fullmatch(sql) if self.postgresql else None
        with self._guarded() as connection:
            self._wrote = True
            if plain is not None:
                self._copy(connection, plain[1], plain[2], plain[3].replace(":", "").split(", "), rows)
                return
            text, names = self._compiled(sql)
            # The driver takes the rows as they are: what SQLAlchemy does for each of them costs more than its insert.
            connection.exec_driver_sql(text, rows if names is None else _tuples(rows, names))

    def update_many(
        self, table: str, key: str, rows: Sequence[Values], expressions: Mapping[str, str] | None = None, only: str = ""
    ) -> None:
        """One row of the table for each of the rows, found by column `key`: every other name in it is a column and its
        value, or `expressions` says what of it, `:name` being the value. `only`: a condition beside the key. Columns
        of the table are written with its name."""
        if not rows:
            return
        columns = [name for name in rows[0] if name != key]
        to = {name: (expressions or {}).get(name, f":{name}") for name in columns}
        condition = f"{table}.{key} = :{key}" + (f" AND {only}" if only else "")
        if not self.postgresql:
            changes = ", ".join(f"{name} = {expression}" for name, expression in to.items())
            self.write_many(f"UPDATE {table} SET {changes} WHERE {condition}", rows)
            return
        names = ", ".join(rows[0])
        changes = ", ".join(f"{name} = {_of_row(expression)}" for name, expression in to.items())
        update = f"UPDATE {table} SET {changes} FROM {{}} WHERE {_of_row(condition)}"
        with self._guarded() as connection:
            self._wrote = True
            if len(columns) >= _WIDE:
                staged = self._staging(connection, table, rows[0])
                self._copy(connection, staged, names, list(rows[0]), rows)
                connection.execute(_plain(update.format(f"{staged} AS v")))
                connection.execute(_plain(f"DELETE FROM {staged}"))
                return
            types = self._types(table)
            arrays = ", ".join(f"CAST(:{name} AS {types[name]}[])" for name in rows[0])
            values = {name: [row[name] for row in rows] for name in rows[0]}
            connection.execute(_plain(update.format(f"unnest({arrays}) AS v({names})")), values)

    def _staging(self, connection: sa.Connection, table: str, names: Iterable[str]) -> str:
        """PostgreSQL: a table of this connection for such rows."""
        if self._staged_in != self.generation:
            self._staged_in, self._staged = self.generation, {}
        key = table, tuple(names)
        if key not in self._staged:
            name = f"staged_{table}_{len(self._staged)}"
            types = self._types(table)
            columns = ", ".join(f"{column} {types[column]}" for column in key[1])
            connection.execute(_plain(f"DROP TABLE IF EXISTS pg_temp.{name}"))
            connection.execute(_plain(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DELETE ROWS"))
            self._staged[key] = name
        return self._staged[key]

    def _types(self, table: str) -> Mapping[str, str]:
        """PostgreSQL: column -> its type."""
        if table not in self._columns:
            rows = self.query(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :table"
                " AND table_schema = current_schema()",
                {"table": table},
            )
            self._columns[table] = {name: type for name, type in rows}
        return self._columns[table]

    def _copy(
        self, connection: sa.Connection, table: str, columns: str, names: Sequence[str], rows: Sequence[Values]
    ) -> None:
        """PostgreSQL's own way for many rows, a third of the time of as many inserts."""
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in _tuples(rows, names):
                    copy.write_row(row)
        except driver_error() as error:
            if driver.closed:
                connection.invalidate()
            raise self._failed(error) from error

    def _compiled(self, sql: str) -> tuple[str, tuple[str, ...] | None]:
        """The statement as the driver has it, and the order of its values; None for one that takes them by name."""
        found = self._statements.get(sql)
        if found is None:
            compiled = sa.text(sql).compile(dialect=self._engine.dialect)
            names = tuple(compiled.positiontup) if compiled.positiontup else None
            found = self._statements[sql] = compiled.string, names
        return found

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """All that happens inside, or nothing of it; on disk when it is left. Transactions do not nest."""
        connection = self._live()
        self._wrote = False
        try:
            with connection.begin():
                yield connection
            if self._wrote:
                self.failed = None
        except SQLAlchemyError as error:
            self.generation += 1
            raise self._failed(error) from error
        except BaseException:
            self.generation += 1
            raise
        finally:
            self._drop_if_lost()

    def empty_log(self) -> None:
        """SQLite: moves the write-ahead log into the database and leaves it empty, with nothing of what was there
        before. Outside of a transaction. PostgreSQL does this by itself, in its own time."""
        if self.postgresql:
            return
        connection = self._live()
        try:
            # Past the engine, which would begin a transaction.
            row = connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise StoreError("desk_store_failed", path=self.name, reason=error) from error
        if row[0]:
            raise StoreError("desk_store_failed", path=self.name, reason="wal_checkpoint")

    def connection(self) -> AbstractContextManager[sa.Connection]:
        """SQLAlchemy's own, inside a transaction."""
        return self._guarded()

    @contextmanager
    def _guarded(self) -> Iterator[sa.Connection]:
        connection = self._connection
        if connection is not None and connection.in_transaction():
            try:
                yield connection
            except SQLAlchemyError as error:
                raise self._failed(error) from error
        else:
            with self.transaction() as connection:
                yield connection

    def _live(self) -> sa.Connection:
        if self._connection is None:
            try:
                connection = self._engine.connect()
                try:
                    self._hold(connection)
                except BaseException:
                    connection.close()
                    raise
            except SQLAlchemyError as error:
                raise self._failed(error) from error
            except StoreError as error:
                self._fails(error)
                raise
            self._connection = connection
            self.generation += 1
        return self._connection

    def _hold(self, connection: sa.Connection) -> None:
        """Makes the connection the only desk's."""
        if not self.postgresql:
            return
        unsafe = [name for name in _SAFE if connection.execute(sa.text(f"SHOW {name}")).scalar() != "on"]
        if unsafe:
            raise StoreError("desk_store_unsafe", path=self.name, setting=", ".join(unsafe))
        if connection.execute(sa.text("SHOW server_encoding")).scalar() != "UTF8":
            raise StoreError("desk_store_unsafe", path=self.name, setting="server_encoding")
        for setting in _SETTINGS:
            connection.execute(sa.text(f"SET {setting}"))
        if not connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar():
            raise StoreError("desk_store_busy", path=self.name, reason="advisory lock")
        connection.commit()

    def _drop_if_lost(self) -> None:
        if self._connection is not None and (self._connection.invalidated or self._connection.closed):
            self._connection.close()
            self._connection = None

    def _failed(self, error: Exception) -> StoreError:
        reason = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        busy = not self.postgresql and "locked" in str(reason)
        return self._fails(
            StoreError("desk_store_busy" if busy else "desk_store_failed", path=self.name, reason=reason)
        )

    def _fails(self, error: StoreError) -> StoreError:
        if self.failed is None:
            self.failing(error)
        self.failed = error
        return error


def _of_row(expression: str) -> str:
    """With the columns of the rows `v` in the place of values."""
    return _NAME.sub(r"v.\1", expression)


def driver_error() -> type[Exception]:
    """What psycopg raises."""
    import psycopg

    return psycopg.Error


def _tuples(rows: Sequence[Values], names: Sequence[str]) -> list[tuple[Any, ...]]:
    if len(names) == 1:
        return [(row[names[0]],) for row in rows]
    return list(map(itemgetter(*names), rows))


def _engine(place: Path | str) -> sa.Engine:
    if isinstance(place, Path):
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(place)), connect_args={"timeout": 0})
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        url = sa.make_url(place)
        if url.drivername not in ("postgresql", "postgresql+psycopg"):
            raise UsageError("desk_store_url", url=url.drivername)
        return sa.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError("desk_store_url", url="?") from error
    except ModuleNotFoundError as error:
        raise PlombaError("extra_missing", package="psycopg", extra="postgres") from error


def _open_sqlite(connection: Any, _: object) -> None:
    # Transactions are begun and ended here, not guessed by the driver.
    connection.isolation_level = None
    # Before the first access: in WAL mode an exclusive holder needs no shared memory, and nobody else gets in.
    for pragma in (
        "locking_mode=EXCLUSIVE",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # What is erased is gone from the file, and so are the copies that moving it has left.
        "secure_delete=ON",
        f"cache_size=-{_CACHE_KIB}",
        f"wal_autocheckpoint={_WAL_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@cache
def _expanded(sql: str, lists: tuple[str, ...]) -> sa.TextClause:
    return sa.text(sql).bindparams(*(sa.bindparam(name, expanding=True) for name in lists))


@cache
def _plain(sql: str) -> sa.TextClause:
    return sa.text(sql)


@cache
def _with_arrays(sql: str) -> sa.TextClause:
    """One statement for lists of any length, which the server plans once."""
    return sa.text(_IN.sub(r"= ANY(:\1)", _NOT_IN.sub(r"<> ALL(:\1)", sql)))
