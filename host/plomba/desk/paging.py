"""Lists in pieces that fit into one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

PAGE = 1000
"""Values in one statement; SQLite takes 32,766, PostgreSQL 65,535."""

T = TypeVar("T")


def pages(items: Sequence[T], size: int = PAGE) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
