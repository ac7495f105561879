"""Pages: every row that was there at the start is on exactly one, whatever comes in meanwhile."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from desk_process import DeskProcess
from desk_records import Scanner
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.desk.api.cursors import Cursors, listing, page
from plomba.errors import UsageError
from plomba_wire.vocabulary import State

HEADER = "order,class,place,value,currency,shop,cell,seals\n"


def orders(*ids: str, place: int = 17, shop: str = "") -> str:
    return HEADER + "".join(f"{id},plain,{place},,,{shop},,\n" for id in ids)


def walked(
    desk: DeskProcess, path: str, name: str, between: Callable[[], object] = lambda: None, **parameters: Any
) -> list[dict[str, Any]]:
    """All pages; `between` happens before each but the first."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = desk.http.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert len(found[name]) <= int(parameters["limit"])
        rows += found[name]
        if "next" not in found:
            return rows
        parameters["cursor"] = found["next"]
        between()


@pytest.mark.parametrize("limit", [1, 2, 7, 10])
def test_orders_that_move_and_come_between_pages(desk: DeskProcess, scanner: Scanner, limit: int) -> None:
    ids = [f"A-{n}" for n in range(10)]
    desk.orders(orders(*ids))
    waiting = list(reversed(ids))
    new = iter(f"B-{n}" for n in range(100))

    def between() -> None:
        # A record makes an order the newest of all; an import adds another.
        if waiting:
            desk.post(scanner.store(waiting.pop()))
        desk.orders(orders(next(new)))

    found = [one["order"] for one in walked(desk, "/api/v1/orders", "orders", between, limit=limit, q="A-")]
    assert found == ids


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
def test_records_that_come_between_pages(desk: DeskProcess, scanner: Scanner, limit: int) -> None:
    desk.orders(orders("A-1", "A-2"))
    events = [scanner.store("A-1"), scanner.retrieve("A-1"), scanner.store("A-2"), scanner.retrieve("A-2")] * 1
    desk.post(*events)
    late: list[object] = []

    def between() -> None:
        if len(late) < 5:
            late.append(desk.post(scanner.retrieve("A-1")))

    found = walked(desk, "/api/v1/events", "events", between, limit=limit)
    assert [one["id"] for one in found] == [event["id"] for event in reversed(events)]
    of_one = walked(desk, "/api/v1/events", "events", between, limit=limit, order="A-1")
    ids = [one["id"] for one in of_one]
    assert len(ids) == len(set(ids))
    assert {events[0]["id"], events[1]["id"]} <= set(ids)


def test_a_record_that_comes_late_moves_no_row_to_another_page(desk: DeskProcess, scanner: Scanner) -> None:
    """It counts before those that came earlier, and every place behind it is another one."""
    desk.orders(orders("A-1"))
    first, late, *others = [scanner.store("A-1"), *(scanner.retrieve("A-1") for _ in range(5))]
    desk.post(first, *others)
    found = walked(desk, "/api/v1/events", "events", lambda: desk.post(late), limit=2, order="A-1")
    assert sorted(one["id"] for one in found) == sorted(one["id"] for one in (first, late, *others))
    whole = desk.http.get("/api/v1/events", params={"order": "A-1"}).json()["events"]
    assert [one["id"] for one in whole] == [one["id"] for one in (first, late, *others)], "in the order they count"
    assert [one["position"] for one in whole] == list(range(6))


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_differences_that_come_between_pages(desk: DeskProcess, scanner: Scanner, limit: int) -> None:
    desk.orders(orders("A-1", "A-2", "A-3"))
    # One record about a whole bag is a difference of every order in it: rows with one number.
    desk.post(*(scanner.bag_add(id, "B-1", State.STAGED) for id in ("A-1", "A-2", "A-3")))
    desk.post(scanner.whole(0x24, "B-1", State.DELIVERED), scanner.store("Z-1"), scanner.store("Z-2"))
    whole = desk.http.get("/api/v1/differences").json()["differences"]
    new = iter(range(100))
    found = walked(
        desk, "/api/v1/differences", "differences", lambda: desk.post(scanner.store(f"Y-{next(new)}")), limit=limit
    )
    assert found == whole
    assert len({(one["id"], one["order"]) for one in found}) == len(found) >= 5


