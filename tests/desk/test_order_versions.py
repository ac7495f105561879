"""What each party said of an order, and when, is kept."""

from __future__ import annotations

import hashlib
import json

import pytest
from api_scene import Api, refusal
from book_scene import Clock, accept
from desk_records import Scanner
from order_lists import PLAIN, listed, refused, take

from plomba.desk.api.idempotency import REFUSAL_MAX
from plomba.desk.book import Book
from plomba.desk.versions import Difference
from plomba.errors import UsageError


def told(book: Book) -> list[tuple[str, str, str, int]]:
    return [(v.party, v.status, v.content.get("cell", ""), v.at) for v in book.versions.of("A-1")]


def test_every_import_that_says_something_new_is_a_version(book: Book, clock: Clock) -> None:
    start = clock.now
    take(book, {**PLAIN, "cell": "1"}, source="monday.csv")
    clock.now += 10
    take(book, {**PLAIN, "cell": "1"}, source="again.csv")
    take(book, {**PLAIN, "cell": "2"}, source="tuesday.csv")
    assert told(book) == [("shop", "taken", "1", start), ("shop", "taken", "2", start + 10)]
    assert [version.source for version in book.versions.of("A-1")] == ["monday.csv", "tuesday.csv"]


def test_a_version_has_the_digest_of_its_content(book: Book) -> None:
    take(book, {**PLAIN, "shop": "Север"})
    (version,) = book.versions.of("A-1")
    canonical = json.dumps(version.content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert version.sha256 == hashlib.sha256(canonical).digest()
    assert version.content["shop"] == "Север"


def test_what_comes_after_a_scan_is_kept_as_a_claim(book: Book, counter: Scanner) -> None:
    take(book, {**PLAIN, "cell": "1"})
    accept(book, counter.retrieve("A-1"))
    for _ in range(2):
        assert refused(book, {**PLAIN, "cell": "2"}, {**PLAIN, "order": "B"}) == [(2, "order", "desk_row_changed")]
    assert [entry[:3] for entry in told(book)] == [("shop", "taken", "1"), ("shop", "refused", "2")]
    order = book.store.order("A-1")
    assert order is not None and order.cell == "1"
    assert (book.store.order("B"), book.versions.of("B")) == (None, [])


def test_a_claim_that_comes_over_the_api_is_kept_and_its_refusal_is_in_the_audit(api: Api, counter: Scanner) -> None:
    """However long the refusal is."""
    take(api.book, {**PLAIN, "cell": "1"})
    accept(api.book, counter.retrieve("A-1"))
    others = [{**PLAIN, "order": f"B-{number}"} for number in range(400)]
    take(api.book, *others)
    accept(api.book, *(counter.retrieve(other["order"]) for other in others))
    for cell, more in (("2", []), ("3", [{**other, "cell": "9"} for other in others])):
        file = listed({**PLAIN, "cell": cell}, *more)
        headers = {"content-type": "text/csv", "idempotency-key": cell}
        answer = api.http.post("/api/v1/orders", content=file, headers=headers)
        assert refusal(answer) == (422, "desk_import_refused")
        assert (len(answer.content) > REFUSAL_MAX) == bool(more)
        assert {row["code"] for row in answer.json()["rows"]} == {"desk_row_changed"}
    found = api.get("orders/A-1/versions")["versions"]
    assert [(one["status"], one["content"]["cell"]) for one in found] == [
        ("taken", "1"),
        ("refused", "2"),
        ("refused", "3"),
    ]
    assert [entry.outcome for entry in api.accounts.audit.listed()] == ["desk_import_refused"] * 2
    assert api.get("orders/A-1")["cell"] == "1"


def test_parties_put_their_views_and_the_differences_are_listed(book: Book, counter: Scanner) -> None:
    take(book, {**PLAIN, "value": "100", "currency": "RUB", "cell": "1"})
    put = book.versions.put
    assert put("A-1", "marketplace", "cabinet", {"value": "100.00", "state": "DELIVERED", "place": "18"})
    assert not put("A-1", "marketplace", "cabinet", {"value": "100.00", "state": "DELIVERED", "place": "18"})
    assert put("A-1", "customer", "chat", {"items": "2", "value": "90.00"})
    assert put("A-1", "customer", "chat", {"items": "2", "value": "80.00"})
    assert book.versions.differences("A-1") == [
        Difference("state", {"marketplace": "DELIVERED", "desk": "AT_POINT"}),
        Difference("place", {"shop": "17", "marketplace": "18"}),
        Difference("value", {"shop": "100.00", "marketplace": "100.00", "customer": "80.00"}),
    ]
    accept(book, counter.store("A-1"), counter.retrieve("A-1"), counter.hand_out("A-1"))
    assert [difference.field for difference in book.versions.differences("A-1")] == ["place", "value"]
    assert [version.party for version in book.versions.of("A-1")] == ["shop", "marketplace", "customer", "customer"]


def test_a_view_is_answered_with_itself_however_many_there_are(api: Api) -> None:
    take(api.book, {**PLAIN, "cell": "0"})
    path, kept = "/api/v1/orders/A-1/versions", []
    for cell in "12234":
        view = {"party": "marketplace", "source": "cabinet", "content": {"cell": cell}}
        kept.append(api.http.post(path, json=view).json())
        # Another party speaks in between.
        api.http.post(path, json={**view, "party": "customer"})
    assert [one["content"]["cell"] for one in kept] == list("12234")
    assert kept[1] == kept[2], "it said so before"
    whole = api.get("orders/A-1/versions")
    assert [one for one in whole["versions"] if one["party"] == "marketplace"] == [*kept[:2], *kept[3:]]
    assert whole["differences"] == [{"field": "cell", "said": {"shop": "0", "marketplace": "4", "customer": "4"}}]
    for limit in (1, 4, 8, 9):
        rows, query = [], {"limit": limit}
        while True:
            found = api.get("orders/A-1/versions", **query)
            assert (len(found["versions"]) <= limit, found["differences"]) == (True, whole["differences"])
            rows += found["versions"]
            if "next" not in found:
                break
            query["cursor"] = found["next"]
        assert rows == whole["versions"]
    take(api.book, {**PLAIN, "order": "B"})
    cursor = api.get("orders/A-1/versions", limit=1)["next"]
    assert refusal(api.http.get("/api/v1/orders/B/versions", params={"cursor": cursor})) == (400, "desk_cursor")


def test_a_party_that_comes_back_to_what_it_said_first_is_heard(book: Book) -> None:
    take(book, PLAIN)
    for items in ("1", "2", "1"):
        assert book.versions.put("A-1", "carrier", "", {"items": items})
    assert [version.content["items"] for version in book.versions.of("A-1")[1:]] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("order", "party", "content", "code"),
    [
        ("A-1", "shop", {"cell": "1"}, "desk_view_party"),
        ("A-1", "desk", {"cell": "1"}, "desk_view_party"),
        ("B", "customer", {"cell": "1"}, "desk_order_unknown"),
        ("A-1", "customer", {"phone": "+7999"}, "desk_view_field"),
        ("A-1", "customer", {"note": "x"}, "desk_view_field"),
        ("A-1", "customer", {"order": "B"}, "desk_view_field"),
        ("A-1", "customer", {"cell": 1}, "desk_view_field"),
        ("A-1", "customer", {"cell": "a\nb"}, "desk_view_field"),
        ("A-1", "customer", {"cell": "\ud800"}, "desk_view_field"),
        ("A-1", "customer", {"codes": "\0"}, "desk_view_field"),
        ("A-1", "customer", {"codes": "\ud800"}, "desk_view_field"),
        ("A-1", "customer", {"shop": "x" * 65537}, "desk_view_field"),
        ("A-1", "customer", {"state": "GONE"}, "desk_view_field"),
    ],
)
def test_a_view_that_cannot_be_kept_is_refused(
    book: Book, order: str, party: str, content: dict[str, object], code: str
) -> None:
    take(book, PLAIN)
    with pytest.raises(UsageError) as caught:
        book.versions.put(order, party, "", content)
    assert caught.value.code == code
    assert len(book.versions.of("A-1")) == 1
