"""Where a listing goes on: opaque to whoever gets it, and of no use for any other listing or other filters.

Pages follow keys that never change, so a row that was there when the first page was read is on exactly one of them,
whatever comes in meanwhile.
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from plomba.desk.store import Store
from plomba.errors import UsageError

CURSOR_MAX = 512
"""Characters of the longest cursor."""
_TAG = 12
_SECRET = 32
_NAME = "cursors"

T = TypeVar("T")
R = TypeVar("R")


class Cursors:
    """Authenticated with a secret of the book, so that only what was given out is taken back."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of(cls, store: Store) -> Cursors:
        """With the book's secret, which is made when there is none yet."""
        with store.transaction():
            rows = store.query("SELECT secret FROM secrets WHERE name = :name", {"name": _NAME})
            if not rows:
                rows = [(os.urandom(_SECRET),)]
                store.write(
                    "INSERT INTO secrets (name, secret) VALUES (:name, :secret)", {"name": _NAME, "secret": rows[0][0]}
                )
        return cls(rows[0][0])

    def seal(self, listing: str, position: object) -> str:
        """`listing` names what is listed and its filters; `position` is any JSON."""
        content = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._tag(listing, content) + content).rstrip(b"=").decode()

    def open(self, listing: str, text: str, shape: type[T]) -> T:
        """Raises UsageError desk_cursor for what was not given out for this listing."""
        try:
            raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
            tag, content = raw[:_TAG], raw[_TAG:]
            if not hmac.compare_digest(tag, self._tag(listing, content)):
                raise ValueError("tag")
            return msgspec.json.decode(content, type=shape)
        except (ValueError, msgspec.MsgspecError) as error:
            raise UsageError("desk_cursor") from error

    def _tag(self, listing: str, content: bytes) -> bytes:
        return hmac.digest(self._secret, b"%d " % len(listing.encode()) + listing.encode() + content, sha256)[:_TAG]


def listing(name: str, filters: object = None) -> str:
    """The name of a listing under these filters; two that differ list other things."""
    return f"{name} {msgspec.json.encode(filters).decode()}"


def page(rows: list[R], limit: int, position: Callable[[R], Any]) -> tuple[list[R], Any]:
    """The first `limit` of `rows`, and where the next page goes on; None when they are all. Ask the store for one row
    more than the limit."""
    return (rows[:limit], position(rows[limit - 1])) if len(rows) > limit else (rows, None)
