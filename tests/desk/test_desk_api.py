"""The desk as docks and shops meet it: a real process on a loopback port."""

from __future__ import annotations

import base64
import copy
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from desk_process import BATCH, NOW, DeskProcess, statuses
from desk_records import Event, Scanner

from plomba.desk.server import serve
from plomba.errors import PlombaError
from plomba.forward import Desk
from plomba.trust.keys import _N, PrivateKey
from plomba.trust.objects import issue
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, ObjectKind, Protection, Role, State, Verdict

ORDERS = (
    "order,class,place,value,currency,shop,cell,seals\nA-1,sealed,17,48900.50,RUB,Север,A-12,S1\nA-2,plain,17,,,,,\n"
)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert (found["status"], found["code"], found["type"]) == (status, code, "about:blank")
    assert found["title"] and found["detail"] and found["next"]
    return found


def test_a_hand_out_end_to_end(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    assert desk.order("A-1")["state"] == "AT_POINT"
    seen = []
    for event in scanner.way("A-1", "S1"):
        (result,) = desk.post(event)
        assert result == {"id": event["id"], "status": "accepted"}
        order = desk.order("A-1")
        seen.append((order["state"], order["holder"]))
    assert seen == [("READY", "point"), ("IDENTIFIED", "point"), ("VERIFIED", "point"), ("DELIVERED", "customer")]
    assert (order["value"], order["currency"], order["class"], order["differences"]) == ("48900.50", "RUB", "sealed", 0)
    assert order["last"]["action"] == "HANDOUT"
    listed = desk.http.get("/api/v1/orders").json()["orders"]
    assert [one["order"] for one in listed] == ["A-1", "A-2"]
    events = desk.http.get("/api/v1/events", params={"order": "A-1"}).json()["events"]
    assert [(one["action"], one["effect"], one["after"]) for one in events] == [
        ("STORE", True, "READY"),
        ("RETRIEVE", True, "IDENTIFIED"),
        ("SEAL_CHECK", True, "VERIFIED"),
        ("HANDOUT", True, "DELIVERED"),
    ]


def test_every_difference_is_listed(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    desk.post(scanner.store("A-2"), scanner.retrieve("A-2"), scanner.store("Z-9"))
    desk.post(scanner.apply("A-2", "S1", State.IDENTIFIED))
    desk.post(scanner.record(Action.ARRIVE, Verdict.OK, "A-2", after=State.AT_STOP), scanner.hand_out("A-2"))
    listed = desk.http.get("/api/v1/differences").json()
    assert listed["total"] == 3
    newest = listed["differences"][0]
    assert newest | {"received": ""} == {
        "order": "A-2",
        "id": f"{scanner.id}-1-5",
        "label": "Counter 1",
        "action": "ARRIVE",
        "verdict": "OK",
        "claim": "AT_STOP",
        "desk": "IDENTIFIED",
        "state": "DELIVERED",
        "why": "wrong_state",
        "time": newest["time"],
        "received": "",
    }
    keys = ("order", "claim", "desk", "state", "why")
    assert [tuple(one[key] for key in keys) for one in listed["differences"][1:]] == [
        ("A-2", "IDENTIFIED", "IDENTIFIED", "DELIVERED", "taken"),
        ("Z-9", "READY", None, None, "unknown_order"),
    ]
    first = desk.http.get("/api/v1/differences?limit=1").json()
    page = desk.http.get("/api/v1/differences", params={"limit": 1, "cursor": first["next"]}).json()
    assert (page["total"], [one["why"] for one in page["differences"]]) == (3, ["taken"])
    problem(desk.http.get("/api/v1/differences?limit=x"), 400, "desk_request_malformed")


def test_a_record_that_moves_nothing_is_kept_and_marked(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    event = scanner.record(Action.RETRIEVE, Verdict.WRONG_STATE, "A-1")
    assert statuses(desk.post(event)) == ["accepted"]
    (kept,) = desk.http.get("/api/v1/events", params={"order": "A-1"}).json()["events"]
    assert (kept["id"], kept["effect"], kept["body"]) == (event["id"], False, event["data"]["body"])


def test_a_batch_sent_again_is_all_duplicates(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    events = scanner.way("A-1", "S1")
    assert statuses(desk.post(*events)) == ["accepted"] * 4
    before = desk.http.get("/api/v1/orders").json()
    assert statuses(desk.post(*events)) == ["duplicate"] * 4
    assert statuses(desk.post(*reversed(events), *events)) == ["duplicate"] * 8
    assert desk.http.get("/api/v1/orders").json() == before
    health = desk.http.get("/healthz").json()
    assert (health["status"], health["events"]) == ("ok", 4)
    assert health["answers"] == {"accepted": 4, "duplicate": 12}


def test_identity_is_the_body_never_the_signature(desk: DeskProcess, scanner: Scanner) -> None:
    event = scanner.store("A-1")
    assert statuses(desk.post(event)) == ["accepted"]
    for other in (high_s(event["data"]["signature"]), base64.b64encode(bytes(64)).decode()):
        again = copy.deepcopy(event)
        again["data"]["signature"] = other
        assert statuses(desk.post(again)) == ["duplicate"]


def high_s(signature: str) -> str:
    raw = base64.b64decode(signature)
    s = _N - int.from_bytes(raw[32:], "big")
    return base64.b64encode(raw[:32] + s.to_bytes(32, "big")).decode()


def test_a_malleated_signature_is_not_accepted_first(desk: DeskProcess, scanner: Scanner) -> None:
    event = scanner.store("A-1")
    event["data"]["signature"] = high_s(event["data"]["signature"])
    assert statuses(desk.post(event)) == ["record_signature"]


def test_another_body_under_one_identity_is_a_conflict(desk: DeskProcess, scanner: Scanner) -> None:
    head = scanner.head
    first = scanner.store("A-1")
    scanner.seq, scanner.head = 0, head
    second = scanner.store("A-2")
    assert statuses(desk.post(first)) == ["accepted"]
    (result,) = desk.post(second)
    assert (result["status"], result["code"], result["id"]) == ("refused", "record_conflict", first["id"])
    assert result["reason"]
    assert desk.http.get("/healthz").json()["conflicts"] == 1
    assert statuses(desk.post(first)) == ["duplicate"]


def flip(text: str, at: int) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def test_nothing_forged_moves_an_order(desk: DeskProcess, scanner: Scanner, organisation: Organisation) -> None:
    desk.orders(ORDERS)
    good = scanner.store("A-1")

    def altered(change: Callable[[Event], None]) -> Event:
        event = copy.deepcopy(good)
        change(event)
        return event

    thief = Scanner(organisation, now=NOW)
    thief_event = thief.store("A-1")
    forged = [
        altered(lambda event: event["data"].update(signature=flip(event["data"]["signature"], 40))),
        altered(lambda event: event["data"].update(body=flip(event["data"]["body"], -1))),
        altered(lambda event: event["data"].update(previous="00" * 32)),
        altered(lambda event: event["data"].update(signature=thief_event["data"]["signature"])),
    ]
    assert statuses(desk.post(*forged)) == ["record_signature"] * 4
    assert statuses(desk.post(thief_event)) == ["desk_terminal_unknown"]
    assert desk.order("A-1")["state"] == "AT_POINT"
    assert statuses(desk.post(forged[0], good, forged[1])) == ["record_signature", "accepted", "record_signature"]


def test_a_terminal_under_a_foreign_root_is_refused(desk: DeskProcess, tmp_path: Path) -> None:
    foreign = Scanner(Organisation.create(tmp_path / "foreign", now=NOW), now=NOW)
    problem(desk.http.post("/api/v1/terminals", json=foreign.enrolment), 422, "root_foreign")
    assert statuses(desk.post(foreign.store("A-1"))) == ["desk_terminal_unknown"]
    problem(desk.http.get(f"/api/v1/terminals/{foreign.id}/manifest"), 404, "desk_terminal_unknown")


def certificate(organisation: Organisation, key: PrivateKey, **changed: Any) -> str:
    assert organisation.root is not None
    fields: dict[str, Any] = {
        "role": Role.TERMINAL,
        "protection": Protection.OPEN,
        "epoch": 1,
        "label": "Counter",
        "serial": NOW,
        "not_before": NOW - 10,
        "not_after": NOW + 1000,
    }
    return base64.b64encode(issue(organisation.root, key.public, **fields | changed)).decode()


def test_only_a_terminals_certificate_enrols(desk: DeskProcess, organisation: Organisation) -> None:
    key = PrivateKey.generate()

    def enrol(certificate: object, place: object = 17) -> Any:
        return desk.http.post("/api/v1/terminals", json={"certificate": certificate, "place": place})

    good = certificate(organisation, key)
    problem(enrol(certificate(organisation, key, role=Role.DOCK)), 422, "role_wrong")
    problem(enrol(certificate(organisation, key, not_after=NOW - 5)), 422, "certificate_dates")
    problem(enrol(flip(good, -1)), 422, "signature_bad")
    problem(enrol(good[:40]), 422, "object_malformed")
    for place in (-1, 1 << 32, "17", True, None, 1.5):
        problem(enrol(good, place), 400, "desk_request_malformed")
    for wrong in (None, 7, "%%%", "é"):
        problem(enrol(wrong), 400, "desk_request_malformed")
    answer = enrol(certificate(organisation, key, label="Касса\n1"))
    assert answer.json() == {"terminal": key.id.hex(), "label": "Касса�1"}
    assert enrol(certificate(organisation, key, serial=NOW + 1)).status_code == 200
    problem(enrol(good), 409, "desk_certificate_older")


def malformed(good: Event) -> list[tuple[object, str]]:
    def altered(**changed: object) -> Event:
        return {name: value for name, value in (good | changed).items() if value != "absent"}

    def inside(**changed: object) -> Event:
        return altered(data={name: value for name, value in (good["data"] | changed).items() if value != "absent"})

    short = base64.b64encode(base64.b64decode(good["data"]["body"])[:53]).decode()
    return [
        (None, "desk_event_malformed"),
        (17, "desk_event_malformed"),
        ("event", "desk_event_malformed"),
        ([], "desk_event_malformed"),
        ({}, "desk_event_malformed"),
        (altered(specversion="0.3"), "desk_event_malformed"),
        (altered(type="plomba.record.2"), "desk_event_type"),
        (altered(type=["plomba.record.1"]), "desk_event_type"),
        (altered(id="absent"), "desk_event_mismatch"),
        (altered(id="x" * 100000), "desk_event_mismatch"),
        (altered(id="\ud800"), "desk_event_mismatch"),
        (altered(id=f"{good['id']}0"), "desk_event_mismatch"),
        (altered(source="urn:plomba:terminal:0000000000000000"), "desk_event_mismatch"),
        (altered(data="absent"), "desk_event_malformed"),
        (altered(data=[1]), "desk_event_malformed"),
        (inside(previous="absent"), "desk_event_malformed"),
        (inside(previous="0" * 63), "desk_event_malformed"),
        (inside(previous="g" * 64), "desk_event_malformed"),
        (inside(previous="é" * 64), "desk_event_malformed"),
        (inside(body="absent"), "desk_event_malformed"),
        (inside(body=1), "desk_event_malformed"),
        (inside(body="a b="), "desk_event_malformed"),
        (inside(body=""), "record_malformed"),
        (inside(body=short), "record_malformed"),
        (inside(body=base64.b64encode(bytes(54)).decode()), "record_malformed"),
        (inside(body=base64.b64encode(bytes(449)).decode()), "desk_event_malformed"),
        (inside(body=base64.b64encode(base64.b64decode(good["data"]["body"])[:-1]).decode()), "record_malformed"),
        (inside(signature="absent"), "desk_event_malformed"),
        (inside(signature=""), "record_signature"),
        (inside(signature=base64.b64encode(bytes(64)).decode()), "record_signature"),
        (inside(signature=base64.b64encode(b"\xff" * 64).decode()), "record_signature"),
    ]


def test_a_malformed_event_is_refused_alone(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    bad = malformed(scanner.store("A-1"))
    good = scanner.retrieve("A-1")
    body = json.dumps([*(event for event, _ in bad), good])
    answer = desk.http.post("/api/v1/events", content=body, headers={"content-type": BATCH})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert statuses(results) == [*(code for _, code in bad), "accepted"]
    assert all(result["reason"] for result in results[:-1])


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'"x"', b"[" * 200000, b"\xff\xfe", b"[" + b"9" * 5000 + b"]"])
def test_a_body_that_is_no_batch_is_a_problem(desk: DeskProcess, body: bytes) -> None:
    answer = desk.http.post("/api/v1/events", content=body, headers={"content-type": BATCH})
    problem(answer, 400, "desk_request_malformed")


def test_sizes_and_types_are_capped(desk: DeskProcess) -> None:
    def post(path: str, size: int, media_type: str) -> Any:
        return desk.http.post(path, content=b" " * size, headers={"content-type": media_type})

    problem(post("/api/v1/events", (1 << 20) + 1, BATCH), 413, "desk_body_large")
    problem(post("/api/v1/events", 1 << 20, BATCH), 400, "desk_request_malformed")
    problem(post("/api/v1/terminals", 5000, "application/json"), 413, "desk_body_large")
    problem(post("/api/v1/orders", (16 << 20) + 1, "application/json"), 413, "desk_body_large")
    for media_type in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        problem(post("/api/v1/events", 2, media_type), 415, "desk_media_type")
    problem(post("/api/v1/orders", 2, "text/plain"), 415, "desk_media_type")

    def chunked() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    answer = desk.http.post("/api/v1/events", content=chunked(), headers={"content-type": BATCH})
    problem(answer, 413, "desk_body_large")


def test_an_import_is_all_or_nothing(desk: DeskProcess) -> None:
    text = ORDERS + "A-3,seald,x,1e9,RUB,,,\nA-1,plain,17,,,,,\n"
    answer = desk.http.post(
        "/api/v1/orders",
        content=text.encode(),
        headers={"content-type": "text/csv; charset=utf-8", "accept-language": "ru"},
    )
    rows = problem(answer, 422, "desk_import_refused")["rows"]
    assert [(row["row"], row["column"], row["code"]) for row in rows] == [
        (4, "value", "desk_row_value"),
        (4, "class", "desk_row_class"),
        (4, "place", "desk_row_place"),
        (5, "order", "desk_row_duplicate"),
    ]
    assert rows[1]["reason"] == "Класс «seald» неизвестен"
    assert desk.http.get("/api/v1/orders").json() == {"orders": []}
    entries = [{"order": "J-1", "class": "sealed", "place": 17, "seals": ["S1", "S2"]}]
    assert desk.http.post("/api/v1/orders", json=entries).json() == {"imported": 1, "unchanged": 0}
    assert desk.http.post("/api/v1/orders", json=entries).json() == {"imported": 0, "unchanged": 1}


HOSTILE = [
    "<script>alert(1)</script>",
    "a/b",
    "a%2Fb",
    "?q=1#x",
    "שלום-7",
    "'; DROP TABLE orders",
    "..%5c",
    "x y",
    "'\"&<>",
]


def test_an_order_is_found_under_its_own_name(desk: DeskProcess) -> None:
    entries = [{"order": id, "class": "plain", "place": 1} for id in HOSTILE]
    assert desk.http.post("/api/v1/orders", json=entries).json()["imported"] == len(HOSTILE)
    for id in HOSTILE:
        assert desk.order(quote(id, safe=""))["order"] == id
        assert desk.http.get("/api/v1/events", params={"order": id}).json() == {"events": []}
    problem(desk.http.get("/api/v1/orders/nope"), 404, "desk_order_unknown")
    problem(desk.http.get("/api/v1/orders/%ED%A0%80"), 404, "desk_order_unknown")


def test_signed_objects_come_as_bundles(desk: DeskProcess, scanner: Scanner, organisation: Organisation) -> None:
    desk.orders(ORDERS)
    for name, kind in (("manifest", ObjectKind.MANIFEST), ("rules", ObjectKind.RULES)):
        answer = desk.http.get(f"/api/v1/terminals/{scanner.id}/{name}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert organisation.trust.open(answer.content, kind, now=int(time.time())).body
        for unknown in ("0" * 16, "zz", scanner.id.upper(), f"{scanner.id}00"):
            problem(desk.http.get(f"/api/v1/terminals/{unknown}/{name}"), 404, "desk_terminal_unknown")


LISTED = """number = {number}
[[badge]]
number = 42
name = "Анна"
hand = "CLERK"
pin = "1234"
"""


@pytest.mark.anyio
async def test_a_staff_list_comes_the_same_each_time(tmp_path: Path, organisation: Organisation) -> None:
    scanner = Scanner(organisation, now=NOW)
    data = tmp_path / "desk"
    data.mkdir()
    desk = DeskProcess(data, organisation.folder)
    desk.enrol(scanner)
    url = f"/api/v1/terminals/{scanner.id}/staff"
    problem(desk.http.get(url), 404, "desk_staff_none")
    async with Desk(desk.url) as client:
        assert await client.staff(scanner.id) is None
    assert desk.stop() == 0
    given = set()
    for number, name in ((3, "Анна"), (3, "Анна"), (3, "Anna"), (4, "Anna")):
        (data / "staff.toml").write_text(LISTED.format(number=number).replace("Анна", name), encoding="utf-8")
        desk = DeskProcess(data, organisation.folder)
        answer = desk.http.get(url)
        assert answer.status_code == 200
        signed = organisation.trust.open(answer.content, ObjectKind.STAFF, now=int(time.time()))
        assert signed.envelope.version == number and "Анна".encode() not in answer.content
        given.add(answer.content)
        async with Desk(desk.url) as client:
            assert await client.staff(scanner.id) == answer.content
        problem(desk.http.get(f"/api/v1/terminals/{'0' * 16}/staff"), 404, "desk_terminal_unknown")
        assert desk.stop() == 0 and desk.errors == ""
    assert len(given) == 2, "a name is no change: terminals hold none"
    for number, pin in ((3, "1234"), (4, "4321")):
        (data / "staff.toml").write_text(LISTED.format(number=number).replace("1234", pin), encoding="utf-8")
        with pytest.raises(RuntimeError, match=f"Staff list {number}: there is another one under this number"):
            DeskProcess(data, organisation.folder)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_pin_proofs_are_for_this_machine_unless_somebody_says_otherwise(
    tmp_path: Path, organisation: Organisation, host: str
) -> None:
    """Whoever has the list finds short PINs in seconds (docs/staff.md)."""
    data = tmp_path / "desk"
    data.mkdir()
    (data / "staff.toml").write_text(LISTED.format(number=1), encoding="utf-8")

    def answers(host: str, **more: bool) -> str:
        """What it stops at: there is no such port."""
        with pytest.raises(PlombaError) as caught:
            serve(data, organisation.folder, host, 1 << 64, print, **more)
        return caught.value.code

    assert answers(host) == "desk_staff_lan"
    for loopback in ("127.0.0.1", "localhost"):
        assert answers(loopback) == "desk_port"
    assert answers(host, lan=True) == "desk_port"
    (data / "staff.toml").unlink()
    assert answers(host) == "desk_open", "without a list there is still the desk itself (test_account_command.py)"


def test_there_is_no_other_way_to_move_an_order(desk: DeskProcess) -> None:
    desk.orders(ORDERS)
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        problem(desk.http.request(method, "/api/v1/orders/A-1", json={"state": "DELIVERED"}), 405, "desk_method")
    text = "order,class,place,state\nA-9,plain,17,DELIVERED\n"
    answer = desk.http.post("/api/v1/orders", content=text, headers={"content-type": "text/csv"})
    assert problem(answer, 422, "desk_import_refused")["rows"][0]["code"] == "desk_row_state"


def test_wrong_turns_are_problems_too(desk: DeskProcess) -> None:
    problem(desk.http.get("/nope"), 404, "desk_not_found")
    problem(desk.http.get("/static/../api.py"), 404, "desk_not_found")
    problem(desk.http.get("/static/%2e%2e/api.py"), 404, "desk_not_found")
    problem(desk.http.delete("/healthz"), 405, "desk_method")
    problem(desk.http.get("/api/v1/orders?limit=-1"), 400, "desk_request_malformed")


def test_a_name_pointed_here_from_elsewhere_is_turned_away(desk: DeskProcess) -> None:
    for host in ("evil.example", "evil.example:80", "", "[::", "127.0.0.1.evil.example"):
        problem(desk.http.get("/healthz", headers={"host": host}), 421, "desk_host")
    for host in ("localhost", "127.0.0.1:1", "[::1]:9"):
        assert desk.http.get("/healthz", headers={"host": host}).status_code == 200


def test_what_was_answered_survives_a_crash(tmp_path: Path, organisation: Organisation) -> None:
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    scanner = Scanner(organisation, now=NOW)
    desk.enrol(scanner)
    desk.orders(ORDERS)
    events = scanner.way("A-1", "S1")
    desk.post(*events[:3])
    manifest = desk.http.get(f"/api/v1/terminals/{scanner.id}/manifest").content
    desk.kill()
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    assert desk.order("A-1")["state"] == "VERIFIED"
    assert desk.http.get(f"/api/v1/terminals/{scanner.id}/manifest").content == manifest
    assert statuses(desk.post(*events)) == ["duplicate"] * 3 + ["accepted"]
    assert desk.stop() == 0


def test_a_second_desk_and_a_taken_port_say_so(tmp_path: Path, desk: DeskProcess, organisation: Organisation) -> None:
    with pytest.raises(RuntimeError, match="another desk holds this order book"):
        DeskProcess(tmp_path / "desk", organisation.folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RuntimeError, match="the address cannot be taken"):
            DeskProcess(tmp_path / "other", organisation.folder, port=taken.getsockname()[1])
    with pytest.raises(RuntimeError, match="no organisation's keys here"):
        DeskProcess(tmp_path / "other", tmp_path / "nobody")


def test_it_ends_while_a_page_is_listening(desk: DeskProcess) -> None:
    with httpx2.Client(base_url=desk.url, trust_env=False) as page, page.stream("GET", "/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        assert desk.stop() == 0
        assert desk.errors == ""
        assert [line for line in lines if line.startswith("data: ")]


def test_a_sender_of_too_much_gets_its_answer(desk: DeskProcess) -> None:
    """More than socket buffers hold, all sent before anything is read: a cut connection would lose the answer."""
    size = 6 << 20
    port = int(desk.url.rsplit(":", 1)[1])
    head = f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: {BATCH}\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(head.encode() + b" " * size)
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")
