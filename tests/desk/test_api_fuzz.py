"""Whatever a program sends that has read the API's description: never a fault, and no answer that is not described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from book_scene import Clock, take
from desk_records import Event, Scanner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from plomba.desk.accounts import Accounts
from plomba.desk.api import app as desk_app
from plomba.desk.api.operations import SAFE
from plomba.desk.book import Book
from plomba.desk.live import Live
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, Verdict

DESCRIBED = schemathesis.openapi.from_dict(json.loads(desk_app.document()))
# The desk here asks nobody who they are.
DESCRIBED.config.generation.with_security_parameters = False
OPERATIONS = {operation.name: operation for operation in desk_app.TABLE}
ENDLESS = "revisions"
"""The page's own stream ends with its desk only; the other one is asked to end."""
PAGED = {
    "listOrders": "orders",
    "listEvents": "events",
    "listDifferences": "differences",
    "listIncidents": "incidents",
}
ALONE = {"takeEvents", "importOrders"}
"""Bodies in which much is let pass that is not as described: a bad event is refused alone, and a cell of an order
file is text or a number."""
CONFORMS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass
class Stage:
    """An app with something in it, and what a caller may know of it."""

    app: Starlette
    live: Live
    ids: list[str]
    terminal: str
    cursors: dict[str, str]
    events: list[Event]
    enrolment: dict[str, Any]
    faults: list[Exception]


@contextmanager
def desk_in(folder: Path, organisation: Organisation) -> Iterator[Stage]:
    clock = Clock()
    scanner = Scanner(organisation, now=clock())
    folder.mkdir()
    (folder / "staff.toml").write_text("number = 1\n", encoding="utf-8")
    faults: list[Exception] = []

    async def on_fault(request: Any, error: Exception) -> Any:
        faults.append(error)
        return await fault(request, error)

    fault = desk_app._on_fault
    with ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk_app, "_on_fault", on_fault)
        book = thread.submit(Book, folder, organisation, clock).result()
        live = Live()
        app = desk_app.create_app(book, thread, live, None, Accounts(book.store, Clock()))
        ids = ["A-1", "A-2", "a/b", "שלום-7", "100%"]
        enrolled = (scanner.certificate, scanner.place)
        thread.submit(book.enrol, *enrolled).result()
        thread.submit(take, book, "".join(f"{id},plain,17,,,\n" for id in ids)).result()
        events = [
            *(scanner.store(id) for id in ids),
            scanner.retrieve("A-1"),
            scanner.store("Z-9"),
            scanner.store("Z-8"),
        ]
        events.append(scanner.record(Action.RETRIEVE, Verdict.WRONG_STATE, "A-2"))
        thread.submit(book.accept, events[:-1]).result()
        damages = [scanner.record(Action.DAMAGE, Verdict.OK, "A-2") for _ in range(3)]
        thread.submit(book.accept, damages).result()
        thread.submit(filled, book).result()
        stage = Stage(app, live, ids, scanner.id, {}, events, scanner.enrolment, faults)
        for name, path in PAGED.items():
            stage.cursors[name] = call(stage, f"/api/v1/{path}?limit=1")["next"]
        yield stage
        thread.submit(book.close).result()


@pytest.fixture(scope="module")
def unwritten(tmp_path_factory: pytest.TempPathFactory, organisation: Organisation) -> Iterator[Stage]:
    """A desk for all operations that change nothing."""
    with desk_in(tmp_path_factory.mktemp("unwritten") / "desk", organisation) as stage:
        yield stage


@pytest.fixture
def stage(name: str, tmp_path: Path, organisation: Organisation, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Each operation that changes something has a desk of its own."""
    if OPERATIONS[name].method in SAFE and name != ENDLESS:
        yield request.getfixturevalue("unwritten")
        return
    with desk_in(tmp_path / "desk", organisation) as stage:
        if name == ENDLESS:
            stage.live.close()
        yield stage


def filled(book: Book) -> None:
    """Something to be read by every operation."""
    with book.store.transaction():
        book.personal.put([("A-2", {"phone": "+79990001122"})])
    book.versions.put("A-2", "marketplace", "cabinet", {"state": "DELIVERED"})
    book.decide("CANCEL", "a/b", person="vera", source="shop", external_id="1")


def call(stage: Stage, path: str) -> Any:
    from starlette.testclient import TestClient

    return TestClient(stage.app).get(path).json()


def known(case: Any, stage: Stage, name: str, data: st.DataObject) -> None:
    """Puts in what is really there, so that more is reached than refusals."""
    path, query = case.path_parameters, case.query
    if "id" in path:
        path["id"] = data.draw(st.sampled_from(stage.ids))
    if "number" in path:
        path["number"] = data.draw(st.integers(1, 3))
    if name in ("listDecisions", "putVersion") and "id" in path:
        path["id"] = data.draw(st.sampled_from(["A-2", "a/b"]))
    if name in ("listExposures", "getCustody") and "at" in query:
        query["at"] = "2020-01-01T00:00:00Z"
    if name == "decide":
        record = data.draw(st.just("") | st.sampled_from([event["id"] for event in stage.events]))
        case.body = {**case.body, "source": "shop", "external_id": "1", "kind": "CANCEL", "record": record}
    if name == "putVersion":
        case.body = {**case.body, "source": "cabinet", "content": {"cell": data.draw(st.sampled_from("123"))}}
    if "terminal" in path:
        path["terminal"] = stage.terminal
    if name in stage.cursors and "cursor" in query:
        query.clear()
        query["cursor"] = stage.cursors[name]
    if name == "listEvents" and "order" in query:
        query["order"] = data.draw(st.sampled_from(stage.ids))
    if name == "takeEvents":
        case.body = data.draw(st.lists(altered(st.sampled_from(stage.events)), max_size=3))
    if name == "enrolTerminal":
        case.body = data.draw(altered(st.just(stage.enrolment)))


def altered(whole: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """JSON objects, and those with one of their values another one."""
    values = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just([]) | st.just({})
    return whole | st.builds(
        lambda one, at, value: {**one, list(one)[at % len(one)]: value}, whole, st.integers(0, 9), values
    )


@pytest.mark.parametrize("examples", [60, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_nothing_that_fits_the_description_or_not_breaks_the_desk(
    stage: Stage, name: str, mode: GenerationMode, examples: int
) -> None:
    operation = DESCRIBED.find_operation_by_label(label(name))
    assert operation is not None
    operation.schema.app = stage.app
    operation.app = stage.app
    statuses: set[int] = set()
    strict = mode is GenerationMode.NEGATIVE and name not in ALONE and not OPERATIONS[name].lenient

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def asked(case: Any, data: st.DataObject) -> None:
        real = mode is GenerationMode.POSITIVE and data.draw(st.booleans())
        if real:
            known(case, stage, name, data)
        if name == "stream":
            case.query["follow"] = "false"
        response = case.call()
        statuses.add(response.status_code)
        # A body that is too long is refused before it is read.
        rejected = [negative_data_rejection] if strict and response.status_code != 413 else []
        case.validate_response(response, checks=[*CONFORMS, *rejected])
        assert response.status_code < 500

    asked()
    assert stage.faults == []
    if mode is GenerationMode.POSITIVE:
        assert statuses & OPERATIONS[name].answers.keys(), "it never got through"


def label(name: str) -> str:
    operation = OPERATIONS[name]
    return f"{operation.method} {operation.path.replace(':path', '')}"
