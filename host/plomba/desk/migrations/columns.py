"""The three types of column that both stores have, and tables of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()


def required(name: str, type: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    """A column that always has a value."""
    return sa.Column(name, type, nullable=False, **options)


def optional(name: str, type: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    """A column that may be NULL."""
    return sa.Column(name, type, nullable=True)


def table(name: str, *columns: sa.schema.SchemaItem, by_key: bool = False) -> None:
    """A table that takes no other type than it says. `by_key`: found by its primary key more than by its number."""
    op.create_table(name, *columns, sqlite_strict=True, sqlite_with_rowid=not by_key)


def partial(name: str, on: str, columns: list[str], where: str) -> None:
    """An index of the rows for which `where` holds."""
    op.create_index(name, on, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
