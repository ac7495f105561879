"""What each party said of an order, and when: every version of the shop's, and the views of others, side by side.

A view holds columns of an order file and no personal data, so that nothing in it ever has to be erased.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from plomba.desk.orders import COLUMNS
from plomba.desk.paging import pages
from plomba.desk.store import Store
from plomba.desk.words import codes, names
from plomba.errors import UsageError

SHOP = "shop"
DESK = "desk"
PARTIES = (SHOP, "marketplace", "customer", "carrier")
"""Who may say something of an order. The desk itself is a party in differences: what scans have proved."""
TAKEN = "taken"
REFUSED = "refused"
"""The shop's version came after a scan: it is kept as its claim, and changed nothing."""
SAID = "said"
SOURCE_MAX = 120
"""Bytes of the longest source, UTF-8."""
VALUE_MAX = 65536
"""Bytes of the longest value, UTF-8."""
NUMBER_MAX = (1 << 63) - 1
"""The highest number that a version may have."""

_FIELDS = COLUMNS[1:]


@dataclass(frozen=True, slots=True)
class Version:
    """What `party` said. `number` rises with time; `source` is where it came from: a file, a cabinet; `at` is s since
    1970; `sha256` is of the content's canonical JSON (sorted names, no spaces, UTF-8)."""

    number: int
    party: str
    source: str
    at: int
    status: str
    content: Mapping[str, str]
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of which parties say different things: party -> value, "" where they say that there is none."""

    field: str
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """A version on its way into the book."""

    order_id: str
    party: str
    source: str
    status: str
    content: Mapping[str, str]


class Versions:
    """Runs in the store's thread."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def put(self, order_id: str, party: str, source: str, content: Mapping[str, object]) -> bool:
        """Keeps a party's view; False when it says what that party's newest view says. The shop's own comes by import.
        Raises UsageError `desk_order_unknown`, `desk_view_party`, `desk_view_field`."""
        if party not in PARTIES[1:]:
            raise UsageError("desk_view_party", found=party, known=", ".join(PARTIES[1:]))
        told = {field: _value(field, value) for field, value in content.items()}
        if told.get("state") and told["state"] not in codes("state"):
            raise UsageError("desk_view_field", column="state", limit=VALUE_MAX)
        if not source.isprintable() or len(source.encode(errors="replace")) > SOURCE_MAX:
            raise UsageError("desk_view_field", column="source", limit=SOURCE_MAX)
        with self._store.transaction():
            if not self._store.count("FROM orders WHERE id = :id", {"id": order_id}):
                raise UsageError("desk_order_unknown", order=order_id)
            return bool(self.keep([Said(order_id, party, source, SAID, told)]))

    def keep(self, said: Sequence[Said]) -> int:
        """Adds, in a transaction of the caller, what is not just what the party said last; returns how many it were."""
        now = self._clock()
        added = 0
        for page in pages(said):
            newest = self._newest({it.order_id for it in page})
            rows = []
            for it in page:
                content = _canonical(it.content)
                digest = hashlib.sha256(content.encode()).digest()
                if newest.get((it.order_id, it.party)) == (it.status, digest):
                    continue
                rows.append(
                    {
                        "order_id": it.order_id,
                        "party": it.party,
                        "source": it.source,
                        "at": now,
                        "status": it.status,
                        "content": content,
                        "sha256": digest,
                    }
                )
            self._store.write_many(
                "INSERT INTO order_versions (order_id, party, source, at, status, content, sha256)"
                " VALUES (:order_id, :party, :source, :at, :status, :content, :sha256)",
                rows,
            )
            added += len(rows)
        return added

    def of(self, order_id: str, after: int = 0, limit: int = NUMBER_MAX) -> list[Version]:
        """What was said of the order behind number `after`, the oldest first."""
        return self._read(
            "order_id = :id AND number > :after ORDER BY number LIMIT :limit",
            {"id": order_id, "after": after, "limit": limit},
        )

    def newest(self, order_id: str) -> dict[str, Version]:
        """Party -> what it said last of the order."""
        of_order = "SELECT MAX(number) FROM order_versions WHERE order_id = :id GROUP BY party"
        found = self._read(f"number IN ({of_order}) ORDER BY number", {"id": order_id})
        return {version.party: version for version in found}

    def _read(self, which: str, values: Mapping[str, object]) -> list[Version]:
        rows = self._store.query(
            f"SELECT number, party, source, at, status, content, sha256 FROM order_versions WHERE {which}", dict(values)
        )
        return [
            Version(number, party, source, at, status, json.loads(content), digest)
            for number, party, source, at, status, content, digest in rows
        ]

    def differences(self, order_id: str) -> list[Difference]:
        """Fields of which the newest views do not say the same, in the order of columns. A party that does not tell a
        field says nothing about it. `state` is compared with what scans have proved, not with where the order began."""
        views = {party: dict(version.content) for party, version in self.newest(order_id).items()}
        views.get(SHOP, {}).pop("state", None)
        for (state,) in self._store.query("SELECT state FROM orders WHERE id = :id", {"id": order_id}):
            views[DESK] = {"state": names("state")[state]}
        found = []
        for field in _FIELDS:
            said = {party: view[field] for party, view in views.items() if field in view}
            if len(set(said.values())) > 1:
                found.append(Difference(field, said))
        return found

    def _newest(self, ids: Collection[str]) -> dict[tuple[str, str], tuple[str, bytes]]:
        """(order, party) -> status and digest of its newest version."""
        rows = self._store.query(
            "SELECT order_id, party, status, sha256 FROM order_versions WHERE number IN"
            " (SELECT MAX(number) FROM order_versions WHERE order_id IN :ids GROUP BY order_id, party)",
            {"ids": sorted(ids)},
        )
        return {(id, party): (status, digest) for id, party, status, digest in rows}


def _canonical(content: Mapping[str, str]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _value(field: str, value: object) -> str:
    good = field in _FIELDS and isinstance(value, str) and (value.isprintable() or field == "codes")
    try:
        if good and len(str(value).encode()) <= VALUE_MAX and "\0" not in str(value):
            return str(value)
    except UnicodeEncodeError:
        pass
    raise UsageError("desk_view_field", column=field, limit=VALUE_MAX)
