"""A staff list on its way to the real firmware: taken and recorded, kept, never rolled back, whole after any cut."""

from __future__ import annotations

import pytest
from cuts import done_before_dark
from workbench import BADGE, Workbench, plain

from plomba.desk.staff import compile_list
from plomba.errors import TerminalRefused
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import issue
from plomba.trust.organisation import Signer
from plomba_wire.codec import Health, StaffList
from plomba_wire.vocabulary import Action, Check, Error, ObjectKind, Protection, Role, Tlv, Verdict

pytestmark = pytest.mark.anyio

ORDERS = [plain("A-1")]
STAFF = ObjectKind.STAFF
LIST = """
number = {number}
[[badge]]
number = 42
name = "Анна Кравец"
hand = "CLERK"
pin = "1234"
[[badge]]
number = 7
name = "Mr O'Brien"
hand = "SUPERVISOR"
until = 2033-01-01T00:00:00Z
""" + "".join(f'[[badge]]\nnumber = {badge}\nhand = "COURIER"\n' for badge in range(100, 130))
"""With more than fits beside the names of files in LittleFS."""


def made(bench: Workbench, number: int, *, signer: Signer | None = None) -> bytes:
    body = compile_list(LIST.format(number=number), "staff.toml").body(bench.organisation.desk.key.public)
    return bench.signed(STAFF, body, number, signer=signer)


async def refused(bench: Workbench, number: int, data: bytes) -> tuple[int, int]:
    with pytest.raises(TerminalRefused) as caught:
        await bench.push(STAFF, number, data)
    return caught.value.link_code, caught.value.detail


async def held(bench: Workbench) -> int:
    """The number of the list in force, as the refusal of an older one says it."""
    code, detail = await refused(bench, 1, made(bench, 1))
    assert code == Error.ROLLBACK
    return detail


async def damaged(bench: Workbench) -> bool:
    assert bench.enrolled is not None
    async with bench.session() as session:
        health = Health.unpack((await session.status(bench.enrolled.public)).health)
    return bool(health.checks & Check.STAFF_DAMAGED)


async def test_a_list_is_taken_recorded_and_never_rolled_back(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.push(STAFF, 3, made(bench, 3))
    for _ in range(2):
        assert await held(bench) == 3
        assert not await damaged(bench)
        assert await refused(bench, 2, made(bench, 2)) == (Error.ROLLBACK, 3)
        assert await refused(bench, 3, made(bench, 3)) == (Error.ROLLBACK, 3)
        await bench.terminal.restart()
    await bench.push(STAFF, 4, made(bench, 4))
    assert await held(bench) == 4
    await bench.sync()
    said = [(r.head.action, r.head.verdict, r.parts[Tlv.OBJECT]) for r in bench.records() if Tlv.OBJECT in r.parts]
    for number in (3, 4):
        assert (Action.OBJECT_SET, Verdict.NOTED, bytes([STAFF, 0, 0, 0, number])) in said
    assert (Action.OBJECT_REFUSED, Verdict.OBJECT_OLD, bytes([STAFF, 0, 0, 0, 1])) in said


async def test_no_name_and_no_pin_goes_to_the_terminal(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.push(STAFF, 3, made(bench, 3))
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    assert made(bench, 3)[-200:-150] in flash, "the list is on it"
    for word in ("Анна", "Кравец", "Brien"):
        assert word.encode() not in flash


async def test_another_terminals_word_counts_for_nothing(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    key = PrivateKey.generate()
    root = bench.organisation.root
    assert root is not None
    certificate = issue(
        root,
        key.public,
        role=Role.TERMINAL,
        protection=Protection.OPEN,
        epoch=1,
        label="another",
        serial=9,
        not_before=1,
        not_after=0,
    )
    assert await refused(bench, 3, made(bench, 3, signer=Signer(key, certificate))) == (Error.WRONG_ROLE, 0)
    desk = bench.organisation.desk
    assert (await refused(bench, 3, made(bench, 3, signer=Signer(key, desk.certificate))))[0] == Error.UNKNOWN_KEY
    await bench.push(STAFF, 3, made(bench, 3))


async def test_a_malformed_list_leaves_the_one_before(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.push(STAFF, 3, made(bench, 3))
    owner_of_nothing = StaffList(b"\x01" * 64, b"").pack()
    assert await refused(bench, 4, bench.signed(STAFF, owner_of_nothing, 4)) == (Error.MALFORMED, 0)
    assert await refused(bench, 4, bench.signed(STAFF, bytes(64) + b"row", 4)) == (Error.MALFORMED, 0)
    assert await held(bench) == 3


async def test_a_damaged_list_is_said_and_mended_by_the_next(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.push(STAFF, 3, made(bench, 3))
    await bench.terminal.stop()
    path = bench.terminal.folder / "flash.bin"
    image, row = path.read_bytes(), made(bench, 3)[-64 - 33 : -64]
    assert row in image
    path.write_bytes(image.replace(row, row[:-1] + bytes([row[-1] ^ 1])))
    await bench.terminal.start()
    assert await damaged(bench)
    assert await refused(bench, 2, made(bench, 2)) == (Error.ROLLBACK, 3), (
        "what was in force is remembered apart from it"
    )
    await bench.push(STAFF, 3, made(bench, 3))
    assert not await damaged(bench) and await held(bench) == 3


async def test_a_list_does_not_stand_in_the_way_of_scans(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.push(STAFF, 3, made(bench, 3))
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(BADGE) in ("ok", "repeat")
    assert await held(bench) == 3


async def test_a_cut_leaves_the_old_list_or_the_new_one(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    number, finished = 3, False
    await bench.push(STAFF, number, made(bench, number))
    for operation in range(40):
        await bench.terminal.cut_power(operation, 2)
        finished = await done_before_dark(bench, bench.push(STAFF, number + 1, made(bench, number + 1)))
        await bench.terminal.restart()
        found = await held(bench)
        assert found in (number, number + 1) and not await damaged(bench), operation
        number = found
        if finished:
            break
    assert finished and bench.terminal.power_cuts > 3
