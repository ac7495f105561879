"""A request that is sent again under its key is answered, not done again, wherever the desk died meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from account_scene import HERE, accounts_in, with_token
from api_scene import Api, refusal
from book_scene import Clock, accept, take
from desk_process import BATCH, NOW, DeskProcess, statuses
from desk_records import Scanner

from plomba.desk.api import create_app, orders
from plomba.desk.api.idempotency import KEPT_S, REFUSAL_MAX, Kept, Keys, key_of
from plomba.desk.book import Book
from plomba.desk.live import Live
from plomba.desk.problems import Malformed
from plomba.errors import StoreError, UsageError
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, Verdict

ORDERS = "order,class,place,value,currency,seals\nA-1,sealed,17,48900.50,RUB,S1\nA-2,plain,17,,,\n"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
CSV = "text/csv"


def post(desk: DeskProcess, content: str = ORDERS, key: str = KEY, path: str = "/api/v1/orders", **headers: str) -> Any:
    headers = {"content-type": CSV, "idempotency-key": key} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return desk.http.post(path, content=content.encode(), headers=headers)


def answered(answer: Any) -> tuple[int, str, bytes]:
    return answer.status_code, answer.headers["content-type"], answer.content


def test_the_same_request_gets_the_same_answer(desk: DeskProcess) -> None:
    first = post(desk)
    assert first.json() == {"imported": 2, "unchanged": 0}
    for key in (KEY, f'"{KEY}"'):
        assert answered(post(desk, key=key)) == answered(first)
    assert post(desk, key="another").json() == {"imported": 0, "unchanged": 2}


def test_nothing_is_kept_for_those_who_bring_records(api: Api, book: Book, counter: Scanner) -> None:
    """They need no account: two docks may have chosen one key, and anybody could fill the disk."""
    api.as_("anna", "clerk")
    take(book, "A-1,plain,17,,,\n")
    headers = {"content-type": BATCH, "idempotency-key": KEY}
    events = [counter.store("A-1"), counter.retrieve("A-1")]
    found = [
        api.http.post("/api/v1/events", json=batch, headers=headers).json()["results"]
        for batch in ([events[0]], [events[0]], [events[1]], [{"id": "x"}])
    ]
    assert [statuses(results) for results in found] == [
        ["accepted"],
        ["duplicate"],
        ["accepted"],
        ["desk_event_malformed"],
    ]
    assert book.store.count("FROM idempotency") == 0


def test_a_refusal_is_an_answer_too(desk: DeskProcess) -> None:
    bad = "order,class,place,seals\nA-9,sealed,17,S1\nA-8,sealed,17,S1\n"
    first = post(desk, bad, accept_language="ru")
    assert (first.status_code, first.json()["code"]) == (422, "desk_import_refused")
    assert answered(post(desk, bad, accept_language="ru")) == answered(first)
    taken = "order,class,place,seals\nA-7,sealed,17,S1\n"
    post(desk, key="first")
    refused = post(desk, taken, key="second")
    assert refused.json()["rows"][0]["code"] == "desk_row_code_taken"
    post(desk, "order,class,place\nA-1,sealed,17\n", key="third")
    assert answered(post(desk, taken, key="second")) == answered(refused), "what would be done by now is not done"
    assert desk.http.get("/api/v1/orders/A-7").status_code == 404


def test_a_key_is_one_requests(desk: DeskProcess, scanner: Scanner) -> None:
    post(desk)

    def reused(answer: Any) -> None:
        assert (answer.status_code, answer.json()["code"]) == (422, "desk_key_reused")
        assert answer.headers["content-type"] == "application/problem+json"

    reused(post(desk, ORDERS + "A-3,plain,17,,,\n"))
    reused(post(desk, "[]", content_type="application/json"))
    reused(post(desk, path="/api/v1/orders?lang=ru"))
    headers = {"idempotency-key": KEY}
    reused(desk.http.post("/api/v1/terminals", json=scanner.enrolment, headers=headers))
    assert desk.http.get("/api/v1/orders/A-3").status_code == 404


def test_a_key_is_of_one_address_and_one_form(api: Api, book: Book, counter: Scanner) -> None:
    """What is sent is the same each time."""
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\n")
    accept(book, *(counter.record(Action.DAMAGE, Verdict.OK, id) for id in ("A-1", "A-2")))
    found = [
        api.http.post(f"/api/v1/incidents/{number}/close", json={"text": "x"}, headers={"idempotency-key": KEY})
        for number in (1, 2)
    ]
    assert found[0].status_code == 200
    assert refusal(found[1]) == (422, "desk_key_reused")
    assert api.get("incidents/2")["closed"] is None
    found = [
        api.http.post("/api/v1/orders", content=b"[]", headers={"idempotency-key": "other", "content-type": form})
        for form in ("application/json", CSV)
    ]
    assert found[0].json().get("code") != "desk_key_reused"
    assert refusal(found[1]) == (422, "desk_key_reused")


def test_a_key_is_one_accounts(api: Api) -> None:
    headers = {"content-type": CSV, "idempotency-key": KEY}
    for name in ("anna", "boris"):
        order = f"order,class,place\n{name},plain,17\n"
        client = api.as_(name, "supervisor")
        answers = [client.post("/api/v1/orders", content=order, headers=headers) for _ in range(2)]
        assert [answer.json() for answer in answers] == [{"imported": 1, "unchanged": 0}] * 2


def test_a_fault_is_no_answer(api: Api, book: Book) -> None:
    """Whoever tries again after it gets it done."""

    def fails(*_: object) -> None:
        raise StoreError("desk_store_failed", path="x", reason="y")

    headers = {"content-type": CSV, "idempotency-key": KEY}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "take", fails)
        answer = api.http.post("/api/v1/orders", content=ORDERS, headers=headers)
        assert refusal(answer) == (503, "desk_store_down")
    assert api.http.post("/api/v1/orders", content=ORDERS, headers=headers).json() == {"imported": 2, "unchanged": 0}


def test_reading_needs_no_key_and_keeps_none(api: Api, book: Book) -> None:
    headers = {"content-type": CSV, "idempotency-key": KEY}
    assert api.http.post("/api/v1/orders", content=ORDERS, headers=headers).status_code == 200
    for count in (2, 3):
        assert api.http.get("/healthz", headers={"idempotency-key": KEY}).json()["orders"] == count
        take(book, "A-3,plain,17,,,\n")
    assert book.store.count("FROM idempotency") == 1


NO_KEYS = ["", '""', "a b", "x" * 129, '"half', 'a"b', "ключ".encode().decode("latin-1"), "a, b"]


def test_what_is_no_key_is_refused(desk: DeskProcess) -> None:
    for key in NO_KEYS:
        headers = [(b"content-type", b"text/csv"), (b"idempotency-key", key.encode("latin-1"))]
        answer = desk.http.post("/api/v1/orders", content=ORDERS.encode(), headers=headers)
        found = answer.json()
        assert (answer.status_code, found["code"], found["field"]) == (400, "desk_request_malformed", "Idempotency-Key")
    assert desk.http.get("/api/v1/orders").json() == {"orders": []}


def test_two_keys_are_none(desk: DeskProcess) -> None:
    headers = [("content-type", CSV), ("idempotency-key", "a"), ("idempotency-key", "b")]
    assert desk.http.post("/api/v1/orders", content=ORDERS.encode(), headers=headers).status_code == 400


def test_keys_are_read_as_the_draft_writes_them() -> None:
    assert key_of('"a-1"') == key_of("a-1") == "a-1"
    for wrong in ("", " ", '"', "a\\b", "\x7f", "é"):
        with pytest.raises(Malformed):
            key_of(wrong)


DIES = """
import os
from plomba.desk.api import serving
whole = serving.{function}
def dies(*args):
    {steps}