def test_filters_hold_together(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(orders("A-1", "A-2", "a-3", shop="Север"))
    desk.orders(orders("B_1", "BX1", "B%1", place=18))
    desk.post(scanner.store("A-2"))

    def found(**parameters: Any) -> list[str]:
        return [one["order"] for one in walked(desk, "/api/v1/orders", "orders", limit=2, **parameters)]

    assert found(q="A-") == ["A-1", "A-2"]
    assert found(q="B_") == ["B_1"], "no pattern"
    assert found(q="B%") == ["B%1"], "no pattern"
    assert found(q="'; DROP TABLE orders") == []
    assert found(q="") == ["A-1", "A-2", "a-3", "B_1", "BX1", "B%1"]
    assert found(state="READY") == ["A-2"]
    assert found(state="AT_POINT", place=17) == ["A-1", "a-3"]
    assert found(place=18) == ["B_1", "BX1", "B%1"]
    assert found(shop="Север", state="READY", holder="point", q="A") == ["A-2"]
    assert found(shop="Сев") == []
    assert found(holder="customer") == []


def test_a_cursor_fits_what_it_was_given_for(desk: DeskProcess, scanner: Scanner, tmp_path: object) -> None:
    desk.orders(orders("A-1", "A-2", "A-3"))
    desk.post(scanner.store("Z-1"), scanner.store("Z-2"))
    cursor = desk.http.get("/api/v1/orders?limit=1&place=17").json()["next"]

    def refused(path: str, **parameters: str) -> None:
        answer = desk.http.get(path, params=parameters)
        assert (answer.status_code, answer.json()["code"]) == (400, "desk_cursor")

    assert len(desk.http.get("/api/v1/orders", params={"cursor": cursor, "place": "17"}).json()["orders"]) == 2
    refused("/api/v1/orders", cursor=cursor)
    refused("/api/v1/orders", cursor=cursor, place="18")
    refused("/api/v1/events", cursor=cursor)
    refused("/api/v1/differences", cursor=cursor)
    refused("/api/v1/stream", after=cursor)
    for forged in ("", "AAAA", "A" * 512, cursor[:-2], cursor + "AA", cursor[1:], "MQ"):
        refused("/api/v1/orders", cursor=forged, place="17")
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for at in range(len(raw)):
        raw[at] ^= 1
        refused("/api/v1/orders", cursor=base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), place="17")
        raw[at] ^= 1


JSON = st.recursive(st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@given(st.text(), JSON, JSON, st.binary(min_size=32, max_size=32))
def test_cursors_of_others_do_not_open(name: str, filters: Any, position: Any, secret: bytes) -> None:
    here = Cursors(bytes(32))
    text = here.seal(listing("orders", filters), position)
    assert here.open(listing("orders", filters), text, object) == position
    for other, wanted in ((here, listing("events", filters)), (here, listing("orders", [filters])), (here, name)):
        with pytest.raises(UsageError):
            other.open(wanted, text, object)
    if secret != bytes(32):
        with pytest.raises(UsageError):
            Cursors(secret).open(listing("orders", filters), text, object)


@given(st.lists(st.integers(), unique=True, max_size=30), st.integers(1, 10))
@settings(max_examples=50)
def test_pages_are_the_whole(numbers: list[int], limit: int) -> None:
    rows = sorted(numbers)
    seen: list[int] = []
    after: int | None = None
    while True:
        left = [row for row in rows if after is None or row > after][: limit + 1]
        shown, after = page(left, limit, lambda row: row)
        seen += shown
        if after is None:
            break
    assert seen == rows
