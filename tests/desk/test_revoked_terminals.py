"""Records of a terminal that was revoked: what was made before counts, what was made after is kept apart."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from book_scene import Clock, accept, state, take
from desk_process import NOW
from desk_records import Scanner

from plomba.desk.book import Book
from plomba.desk.differences import Differences
from plomba.errors import StoreError, VerificationError
from plomba.trust.organisation import REVOCATIONS, Organisation
from plomba.trust.revoking import revoke
from plomba_wire.vocabulary import Action, Revocation, State, Verdict

STOLEN = NOW + 100


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return Organisation.create(tmp_path / "own", now=NOW)


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = NOW + 600
    return clock


def stolen(organisation: Organisation, scanner: Scanner, since: int = STOLEN) -> None:
    revoke(organisation, scanner.key.id, reason=Revocation.STOLEN, since=since, now=NOW + 600)


def apart(book: Book) -> list[tuple[str, int]]:
    return sorted((one.code, one.seq) for one in Differences(book.store).conflicts(99))


def test_what_it_does_from_then_on_is_kept_and_moves_nothing(
    book: Book, counter: Scanner, organisation: Organisation
) -> None:
    take(book, "A,plain,17,,,\nB,plain,17,,,\nC,plain,17,,,\n")
    before = counter.store("A")
    late = counter.store("B")
    counter.time = STOLEN - 5
    after = [counter.store("C"), counter.retrieve("A", Verdict.OK), counter.hand_out("A")]
    forged = counter.retrieve("B")
    forged["data"]["signature"] = after[0]["data"]["signature"]
    assert accept(book, before) == ["accepted"]
    stolen(organisation, counter)
    assert accept(book, *after, forged, before) == ["key_revoked"] * 3 + ["record_signature", "duplicate"]
    assert accept(book, late, *after) == ["accepted"] + ["key_revoked"] * 3, "that one was made before"
    assert [state(book, order) for order in "ABC"] == [State.READY, State.READY, State.AT_POINT]
    assert apart(book) == [("key_revoked", seq) for seq in (3, 4, 5)], "each once"
    assert book.store.count("FROM events") == 2
    kept = book.store.query("SELECT body FROM conflicts ORDER BY seq")
    assert [body for (body,) in kept] == [base64.b64decode(event["data"]["body"]) for event in after]


def test_what_it_did_before_it_was_known_stays(book: Book, counter: Scanner, organisation: Organisation) -> None:
    take(book, "A,plain,17,,,\n")
    counter.time = STOLEN
    stored, retrieved = counter.store("A"), counter.retrieve("A", Verdict.OK)
    assert accept(book, stored) == ["accepted"]
    stolen(organisation, counter)
    assert accept(book, stored, retrieved) == ["duplicate", "key_revoked"]
    assert state(book, "A") == State.READY
    with book.store.transaction():
        book._replay.place(["A"], NOW)
    assert state(book, "A") == State.READY


@pytest.mark.parametrize(
    ("came", "said"), [(STOLEN - 1, "accepted"), (STOLEN, "key_revoked")], ids=["before", "from then on"]
)
def test_a_record_without_a_time_is_judged_by_when_it_came(
    book: Book, counter: Scanner, organisation: Organisation, clock: Clock, came: int, said: str
) -> None:
    stolen(organisation, counter)
    clock.now = came
    assert accept(book, counter.record(Action.NOTE, Verdict.NOTED, time=0, flags=0)) == [said]


def test_another_terminal_is_not_touched_and_the_moment_can_become_earlier(
    book: Book, counter: Scanner, organisation: Organisation
) -> None:
    other = Scanner(organisation, now=NOW, label="Other")
    book.enrol(other.certificate, 17)
    stolen(organisation, counter)
    assert accept(book, counter.store("A"), other.record(Action.NOTE, Verdict.NOTED, time=STOLEN)) == ["accepted"] * 2
    stolen(organisation, counter, NOW)
    assert accept(book, counter.store("A")) == ["key_revoked"]


def test_it_is_not_enrolled_again(book: Book, counter: Scanner, organisation: Organisation) -> None:
    stolen(organisation, counter)
    with pytest.raises(VerificationError) as caught:
        book.enrol(counter.certificate, 17)
    assert caught.value.code == "key_revoked"


def test_a_list_that_is_gone_counts_on_and_one_that_cannot_be_read_stops_everything(
    book: Book, counter: Scanner, organisation: Organisation
) -> None:
    path = organisation.folder / REVOCATIONS
    stolen(organisation, counter)
    note = counter.record(Action.NOTE, Verdict.NOTED, time=STOLEN)
    assert accept(book, note) == ["key_revoked"]
    good = path.read_bytes()
    path.unlink()
    assert accept(book, note) == ["key_revoked"]
    path.write_bytes(good[:-1])
    early = counter.record(Action.NOTE, Verdict.NOTED, time=STOLEN - 1)
    with pytest.raises(StoreError) as caught:
        book.accept([early])
    assert caught.value.code == "org_mixed"
    path.write_bytes(good)
    assert accept(book, early) == ["accepted"], "it is sent again"
