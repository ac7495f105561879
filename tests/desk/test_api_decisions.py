"""Decisions over the API: what each stands on, what is refused, and that nothing else moves an order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from api_scene import Api, refusal
from book_scene import Clock, accept, state, states, take
from desk_records import Event, Scanner

from plomba.desk.api.app import TABLE
from plomba.desk.api.operations import SAFE
from plomba.desk.book import Book
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, State, Verdict

CANCEL = {"kind": "CANCEL", "source": "marketplace", "external_id": "C-771"}
PATH = "/api/v1/orders/A-1/decisions"


def decisions(book: Book) -> int:
    return book.store.count("FROM decisions")


@pytest.fixture
def inspected(book: Book, counter: Scanner) -> list[Event]:
    """A-1 came back and was inspected; A-2 too, A-3 is ready."""
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\nA-3,plain,17,,,\n")
    accept(book, *(counter.store(id) for id in ("A-1", "A-2", "A-3")))
    found = []
    for id in ("A-1", "A-2"):
        for action, after in (
            (Action.RETURN_OPEN, State.RETURNING),
            (Action.RETURN_IN, State.RETURNED),
            (Action.RETURN_INSPECT, State.INSPECTED),
        ):
            found.append(counter.record(action, Verdict.OK, id, after=after))
            accept(book, found[-1])
    return found


def test_a_cancellation_says_where_it_came_from(api: Api, book: Book, counter: Scanner) -> None:
    take(book, "A-1,plain,17,,,\n")
    accept(book, counter.store("A-1"))
    before = states(book)
    for field in ("source", "external_id"):
        for missing in ({**CANCEL, field: ""}, {**CANCEL, field: "  "}):
            answer = api.http.post(PATH, json=missing)
            assert refusal(answer) == (400, "desk_decision_field")
            assert field in answer.json()["detail"]
    assert refusal(api.http.post(PATH, json={**CANCEL, "kind": "FORGET"})) == (400, "desk_request_malformed")
    assert refusal(api.http.post(PATH, json={**CANCEL, "kind": "CANCEL\n"})) == (400, "desk_request_malformed")
    assert refusal(api.http.post(PATH.replace("A-1", "Z-9"), json=CANCEL)) == (404, "desk_order_unknown")
    assert (states(book), decisions(book)) == (before, 0)
    answer = api.http.post(PATH, json={**CANCEL, "reason": "=1+1"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["before"], found["after"], found["effect"], found["difference"]) == (
        "READY",
        "CANCELLED",
        True,
        False,
    )
    assert (found["person"], found["source"], found["external_id"]) == ("open desk", "marketplace", "C-771")
    assert api.get("orders/A-1")["state"] == "CANCELLED"
    assert api.get("orders/A-1/decisions")["decisions"] == [found]
    assert refusal(api.http.post(PATH, json=CANCEL)) == (409, "desk_decision_state")
    assert decisions(book) == 1


def test_no_refund_before_the_inspection_was_scanned(api: Api, book: Book, inspected: list[Event]) -> None:
    opened, came, seen, _, _, others = (event["id"] for event in inspected)
    refund = {"kind": "REFUND"}
    terminal, epoch, seq = seen.split("-")
    for wrong in (
        "",
        opened,
        came,
        others,
        "x",
        seen + "\n",
        f"{terminal}-{epoch}-0{seq}",
        f"{terminal}-{epoch}-99",
        f"{terminal}-9999999999-1",
    ):
        answer = api.http.post(PATH, json={**refund, "record": wrong})
        assert refusal(answer) == (422, "desk_decision_record"), wrong
    answer = api.http.post("/api/v1/orders/A-3/decisions", json={**refund, "record": seen})
    assert refusal(answer) == (422, "desk_decision_record")
    assert decisions(book) == 0 and state(book, "A-1") == State.INSPECTED
    assert api.http.post(PATH, json={**refund, "record": seen}).status_code == 200
    assert (api.get("orders/A-1")["state"], api.get("orders/A-1")["holder"]) == ("REFUNDED", "shop")


def test_an_inspection_that_was_taken_back_is_none(
    api: Api, book: Book, counter: Scanner, inspected: list[Event]
) -> None:
    first = inspected[2]["id"]
    accept(book, counter.undo(int(first.split("-")[2]), "A-1", after=State.RETURNED))
    again = counter.record(Action.RETURN_INSPECT, Verdict.OK, "A-1", after=State.INSPECTED)
    accept(book, again)
    assert state(book, "A-1") == State.INSPECTED
    answer = api.http.post(PATH, json={"kind": "REJECT", "record": first})
    assert refusal(answer) == (422, "desk_decision_record")
    assert api.http.post(PATH, json={"kind": "REJECT", "record": again["id"]}).status_code == 200
    assert state(book, "A-1") == State.REJECTED


def test_a_decision_from_the_wrong_state_leaves_nothing(api: Api, book: Book, inspected: list[Event]) -> None:
    before = states(book)
    assert refusal(api.http.post(PATH, json=CANCEL)) == (409, "desk_decision_state")
    assert (states(book), decisions(book)) == (before, 0)


def test_it_counts_after_what_is_known_though_the_clock_is_behind(
    api: Api, book: Book, counter: Scanner, clock: Clock
) -> None:
    take(book, "A-1,plain,17,,,\n")
    accept(book, counter.store("A-1"))
    clock.now -= 5000
    assert api.http.post(PATH, json=CANCEL).json()["after"] == "CANCELLED"
    accept(book, counter.record(Action.RETURN_IN, Verdict.OK, "A-1", after=State.RETURNED))
    assert state(book, "A-1") == State.RETURNED


def test_what_was_done_before_and_heard_later_contradicts_it(
    api: Api, book: Book, counter: Scanner, clock: Clock
) -> None:
    take(book, "A-1,plain,17,,,\n")
    accept(book, counter.store("A-1"))
    late = [counter.retrieve("A-1", Verdict.CONFIRM), counter.hand_out("A-1")]
    clock.now = counter.time + 600
    assert api.http.post(PATH, json=CANCEL).json()["effect"]
    assert state(book, "A-1") == State.CANCELLED
    assert accept(book, *late) == ["accepted", "accepted"]
    assert state(book, "A-1") == State.DELIVERED
    (found,) = api.get("orders/A-1/decisions")["decisions"]
    assert (found["effect"], found["why"], found["difference"]) == (False, "wrong_state", True)
    assert (found["before"], found["after"]) == ("DELIVERED", "DELIVERED")
    assert api.get("orders/A-1")["differences"] == 1


def test_the_stream_tells_them(api: Api, inspected: list[Event]) -> None:
    after = api.http.get("/api/v1/stream?follow=false").text.split("id: ")[-1].split("\n")[0]
    found = api.http.post(PATH, json={"kind": "REFUND", "record": inspected[2]["id"]}).json()
    text = api.http.get(f"/api/v1/stream?follow=false&after={after}").text
    assert "event: decision\n" in text and '"after":"REFUNDED"' in text and found["number"] == 1
    assert "event: record\n" not in text


def test_no_other_operation_moves_an_order(
    api: Api, book: Book, counter: Scanner, organisation: Organisation, clock: Clock
) -> None:
    """Every operation that is not safe, with a request that it takes. Orders enter by import; of one that was scanned
    another state is not taken."""
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\n")
    accept(book, *(counter.store(id) for id in ("A-1", "A-2")))
    accept(book, counter.record(Action.DAMAGE, Verdict.OK, "A-1", after=State.READY))
    new = Scanner(organisation, now=clock())
    post, delete = api.http.post, api.http.delete
    header = "order,class,place,state\n"
    calls: dict[str, Callable[[], Any]] = {
        "enrolTerminal": lambda: post("/api/v1/terminals", json=new.enrolment),
        "closeIncident": lambda: post("/api/v1/incidents/1/close", json={"text": "done"}),
        "erasePersonal": lambda: delete("/api/v1/orders/A-1/personal"),
        "putVersion": lambda: post(
            "/api/v1/orders/A-1/versions",
            json={"party": "marketplace", "source": "cabinet", "content": {"state": "DELIVERED"}},
        ),
        "importOrders": lambda: post(
            "/api/v1/orders", content=f"{header}B-1,plain,17,NEW\n", headers={"content-type": "text/csv"}
        ),
    }
    moving = {"takeEvents", "decide"}
    assert calls.keys() | moving == {one.name for one in TABLE if one.method not in SAFE}
    placed = {id: state(book, id) for id in ("A-1", "A-2")}
    for name, ask in calls.items():
        assert ask().status_code == 200, name
        assert {id: state(book, id) for id in placed} == placed, name
    answer = post("/api/v1/orders", content=f"{header}A-1,plain,17,NEW\n", headers={"content-type": "text/csv"})
    assert answer.status_code == 422
    for one in TABLE:
        if one.method in SAFE and one.streamer is None:
            path = one.path.replace("{id:path}", "A-1").replace("{terminal}", counter.id).replace("{number}", "1")
            assert api.http.get(path).status_code in (200, 204, 404), one.name
    assert {id: state(book, id) for id in placed} == placed
    for name in moving:
        before = {id: state(book, id) for id in placed}
        if name == "decide":
            assert post(PATH, json=CANCEL).status_code == 200
        else:
            accept(book, counter.retrieve("A-2", Verdict.CONFIRM))
        assert {id: state(book, id) for id in placed} != before, name
