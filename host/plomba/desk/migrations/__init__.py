"""Brings a database to the form that this desk reads, by Alembic's revisions in `versions`."""

from __future__ import annotations

import sqlalchemy as sa

from plomba.desk.database import Database
from plomba.errors import StoreError

HEAD = "0010"
"""The newest revision."""
_OLD = 3
"""Files of before Alembic count their revisions in SQLite's user_version, up to this one."""


def migrate(database: Database) -> None:
    """Runs what the database has not seen, all of it or nothing. Raises StoreError, `desk_store_newer` for a database
    that a later version has written."""
    with database.transaction() as connection:
        held = _held(connection, database)
        if held != HEAD:
            _upgrade(connection, held, database)


def _held(connection: sa.Connection, database: Database) -> str:
    """The revision it is at, "" for an empty one."""
    if sa.inspect(connection).has_table("alembic_version"):
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar())
    if database.postgresql:
        return ""
    number: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if number > _OLD:
        raise StoreError("desk_store_newer", path=database.name, version=number, known=HEAD)
    return f"{number:04d}" if number else ""


def _upgrade(connection: sa.Connection, held: str, database: Database) -> None:
    # It takes half a second to import, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "plomba.desk:migrations")
    config.attributes["connection"] = connection
    if held:
        if held not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
            raise StoreError("desk_store_newer", path=database.name, version=held, known=HEAD)
        command.stamp(config, held)
    command.upgrade(config, HEAD)
