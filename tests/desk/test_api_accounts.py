"""What an account may not see is answered as what is not there, in every operation that tells of orders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_scene import Api, refusal
from book_scene import Clock, accept, take
from desk_process import BATCH
from desk_records import Scanner
from starlette.testclient import TestClient

from plomba.desk.book import Book
from plomba_wire.vocabulary import Action, State, Tlv, Verdict

ORDERS = ("A-1", "A-2", "A-3", "A-4")
SEEN = {
    "clerk": ("A-1", "A-2", "A-4"),
    "elsewhere": ("A-3",),
    "shop": ("A-2", "A-3"),
    "rider": ("A-4",),
    "boss": ORDERS,
}


@pytest.fixture
def clients(api: Api, book: Book, counter: Scanner) -> dict[str, TestClient]:
    """A-1 and A-2 are at place 17, A-3 at 18; A-2 and A-3 are of shop North; A-4 is with the courier of badge 42. Each
    was reported damaged, and a record speaks of an order that is not here."""
    take(
        book,
        "A-1,plain,17,READY,1.00,RUB,South\nA-2,plain,17,READY,2.00,RUB,North\nA-3,plain,18,READY,4.00,RUB,North\n"
        "A-4,plain,17,STAGED,8.00,RUB,South\n",
        "order,class,place,state,value,currency,shop\n",
    )
    act = {Tlv.ACT: b"1"}
    accept(book, counter.record(Action.HANDOVER_IN, Verdict.OK, "A-4", after=State.WITH_COURIER, actor=42, more=act))
    accept(book, *(counter.record(Action.DAMAGE, Verdict.OK, id) for id in ORDERS), counter.store("Z-9"))
    for id in ("A-1", "A-2", "A-3", "A-4"):
        book.decide("CANCEL", id, person="vera", source="shop", external_id="1")
    return {
        "clerk": api.as_("clerk", "clerk", places=[17]),
        "elsewhere": api.as_("elsewhere", "supervisor", places=[18]),
        "shop": api.as_("shop", "shop", shop="North"),
        "rider": api.as_("rider", "courier", badge=42),
        "boss": api.as_("boss", "admin"),
    }


def asked(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("who", SEEN)
def test_listings_hold_what_the_account_sees(clients: dict[str, TestClient], who: str) -> None:
    client, own = clients[who], SEEN[who]
    assert tuple(one["order"] for one in asked(client, "orders")["orders"]) == own
    assert {one["order"] for one in asked(client, "incidents")["incidents"]} == set(own)
    events = {one["order"] for one in asked(client, "events")["events"]}
    stray = who == "boss"
    assert events == {*own, *([None] if stray else [])}
    worth = sum(float(one["worth"]) for one in asked(client, "custody")["exposures"])
    assert worth == sum(2.0 ** ORDERS.index(id) for id in own)
    assert [line.split(",")[0] for line in client.get("/api/v1/exports/orders.csv").text.splitlines()[1:]] == [
        f'"{id}"' for id in own
    ]
    told: dict[str, set[str]] = {"record": set(), "incident": set(), "decision": set()}
    for block in client.get("/api/v1/stream?follow=false").text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in fields:
            told[fields["event"]].add(json.loads(fields["data"])["order"])
    assert told["incident"] == told["decision"] == set(own)
    assert told["record"] == {*own, *(["Z-9"] if stray else [])}


@pytest.mark.parametrize("who", SEEN)
def test_one_that_is_not_seen_is_one_that_is_not_there(
    clients: dict[str, TestClient], who: str, book: Book, clock: Clock
) -> None:
    client = clients[who]
    for id in ORDERS:
        for part in ("", "/custody", "/decisions", "/personal", "/versions"):
            answer = client.get(f"/api/v1/orders/{id}{part}")
            if part == "/personal" and who == "shop":
                assert refusal(answer) == (403, "desk_right")
            elif id in SEEN[who]:
                assert answer.status_code == 200, (id, part)
            else:
                missing = client.get(f"/api/v1/orders/Z-8{part}")
                assert refusal(answer) == refusal(missing) == (404, "desk_order_unknown")
                assert answer.text.replace(id, "Z-8") == missing.text
        number = next(one.number for one in book.incidents.listed(order_id=id))
        assert client.get(f"/api/v1/incidents/{number}").status_code == (200 if id in SEEN[who] else 404)
        assert bool(asked(client, f"events?order={id}")["events"]) == (id in SEEN[who])
        assert bool(asked(client, f"incidents?order={id}")["incidents"]) == (id in SEEN[who])
    # A record speaks of it.
    assert bool(asked(client, "events?order=Z-9")["events"]) == (who == "boss")


def test_writes_reach_no_further(clients: dict[str, TestClient], book: Book) -> None:
    head = clients["elsewhere"]
    cancel = {"kind": "CANCEL", "source": "shop", "external_id": "2"}
    view = {"party": "customer", "content": {"cell": "1"}}
    for path, body in (("orders/A-1/decisions", cancel), ("orders/A-1/versions", view)):
        assert refusal(head.post(f"/api/v1/{path}", json=body)) == (404, "desk_order_unknown")
    number = book.incidents.listed(order_id="A-1")[0].number
    answer = head.post(f"/api/v1/incidents/{number}/close", json={"text": "x"})
    assert refusal(answer) == (404, "desk_incident_unknown")
    assert head.post("/api/v1/orders/A-3/versions", json=view).status_code == 200
    for who in ("clerk", "shop", "rider"):
        answer = clients[who].post("/api/v1/orders/A-4/decisions", json=cancel)
        assert refusal(answer) == (403, "desk_right")
    nobody = clients["clerk"].get("/api/v1/custody", headers={"authorization": ""})
    assert refusal(nobody)[0] == 401


def test_personal_data_are_erased_by_name_and_the_audit_says_so(clients: dict[str, TestClient], book: Book) -> None:
    boss = clients["boss"]
    with book.store.transaction():
        book.personal.put([("A-1", {"phone": "+79990001122"})])
    assert asked(clients["clerk"], "orders/A-1/personal")["fields"] == {"phone": "+79990001122"}
    assert refusal(clients["clerk"].delete("/api/v1/orders/A-1/personal")) == (403, "desk_right")
    for _ in range(2):
        found = boss.delete("/api/v1/orders/A-1/personal").json()
        assert (found["fields"], found["erased"]["person"]) == ({}, "boss")
    assert not any(b"+79990001122" in file.read_bytes() for file in book.store.path.parent.iterdir())
    first = asked(boss, "audit?limit=1")
    rest = asked(boss, f"audit?cursor={first['next']}")
    rows = [(row["account"], row["operation"], row["subject"], row["outcome"]) for row in first["entries"]]
    rows += [(row["account"], row["operation"], row["subject"], row["outcome"]) for row in rest["entries"]]
    assert rows[-2:] == [("boss", "erasePersonal", "A-1", "done")] * 2
    assert refusal(clients["elsewhere"].get("/api/v1/audit")) == (403, "desk_right")


def test_the_audit_says_what_was_done(clients: dict[str, TestClient], api: Api) -> None:
    boss = clients["boss"]
    start = len(api.accounts.audit.listed())
    file = {"content": b"order,class,place\nN 1,plain,17\n", "headers": {"content-type": "text/csv"}}
    for query in ("?dry_run=1", ""):
        assert boss.post(f"/api/v1/orders{query}", **file).status_code == 200
    cancel = {"kind": "CANCEL", "source": "shop", "external_id": "2"}
    assert boss.post("/api/v1/orders/N 1/decisions", json=cancel).status_code == 200
    refund = {"kind": "REFUND", "record": "0000000000000000-1-1"}
    assert boss.post("/api/v1/orders/A-2/decisions", json=refund).status_code == 422
    view = {"party": "customer", "content": {"cell": "1"}}
    assert boss.post("/api/v1/orders/A-1/versions", json=view).status_code == 200
    boss.post("/api/v1/events", json=[], headers={"content-type": BATCH})
    assert [(row.operation, row.subject, row.outcome) for row in api.accounts.audit.listed()[start:]] == [
        ("importOrders", "dry_run", "done"),
        ("importOrders", "", "done"),
        ("decide", "CANCEL N 1", "done"),
        ("decide", "REFUND A-2", "desk_decision_record"),
        ("putVersion", "customer A-1", "done"),
    ]


def test_parties_say_different_things(clients: dict[str, TestClient]) -> None:
    view = {"party": "marketplace", "source": "cabinet", "content": {"state": "DELIVERED", "value": "2.00"}}
    kept = clients["boss"].post("/api/v1/orders/A-2/versions", json=view).json()
    found = asked(clients["boss"], "orders/A-2/versions")
    assert found["versions"][-1] == kept
    assert [(one["field"], one["said"].get("marketplace")) for one in found["differences"]] == [("state", "DELIVERED")]
    assert asked(clients["shop"], "orders/A-2/versions") == found
    wrong = {**view, "content": {"phone": "1"}}
    assert refusal(clients["boss"].post("/api/v1/orders/A-2/versions", json=wrong)) == (400, "desk_view_field")


def test_what_is_about_all_orders_is_for_whom_sees_all(clients: dict[str, TestClient], api: Api) -> None:
    free = api.as_("free", "supervisor")
    file = {"content": b"order,class,place\nN-1,plain,17\n", "headers": {"content-type": "text/csv"}}
    for client, status in ((clients["elsewhere"], 403), (free, 200)):
        assert [client.get(path).status_code for path in ("/", "/live", "/api/v1/differences")] == [status] * 3
        # The stream of the page has no end.
        assert client.head("/stream").status_code == status
        assert client.post("/api/v1/orders", **file).status_code == status
