"""Copied and rolled-back terminals: the first record that differs is found, kept as proof, and the key set aside."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from workbench import Workbench, label, plain

from plomba.cli import main
from plomba.errors import VerificationError
from plomba.terminal import Terminal
from plomba.trust.forks import ForkProof
from plomba_wire.codec import StatusOk

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"F-{number}") for number in range(40)]


async def copied(bench: Workbench, common: int, first: int, second: int) -> None:
    """`common` scans in both, then `first` on the terminal that was docked, `second` on its copy."""
    await bench.ready(ORDERS)
    for number in range(common):
        await bench.terminal.scan(label(f"F-{number}"))
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await bench.terminal.start()
    await bench.terminal.engine_ready()
    for number in range(10, 10 + first):
        await bench.terminal.scan(label(f"F-{number}"))
    await bench.sync()
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await bench.terminal.start()
    await bench.terminal.engine_ready()
    for number in range(20, 20 + second):
        await bench.terminal.scan(label(f"F-{number}"))


@pytest.mark.parametrize(("common", "first", "second"), [(0, 1, 6), (5, 9, 9), (3, 2, 12), (2, 9, 2)])
async def test_the_first_record_that_differs_is_the_proof(
    bench: Workbench, common: int, first: int, second: int
) -> None:
    """Also when the copy has fewer records than we know of."""
    await copied(bench, common, first, second)
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code == "chain_fork"
    [(_, proof)] = bench.ledger.forks.proofs()
    _, held, found = proof.verify(bench.organisation.fingerprint)
    assert held.head.seq == found.head.seq == caught.value.position
    assert held.previous == found.previous, "up to there they are one chain"
    assert bench.ledger.forks.quarantined(bench.id) is not None


async def test_a_cut_tail_is_set_aside_too(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await bench.terminal.start()
    await bench.terminal.engine_ready()
    for number in range(9):
        await bench.terminal.scan(label(f"F-{number}"))
    await bench.sync()
    # The boot record would already be another one: the flash goes back, but is not started anew.
    known = bench.ledger.counts()["records"]
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await bench.terminal.start()
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code in ("tail_cut", "chain_fork")
    assert bench.ledger.forks.quarantined(bench.id) is not None
    assert bench.ledger.counts()["records"] == known


async def test_a_terminal_that_hides_its_tail_is_set_aside(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The firmware signs a BOOT record behind any cut. One that does not is modelled by the status it would give."""
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("F-1"))
    await bench.sync()
    assert bench.enrolled is not None
    newest = bench.ledger.counts()["records"] - 1
    head = bench.ledger.digest(bench.enrolled, newest)
    honest = Terminal.status

    async def hiding(terminal: Terminal, public: bytes) -> StatusOk:
        status = await honest(terminal, public)
        status.next_seq, status.head = newest + 1, head
        return status

    monkeypatch.setattr(Terminal, "status", hiding)
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code == "tail_cut"
    assert bench.ledger.forks.quarantined(bench.id) == f"its records end at {newest}"
    assert bench.ledger.forks.proofs() == [], "nothing differs, so there is nothing to show"


async def test_a_person_lets_it_in_again(bench: Workbench) -> None:
    await copied(bench, 2, 2, 2)
    with pytest.raises(VerificationError):
        await bench.sync()
    assert bench.ledger.forks.release(bench.id) and not bench.ledger.forks.release(bench.id)
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code == "chain_fork", "the copy is a copy still"
    assert len(bench.ledger.forks.proofs()) == 1


async def test_the_proof_stands_by_itself(bench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await copied(bench, 1, 2, 3)
    with pytest.raises(VerificationError):
        await bench.sync()
    bench.ledger.close()
    with pytest.raises(SystemExit) as left:
        main(["dock", "forks", "--ledger", str(tmp_path / "dock.db"), "--out", str(tmp_path / "out")])
    assert left.value.code == 4
    [path] = (tmp_path / "out").iterdir()
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main(["verify", str(path), "--root", bench.organisation.fingerprint, "--json"])
    assert left.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["proves"], said["terminal"], path.stem) == (
        "fork",
        bench.id.hex(),
        f"{said['terminal']}-{said['epoch']}-{said['seq']}",
    )
    data = path.read_bytes()
    random = Random(1)
    for at in {*random.sample(range(len(data)), 60), 0, 4, 5, len(data) - 1}:
        broken = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        with pytest.raises(VerificationError):
            ForkProof.parse(broken).verify(bench.organisation.fingerprint)
    for end in (0, 4, 5, 80, len(data) - 1):
        with pytest.raises(VerificationError):
            ForkProof.parse(data[:end]).verify(bench.organisation.fingerprint)
    with pytest.raises(VerificationError):
        ForkProof.parse(data + b"\0")
    proof = ForkProof.parse(data)
    for same in (ForkProof(proof.root, proof.certificate, proof.first, proof.first),):
        with pytest.raises(VerificationError) as caught:
            same.verify(bench.organisation.fingerprint)
        assert caught.value.code == "fork_proves_nothing"
    with pytest.raises(VerificationError) as caught:
        proof.verify("00" * 32)
    assert caught.value.code == "root_foreign"
