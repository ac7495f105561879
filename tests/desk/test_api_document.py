"""The API's description says what the desk does."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
from account_scene import PASSWORD, with_password
from api_scene import Api, refusal
from desk_process import BATCH, DeskProcess
from desk_records import Scanner

from plomba import texts
from plomba.desk.accounts.gate import Gate, Session
from plomba.desk.accounts.rights import rights
from plomba.desk.api import answers, sessions
from plomba.desk.api.app import TABLE, document
from plomba.desk.api.openapi import errors
from plomba.desk.orders import READ, REQUIRED
from plomba.errors import PlombaError

ROOT = Path(__file__).parents[2]
ORDERS = "order,class,place,value,currency,seals\nA-1,sealed,17,48900.50,RUB,S1\nA-2,plain,17,,,\n"


def test_the_written_document_is_the_served_one(desk: DeskProcess, tmp_path: Path) -> None:
    written = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert written == document(), "run: plomba desk openapi --out docs/openapi.json"
    assert desk.http.get("/api/v1/openapi.json").json() == json.loads(written)
    command = importlib.import_module("plomba.cli.desk")
    assert command.openapi(out=tmp_path / "out.json") == 0
    assert (tmp_path / "out.json").read_bytes() == written.encode()


def test_every_operation_has_its_own_name_and_place() -> None:
    assert len({operation.name for operation in TABLE}) == len(TABLE)
    assert len({(operation.method, operation.path) for operation in TABLE}) == len(TABLE)
    for operation in TABLE:
        assert (operation.handler is None) != (operation.streamer is None)
        assert operation.keyed == (operation.method not in ("GET", "DELETE") and operation.name != "takeEvents")
        assert set(re.findall(r"\{(\w+)", operation.path)) == {
            field.encode_name for field in msgspec.structs.fields(operation.at)
        }


def test_all_columns_of_an_order_file_are_described() -> None:
    order = json.loads(document())["components"]["schemas"]["ImportedOrder"]
    assert set(order["properties"]) == set(READ)
    assert set(order["required"]) == set(REQUIRED)


def test_who_has_to_say_who_they_are_is_described(api: Api) -> None:
    """By asking: nobody, one who may not, and a page of another site."""
    described = json.loads(document())
    assert described["components"]["securitySchemes"].keys() == {"token", "session", "csrf"}
    dock = api.as_("dock", "dock")
    for operation in TABLE:
        told = described["paths"][re.sub(r":\w+\}", "}", operation.path)][operation.method.lower()]
        path = re.sub(r"\{.*?\}", "1", operation.path)
        if not told["security"]:
            assert not told["responses"].keys() & {"401", "403"}, operation.name
            assert api.http.request(operation.method, path).status_code not in (401, 403), operation.name
            continue
        assert told["responses"].keys() >= {"401", "403"}, operation.name
        assert told["security"][0] == {"token": []}
        assert ("csrf" in told["security"][1]) == (operation.method not in ("GET", "HEAD"))
        assert refusal(api.http.request(operation.method, path)) == (401, "desk_login_needed"), operation.name
        if "dock" not in rights()[operation.right]:
            assert refusal(dock.request(operation.method, path)) == (403, "desk_right"), operation.name


def test_sessions_are_described(api: Api) -> None:
    described = json.loads(document())["paths"]
    gate = Gate(api.accounts, lambda *_: None)
    routed = {(route.path, method.lower()) for route in gate.routes() for method in {*route.methods} - {"HEAD"}}
    assert routed == {(path, method) for path, one in described.items() if "session" in path for method in one}
    with_password(api.accounts)
    login = described["/api/v1/session"]["post"]["responses"]
    body = {"name": "anna", "password": PASSWORD}
    answer = api.http.post("/api/v1/session", json=body)
    whole(answer.json(), Session)
    found = {answer.status_code}
    for _ in range(30):
        answer = api.http.post("/api/v1/session", json={**body, "password": "x"})
        found.add(answer.status_code)
        assert answer.json().get("code") in login[str(answer.status_code)]["description"]
    assert found == {200, 401, 429}
    foreign = {"origin": "http://example.org"}
    answer = api.http.post("/api/v1/session/password", json={"old": "x", "new": "y"}, headers=foreign)
    assert refusal(answer) == (403, "desk_foreign_site")


def test_every_code_that_is_described_has_its_words() -> None:
    for operation in (*TABLE, *sessions.OPERATIONS):
        for codes in errors(operation).values():
            for code in codes:
                assert all(PlombaError(code).what(lang) for lang in texts.LANGUAGES)


def whole(found: Any, shape: Any) -> None:
    """Nothing is missing, and nothing is there that is not described."""
    assert msgspec.to_builtins(msgspec.convert(found, shape)) == found


def test_answers_are_what_is_described(desk: DeskProcess, scanner: Scanner) -> None:
    desk.orders(ORDERS)
    desk.post(*scanner.way("A-1", "S1"), scanner.store("Z-9"))
    for path, shape in (
        ("/api/v1/orders", answers.Orders),
        ("/api/v1/orders?limit=1", answers.Orders),
        ("/api/v1/orders/A-1", answers.OrderAnswer),
        ("/api/v1/orders/A-2", answers.OrderAnswer),
        ("/api/v1/events", answers.Events),
        ("/api/v1/events?order=A-1&limit=2", answers.Events),
        ("/api/v1/differences", answers.Differences),
        ("/healthz", answers.Health),
        ("/nope", answers.Problem),
    ):
        whole(desk.http.get(path).json(), shape)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    whole(found, answers.Problem)
    assert (found["status"], found["code"]) == (status, code)
    return found


WRONG_PARAMETERS = [
    ("/api/v1/orders?limit=0", "limit"),
    ("/api/v1/orders?limit=5001", "limit"),
    ("/api/v1/orders?limit=x", "limit"),
    ("/api/v1/orders?limit=" + "9" * 5000, "limit"),
    ("/api/v1/orders?limit=1&limit=2", "limit"),
    ("/api/v1/orders?limti=1", "limti"),
    ("/api/v1/orders?state=GONE", "state"),
    ("/api/v1/orders?state=ready", "state"),
    ("/api/v1/orders?holder=me", "holder"),
    ("/api/v1/orders?place=-1", "place"),
    ("/api/v1/orders?place=4294967296", "place"),
    ("/api/v1/orders?q=%00", "q"),
    ("/api/v1/orders?shop=%00", "shop"),
    ("/api/v1/orders?lang=xx", "lang"),
    ("/api/v1/events?order=%00", "order"),
    ("/api/v1/events?offset=1", "offset"),
    ("/api/v1/stream?follow=perhaps", "follow"),
    ("/api/v1/stream?after=%2F", "after"),
]
WRONG_BODIES: list[tuple[object, str]] = [
    ({"place": 17}, "certificate"),
    ({"certificate": "AAAA"}, "place"),
    ({"certificate": "AAAA", "place": "17"}, "place"),
    ({"certificate": 1, "place": 17}, "certificate"),
    ([], ""),
    ("x", ""),
]


def test_what_is_wrong_with_a_request_is_named(desk: DeskProcess) -> None:
    asked = [(desk.http.get(path), field) for path, field in WRONG_PARAMETERS]
    asked += [(desk.http.post("/api/v1/terminals", json=body), field) for body, field in WRONG_BODIES]
    for answer, field in asked:
        found = problem(answer, 400, "desk_request_malformed")
        assert found["field"] == field, answer.url
        assert found["reason"]


def test_a_refused_file_is_described(desk: DeskProcess) -> None:
    headers = {"content-type": "text/csv"}
    answer = desk.http.post("/api/v1/orders", content=b"order,class,place\nA,x,y\n", headers=headers)
    assert problem(answer, 422, "desk_import_refused")["total"] == 2


def test_too_many_events_are_refused_before_any_is_looked_at(desk: DeskProcess) -> None:
    answer = desk.http.post("/api/v1/events", content=b"[" + b"0," * 5000 + b"0]", headers={"content-type": BATCH})
    problem(answer, 400, "desk_request_malformed")
    answer = desk.http.post("/api/v1/events", content=b"[" + b"0," * 4999 + b"0]", headers={"content-type": BATCH})
    assert len(answer.json()["results"]) == 5000


def test_a_method_that_does_not_apply_gets_those_that_do(desk: DeskProcess) -> None:
    for path, allowed in (
        ("/api/v1/orders", {"GET", "HEAD", "POST"}),
        ("/api/v1/events", {"GET", "HEAD", "POST"}),
        ("/api/v1/terminals", {"POST"}),
        ("/healthz", {"GET", "HEAD"}),
    ):
        answer = desk.http.request("TRACE", path)
        problem(answer, 405, "desk_method")
        assert set(answer.headers["allow"].split(", ")) == allowed


def test_heads_have_no_body_and_end(desk: DeskProcess) -> None:
    for path in ("/", "/stream", "/healthz", "/api/v1/orders", "/api/v1/stream"):
        answer = desk.http.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
