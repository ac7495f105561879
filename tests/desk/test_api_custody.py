"""Custody over the API: who answered for what, for how much, and when."""

from __future__ import annotations

import pytest
from api_scene import Api, refusal
from book_scene import Clock, accept, take
from desk_records import Scanner

from plomba.desk.book import Book
from plomba.desk.words import iso
from plomba_wire.vocabulary import Action, State, Tlv, Verdict

MONEY = "order,class,place,state,value,currency,shop\n"


@pytest.fixture
def moved(book: Book, counter: Scanner, clock: Clock) -> tuple[str, str]:
    """Moments before and after a courier took A-1: with the point, with him."""
    take(
        book,
        "A-1,plain,17,STAGED,100.10,RUB,North\nA-2,plain,17,READY,0.05,RUB,North\nA-3,plain,17,READY,,,North\n"
        "A-4,plain,17,READY,2.00,UAH,North\n",
        MONEY,
    )
    before = iso(clock.now)
    clock.now += 100
    counter.time = clock.now - 50
    act = {Tlv.ACT: b"1"}
    accept(book, counter.record(Action.HANDOVER_IN, Verdict.OK, "A-1", after=State.WITH_COURIER, actor=42, more=act))
    return str(before), str(iso(clock.now))


def told(api: Api, **query: str) -> list[tuple[str, str, str, str | None, int]]:
    found = api.get("custody", **query)["exposures"]
    return [(one["kind"], one["party"], one["currency"], one["worth"], one["orders"]) for one in found]


def test_exposures_at_each_moment(api: Api, moved: tuple[str, str]) -> None:
    before, after = moved
    point = [("point", "17", "", None, 1), ("point", "17", "RUB", "0.05", 1), ("point", "17", "UAH", "2.00", 1)]
    assert told(api, at=before) == [*point, ("warehouse", "17", "RUB", "100.10", 1)]
    assert told(api, at=after) == told(api) == [("courier", "42", "RUB", "100.10", 1), *point]
    assert told(api, at="2001-01-01T00:00:00Z") == []
    assert told(api, kind="courier") == [("courier", "42", "RUB", "100.10", 1)]
    assert told(api, kind="point", party="17") == point
    assert told(api, party="18") == []
    assert "nothing is deducted" in api.get("custody")["note"].lower()


def test_an_orders_owners(api: Api, moved: tuple[str, str], clock: Clock) -> None:
    before, _ = moved
    found = api.get("orders/A-1/custody", at=before)
    assert found["owner"] == {"kind": "warehouse", "party": "17"}
    assert [(one["kind"], one["party"], one["owed"]) for one in found["spells"]] == [
        ("warehouse", "17", True),
        ("courier", "42", True),
    ]
    assert found["spells"][0]["until"] == found["spells"][1]["since"]
    assert found["spells"][1]["until"] is None
    assert api.get("orders/A-1/custody")["owner"] == {"kind": "courier", "party": "42"}
    assert api.get("orders/A-1/custody", at="2001-01-01T00:00:00+03:00")["owner"] is None
    assert refusal(api.http.get("/api/v1/orders/Z-9/custody")) == (404, "desk_order_unknown")


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("tomorrow", "desk_request_malformed"),
        ("2026-13-01T00:00:00Z", "desk_request_malformed"),
        ("2020-01-01T00:00:00", "desk_request_malformed"),
        ("2020-01-01T00:00:00Z\n", "desk_request_malformed"),
        ("1999-01-01T00:00:00Z", "desk_request_malformed"),
        ("2099-01-01T00:00:00Z", "desk_at_future"),
    ],
)
def test_a_moment_that_is_none_or_not_yet(api: Api, moved: tuple[str, str], at: str, code: str) -> None:
    for path in ("custody", "orders/A-1/custody"):
        answer = api.http.get(f"/api/v1/{path}", params={"at": at})
        assert refusal(answer) == (400, code), path
        assert code == "desk_at_future" or answer.json()["field"] == "at"


def test_a_word_with_a_line_break_behind_it_is_not_that_word(api: Api) -> None:
    assert refusal(api.http.get("/api/v1/orders?state=READY%0A")) == (400, "desk_request_malformed")
    assert refusal(api.http.get("/api/v1/custody?kind=point%0A")) == (400, "desk_request_malformed")