serving.{function} = dies
"""
AFTER_THE_COMMIT = DIES.format(function="_carried_out", steps="whole(*args); os._exit(9)")
IN_KEEPING = "import os\nfrom plomba.desk.api.idempotency import Keys\nKeys.keep = lambda *args: os._exit(9)\n"
BEFORE_IT = DIES.format(function="_made", steps="whole(*args); os._exit(9)")


@pytest.mark.parametrize(("before", "there"), [(AFTER_THE_COMMIT, True), (IN_KEEPING, False), (BEFORE_IT, False)])
def test_a_desk_that_dies_has_done_it_once(
    tmp_path: Path, organisation: Organisation, before: str, there: bool
) -> None:
    desk = DeskProcess(tmp_path / "desk", organisation.folder, before=before)
    with pytest.raises(httpx2.TransportError):
        post(desk)
    assert desk.ended() == 9
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    assert (desk.http.get("/api/v1/orders/A-1").status_code == 200) == there
    assert post(desk).json() == {"imported": 2, "unchanged": 0}
    assert answered(post(desk)) == answered(post(desk))
    assert desk.http.get("/healthz").json()["orders"] == 2
    assert desk.stop() == 0


def test_records_are_accepted_once_by_a_desk_that_dies(tmp_path: Path, organisation: Organisation) -> None:
    scanner = Scanner(organisation, now=NOW)
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    desk.enrol(scanner)
    desk.orders(ORDERS)
    assert desk.stop() == 0
    events = scanner.way("A-1", "S1")
    headers = {"content-type": BATCH}
    desk = DeskProcess(tmp_path / "desk", organisation.folder, before=AFTER_THE_COMMIT)
    with pytest.raises(httpx2.TransportError):
        desk.http.post("/api/v1/events", json=events, headers=headers)
    desk.ended()
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    answer = desk.http.post("/api/v1/events", json=events, headers=headers)
    assert statuses(answer.json()["results"]) == ["duplicate"] * 4
    assert desk.http.get("/healthz").json()["answers"] == {"accepted": 4, "duplicate": 4}
    assert desk.stop() == 0


@pytest.mark.anyio
async def test_what_still_runs_is_not_begun_again(
    tmp_path: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it keep another account from doing what has the same key."""
    read, begun, held = orders.rows_of, threading.Semaphore(0), threading.Event()

    def reads(*of: Any) -> Any:
        begun.release()
        assert held.wait(20)
        return read(*of)

    monkeypatch.setattr(orders, "rows_of", reads)
    clock = Clock()
    with ThreadPoolExecutor(1) as thread:
        book = thread.submit(Book, tmp_path, organisation, clock).result()
        accounts = accounts_in(book.store, clock)
        tokens = [thread.submit(with_token, accounts, name, "supervisor").result() for name in ("anna", "boris")]
        app = create_app(book, thread, Live(), None, accounts)
        found: dict[str, Any] = {}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=f"http://{HERE}") as http:

            async def ask(token: str) -> Any:
                headers = {"content-type": CSV, "idempotency-key": KEY, "authorization": f"Bearer {token}"}
                found[token] = await http.post("/api/v1/orders", content=ORDERS, headers=headers)
                return found[token]

            async with anyio.create_task_group() as tasks:
                for token in tokens:
                    tasks.start_soon(ask, token)
                    assert await anyio.to_thread.run_sync(begun.acquire, True, 10), "it has begun"
                refused = await ask(tokens[0])
                assert refusal(refused) == (409, "desk_key_running")
                assert refused.headers["retry-after"] == "1"
                held.set()
            first = found[tokens[0]]
            assert [found[token].json() for token in tokens] in (
                [{"imported": 2, "unchanged": 0}, {"imported": 0, "unchanged": 2}],
                [{"imported": 0, "unchanged": 2}, {"imported": 2, "unchanged": 0}],
            )
            assert answered(await ask(tokens[0])) == answered(first)
        thread.submit(book.close).result()


