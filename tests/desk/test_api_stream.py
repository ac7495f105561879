"""The stream of events: nothing is lost and nothing is told twice, whoever is cut off and whichever desk goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from desk_process import NOW, DeskProcess
from desk_records import Scanner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_api_document import whole

from plomba.desk.api import answers
from plomba.desk.api.stream import PAGE
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, State

ORDERS = "order,class,place,value,currency,seals\nA-1,sealed,17,48900.50,RUB,S1\nA-2,plain,17,,,\nA-3,plain,17,,,\n"
URL = "/api/v1/stream"


class Message(dict[str, str]):
    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self["data"])
        return data


def parsed(lines: Iterator[str]) -> Iterator[Message]:
    """Messages as a browser understands them, and the first one, which only says where it begins."""
    message = Message()
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            message[name] = value.removeprefix(" ")
        else:
            yield message
            message = Message()


@contextmanager
def listening(desk: DeskProcess, **parameters: Any) -> Iterator[Iterator[Message]]:
    last = parameters.pop("last", None)
    headers = {} if last is None else {"last-event-id": last}
    with (
        httpx2.Client(base_url=desk.url, timeout=20, trust_env=False) as http,
        http.stream("GET", URL, params=parameters, headers=headers) as answer,
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        messages = parsed(answer.iter_lines())
        first = next(messages)
        assert first.keys() == {"retry", "id"}
        yield messages


def told(desk: DeskProcess, **parameters: Any) -> list[Message]:
    with listening(desk, follow="false", **parameters) as messages:
        return list(messages)


def test_each_record_says_what_it_did(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    events = [scanner.store("A-1"), scanner.hand_out("A-1"), scanner.store("Z-9")]
    with listening(desk) as messages:
        for event in events:
            desk.post(event, event)
        found = [next(messages) for _ in events]
    assert [message["event"] for message in found] == ["record"] * 3
    for message in found:
        whole(message.data, answers.RecordMessage)
    assert [message.data["id"] for message in found] == [event["id"] for event in events]
    assert [message.data["body"] for message in found] == [event["data"]["body"] for event in events]
    moved, disputed, stray = (message.data["did"] for message in found)
    assert moved == [
        {
            "order": "A-1",
            "effect": True,
            "why": "moved",
            "before": "AT_POINT",
            "after": "READY",
            "claim": "READY",
            "difference": False,
        }
    ]
    assert (disputed[0]["effect"], disputed[0]["after"], disputed[0]["difference"]) == (False, "READY", True)
    assert stray == []


def test_a_record_of_a_bag_is_one_message(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders("order,class,place,state\nA-2,plain,17,PACKED\nA-3,plain,17,PACKED\n")
    desk.post(*(scanner.bag_add(id, "B-1", State.STAGED) for id in ("A-2", "A-3")))
    desk.post(scanner.whole(Action.HANDOVER_OUT, "B-1", State.HANDING))
    *_, last = told(desk)
    assert (last.data["order"], last.data["bag"]) == (None, "B-1")
    assert [did["order"] for did in last.data["did"]] == ["A-2", "A-3"]


def test_it_goes_on_where_it_was_cut_off(tmp_path: Path, organisation: Organisation) -> None:
    scanner = Scanner(organisation, now=NOW)
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    desk.enrol(scanner)
    desk.orders(ORDERS)
    events = [scanner.retrieve("A-2") for _ in range(2 * PAGE + 50)]
    heard: list[str] = []
    last: str | None = None
    for at in range(0, len(events), 50):
        desk.post(*events[at : at + 50])
        # Some messages are read, then the listener goes away in the middle of them.
        with listening(desk, **({} if last is None else {"last": last})) as messages:
            for _ in range(37):
                message = next(messages)
                heard.append(message.data["id"])
                last = message["id"]
        if at % 100 == 0:
            desk.kill()
            desk = DeskProcess(tmp_path / "desk", organisation.folder)
    rest = told(desk, after=last)
    assert heard + [message.data["id"] for message in rest] == [event["id"] for event in events]
    assert told(desk, after=rest[-1]["id"]) == []
    assert desk.stop() == 0


def test_who_heard_nothing_yet_goes_on_from_where_he_began(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    desk.post(scanner.store("A-1"))
    with (
        httpx2.Client(base_url=desk.url, timeout=20, trust_env=False) as http,
        http.stream("GET", URL, params={"after": "now"}) as answer,
    ):
        begun = next(parsed(answer.iter_lines()))
    event = scanner.store("A-2")
    desk.post(event)
    assert [message.data["id"] for message in told(desk, last=begun["id"])] == [event["id"]]
    assert [message.data["id"] for message in told(desk, after=begun["id"])] == [event["id"]]
    assert len(told(desk)) == 2
    assert told(desk, after="now") == []


def test_a_place_that_this_book_never_reached_is_refused(
    tmp_path: Path, desk: DeskProcess, scanner: Scanner, organisation: Organisation
) -> None:
    desk.orders(ORDERS)
    desk.post(scanner.store("A-1"), scanner.store("A-2"))
    last = told(desk)[-1]["id"]
    for forged in ("AAAA", last[:-1], last + "A", "", "now "):
        answer = desk.http.get(URL, params={"after": "x" if forged == "" else forged.strip() + "_"})
        assert (answer.status_code, answer.json()["code"]) == (400, "desk_cursor")
    other = DeskProcess(tmp_path / "other", organisation.folder)
    answer = other.http.get(URL, headers={"last-event-id": last})
    assert (answer.status_code, answer.json()["code"]) == (400, "desk_cursor")
    assert other.stop() == 0


def test_a_book_from_a_backup_does_not_pretend_to_go_on(tmp_path: Path, organisation: Organisation) -> None:
    """Waiting for the number to come round again would lose the records before it."""
    scanner = Scanner(organisation, now=NOW)
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    desk.enrol(scanner)
    desk.orders(ORDERS)
    desk.post(scanner.store("A-1"))
    assert len(told(desk)) == 1
    assert desk.stop() == 0
    backup = {file.name: file.read_bytes() for file in (tmp_path / "desk").iterdir()}
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    desk.post(scanner.store("A-2"))
    last = told(desk)[-1]["id"]
    desk.kill()
    for file in (tmp_path / "desk").iterdir():
        file.unlink()
    for name, content in backup.items():
        (tmp_path / "desk" / name).write_bytes(content)
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    answer = desk.http.get(URL, params={"after": last})
    assert (answer.status_code, answer.json()["code"]) == (400, "desk_cursor")
    assert desk.stop() == 0


def test_it_ends_with_the_desk(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    desk.post(scanner.store("A-1"))
    with listening(desk) as messages:
        next(messages)
        assert desk.stop() == 0
        assert list(messages) == []
    assert desk.errors == ""


def test_a_slow_listener_costs_a_page_and_holds_nobody_up(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    with listening(desk) as messages:
        events = []
        for _ in range(20):
            events += [scanner.retrieve("A-2") for _ in range(100)]
            desk.post(*events[-100:])
        assert desk.http.get("/healthz").json()["events"] == 2000
        assert [next(messages).data["id"] for _ in events] == [event["id"] for event in events]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=6))
def test_whatever_the_rhythm_each_is_told_once(
    desk: DeskProcess, scanner: Scanner, rhythm: list[tuple[int, int]]
) -> None:
    with listening(desk, after="now"):
        pass
    before = told(desk)
    last = before[-1]["id"] if before else None
    sent: list[str] = []
    heard: list[str] = []
    for come, taken in rhythm:
        events = [scanner.retrieve("A-2") for _ in range(come)]
        sent += [event["id"] for event in events]
        desk.post(*events)
        for message in told(desk, **({} if last is None else {"last": last}))[:taken]:
            heard.append(message.data["id"])
            last = message["id"]
    heard += [message.data["id"] for message in told(desk, **({} if last is None else {"last": last}))]
    assert heard == sent


@pytest.mark.parametrize("silence", [0.05])
def test_it_says_that_it_is_alive(tmp_path: Path, organisation: Organisation, silence: float) -> None:
    before = f"from plomba.desk.api import stream\nstream.HEARTBEAT = {silence}\n"
    desk = DeskProcess(tmp_path / "desk", organisation.folder, before=before)
    with (
        httpx2.Client(base_url=desk.url, timeout=20, trust_env=False) as http,
        http.stream("GET", URL) as answer,
    ):
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(7)][3:] == [":", "", ":", ""]
    assert desk.stop() == 0
