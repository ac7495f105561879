"""A backup that was changed is refused, whoever made its sums fit again; the record that is wrong is named."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from book_scene import HEADER, Clock, accept, states, take
from desk_process import NOW
from desk_records import Scanner, any_record

from plomba.cli import main
from plomba.desk.backup import back_up, restore
from plomba.desk.book import Book
from plomba.desk.store import Store
from plomba.errors import VerificationError
from plomba.trust.organisation import Organisation
from plomba_wire import chain
from plomba_wire.vocabulary import Action, State, Verdict

Row = dict[str, Any]


class Backup:
    """A day of two terminals, whose files can be changed so that every sum in them fits again."""

    def __init__(self, folder: Path, organisation: Organisation) -> None:
        self.folder = folder
        clock = Clock()
        self.file = folder / "day.zip"
        self.one, self.other = Scanner(organisation, now=NOW), Scanner(organisation, now=NOW, label="Counter 2")
        with closing(Book(folder / "one", organisation, clock)) as book:
            for scanner in (self.one, self.other):
                book.enrol(scanner.certificate, scanner.place)
            take(book, "A-1,sealed,17,A1,S1,\nA-2,plain,17,,,\nA-3,sealed,17,A3,S3,\n", HEADER)
            clock.now = NOW + 300
            events = [*self.one.way("A-1", "S1"), self.one.hand_out("A-2"), *self.other.way("A-3", "S3")]
            assert accept(book, *events) == ["accepted"] * 9
            # One of the second terminal's has not come yet; one of the first's is a copied terminal's.
            self.other.store("A-2")
            copied = self.one.seq, self.one.head
            assert accept(book, self.other.hand_out("A-2"), self.one.store("A-9")) == ["accepted"] * 2
            self.one.seq, self.one.head = copied
            assert accept(book, self.one.store("A-7")) == ["record_conflict"]
            self.states = states(book)
            back_up(book.store, self.file, clock())
        with zipfile.ZipFile(self.file) as file:
            self.members = {name: file.read(name) for name in file.namelist()}

    def rows(self, table: str) -> list[Row]:
        return [json.loads(line) for line in self.members[f"{table}.jsonl"].splitlines()]

    def changed(self, table: str, change: Callable[[list[Row]], object]) -> Path:
        """A backup in which `change` was done to the rows of a table; its SHA-256 is the right one."""
        rows = self.rows(table)
        change(rows)
        lines = b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)
        about = json.loads(self.members["backup.json"])
        about["tables"][table] = [len(rows), hashlib.sha256(lines).hexdigest()]
        path = self.folder / "changed.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name, data in self.members.items():
                new = {f"{table}.jsonl": lines, "backup.json": json.dumps(about).encode()}
                file.writestr(name, new.get(name, data))
        return path


@pytest.fixture
def backup(tmp_path: Path, organisation: Organisation) -> Backup:
    return Backup(tmp_path, organisation)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def at(scanner: Scanner, seq: int) -> Callable[[list[Row]], Row]:
    id = b64(scanner.key.id)
    return lambda rows: next(row for row in rows if (row["terminal"], row.get("seq")) == (id, seq))


def flipped(row: Row, column: str, byte: int = -1) -> None:
    data = bytearray(base64.b64decode(row[column]))
    data[byte] ^= 1
    row[column] = b64(bytes(data))


def refused(file: Path, store: Store, organisation: Organisation | None = None) -> tuple[str, str, str, str]:
    """(code, terminal, seq, reason); nothing was written."""
    tables = ("events", "orders", "terminals", "effects", "marks", "accounts", "incidents", "counters", "conflicts")
    with pytest.raises(VerificationError) as caught:
        restore(file, store, organisation)
    assert {table: store.count(f"FROM {table}") for table in tables} == dict.fromkeys(tables, 0)
    fields = caught.value.fields
    assert fields["path"] == str(file)
    return caught.value.code, fields["terminal"], fields.get("seq", ""), fields["reason"]


@pytest.fixture
def store(tmp_path: Path, book_url: str | None) -> Iterator[Store]:
    with closing(Store(tmp_path / "two", book_url)) as store:
        yield store


def swap(first: Row, second: Row, column: str) -> None:
    first[column], second[column] = second[column], first[column]


def test_a_record_that_was_changed_is_named(backup: Backup, store: Store) -> None:
    one, other = backup.one, backup.other
    third, fourth = at(one, 3), at(one, 4)

    def rehashed(rows: list[Row]) -> None:
        row = third(rows)
        flipped(row, "body")
        row["body_hash"] = b64(hashlib.sha256(base64.b64decode(row["body"])).digest())

    def left_out(rows: list[Row]) -> None:
        rows.remove(third(rows))

    def renumbered(rows: list[Row]) -> None:
        rows.remove(third(rows))
        fourth(rows)["seq"] = 3

    cases: list[tuple[Callable[[list[Row]], object], Scanner | None, int, str]] = [
        (lambda rows: flipped(third(rows), "body"), one, 3, "record_signature"),
        (rehashed, one, 3, "record_signature"),
        (left_out, one, 3, "missing"),
        (renumbered, one, 3, "columns"),
        (lambda rows: rows.remove(at(one, 6)(rows)), one, 6, "missing"),
        (lambda rows: flipped(third(rows), "signature"), one, 3, "record_signature"),
        (lambda rows: swap(third(rows), fourth(rows), "signature"), one, 3, "record_signature"),
        (lambda rows: swap(third(rows), fourth(rows), "seq"), one, 3, "columns"),
        (lambda rows: at(one, 5)(rows).update(terminal=b64(other.key.id)), other, 5, "record_foreign"),
        (lambda rows: third(rows).update(terminal=b64(bytes(8))), None, 3, "desk_terminal_unknown"),
        (lambda rows: flipped(third(rows), "previous"), one, 3, "record_signature"),
        (lambda rows: flipped(third(rows), "digest"), one, 3, "columns"),
        (lambda rows: flipped(third(rows), "body_hash"), one, 3, "columns"),
        (lambda rows: third(rows).update(order_id="A-2"), one, 3, "columns"),
        (lambda rows: third(rows).update(order_id=None), one, 3, "columns"),
        (lambda rows: third(rows).update(order_ref=1), one, 3, "columns"),
        (lambda rows: third(rows).update(epoch=2), one, 3, "columns"),
        (lambda rows: third(rows).update(body=b64(b"x")), one, 3, "record_malformed"),
    ]
    for number, (change, scanner, seq, reason) in enumerate(cases):
        code, terminal, told, why = refused(backup.changed("events", change), store)
        assert (code, told, why) == ("desk_backup_record", str(seq), reason), number
        assert terminal == (scanner.id if scanner else "00" * 8), number
    restore(backup.file, store)
    assert store.count("FROM events") == 11


def test_a_chain_that_does_not_run_on_is_named(backup: Backup, tmp_path: Path, organisation: Organisation) -> None:
    """Records that the terminal's own key signed, of another history."""
    one = backup.one
    twin = Scanner(organisation, now=NOW, key=one.key)
    others = [twin.store(f"A-{n}") for n in range(4)]

    def another(rows: list[Row]) -> None:
        row, data = at(one, 3)(rows), others[2]["data"]
        body, previous = base64.b64decode(data["body"]), bytes.fromhex(data["previous"])
        row.update(body=data["body"], signature=data["signature"], previous=b64(previous))
        row.update(body_hash=b64(hashlib.sha256(body).digest()), digest=b64(chain.step(previous, body)))

    def cut_off(rows: list[Row]) -> None:
        """The first record has nothing before it but the key."""
        for seq in (1, 2):
            rows.remove(at(one, seq)(rows))
        another(rows)
        row = at(one, 3)(rows)
        row.update(seq=1)

    with closing(Store(tmp_path / "two")) as store:
        told = refused(backup.changed("events", another), store)
        assert told == ("desk_backup_record", one.id, "3", "desk_record_unlinked")
        assert refused(backup.changed("events", cut_off), store)[1:3] == (one.id, "1")


