"""A backup holds the whole book, goes into either store, and is taken whole or not at all."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from account_scene import accounts_in, with_token
from book_scene import HEADER, Clock, accept, states, take
from desk_process import NOW
from desk_records import Scanner

from plomba.cli import main
from plomba.desk.backup import back_up, restore
from plomba.desk.book import Book
from plomba.desk.store import Store
from plomba.errors import PlombaError, StoreError
from plomba.testing.postgresql import database, programs, server
from plomba.trust.organisation import Organisation

STORES = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    if programs() is None:
        pytest.skip("no PostgreSQL server is installed here")
    with server() as url:
        yield url


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
    else:
        with database(request.getfixturevalue("postgresql")) as url:
            yield url


def a_day(book: Book, organisation: Organisation, clock: Clock) -> None:
    counter = Scanner(organisation, now=NOW)
    book.enrol(counter.certificate, counter.place)
    take(book, "A-1,sealed,17,A1,S1,\nA-2,plain,17,,,\n", HEADER)
    clock.now = NOW + 300
    accept(book, *counter.way("A-1", "S1"), counter.hand_out("A-2"))
    clock.now = NOW + 9 * 86400
    book.tick()
    with_token(accounts_in(book.store, clock))


@pytest.mark.parametrize("url", STORES, indirect=True)
@pytest.mark.parametrize("to", STORES)
def test_it_comes_back_as_it_was(
    tmp_path: Path, organisation: Organisation, url: str | None, to: str, request: pytest.FixtureRequest
) -> None:
    clock = Clock()
    out = tmp_path / "day.zip"
    with closing(Book(tmp_path / "one", organisation, clock, url=url)) as book:
        a_day(book, organisation, clock)
        wanted = states(book), book.store.query("SELECT * FROM incident_notes ORDER BY number")
        rows = back_up(book.store, out, clock())
    assert rows["events"] == 5 and rows["orders"] == 2 and rows["accounts"] == 1 and rows["incidents"] >= 1

    def into(place: str | None) -> None:
        with closing(Store(tmp_path / "two", place)) as store:
            assert restore(out, store) == rows
        with closing(Book(tmp_path / "two", organisation, clock, url=place)) as book:
            assert (states(book), book.store.query("SELECT * FROM incident_notes ORDER BY number")) == wanted
            take(book, "A-3,plain,17,,,\n", HEADER)
            with_token(accounts_in(book.store, clock), "boris")
        with closing(Store(tmp_path / "two", place)) as store, pytest.raises(PlombaError) as caught:
            restore(out, store)
        assert caught.value.code == "desk_restore_full"

    if to == "sqlite":
        into(None)
    else:
        with database(request.getfixturevalue("postgresql")) as place:
            into(place)


def test_a_damaged_one_puts_back_nothing(tmp_path: Path, organisation: Organisation) -> None:
    clock = Clock()
    out = tmp_path / "day.zip"
    with closing(Book(tmp_path / "one", organisation, clock)) as book:
        a_day(book, organisation, clock)
        back_up(book.store, out, clock())
    with zipfile.ZipFile(out) as file:
        members = {name: file.read(name) for name in file.namelist()}

    def rewritten(**other: bytes | None) -> Path:
        path = tmp_path / "other.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name, data in {**members, **other}.items():
                if data is not None:
                    file.writestr(name, data)
        return path

    events = members["events.jsonl"]
    newer = json.dumps({**json.loads(members["backup.json"]), "revision": "9999"}).encode()
    cases = [
        *(rewritten(**{"events.jsonl": data}) for data in (b"", events[:-1], events.replace(b"A-1", b"A-9", 1), None)),
        rewritten(**{"backup.json": newer}),
        rewritten(**{"backup.json": b"{}"}),
        tmp_path / "none.zip",
    ]
    cut = tmp_path / "cut.zip"
    cut.write_bytes(out.read_bytes()[:-30])
    for case in [*cases, cut]:
        with closing(Store(tmp_path / "two")) as store:
            with pytest.raises(PlombaError) as caught:
                restore(case, store)
            assert caught.value.code in ("desk_backup_damaged", "desk_backup_newer")
            assert store.count("FROM orders") == store.count("FROM terminals") == 0


def test_by_command(tmp_path: Path, organisation: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with closing(Book(tmp_path / "one", organisation, clock)) as book:
        a_day(book, organisation, clock)
        with pytest.raises(SystemExit) as ended:
            main(["desk", "backup", str(tmp_path / "x.zip"), "--data", str(tmp_path / "one")])
        assert ended.value.code == 1 and "desk_store_busy" in capsys.readouterr().err
    for command in (
        ["backup", str(tmp_path / "x.zip"), "--data", str(tmp_path / "one")],
        ["restore", str(tmp_path / "x.zip"), "--data", str(tmp_path / "two")],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["desk", *command])
        assert not ended.value.code
        assert json.loads(capsys.readouterr().out)["events"] == 5


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_second_desk_on_one_database_is_refused(tmp_path: Path, organisation: Organisation, url: str) -> None:
    with closing(Book(tmp_path, organisation, Clock(), url=url)):
        with pytest.raises(StoreError) as caught:
            Book(tmp_path / "other", organisation, Clock(), url=url)
        assert caught.value.code == "desk_store_busy"
    Book(tmp_path, organisation, Clock(), url=url).close()
