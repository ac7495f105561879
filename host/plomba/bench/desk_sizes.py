"""What a record costs in a book of many orders over what it costs in one of few."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from statistics import median

from plomba.bench import arrivals, shop_day
from plomba.bench.desk_day import Office
from plomba.desk.store import Store
from plomba.trust.organisation import Organisation

FEW_OF = 100
"""The small book has a hundredth of the large one's orders."""
_BASE = 1000
_SLICE = 1500
_BATCH = 200
_BEFORE = 7
"""How many days before the measured one the orders were made that fill a book."""
_MONTH = 30 * shop_day.DAY
_CHILDREN = ("order_codes", "bindings", "custody", "effects")


def cost(folder: Path, organisation: Organisation, rows: int, seed: int, urls: tuple[str, str] | None = None) -> float:
    """Median over batches of µs a record with `rows` orders over that with a hundredth, turn by turn. `urls`: of two
    empty PostgreSQL databases; without them SQLite in `folder`."""
    base = shop_day.make(organisation, min(_BASE, rows // FEW_OF), seed, prefix="B", days=-_BEFORE)
    day = shop_day.make(organisation, _SLICE, seed, prefix="S")
    offices: list[Office] = []
    try:
        for number, size in enumerate((rows // FEW_OF, rows)):
            office = filled(folder / f"orders {size}", organisation, base, size, urls[number] if urls else None)
            offices.append(office)
            office.attend(day)
        ratios = []
        for turn, batch in enumerate(arrivals.on_time(day, _BATCH).batches):
            seconds = [0.0, 0.0]
            for which in (0, 1) if turn % 2 else (1, 0):
                _, seconds[which] = offices[which].take(batch)
            ratios.append(seconds[1] / seconds[0])
        return round(median(ratios), 3)
    finally:
        for office in offices:
            office.close()


def filled(folder: Path, organisation: Organisation, base: shop_day.ShopDay, size: int, url: str | None) -> Office:
    """A book of `size` orders: a day's, with all that was made of its records, copied under other ids until there are
    enough. Their records are not copied, and what is open waits for a month."""
    with closing(Office(folder, organisation, base, url, base.imports[0][0])) as office:
        for batch in arrivals.on_time(base).batches:
            office.take(batch)
        store = office.book.store
        store.write(f"UPDATE orders SET check_at = check_at + {_MONTH}, awaited = NULL, unheard = NULL")
        have, turn = len(base.orders), 0
        while have < size:
            copied = min(have, size - have)
            with store.transaction():
                _copy(store, copied, chr(ord("a") + turn))
            have, turn = have + copied, turn + 1
        if store.database.postgresql:
            store.write("ANALYZE")
    # Opened again, it has nothing in its caches that a desk would not have.
    return Office(folder, organisation, base, url)


def _copy(store: Store, count: int, prefix: str) -> None:
    """The first `count` orders once more. In the order of their ids, so that pages are filled one after the other."""
    values = {"prefix": prefix, "count": count}
    for table in _CHILDREN:
        names = _columns(store, table)
        renamed = ("order_id", "code") if table == "order_codes" else ("order_id",)
        copied = ", ".join(f":prefix || t.{name}" if name in renamed else f"t.{name}" for name in names)
        store.write(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {copied} FROM {table} t"
            " JOIN orders o ON o.id = t.order_id WHERE o.number <= :count ORDER BY t.order_id",
            values,
        )
    names = [name for name in _columns(store, "orders") if name != "number"]
    changed = {"id": ":prefix || id", "ref": "(ref * 48271 + 12345) % 4294967296"}
    store.write(
        f"INSERT INTO orders ({', '.join(names)}) SELECT {', '.join(changed.get(name, name) for name in names)}"
        " FROM orders WHERE number <= :count ORDER BY id",
        values,
    )


def _columns(store: Store, table: str) -> list[str]:
    if store.database.postgresql:
        sql = (
            "SELECT column_name FROM information_schema.columns WHERE table_name = :name"
            " AND table_schema = current_schema() ORDER BY ordinal_position"
        )
    else:
        sql = "SELECT name FROM pragma_table_info(:name) ORDER BY cid"
    return [row[0] for row in store.query(sql, {"name": table})]