def test_marks_conflicts_and_terminals_are_proved(backup: Backup, tmp_path: Path, organisation: Organisation) -> None:
    one, other = backup.one, backup.other
    id = b64(one.key.id)

    def mine(rows: list[Row]) -> Row:
        return next(row for row in rows if row["terminal"] == id)

    def none_left(rows: list[Row]) -> None:
        rows[:] = [row for row in rows if row["terminal"] != id]

    stranger = Scanner(Organisation.create(tmp_path / "stranger", now=NOW), now=NOW, key=one.key)
    with closing(Store(tmp_path / "two")) as store:

        def tried(table: str, change: Callable[[list[Row]], object], *wanted: str) -> None:
            assert refused(backup.changed(table, change), store) == wanted

        record, terminal = "desk_backup_record", "desk_backup_terminal"
        tried("marks", lambda rows: mine(rows).update(through=5), record, one.id, "6", "mark")
        tried("marks", lambda rows: mine(rows).update(through=9), record, one.id, "7", "missing")
        tried("marks", none_left, record, one.id, "1", "mark")
        tried("events", none_left, record, one.id, "1", "missing")
        tried("conflicts", lambda rows: flipped(mine(rows), "body"), record, one.id, "6", "record_signature")
        tried("conflicts", lambda rows: mine(rows).update(seq=5), record, one.id, "5", "columns")
        tried("terminals", none_left, record, one.id, "1", "desk_terminal_unknown")
        key = b64(other.key.public)
        tried("terminals", lambda rows: mine(rows).update(public=key), terminal, one.id, "", "columns")
        tried(
            "terminals", lambda rows: mine(rows).update(certificate=b64(b"x")), terminal, one.id, "", "object_malformed"
        )
        swapped = b64(other.certificate)
        tried("terminals", lambda rows: mine(rows).update(certificate=swapped), terminal, one.id, "", "columns")
        desk = b64(organisation.desk.certificate)
        tried("terminals", lambda rows: mine(rows).update(certificate=desk), terminal, one.id, "", "role_wrong")
        forged = backup.changed("terminals", lambda rows: mine(rows).update(certificate=b64(stranger.certificate)))
        assert refused(forged, store, organisation) == (terminal, one.id, "", "root_foreign")
        restore(backup.file, store, organisation)