def test_answers_are_kept_for_seven_days_and_no_longer(book: Book, clock: Clock) -> None:
    keys = Keys(book.store, clock)
    kept = Kept(b"r" * 32, 200, "application/json", b"{}")
    keys.keep("", "k", "importOrders", kept)
    clock.now += KEPT_S - 1
    assert keys.kept("", "k", kept.request) == kept
    assert keys.kept("other", "k", kept.request) is None, "keys of others are others"
    with pytest.raises(UsageError):
        keys.kept("", "k", b"q" * 32)
    clock.now += 1
    assert keys.kept("", "k", b"q" * 32) is None
    keys.keep("", "k", "importOrders", kept)
    keys.keep("other", "k", "importOrders", kept)
    assert book.store.count("FROM idempotency") == 2, "what is too old is dropped"


def test_what_fails_with_its_key_has_not_happened(book: Book, clock: Clock) -> None:
    """The effect and the answer are one transaction."""
    keys = Keys(book.store, clock)
    kept = Kept(b"r" * 32, 200, "application/json", b"{}")
    keys.keep("", "k", "importOrders", kept)
    with pytest.raises(StoreError), book.store.transaction():
        book.take_orders([])
        book.store.tally(["something"])
        keys.keep("", "k", "importOrders", kept)
    assert book.store.count("FROM counters") == 0


def test_a_long_refusal_is_worked_out_again(desk: DeskProcess) -> None:
    bad = "order,class,place\n" + "A-1,none,x\n" * 2000
    first = post(desk, bad)
    assert len(first.content) > REFUSAL_MAX
    assert answered(post(desk, bad)) == answered(first)
    assert post(desk).status_code == 200, "the key is free: nothing happened under it"
