"""`plomba bench desk` in a small form: its keys and limits, and that the day it replays ends as people left it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from plomba.bench import arrivals, desk, shop_day
from plomba.bench.desk_day import Office, custody_sums, once, states
from plomba.cli import main
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import OrderClass, State

ORDERS = 300


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return Organisation.create(tmp_path_factory.mktemp("org"), now=shop_day.ENROLLED)


@pytest.fixture(scope="module")
def day(organisation: Organisation) -> shop_day.ShopDay:
    return shop_day.make(organisation, ORDERS, 7)


@pytest.fixture
def office(tmp_path: Path, organisation: Organisation, day: shop_day.ShopDay) -> Iterator[Office]:
    with closing(Office(tmp_path, organisation, day)) as office:
        yield office


def replayed(office: Office, sent: arrivals.Arrivals) -> None:
    for batch in sent.batches:
        office.take(batch)
    office.until(sent.end + 2 * shop_day.DAY)
    office.book.tick()


def test_a_small_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "desk", "--orders", "200", "--rows", "2000", "--json"])
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(facts) == {"sqlite", "postgresql", "cost_1e6_vs_1e4", "limits", "met"}
    assert facts["cost_1e6_vs_1e4"] > 0
    assert facts["limits"].keys() == facts["met"].keys() <= desk.LIMITS.keys()
    for store in desk.STORES:
        if "skipped" in facts[store]:
            assert store == desk.POSTGRESQL and not any(name.startswith(store) for name in facts["limits"])
            continue
        found = facts[store]
        assert found["events_per_s"] > 0 and found["plain_rows_per_s"] > 0
        assert found["ratio"] == pytest.approx(found["events_per_s"] / found["plain_rows_per_s"], rel=0.01)
        assert f"{store}.ratio" in facts["limits"]
        replay = found["day"]
        assert (replay["orders"], replay["records"]) == (200, 1400)
        assert replay["duplicates"] >= 70 and replay["late"] > 0
        for check in ("states_ok", "custody_ok", "incidents_once"):
            assert replay[check] is True and facts["met"][f"{store}.day.{check}"]


def test_the_day_has_everything_in_it(day: shop_day.ShopDay) -> None:
    assert len(day.records) == ORDERS * shop_day.RECORDS_AN_ORDER
    assert len({order.id for order in day.orders}) == ORDERS == len(day.truth)
    assert 0.2 < sum(order.order_class == OrderClass.SEALED for order in day.orders) / ORDERS < 0.4
    assert {State.DELIVERED, State.READY, State.INSPECTED} <= set(day.truth.values())
    assert sorted(order.id for _, listed in day.imports for order in listed) == sorted(day.truth)
    assert [made.time for made in day.records] == sorted(made.time for made in day.records)


def test_one_seed_is_one_day(organisation: Organisation, day: shop_day.ShopDay) -> None:
    again = shop_day.make(organisation, ORDERS, 7)
    assert [made.event["data"]["body"] for made in again.records] == [
        made.event["data"]["body"] for made in day.records
    ]
    other = shop_day.make(organisation, ORDERS, 8)
    assert [made.event["data"]["body"] for made in other.records] != [
        made.event["data"]["body"] for made in day.records
    ]


def test_docks_send_late_twice_and_across_but_all_of_it(day: shop_day.ShopDay) -> None:
    sent = arrivals.as_docks_send(day, 7, size=50)
    events = [event["id"] for batch in sent.batches for event in batch.events]
    made = [made.event["id"] for made in day.records]
    assert set(events) == set(made) and len(events) == len(made) + sent.duplicates
    assert sent.duplicates >= len(made) // 20 and sent.late > len(made) // 20
    assert all(before.now <= after.now for before, after in pairwise(sent.batches))
    first: dict[str, list[int]] = {}
    for id in dict.fromkeys(events):
        terminal, _, seq = id.split("-")
        first.setdefault(terminal, []).append(int(seq))
    # Only an overtaking batch leaves a gap for a while.
    assert any(seqs != sorted(seqs) for seqs in first.values())
    assert all(sorted(seqs) == list(range(1, len(seqs) + 1)) for seqs in first.values())


@pytest.mark.parametrize("late", [False, True])
def test_the_desk_ends_where_people_left_the_parcels(office: Office, day: shop_day.ShopDay, late: bool) -> None:
    sent = arrivals.as_docks_send(day, 7, size=100) if late else arrivals.on_time(day, size=100)
    replayed(office, sent)
    assert states(office.book) == day.truth
    assert custody_sums(office.book, day, sent.end)
    assert once(office.book)
    assert office.book.store.count("FROM events") == len(day.records)


def test_what_is_checked_can_fail(office: Office, day: shop_day.ShopDay) -> None:
    sent = arrivals.on_time(day)
    replayed(office, sent)
    store = office.book.store
    store.write("UPDATE custody SET owed = 1 - owed WHERE position = -1")
    assert not custody_sums(office.book, day, sent.end)
    store.write("UPDATE orders SET state = 1 WHERE number = 1")
    assert states(office.book) != day.truth