def test_what_follows_from_records_is_worked_out_anew(
    backup: Backup, tmp_path: Path, organisation: Organisation, book_url: str | None
) -> None:
    """Where the orders are is not taken from the file."""

    def moved(rows: list[Row]) -> None:
        for row in rows:
            row.update(state=State.DELIVERED, holder=0, disputed=0)

    file = backup.changed("orders", moved)
    with closing(Store(tmp_path / "two", book_url)) as store:
        restore(file, store, organisation)
    with closing(Book(tmp_path / "two", organisation, Clock(), url=book_url)) as book:
        assert states(book) == backup.states


@pytest.mark.parametrize("seed", range(3))
def test_any_records_come_back(tmp_path: Path, organisation: Organisation, book: Book, clock: Clock, seed: int) -> None:
    """Late, double and missing ones, labels that came before their order: what the desk took is what it can prove."""
    chance = random.Random(seed)
    scanners = [Scanner(organisation, now=NOW, label=f"Counter {n}") for n in range(3)]
    for scanner in scanners:
        book.enrol(scanner.certificate, scanner.place)
    events = [any_record(scanner, scanners, chance) for _ in range(40) for scanner in scanners]
    label = chain.order_ref(b"E")
    events += [scanner.record(Action.STORE, Verdict.OK, "L-E", after=State.READY, ref=label) for scanner in scanners]
    chance.shuffle(events)
    events = [event for event in events if chance.random() < 0.9]
    clock.now = NOW + 900
    for at in range(0, len(events), 20):
        book.accept([*events[at : at + 20], *events[:5]])
        if at == 60:
            take(book, "".join(f"{id},sealed,17,,S{n},\n" for n, id in enumerate("ABCD")), HEADER)
            take(book, "E,plain,17,label:L-E\n", "order,class,place,codes\n")
    assert book.store.count("FROM events WHERE order_id = 'E'")
    clock.now += 9 * 86400
    book.tick()
    back_up(book.store, tmp_path / "day.zip", clock())
    wanted = states(book), book.store.query("SELECT * FROM incident_notes ORDER BY number")
    with closing(Store(tmp_path / "two")) as store:
        restore(tmp_path / "day.zip", store, organisation)
    with closing(Book(tmp_path / "two", organisation, clock)) as again:
        assert (states(again), again.store.query("SELECT * FROM incident_notes ORDER BY number")) == wanted


def test_by_command_with_the_root(
    backup: Backup, tmp_path: Path, organisation: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup.changed("events", lambda rows: flipped(at(backup.one, 2)(rows), "body"))
    command = ["desk", "restore", str(file), "--data", str(tmp_path / "two"), "--org", str(organisation.folder)]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 4
    told = capsys.readouterr().err
    assert "desk_backup_record" in told and backup.one.id in told
    command[2] = str(backup.file)
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert not ended.value.code and json.loads(capsys.readouterr().out)["events"] == 11
