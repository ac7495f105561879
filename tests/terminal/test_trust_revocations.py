"""A revocation list holds from the moment it is taken, across restarts and cuts, for everything that arrives."""

from __future__ import annotations

import pytest
from authority import Authority, by
from cuts import TORN, done_before_dark
from trust_scene import rules
from workbench import Workbench, label, plain

from plomba.errors import TerminalRefused
from plomba.trust.organisation import Signer
from plomba_wire.codec import StatusOk
from plomba_wire.vocabulary import Action, Error, ObjectKind, Role, Tlv

pytestmark = pytest.mark.anyio

ORDERS = [plain("A-1"), plain("A-2")]


async def status(bench: Workbench) -> StatusOk:
    assert bench.enrolled is not None
    async with bench.session() as session:
        return await session.status(bench.enrolled.public)


async def give(bench: Workbench, authority: Authority, number: int, keys: list[bytes]) -> None:
    await bench.push(ObjectKind.REVOCATIONS, number, authority.revocations(number, keys))


async def rules_by(bench: Workbench, signer: Signer, version: int) -> None:
    await bench.push(ObjectKind.RULES, version, by(signer, ObjectKind.RULES, rules(version), version))


async def test_a_list_is_taken_recorded_and_kept(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    authority = Authority(bench.organisation.root)
    stolen = authority.signer(Role.DESK)
    assert (await status(bench)).revocations == 0
    await rules_by(bench, stolen, 5)
    await give(bench, authority, 3, [stolen.key.id, bytes(8), b"\xff" * 8])
    for _ in range(2):
        assert (await status(bench)).revocations == 3
        with pytest.raises(TerminalRefused) as caught:
            await rules_by(bench, stolen, 6)
        assert caught.value.link_code == Error.KEY_REVOKED
        with pytest.raises(TerminalRefused) as caught:
            await give(bench, authority, 2, [])
        assert (caught.value.link_code, caught.value.detail) == (Error.ROLLBACK, 3)
        await bench.terminal.restart()
    await rules_by(bench, authority.signer(Role.DESK), 7)
    await bench.sync()
    said = [r.parts[Tlv.OBJECT] for r in bench.records() if r.head.action == Action.OBJECT_SET]
    assert bytes([ObjectKind.REVOCATIONS, 0, 0, 0, 3]) in said


async def test_what_was_installed_before_stays_in_force(bench: Workbench) -> None:
    """A terminal without rules lets nothing go: to revoke the desk's key must not empty a shop's shelves."""
    await bench.ready(ORDERS)
    authority = Authority(bench.organisation.root)
    await give(bench, authority, 1, [bench.organisation.desk.key.id, bench.organisation.dock.key.id])
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(label("A-1")) == "ok"
    now = await status(bench)
    assert now.rules and now.manifest == 1 and now.receipted_seq, "the receipt of a dock revoked since still counts"


async def test_a_newer_list_takes_the_place_of_the_older(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    authority = Authority(bench.organisation.root)
    desk = authority.signer(Role.DESK)
    await give(bench, authority, 1, [desk.key.id])
    await give(bench, authority, 2, [])
    await rules_by(bench, desk, 5)
    assert (await status(bench)).rules == 5


@pytest.mark.parametrize("place", range(5))
async def test_every_key_of_the_longest_list_is_found(bench: Workbench, place: int) -> None:
    await bench.ready(ORDERS)
    authority = Authority(bench.organisation.root)
    desk = authority.signer(Role.DESK)
    middle = int.from_bytes(desk.key.id, "big")
    before = [0, 1, 300, 598, 599][place]
    keys = [number.to_bytes(8, "big") for number in range(before)]
    keys += [(2**64 - 1 - number).to_bytes(8, "big") for number in range(599 - before)]
    assert 599 < middle < 2**64 - 600
    await give(bench, authority, 1, [desk.key.id, *keys])
    with pytest.raises(TerminalRefused) as caught:
        await rules_by(bench, desk, 5)
    assert caught.value.link_code == Error.KEY_REVOKED
    await rules_by(bench, authority.signer(Role.DESK), 5)


async def test_a_root_that_names_itself_can_still_hand_over(bench: Workbench) -> None:
    """Whatever it certified is refused, but the list can be replaced and another root can take over."""
    await bench.ready(ORDERS)
    authority, next = Authority(bench.organisation.root), Authority()
    await give(bench, authority, 1, [authority.id])
    with pytest.raises(TerminalRefused) as caught:
        await rules_by(bench, authority.signer(Role.DESK), 5)
    assert caught.value.link_code == Error.KEY_REVOKED
    await bench.push(ObjectKind.ROOT, 1, authority.hands_over(next.root, 1))
    await rules_by(bench, next.signer(Role.DESK), 5)
    assert (await status(bench)).revocations == 1


async def test_a_terminal_whose_own_key_is_revoked_goes_on_recording(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await give(bench, Authority(bench.organisation.root), 1, [bench.id])
    assert await bench.terminal.scan(label("A-1")) == "ok"
    await bench.terminal.restart()
    async with bench.session() as session:
        assert "the key of this terminal is revoked" in await session.diary()
    await bench.sync()
    assert [r.head.action for r in bench.records()].count(Action.BOOT) == 2


async def test_while_the_stored_list_is_damaged_nobody_is_believed(bench: Workbench) -> None:
    """A list that was lost must not make its keys good again: the dock has to bring one first."""
    await bench.ready(ORDERS)
    authority = Authority(bench.organisation.root)
    keys = [number.to_bytes(8, "big") for number in range(300)]
    await give(bench, authority, 1, keys)
    await bench.terminal.stop()
    flash = bench.terminal.folder / "flash.bin"
    image = flash.read_bytes()
    found = b"".join(key + authority.now.to_bytes(4, "big") + b"\x02" for key in keys[100:103])
    assert image.count(found) == 1
    flash.write_bytes(image.replace(found, found[:12] + b"\x01" + found[13:]))
    await bench.terminal.start()
    assert (await status(bench)).revocations == 0
    async with bench.session() as session:
        assert "revocation list damaged" in await session.diary()
    with pytest.raises(TerminalRefused) as caught:
        await rules_by(bench, authority.signer(Role.DESK), 5)
    assert caught.value.link_code == Error.STORAGE_FAULT
    await give(bench, authority, 2, keys)
    await rules_by(bench, authority.signer(Role.DESK), 5)


@pytest.mark.parametrize("torn", TORN)
async def test_a_cut_leaves_the_old_list_or_the_new_one(bench: Workbench, torn: int) -> None:
    await bench.ready(ORDERS)
    authority = Authority(bench.organisation.root)
    stolen = authority.signer(Role.DESK)
    many = [number.to_bytes(8, "big") for number in range(40)]
    held = 1
    await give(bench, authority, held, [stolen.key.id])
    finished = False
    for operation in range(40):
        await bench.terminal.cut_power(operation, torn)
        finished = await done_before_dark(bench, give(bench, authority, held + 1, [stolen.key.id, *many]))
        await bench.terminal.restart()
        found = (await status(bench)).revocations
        assert found in (held, held + 1)
        held = found
        with pytest.raises(TerminalRefused) as caught:
            await rules_by(bench, stolen, 5)
        assert caught.value.link_code == Error.KEY_REVOKED, operation
        if finished:
            break
    assert finished and bench.terminal.power_cuts > 3
