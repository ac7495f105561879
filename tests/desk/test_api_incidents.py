"""Incidents over the API: listed, with their notes, closed by somebody, told on the stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_scene import Api, refusal
from book_scene import Clock, accept, take
from desk_records import Scanner

from plomba.desk.book import Book
from plomba_wire.vocabulary import Action, State, Verdict


@pytest.fixture
def missed(book: Book, counter: Scanner, clock: Clock) -> None:
    """One incident each: A-1 was reported damaged, A-2 is missing, A-3 damaged."""
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\nA-3,plain,17,,,\n")
    accept(book, *(counter.store(id) for id in ("A-1", "A-2", "A-3")))
    for action, id, after in (
        (Action.DAMAGE, "A-1", State.READY),
        (Action.MISSING, "A-2", State.HELD),
        (Action.DAMAGE, "A-3", State.READY),
    ):
        accept(book, counter.record(action, Verdict.OK, id, after=after))


def listed(api: Api, **query: Any) -> list[tuple[int, str, str]]:
    return [(one["number"], one["order"], one["kind"]) for one in api.get("incidents", **query)["incidents"]]


def test_they_are_listed_by_what_is_asked(api: Api, missed: None) -> None:
    every = [(1, "A-1", "DAMAGED"), (2, "A-2", "MISSING"), (3, "A-3", "DAMAGED")]
    assert listed(api) == every
    assert listed(api, order="A-2") == every[1:2]
    assert listed(api, kind="DAMAGED") == [every[0], every[2]]
    assert listed(api, kind="LATE") == listed(api, order="Z-9") == []
    first = api.get("incidents", limit=2)
    rest = api.get("incidents", limit=2, cursor=first["next"])
    assert [one["number"] for one in first["incidents"] + rest["incidents"]] == [1, 2, 3] and "next" not in rest
    answer = api.http.get("/api/v1/incidents", params={"kind": "DAMAGED", "cursor": first["next"]})
    assert refusal(answer) == (400, "desk_cursor")


def test_one_is_closed_once_and_stays(api: Api, missed: None, clock: Clock) -> None:
    said = {"text": "Found behind the shelf <b>\n=1+1"}
    answer = api.http.post("/api/v1/incidents/2/close", json=said)
    assert answer.status_code == 200 and answer.json() == api.get("incidents/2")
    assert answer.json()["closed"] is not None
    opened, closed = api.get("incidents/2")["notes"]
    assert opened["what"] == "opened"
    assert (closed["what"], closed["person"], closed["text"]) == ("closed", "open desk", said["text"])
    assert refusal(api.http.post("/api/v1/incidents/2/close", json=said)) == (409, "desk_incident_closed")
    assert refusal(api.http.post("/api/v1/incidents/9/close", json=said)) == (404, "desk_incident_unknown")
    assert refusal(api.http.post("/api/v1/incidents/1/close", json={"text": ""})) == (400, "desk_request_malformed")
    assert refusal(api.http.get("/api/v1/incidents/0")) == (404, "desk_not_found")
    assert [number for number, _, _ in listed(api, open=1)] == [1, 3]
    assert len(listed(api)) == 3


def test_who_closes_it_is_the_account(api: Api, missed: None) -> None:
    head = api.as_("vera", "supervisor", places=[17])
    assert head.post("/api/v1/incidents/1/close", json={"text": "done"}).status_code == 200
    notes = head.get("/api/v1/incidents/1").json()["notes"]
    assert [(note["what"], note["person"]) for note in notes] == [("opened", ""), ("closed", "vera")]
    clerk = api.as_("anna", "clerk", places=[17])
    assert refusal(clerk.post("/api/v1/incidents/3/close", json={"text": "done"})) == (403, "desk_right")


def test_a_deadline_that_passed_is_one_and_every_note_is_a_message(api: Api, missed: None, clock: Clock) -> None:
    clock.now += 40 * 86400
    api.book.tick()
    held = next(one for one in api.get("incidents")["incidents"] if one["kind"] == "NOT_DECIDED")
    assert (held["order"], held["state"], held["outcome"]) == ("A-2", "HELD", None)
    messages = stream(api)
    notes = [message for name, message in messages if name == "incident"]
    assert [(one["incident"], one["order"], one["kind"], one["what"]) for one in notes[:3]] == [
        (1, "A-1", "DAMAGED", "opened"),
        (2, "A-2", "MISSING", "opened"),
        (3, "A-3", "DAMAGED", "opened"),
    ]
    assert all(one["record"].startswith(notes[0]["record"][:16]) for one in notes[:3])
    every = [note["number"] for one in api.get("incidents")["incidents"] for note in noted(api, one["number"])]
    assert [one["number"] for one in notes] == sorted(every)


def noted(api: Api, number: int) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = api.get(f"incidents/{number}")["notes"]
    return notes


def stream(api: Api) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in api.http.get("/api/v1/stream?follow=false").text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found
