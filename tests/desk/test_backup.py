"""A backup holds the whole book, goes into either store, and is taken whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import random
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from account_scene import accounts_in, asked, logged_in, with_password, with_token
from book_scene import HEADER, Clock, accept, states, take
from desk_process import NOW
from desk_records import Scanner

from plomba.cli import main
from plomba.desk import backup
from plomba.desk.accounts import Anonymous
from plomba.desk.api.cursors import Cursors
from plomba.desk.backup import back_up, restore
from plomba.desk.book import Book
from plomba.desk.store import Store
from plomba.errors import PlombaError, StoreError, UsageError
from plomba.testing.postgresql import database
from plomba.trust.organisation import Organisation

STORES = ["sqlite", "postgresql"]
_OWN = ("backup.json", "replayed.jsonl")
"""Each backup's own; and what was restored is placed anew at the next start."""


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
    else:
        with database(request.getfixturevalue("postgresql_server")) as url:
            yield url


def a_day(book: Book, organisation: Organisation, clock: Clock) -> None:
    counter = Scanner(organisation, now=NOW)
    book.enrol(counter.certificate, counter.place)
    take(book, "A-1,sealed,17,A1,S1,\nA-2,plain,17,,,\n", HEADER)
    clock.now = NOW + 300
    accept(book, *counter.way("A-1", "S1"), counter.hand_out("A-2"))
    clock.now = NOW + 9 * 86400
    book.tick()
    book.decide("CANCEL", "A-2", person="anna", source="shop", external_id="1")
    with_token(accounts_in(book.store, clock))


@pytest.mark.parametrize("url", STORES, indirect=True)
@pytest.mark.parametrize("to", STORES)
def test_it_comes_back_as_it_was(
    tmp_path: Path,
    organisation: Organisation,
    url: str | None,
    to: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup, "_PAGE", 2)
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
            back_up(store, tmp_path / "again.zip", clock())
        assert lines(tmp_path / "again.zip") == lines(out)
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
        with database(request.getfixturevalue("postgresql_server")) as place:
            into(place)


def lines(path: Path) -> dict[str, list[bytes]]:
    """Table -> its rows; the two stores do not put texts in the same order."""
    with zipfile.ZipFile(path) as file:
        return {name: sorted(file.read(name).splitlines()) for name in file.namelist() if name not in _OWN}


def everything(store: Store) -> list[object]:
    with store.transaction():
        return [store.query(f"SELECT * FROM {name}") for name in backup._tables(store.database)]


@pytest.fixture
def day(tmp_path: Path, organisation: Organisation) -> Path:
    """A backup."""
    clock = Clock()
    out = tmp_path / "day.zip"
    with closing(Book(tmp_path / "one", organisation, clock)) as book:
        a_day(book, organisation, clock)
        back_up(book.store, out, clock())
    return out


