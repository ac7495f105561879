"""A journal that rotted: nothing else is lost with a page, nothing is passed over in silence, the pages are kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from workbench import Workbench, label, plain

from plomba.dock import Dock, Report
from plomba.errors import VerificationError
from plomba.ledger import Ledger
from plomba.trust.records import verify_chain, verify_record
from plomba_wire.codec import Health
from plomba_wire.vocabulary import Action, Check, Tlv

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"L-{number}") for number in range(12)]
PAGE = 256


async def day(bench: Workbench) -> int:
    """Twelve scans that no dock has seen; the number of the first."""
    await bench.ready(ORDERS)
    first = bench.ledger.counts()["records"] + 1
    for order in ORDERS:
        await bench.terminal.scan(label(order.id))
    await bench.terminal.stop()
    return first


def rot(bench: Workbench, code: bytes, *, at: int = 0) -> bytes:
    """Flips a bit of the page on which the record of this scan lies: in its body, or `at` bytes before the page's end.
    What the page is then."""
    path = bench.terminal.folder / "flash.bin"
    flash = bytearray(path.read_bytes())
    place = flash.rindex(code, 0, 512 * 1024)
    page = place - place % PAGE
    flash[page + PAGE - at if at else place] ^= 0x10
    path.write_bytes(flash)
    return bytes(flash[page : page + PAGE])


async def accepting(bench: Workbench, *losses: tuple[int, int]) -> Report:
    dock = Dock(bench.ledger, bench.organisation, None, bench.clock, accept_losses=losses)
    return await dock.sync(bench.terminal.port)


async def refused(bench: Workbench, *losses: tuple[int, int]) -> tuple[str, int | None, int]:
    """Code, first and last number of what a docking ends with."""
    with pytest.raises(VerificationError) as caught:
        await accepting(bench, *losses)
    return caught.value.code, caught.value.position, int(caught.value.fields.get("last", 0))


def all_verify(bench: Workbench) -> None:
    assert bench.enrolled is not None
    for record in bench.ledger.all_records():
        verify_record(bench.enrolled.public, record.previous, record.body, record.signature)


async def start(bench: Workbench) -> None:
    await bench.terminal.start()
    await bench.terminal.engine_ready()


def stored(bench: Workbench) -> list[bytes | None]:
    return [record.parts.get(Tlv.ORDER) for record in bench.records() if record.head.action == Action.STORE]


async def test_a_lost_record_is_named_and_the_rest_taken_when_a_person_says_so(bench: Workbench) -> None:
    first = await day(bench)
    page = rot(bench, b"L-4")
    await start(bench)
    for _ in range(2):
        assert await refused(bench) == ("records_lost", first + 4, first + 4)
    # Everything before it is there and the page is kept; no receipt lets the terminal erase anything behind it.
    assert stored(bench) == [order.id.encode() for order in ORDERS[:4]]
    assert [found.content for found in bench.ledger.losses.pages()] == [page]
    report = await accepting(bench, (first + 4, first + 4))
    assert bench.enrolled is not None
    assert report.lost == bench.ledger.losses.of(bench.enrolled)
    assert [(loss.first_seq, loss.last_seq) for loss in report.lost] == [(first + 4, first + 4)]
    assert "CHAIN_BROKEN" in report.checks
    rest = [order.id.encode() for order in ORDERS[:4] + ORDERS[5:]]
    assert stored(bench) == rest
    # The start's own record says it too, under the terminal's signature.
    told = [Health.unpack(record.parts[Tlv.HEALTH]) for record in bench.records() if Tlv.HEALTH in record.parts]
    assert told[-1].broken == 0 and any(health.broken == first + 4 for health in told)
    assert any(health.checks & Check.CHAIN_BROKEN for health in told)
    # And it is over: the terminal works on, and the next docking knows nothing of it.
    await bench.terminal.scan(label("L-4"))
    assert (await bench.sync()).lost == []
    assert stored(bench) == [*rest, b"L-4"]
    all_verify(bench)
    # Whoever makes evidence of that day hears of it.
    bench.ledger.close()
    folder = bench.terminal.folder.parent
    made = subprocess.run(
        [
            *(sys.executable, "-m", "plomba", "evidence", "L-3", "--ledger", str(folder / "dock.db")),
            *("--org", str(folder / "org"), "--out", str(folder / "pack")),
        ],
        env={**os.environ, "PLOMBA_LANG": "en", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert made.returncode == 0 and f"its flash lost records {first + 4} to {first + 4}" in made.stderr
    bench.ledger = Ledger.open(folder / "dock.db")


async def test_a_rotten_signature_costs_nothing(bench: Workbench) -> None:
    await day(bench)
    rot(bench, b"L-4", at=20)
    await start(bench)
    report = await bench.sync()
    assert report.lost == [] and "CHAIN_BROKEN" not in report.checks
    assert stored(bench) == [order.id.encode() for order in ORDERS]


async def test_two_losses_and_what_lies_between_them(bench: Workbench) -> None:
    first = await day(bench)
    for code in (b"L-2", b"L-3", b"L-8"):
        rot(bench, code)
    await start(bench)
    assert await refused(bench) == ("records_lost", first + 2, first + 3)
    # What nobody has named is not accepted with it.
    assert await refused(bench, (first + 2, first + 3)) == ("records_lost", first + 8, first + 8)
    assert stored(bench) == [order.id.encode() for order in ORDERS[:2] + ORDERS[4:8]]
    report = await accepting(bench, (first + 2, first + 3), (first + 8, first + 8))
    assert [(loss.first_seq, loss.last_seq) for loss in report.lost] == [(first + 8, first + 8)]
    all_verify(bench)
    assert stored(bench) == [order.id.encode() for order in ORDERS if order.id not in ("L-2", "L-3", "L-8")]
    assert len(bench.ledger.losses.pages()) == 3


async def test_rot_in_the_middle_of_a_run_is_found_by_the_pull(bench: Workbench) -> None:
    """The terminal has not started again since: only reading the record shows it."""
    await bench.ready(ORDERS)
    first = bench.ledger.counts()["records"] + 1
    for order in ORDERS:
        await bench.terminal.scan(label(order.id))
    page = rot(bench, b"L-4")
    assert await refused(bench) == ("records_lost", first + 4, first + 4)
    assert page in [found.content for found in bench.ledger.losses.pages()]
    await accepting(bench, (first + 4, first + 4))
    assert stored(bench) == [order.id.encode() for order in ORDERS if order.id != "L-4"]
    # The terminal has said it under its own signature, before any receipt let it forget.
    [told] = [record for record in bench.records() if record.head.action == Action.RECORDS_LOST]
    assert int.from_bytes(told.parts[Tlv.REF_SEQ], "big") == first + 4
    assert Health.unpack(told.parts[Tlv.HEALTH]).broken == first + 4
    all_verify(bench)


async def test_the_newest_receipted_record_rots(bench: Workbench) -> None:
    """The receipt tells where the chain goes on: nothing is missing, and nobody is taken for a copy."""
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("L-1"))
    await bench.sync()
    await bench.terminal.stop()
    rot(bench, b"L-1")
    await start(bench)
    await bench.terminal.scan(label("L-2"))
    report = await bench.sync()
    assert report.lost == [] and stored(bench) == [b"L-1", b"L-2"]
    all_verify(bench)
    await bench.terminal.restart()
    assert (await bench.sync()).lost == []


async def test_the_newest_record_rots_after_the_dock_has_it_and_before_its_receipt(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("L-1"))
    assert bench.enrolled is not None
    newest, previous = bench.ledger.watermark(bench.enrolled)
    async with bench.session() as session:
        async for batch in session.pull(1, newest, previous):
            bench.ledger.append(verify_chain(bench.enrolled.public, 1, newest, previous, batch.records))
            session.credit(newest + 1)
    await bench.terminal.stop()
    rot(bench, b"L-1")
    await start(bench)
    await bench.terminal.scan(label("L-2"))
    assert await refused(bench) == ("records_lost", newest, newest)
    assert bench.ledger.forks.quarantined(bench.id) is None
    await accepting(bench, (newest, newest))
    # The dock still has it, and the chain goes on from the one before it.
    assert stored(bench) == [b"L-1", b"L-2"]
    all_verify(bench)


async def test_a_copy_is_found_behind_a_loss(bench: Workbench) -> None:
    """So long a one that the search for the first difference has to step around it."""
    first = await day(bench)
    for number in range(2, 10):
        rot(bench, b"L-%d" % number)
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await start(bench)
    await accepting(bench, (first + 2, first + 9))
    await bench.terminal.scan(label("L-2"))
    await bench.sync()
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await start(bench)
    for code in ("L-3", "L-4"):
        await bench.terminal.scan(label(code))
    assert (await refused(bench))[0] == "chain_fork"
    assert bench.ledger.forks.quarantined(bench.id) is not None
    [(_, proof)] = bench.ledger.forks.proofs()
    _, held, found = proof.verify(bench.organisation.fingerprint)
    assert held.identity == found.identity and held.digest != found.digest


async def test_a_terminal_that_was_rolled_back_into_a_loss_is_noticed(bench: Workbench) -> None:
    """Its newest number is one that the ledger knows to be lost: there is nothing to hold its head against."""
    await bench.ready(ORDERS)
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await start(bench)
    first = bench.ledger.counts()["records"] + 2
    for order in ORDERS[:6]:
        await bench.terminal.scan(label(order.id))
    await bench.terminal.stop()
    for code in (b"L-1", b"L-2", b"L-3"):
        rot(bench, code)
    await start(bench)
    await accepting(bench, (first + 1, first + 3))
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await start(bench)
    for order in ORDERS[:2]:
        await bench.terminal.scan(label(order.id))
    assert bench.enrolled is not None
    async with bench.session() as session:
        assert (await session.status(bench.enrolled.public)).next_seq == first + 2
    assert (await refused(bench))[0] == "tail_cut"
    assert bench.ledger.forks.quarantined(bench.id) is not None


async def test_a_torn_page_is_kept_and_no_alarm(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.cut_power(0, 2)
    bench.terminal.show(label("L-1"))
    bench.terminal.press("scan")
    await bench.terminal.wait(lambda: bench.terminal.powered_down, "cut")
    await bench.terminal.restart()
    report = await bench.sync()
    assert (report.lost, report.damaged_pages) == ([], 1)
    assert "CHAIN_BROKEN" not in report.checks
    assert (await bench.sync()).damaged_pages == 0
    [page] = bench.ledger.losses.pages()
    assert page.content[:1] == b"\xa5" and page.content.endswith(b"\xff" * 128)
