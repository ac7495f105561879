"""`plomba bench desk`: a day of an organisation through the order book, on both stores. Keys: docs/bench.md."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plomba.bench import arrivals, shop_day
from plomba.bench.desk_day import replay
from plomba.bench.desk_sizes import cost
from plomba.bench.facts import Facts, Limits, Tell
from plomba.errors import PlombaError
from plomba.testing import postgresql
from plomba.trust.organisation import Organisation

ORDERS = 10_000
ROWS = 1_000_000
SQLITE = "sqlite"
POSTGRESQL = "postgresql"
STORES = (SQLITE, POSTGRESQL)
LIMITS: Limits = {
    "sqlite.ratio": ("at_least", 0.05),
    "postgresql.ratio": ("at_least", 0.10),
    **{
        f"{store}.day.{check}": ("at_least", True)
        for store in STORES
        for check in ("states_ok", "custody_ok", "incidents_once")
    },
    "cost_1e6_vs_1e4": ("at_most", 1.3),
    "postgresql.cost_1e6_vs_1e4": ("at_most", 1.3),
}


@dataclass(frozen=True, slots=True)
class Options:
    """`orders` of the day; the large book holds `rows` before its slice of a day. `postgresql`: the URL of a server on
    which databases may be created; without it one is started."""

    orders: int = ORDERS
    rows: int = ROWS
    seed: int = 1
    stores: Sequence[str] = STORES
    postgresql: str | None = None


def measure_desk(options: Options, tell: Tell) -> dict[str, Any]:
    """All figures; `tell` hears of each one when it is there."""
    facts = Facts(tell)
    with tempfile.TemporaryDirectory(prefix="plomba-bench-") as folder:
        scratch = Path(folder)
        organisation = Organisation.create(scratch / "organisation", now=shop_day.ENROLLED)
        day = shop_day.make(organisation, options.orders, options.seed)
        sent = arrivals.as_docks_send(day, options.seed)
        for store in options.stores:
            at = scratch / store
            at.mkdir()
            if store == SQLITE:
                facts[store] = replay(at, organisation, day, sent, None, None)
                facts["cost_1e6_vs_1e4"] = cost(at, organisation, options.rows, options.seed)
                continue
            try:
                with _databases(options.postgresql, 4) as (url, plain, few, many):
                    found = replay(at, organisation, day, sent, url, plain)
                    found["cost_1e6_vs_1e4"] = cost(at, organisation, options.rows, options.seed, (few, many))
                    facts[store] = found
            except PlombaError as error:
                if options.postgresql or not error.code.startswith("postgresql_"):
                    raise
                facts[store] = {"skipped": str(error)}
    return facts.judged(LIMITS)


@contextmanager
def _databases(url: str | None, count: int) -> Iterator[list[str]]:
    """So many empty ones, on the server at `url` or on one of our own."""
    with ExitStack() as stack:
        at = url or stack.enter_context(postgresql.server())
        yield [stack.enter_context(postgresql.database(at)) for _ in range(count)]
