"""A dry run checks everything, tells every mistake, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from book_scene import accept
from desk_process import DeskProcess
from desk_records import Scanner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_lists import PLAIN, Entry, everything, listed, refused, take, trial

from plomba.cli.desk import import_
from plomba.desk.book import Book

B: Entry = {**PLAIN, "order": "B"}


def test_it_says_what_would_be_done(book: Book) -> None:
    take(book, PLAIN, {**B, "cell": "1"})
    before = everything(book)
    told = trial(book, listed(PLAIN, {**B, "cell": "2"}, {**PLAIN, "order": "C", "phone": "+7 999 123"})).imported
    assert (told.taken - told.changed, told.changed, told.unchanged) == (1, 1, 1)
    assert everything(book) == before


def test_it_lists_the_mistakes_of_the_form_and_those_of_the_book(book: Book, counter: Scanner) -> None:
    take(book, PLAIN, {**B, "seals": "S1"})
    accept(book, counter.retrieve("A-1"))
    before = everything(book)
    data = listed({**PLAIN, "cell": "9"}, {**PLAIN, "order": "C", "seals": "S1"}, {**PLAIN, "order": "D", "class": "x"})
    found = trial(book, data).mistakes
    assert [(bad.row, bad.column, bad.error.code) for bad in found.listed] == [
        (2, "order", "desk_row_changed"),
        (3, "seals", "desk_row_code_taken"),
        (4, "class", "desk_row_class"),
    ]
    assert found.total == 3
    assert everything(book) == before


def test_a_refused_file_lists_the_mistakes_of_the_book_too(book: Book, counter: Scanner) -> None:
    take(book, PLAIN)
    accept(book, counter.retrieve("A-1"))
    before = everything(book)
    assert refused(book, {**PLAIN, "cell": "9"}, {**PLAIN, "order": "D", "class": "x"}) == [
        (2, "order", "desk_row_changed"),
        (3, "class", "desk_row_class"),
    ]
    assert everything(book) == before


def test_a_code_moves_between_orders_of_one_file(book: Book) -> None:
    take(book, {**PLAIN, "seals": "S1 S2"}, {**B, "seals": "S3"})
    assert take(book, {**PLAIN, "seals": "S3"}, {**B, "seals": "S1"}).taken == 2
    assert refused(book, {**PLAIN, "order": "C", "seals": "S1"}) == [(2, "seals", "desk_row_code_taken")]
    assert take(book, {**PLAIN, "order": "C", "seals": "S2"}).taken == 1


def test_a_label_is_no_other_orders_number(book: Book) -> None:
    take(book, PLAIN)
    assert refused(book, {**B, "codes": "label:A-1"}) == [(2, "codes", "desk_row_code_taken")]
    assert refused(book, {**PLAIN, "order": "C", "codes": "label:D"}, {**PLAIN, "order": "D"}) == [
        (3, "order", "desk_row_code_taken")
    ]
    take(book, {**B, "codes": "label:E"})
    assert refused(book, {**PLAIN, "order": "E"}) == [(2, "order", "desk_row_code_taken")]


entries = st.lists(
    st.fixed_dictionaries(
        {
            "order": st.sampled_from(["A", "B", "C", "D"]),
            "class": st.sampled_from(["plain", "sealed", "sealed", "x"]),
            "place": st.sampled_from(["1", "2", "y"]),
            "seals": st.sampled_from(["", "S1", "S2", "S1 S3"]),
            "codes": st.sampled_from(["", "label:A", "label:L"]),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(entries)
def test_the_trial_tells_what_the_import_then_does(book: Book, file: list[dict[str, str]]) -> None:
    before = everything(book)
    told = trial(book, listed(*file))
    assert everything(book) == before
    if told.mistakes.total:
        expected = [(bad.row, bad.column, bad.error.code) for bad in told.mistakes.listed]
        assert refused(book, *file) == expected
        assert everything(book) == before
    else:
        assert take(book, *file) == told.imported


def test_over_http_and_from_the_command_line(
    desk: DeskProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"content-type": "text/csv", "accept-language": "en"}
    data = listed(PLAIN, {**B, "class": "x", "place": "y"})
    answer = desk.http.post("/api/v1/orders?dry_run=1", content=data, headers=headers)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["dry_run"], told["imported"], told["bad"]) == (True, 1, 2)
    assert [(row["row"], row["column"], row["code"]) for row in told["rows"]] == [
        (3, "class", "desk_row_class"),
        (3, "place", "desk_row_place"),
    ]
    assert all(row["reason"] and row["next"] for row in told["rows"])
    unreadable = desk.http.post("/api/v1/orders?dry_run=1", content=b"\xff", headers=headers).json()
    assert (unreadable["imported"], unreadable["bad"]) == (0, 1)
    assert unreadable["rows"][0]["code"] == "desk_import_encoding"
    assert desk.http.get("/healthz").json()["orders"] == 0
    file = tmp_path / "orders.csv"
    file.write_bytes(data)
    assert import_(file, desk=desk.url, dry_run=True) == 2
    assert json.loads(capsys.readouterr().out)["bad"] == 2
    file.write_bytes(listed(PLAIN))
    assert import_(file, desk=desk.url, dry_run=True) == 0
    assert desk.http.get("/healthz").json()["orders"] == 0
    assert import_(file, desk=desk.url) == 0
    assert desk.http.get("/healthz").json()["orders"] == 1
