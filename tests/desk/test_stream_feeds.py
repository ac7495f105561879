"""The stream reads several feeds page by page: none is cut short, slept through, or stuck behind what is not seen."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from api_scene import Api
from book_scene import accept, take
from desk_records import Scanner
from msgspec import Struct
from starlette.testclient import TestClient

from plomba.desk.accounts import Anonymous, Identity
from plomba.desk.api import stream
from plomba.desk.api.services import Services
from plomba.desk.book import Book
from plomba.desk.live import Live
from plomba_wire.vocabulary import Action, State, Verdict

URL = "/api/v1/stream"


def told(http: TestClient, last: str = "", **query: str) -> list[tuple[str, str]]:
    """(kind, order) of each message that there is."""
    headers = {"last-event-id": last} if last else {}
    answer = http.get(URL, params={"follow": "false", **query}, headers=headers)
    assert answer.status_code == 200, answer.text
    blocks = [dict(line.partition(": ")[::2] for line in block.splitlines()) for block in answer.text.split("\n\n")]
    return [(block["event"], json.loads(block["data"])["order"]) for block in blocks if "event" in block]


@pytest.fixture
def busy(book: Book, counter: Scanner) -> int:
    """More than a page of records of A-1, at place 17, then one of A-2, at 18; each record is an incident. Then
    decisions about both."""
    take(book, "A-1,plain,17,,,\nA-2,plain,18,,,\n")
    records = 2 * stream.PAGE + 1
    accept(book, *(counter.record(Action.DAMAGE, Verdict.OK, "A-1") for _ in range(records)))
    accept(book, counter.record(Action.DAMAGE, Verdict.OK, "A-2"))
    for id in ("A-1", "A-2"):
        book.decide("CANCEL", id, person="vera", source="shop", external_id="1")
    return records


def test_more_than_a_page_of_each_is_told_to_the_end(api: Api, busy: int) -> None:
    heard = told(api.http)
    for kind in ("record", "incident"):
        assert [one for one in heard if one[0] == kind] == [(kind, "A-1")] * busy + [(kind, "A-2")]
    assert heard.count(("decision", "A-1")) == heard.count(("decision", "A-2")) == 1


def test_what_an_account_does_not_see_does_not_stand_in_its_way(api: Api, busy: int) -> None:
    elsewhere = api.as_("elsewhere", "clerk", places=[18])
    assert told(elsewhere) == [("decision", "A-2"), ("record", "A-2"), ("incident", "A-2")]


def test_now_is_behind_every_feed(api: Api, book: Book, counter: Scanner, busy: int) -> None:
    assert told(api.http, after="now") == []
    assert api.http.head(URL).status_code == 200


def test_where_it_was_cut_off_counts_before_where_it_once_began(api: Api, busy: int) -> None:
    """A browser that comes back sends both: its address still says where it began at first."""
    begun, *_, last = [line[4:] for line in api.http.get(f"{URL}?follow=false").text.splitlines() if line[:3] == "id:"]
    assert told(api.http, last=last, after=begun) == []
    assert told(api.http, last=begun, after=last) == told(api.http)


class Said(Struct):
    order: str


@pytest.mark.anyio
async def test_what_changes_while_it_reads_is_not_slept_through(
    api: Api, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, live, reads = asyncio.get_running_loop(), Live(), list[int]()

    def read(services: Services, account: Identity, after: int, limit: int) -> stream.Read:
        reads.append(after)
        loop.call_soon_threadsafe(live.change if len(reads) == 1 else live.close)
        return [] if len(reads) == 1 else [(1, Said("A-1"))]

    monkeypatch.setattr(stream, "FEEDS", (stream.Feed("said", read, lambda services: 0),))
    with ThreadPoolExecutor(1) as thread, anyio.fail_after(10):
        services = Services(book, thread, live, api.accounts)
        heard = [message async for message in stream._messages(services, lambda: Anonymous(open=True), {}, True)]
    assert reads == [0, 0] and heard[-1].startswith("event: said\n")


def test_of_a_bag_an_account_hears_what_it_did_to_its_own_orders(api: Api, book: Book, counter: Scanner) -> None:
    take(book, "A-1,plain,17,PACKED\nA-2,plain,18,PACKED\n", "order,class,place,state\n")
    accept(book, *(counter.bag_add(id, "B-1", State.STAGED) for id in ("A-1", "A-2")))
    accept(book, counter.whole(Action.HANDOVER_OUT, "B-1", State.HANDING))
    for places, seen in (([17, 18], ["A-1", "A-2"]), ([18], ["A-2"])):
        client = api.as_(f"clerk-{len(places)}", "clerk", places=places)
        *_, data = [line[6:] for line in client.get(f"{URL}?follow=false").text.splitlines() if line[:5] == "data:"]
        assert [did["order"] for did in json.loads(data)["did"]] == seen
