"""The ledger over time: a file of the first form is taken over whole, and an order is found across the index."""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from plomba.bench.journal import Journal, filler
from plomba.ledger import Enrolled, Fork, Ledger
from plomba.ledger.merkle import leaf_hash, root
from plomba.trust.keys import PrivateKey
from plomba.trust.records import VerifiedRecord, verify_chain
from plomba_wire import chain, framing, tlv
from plomba_wire.codec import Data, RecordHead
from plomba_wire.pull import split_records
from plomba_wire.vocabulary import Tlv

COUNT = 40


def records(tmp_path: Path, count: int = COUNT) -> tuple[Enrolled, list[VerifiedRecord]]:
    journal = Journal.make(tmp_path / "wire", count)
    found = []
    for piece in journal.pieces(1):
        for frame in framing.Deframer().feed(piece):
            found += split_records(Data.unpack(frame.body)) or []
    enrolled = journal.enrolled
    return enrolled, verify_chain(enrolled.public, 1, 1, chain.genesis(enrolled.public, 1), found)


def first_form(path: Path, enrolled: Enrolled, taken: list[VerifiedRecord]) -> None:
    """A ledger as the first release wrote it, with every third record forwarded and one refused."""
    db = sqlite3.connect(path)
    db.executescript(resources.files("plomba.ledger").joinpath("001_records.sql").read_text(encoding="utf-8"))
    db.execute(
        "INSERT INTO terminal VALUES (?, ?, ?, ?, ?, ?)",
        (enrolled.id, enrolled.public, 1, "old", 7, b"certificate"),
    )
    for leaf, record in enumerate(taken):
        identity = (record.head.terminal, record.head.epoch, record.head.seq)
        order = record.parts.get(Tlv.ORDER)
        db.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *identity,
                leaf,
                record.digest,
                record.previous,
                record.body,
                record.signature,
                order.decode() if order else None,
                None,
            ),
        )
        if leaf % 3:
            refusal = "no" if leaf == 1 else None
            db.execute("INSERT INTO outbox VALUES (?, ?, ?, 2, 5.0, ?)", (*identity, refusal))
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()


def test_a_ledger_of_the_first_form_is_taken_over(tmp_path: Path) -> None:
    enrolled, taken = records(tmp_path)
    first_form(tmp_path / "dock.db", enrolled, taken)
    for _ in range(2):
        with Ledger.open(tmp_path / "dock.db") as ledger:
            rows = list(ledger.all_records())
            assert [(row.leaf, row.seq, row.previous, row.digest, row.body, row.signature) for row in rows] == [
                (leaf, r.head.seq, r.previous, r.digest, r.body, r.signature) for leaf, r in enumerate(taken)
            ]
            assert ledger.counts() == {"records": COUNT, "waiting": 25, "refused": 1}
            assert [(queued.record.leaf, queued.attempts) for queued in ledger.due(5.0, 2)] == [(2, 2), (4, 2)]
            assert ledger.due(4.0, 9) == []
            assert ledger.watermark(enrolled) == (COUNT + 1, taken[-1].digest)
            assert ledger.certificate(enrolled.id, 1) == b"certificate"


def test_an_order_is_found_across_the_parts_of_its_index(tmp_path: Path) -> None:
    enrolled, taken = records(tmp_path)
    order = taken[9].parts[Tlv.ORDER]
    expected = [r.head.seq for r in taken if r.parts.get(Tlv.ORDER) == order]
    with Ledger.open(tmp_path / "dock.db") as ledger:
        ledger.enrol(enrolled)
        ledger.append(taken[:10])
        for other, rows in filler(10_000):
            ledger.enrol(other)
            ledger.append(rows)
        ledger.append(taken[10:])
        found = ledger.records_of(order.decode())
        mine = [row for row in found if row.terminal == enrolled.id]
        assert [row.seq for row in mine] == expected
        assert mine[0].leaf < 4096 and ledger.log()[0] == 10_040
        for row in found:
            assert tlv.unpack(row.body, RecordHead.SIZE)[Tlv.ORDER] == order
        assert ledger.records_of("nothing") == []


def test_the_log_is_over_every_record_in_order(tmp_path: Path) -> None:
    enrolled, taken = records(tmp_path)
    with Ledger.open(tmp_path / "dock.db") as ledger:
        ledger.enrol(enrolled)
        for start in range(0, COUNT, 7):
            ledger.append(taken[start : start + 7])
            digests = [leaf_hash(record.digest) for record in taken[: start + 7]]
            assert ledger.log() == (len(digests), root(digests))


def test_what_is_held_is_not_taken_twice_and_another_body_is_a_fork(tmp_path: Path) -> None:
    enrolled, taken = records(tmp_path)
    key = PrivateKey.generate()
    with Ledger.open(tmp_path / "dock.db") as ledger:
        ledger.enrol(enrolled)
        ledger.append(taken[:20])
        ledger.append(taken[10:30])
        assert ledger.counts()["records"] == 30 and ledger.watermark(enrolled)[0] == 31
        malleated = [
            VerifiedRecord(r.head, r.parts, r.previous, r.body, key.sign(r.digest), r.digest) for r in taken[:5]
        ]
        ledger.append(malleated)
        assert ledger.counts()["records"] == 30, "another signature is no other record"
        assert next(iter(ledger.all_records())).signature == taken[0].signature
        old = taken[4]
        other = VerifiedRecord(old.head, old.parts, old.previous, old.body, old.signature, bytes(32))
        with pytest.raises(Fork) as caught:
            ledger.append([other, *taken[30:]])
        assert (caught.value.held.seq, caught.value.found, caught.value.code) == (5, other, "chain_fork")
        assert ledger.counts()["records"] == 30, "all or nothing"
