"""A signed object that was in force and is gone from flash is damaged, not one that was never given."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from authority import Authority
from workbench import BADGE, Workbench, plain, qr

from plomba.sim.interpreter import interpreter
from plomba_wire.codec import Health, SealList, StaffList, StaffRow
from plomba_wire.vocabulary import Action, Check, Hand, ObjectKind, Verdict

pytestmark = pytest.mark.anyio

HERE = Path(__file__).resolve().parent
PATH = [HERE.parents[1] / folder for folder in ("tests/journal", "firmware", "firmware/lib", "protocol")]
FILES = 96 * 4096
ORDERS = [plain("A-1")]
NUMBER = 3

FILE = {
    ObjectKind.RULES: ("rules", Check.RULES_DAMAGED),
    ObjectKind.STAFF: ("staff", Check.STAFF_DAMAGED),
    ObjectKind.SEALS: ("seals", Check.SEALS_DAMAGED),
    ObjectKind.REVOCATIONS: ("revoked", Check.REVOCATIONS_DAMAGED),
}


async def checks(bench: Workbench) -> int:
    assert bench.enrolled is not None
    async with bench.session() as session:
        return Health.unpack((await session.status(bench.enrolled.public)).health).checks


async def give(bench: Workbench, kind: int) -> None:
    """Lists so short that they lie beside the names of the files."""
    if kind == ObjectKind.REVOCATIONS:
        await bench.push(kind, NUMBER, Authority(bench.organisation.root).revocations(NUMBER, [b"stranger"]))
    elif kind == ObjectKind.STAFF:
        rows = StaffRow(42, Hand.CLERK, 0, bytes(8), bytes(16)).pack()
        await bench.push(kind, NUMBER, bench.signed(kind, StaffList(bytes(64), rows).pack(), NUMBER))
    elif kind == ObjectKind.SEALS:
        await bench.push(kind, NUMBER, bench.signed(kind, SealList(0, 0, 0, b"").pack(), NUMBER))
    else:
        await bench.push_rules()


async def lose(bench: Workbench, name: str) -> None:
    """The file is not there at the next start; its flash is that of a terminal that is off."""
    await bench.terminal.stop()
    flash = bench.terminal.folder / "flash.bin"
    image = flash.read_bytes()
    state = bench.terminal.folder / "state.bin"
    state.write_bytes(image[-FILES:])
    command = [str(interpreter()), "-X", "heapsize=2M", str(HERE / "lose_mpy.py"), str(state), name]
    paths = ":".join([*map(str, PATH), ".frozen"])
    subprocess.run(command, env={**os.environ, "MICROPYPATH": paths}, check=True, capture_output=True)
    flash.write_bytes(image[:-FILES] + state.read_bytes())
    await bench.terminal.start()
    await bench.terminal.engine_ready()


@pytest.mark.parametrize("kind", FILE)
async def test_what_is_gone_is_said_and_mended_by_the_dock(bench: Workbench, kind: int) -> None:
    await bench.ready(ORDERS)
    if kind != ObjectKind.RULES:
        await give(bench, kind)
    name, check = FILE[kind]
    assert not await checks(bench) & check
    await lose(bench, name)
    assert await checks(bench) & check
    await give(bench, kind)
    assert not await checks(bench) & check


async def test_no_badge_is_as_good_as_another_where_the_staff_list_is_gone(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await give(bench, ObjectKind.STAFF)
    await lose(bench, "staff")
    for badge in (BADGE, qr("PLB*BADGE*43")):
        await bench.terminal.scan(badge)
    await bench.sync()
    said = [record.head.verdict for record in bench.records() if record.head.action == Action.SHIFT_OPEN]
    assert said[-2:] == [Verdict.BADGE_UNKNOWN] * 2


async def test_an_older_list_of_orders_that_comes_back_is_said(bench: Workbench) -> None:
    await bench.ready(ORDERS, version=1)
    await bench.push_manifest(ORDERS, 2)
    await bench.terminal.stop()
    path = bench.terminal.folder / "flash.bin"
    flash = bytearray(path.read_bytes())
    titles = [at for at in range(0, len(flash) - FILES, 4096) if flash.startswith(b"PLBS", at)]
    newest = max(titles, key=lambda at: flash[at + 12 : at + 16])
    flash[newest] ^= 1
    path.write_bytes(flash)
    await bench.terminal.start()
    assert await checks(bench) & Check.MANIFEST_DAMAGED
    await bench.push_manifest(ORDERS, 2)
    assert not await checks(bench) & Check.MANIFEST_DAMAGED