DAMAGES = {
    "a table is empty": ("events.jsonl", lambda held: b""),
    "a table is cut": ("events.jsonl", lambda held: held[:-1]),
    "a cell is another": ("events.jsonl", lambda held: held.replace(b'"A-1"', b'"A-9"', 1)),
    "the last table is another": ("terminals.jsonl", lambda held: held.replace(b"Counter 1", b"Counter 2")),
    "a table is missing": ("events.jsonl", lambda held: None),
    "bytes are no bytes": ("events.jsonl", lambda held: held.replace(b'"body":"', b'"body":"!', 1)),
    "no JSON": ("events.jsonl", lambda held: b"{" + held),
    "of another form": ("backup.json", lambda held: held.replace(b"plomba.desk.backup.1", b"plomba.desk.backup.9")),
    "of another revision": ("backup.json", lambda held: json.dumps({**json.loads(held), "revision": "9999"}).encode()),
    "of an older revision": ("backup.json", lambda held: json.dumps({**json.loads(held), "revision": "0001"}).encode()),
    "says nothing": ("backup.json", lambda held: b"{}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_puts_back_nothing(tmp_path: Path, day: Path, damage: str) -> None:
    wrong, made = DAMAGES[damage]
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(day) as file, zipfile.ZipFile(other, "w") as damaged:
        for name in file.namelist():
            held = file.read(name)
            data = made(held) if name == wrong else held
            assert data != held or name != wrong, "it is damaged"
            if data is not None:
                damaged.writestr(name, data)
    refused(tmp_path, other, "desk_backup_newer" if "revision" in damage else "desk_backup_damaged")


class _Undone(Exception):
    pass


@pytest.mark.parametrize("seed", range(4))
def test_whatever_byte_is_damaged_the_answer_is_clear(tmp_path: Path, day: Path, seed: int) -> None:
    chance = random.Random(seed)
    held = day.read_bytes()
    refusals = 0
    with closing(Store(tmp_path / "two")) as store:
        empty = everything(store)
        for _ in range(40):
            damaged = bytearray(held)
            damaged[chance.randrange(len(held))] ^= 1 << chance.randrange(8)
            (tmp_path / "damaged.zip").write_bytes(damaged)
            try:
                with store.transaction():
                    restore(tmp_path / "damaged.zip", store)
                    raise _Undone  # a byte of the archive that says nothing of what is in there
            except PlombaError as error:
                refusals += error.code.startswith("desk_backup")
            except _Undone:
                refusals += 1
        assert everything(store) == empty
    assert refusals == 40


def test_one_of_an_earlier_revision_is_taken_in(tmp_path: Path, day: Path, organisation: Organisation) -> None:
    """As the desk wrote it before it kept closings, strays and what was known at a decision."""
    older = tmp_path / "older.zip"
    with zipfile.ZipFile(day) as file, zipfile.ZipFile(older, "w") as written:
        about = json.loads(file.read("backup.json"))
        about["revision"] = "0007"
        for name in ("closings", "strays"):
            del about["tables"][name]
        for name in about["tables"]:
            rows = [json.loads(line) for line in file.read(f"{name}.jsonl").splitlines()]
            if name == "decisions":
                rows = [{key: value for key, value in row.items() if key != "known"} for row in rows]
            data = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
            about["tables"][name] = [len(rows), hashlib.sha256(data).hexdigest()]
            written.writestr(f"{name}.jsonl", data)
        written.writestr("backup.json", json.dumps(about))
    clock = Clock()
    clock.now = NOW + 9 * 86400
    with closing(Book(tmp_path / "one", organisation, clock)) as book:
        wanted = states(book)
    with closing(Store(tmp_path / "two")) as store:
        restore(older, store)
    with closing(Book(tmp_path / "two", organisation, clock)) as book:
        assert states(book) == wanted


def test_one_that_is_cut_off_or_not_there_puts_back_nothing(tmp_path: Path, day: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(day.read_bytes()[:-30])
    refused(tmp_path, cut, "desk_backup_damaged")
    refused(tmp_path, tmp_path / "none.zip", "desk_backup_damaged")


def refused(tmp_path: Path, path: Path, code: str) -> None:
    with closing(Store(tmp_path / "two")) as store:
        before = everything(store)
        with pytest.raises(PlombaError) as caught:
            restore(path, store)
        assert caught.value.code == code
        assert everything(store) == before


@pytest.mark.parametrize("there", ["orders", "terminals", "accounts", "audit"])
def test_it_goes_into_an_empty_book_only(tmp_path: Path, organisation: Organisation, day: Path, there: str) -> None:
    clock = Clock()
    with closing(Book(tmp_path / "two", organisation, clock)) as book:
        if there == "orders":
            take(book, "B-1,plain,17,,,\n", HEADER)
        elif there == "terminals":
            counter = Scanner(organisation, now=NOW)
            book.enrol(counter.certificate, counter.place)
        elif there == "audit":
            accounts_in(book.store, clock).audit.wrote("", "192.0.2.7", "importOrders", outcome="desk_import_refused")
        else:
            with_token(accounts_in(book.store, clock), "boris")
    refused(tmp_path, day, "desk_restore_full")


def test_a_book_that_a_desk_has_only_opened_is_empty(tmp_path: Path, organisation: Organisation, day: Path) -> None:
    with closing(Book(tmp_path / "two", organisation, Clock())) as book:
        assert any(everything(book.store)), "it wrote down by which lifecycle"
    with closing(Store(tmp_path / "two")) as store:
        restore(day, store)
        back_up(store, tmp_path / "again.zip", NOW)
    assert lines(tmp_path / "again.zip") == lines(day)


def test_what_was_given_out_before_is_not_taken_back(tmp_path: Path, organisation: Organisation) -> None:
    """The book behind a cursor is another one: going on from it would lose what came to the same numbers."""
    clock = Clock()
    with closing(Book(tmp_path / "one", organisation, clock)) as book:
        accounts = accounts_in(book.store, clock)
        with_password(accounts)
        session = logged_in(accounts).token
        cursor = Cursors.of(book.store).seal("stream", {"record": 1})
        back_up(book.store, tmp_path / "day.zip", NOW)
    with closing(Store(tmp_path / "two")) as store:
        restore(tmp_path / "day.zip", store)
        assert store.count("FROM account_sessions") == 0
        accounts = accounts_in(store, clock)
        assert asked(accounts, session) == Anonymous()
        with pytest.raises(UsageError) as caught:
            Cursors.of(store).open("stream", cursor, dict[str, int])
        assert caught.value.code == "desk_cursor"
        logged_in(accounts)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, day: Path) -> None:
    before = day.read_bytes()
    with closing(Store(tmp_path / "two")) as store, pytest.raises(PlombaError) as caught:
        back_up(store, day, NOW)
    assert (caught.value.code, day.read_bytes()) == ("desk_backup_there", before)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_its_owner_reads_a_book_and_its_backup(tmp_path: Path, organisation: Organisation) -> None:
    out = tmp_path / "day.zip"
    out.with_name("day.zip.part").write_bytes(b"left by a crash")
    held = os.umask(0o022)
    try:
        with closing(Book(tmp_path / "one", organisation, Clock())) as book:
            back_up(book.store, out, NOW)
            files = sorted((tmp_path / "one").iterdir())
            assert [file.name for file in files] == ["desk.sqlite3", "desk.sqlite3-wal"]
            assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "one", *files, out)] == [
                "0o700",
                *["0o600"] * 3,
            ]
    finally:
        os.umask(held)


def test_a_disk_that_is_full_leaves_no_half_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        assert not out.exists(), "it has its name when it is whole"
        raise OSError(28, "No space left on device")

    out = tmp_path / "out" / "day.zip"
    out.parent.mkdir()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with closing(Store(tmp_path / "one")) as store, pytest.raises(StoreError) as caught:
        back_up(store, out, NOW)
    assert caught.value.code == "desk_store_failed"
    assert list(out.parent.iterdir()) == []


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
