"""`plomba bench ingest` in a small form: its keys and limits, and that what it measures is what a dock does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plomba.bench import ingest
from plomba.bench.journal import Journal, body, filler
from plomba.cli import main
from plomba.errors import VerificationError
from plomba.ledger import Ledger
from plomba.trust.records import verify_record
from plomba_wire import tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Tlv

_ORDER = tlv.unpack(body(bytes(8), 4), RecordHead.SIZE)[Tlv.ORDER]


def test_a_small_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "ingest", "--records", "2000", "--rows", "10000", "--json"])
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["records"] == 2000 and 140 < facts["mean_record_bytes"] < 170
    assert facts["rows"] == {"few": 100, "many": 10000}
    assert set(facts["limits"]) == set(facts["met"]) == set(ingest.LIMITS)
    for name in ("us_bare", "us_all", "us_head", "ratio_all", "ratio_head", "cost_1e6_vs_1e4", "memory_growth"):
        assert facts[name] > 0, name


@pytest.mark.parametrize("by_head", [False, True])
def test_what_is_ingested_is_on_disk_and_every_signature_fits(tmp_path: Path, by_head: bool) -> None:
    journal = Journal.make(tmp_path / "wire", 300)
    docking = ingest.Docking(tmp_path, "dock", journal, by_head=by_head)
    for wire in journal.pieces(7):
        docking.take(wire)
    docking.ledger.close()
    with Ledger.open(tmp_path / "dock.db") as ledger:
        rows = list(ledger.all_records())
        assert [row.seq for row in rows] == list(range(1, 301))
        assert ledger.counts() == {"records": 300, "waiting": 300, "refused": 0}
        for row in rows:
            verify_record(journal.enrolled.public, row.previous, row.body, row.signature)
        of_order = [row.seq for row in rows if tlv.unpack(row.body, RecordHead.SIZE).get(Tlv.ORDER) == _ORDER]
        assert [row.seq for row in ledger.records_of(_ORDER.decode())] == of_order != []


def test_a_wrong_signature_is_noticed_by_both_ways(tmp_path: Path) -> None:
    """By head the last one of a batch is checked; with every one, any."""
    journal = Journal.make(tmp_path / "wire", 40)
    [wire] = journal.pieces(1)
    other = Journal.make(tmp_path / "other", 40)
    for by_head in (False, True):
        docking = ingest.Docking(tmp_path, f"dock {by_head}", other, by_head=by_head)
        with pytest.raises(VerificationError):
            docking.take(wire)
        assert docking.ledger.counts()["records"] == 0
        docking.ledger.close()


def test_the_filler_is_as_large_as_it_says(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "dock.db") as ledger:
        for enrolled, records in filler(1000):
            ledger.enrol(enrolled)
            ledger.append(records)
        assert ledger.counts()["records"] == 1000
