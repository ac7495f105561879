"""A certificate for the next epoch ends a chain that is receipted to its end, and begins a new one at record 1."""

from __future__ import annotations

import hashlib
import struct

import pytest
from authority import Authority, by
from cuts import TORN, done_before_dark
from workbench import BADGE, Workbench, label, plain

from plomba.errors import TerminalRefused
from plomba.ledger import Enrolled
from plomba.terminal import Terminal
from plomba.trust.records import VerifiedRecord, verify_chain
from plomba_wire import chain
from plomba_wire.codec import ReceiptBody, StatusOk
from plomba_wire.vocabulary import Action, Error, ObjectKind, Tlv

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"A-{number}") for number in range(20)]


def who(bench: Workbench) -> Enrolled:
    assert bench.enrolled is not None
    return bench.enrolled


async def certify(session: Terminal, bench: Workbench, epoch: int, serial: int = 77) -> None:
    authority = Authority(bench.organisation.root)
    await session.offer_root(authority.root.public, authority.for_terminal(who(bench).public, epoch, serial), 1.0)


async def refused(bench: Workbench, epoch: int) -> tuple[int, int]:
    async with bench.session() as session:
        with pytest.raises(TerminalRefused) as caught:
            await certify(session, bench, epoch)
    return caught.value.link_code, caught.value.detail


def receipt(bench: Workbench, status: StatusOk) -> bytes:
    body = ReceiptBody(bench.id, status.epoch, status.next_seq - 1, status.head, 1, 1, bytes(32)).pack()
    return by(bench.organisation.dock, ObjectKind.RECEIPT, body, 1)


async def settle(bench: Workbench) -> bytes:
    """Gives a receipt for everything, and returns it."""
    async with bench.session() as session:
        status = await session.status(who(bench).public)
        given = receipt(bench, status)
        await session.give_receipt(given)
    return given


async def records(bench: Workbench, epoch: int) -> list[VerifiedRecord]:
    """The whole chain of an epoch, from its genesis, every signature verified."""
    public = who(bench).public
    previous = chain.genesis(public, epoch)
    out: list[VerifiedRecord] = []
    async with bench.session() as session:
        async for batch in session.pull(epoch, 1, previous):
            out += verify_chain(public, epoch, batch.first_seq, previous, batch.records)
            previous = out[-1].digest
            session.credit(out[-1].head.seq + 1)
        assert (await session.status(public)).head == previous
    return out


async def test_a_new_epoch_begins_at_record_1_and_names_what_came_before(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("A-1"))
    last = await settle(bench)
    async with bench.session() as session:
        before = await session.status(who(bench).public)
        await certify(session, bench, 2)
        key = await session.public_key()
        after = await session.status(key.public)
    assert (key.public, key.epoch) == (who(bench).public, 2)
    assert before.next_seq > 5
    assert (after.epoch, after.first_seq, after.next_seq, after.receipted_seq) == (2, 1, 2, 0)
    assert (after.rules, after.manifest) == (before.rules, before.manifest)
    (first,) = await records(bench, 2)
    assert (first.head.action, first.head.seq, first.head.epoch) == (Action.KEY_ROTATE, 1, 2)
    assert first.parts[Tlv.OBJECT] == struct.pack(">BI", ObjectKind.CERTIFICATE, 77)
    assert first.parts[Tlv.AFTER_RECEIPT] == hashlib.sha256(last).digest()


async def test_the_terminal_works_on_in_the_new_epoch(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await settle(bench)
    async with bench.session() as session:
        await certify(session, bench, 2)
    assert await bench.terminal.scan(label("A-1")) == "refused", "the shift went with the old epoch's records"
    await bench.terminal.scan(BADGE)
    assert await bench.terminal.scan(label("A-1")) == "ok"
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(label("A-2")) == "ok"
    found = await records(bench, 2)
    assert [record.head.action for record in found] == [
        Action.KEY_ROTATE,
        Action.REFUSED_SCAN,
        Action.SHIFT_OPEN,
        Action.STORE,
        Action.BOOT,
        Action.STORE,
    ]
    async with bench.session() as session:
        with pytest.raises(TerminalRefused) as caught:
            async for _ in session.pull(1, 1, chain.genesis(who(bench).public, 1)):
                pass
    assert (caught.value.link_code, caught.value.detail) == (Error.EPOCH_CHANGED, 2)
    await settle(bench)
    async with bench.session() as session:
        await certify(session, bench, 3)
        assert (await session.status(who(bench).public)).epoch == 3


async def test_not_before_every_record_has_its_receipt(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await settle(bench)
    await bench.terminal.scan(label("A-1"))
    async with bench.session() as session:
        status = await session.status(who(bench).public)
    assert await refused(bench, 2) == (Error.UNSYNCED_RECORDS, status.next_seq - 1)
    async with bench.session() as session:
        assert (await session.status(who(bench).public)).head == status.head
    await settle(bench)
    async with bench.session() as session:
        await certify(session, bench, 2)


async def test_epochs_go_up_one_by_one(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await settle(bench)
    assert await refused(bench, 0) == (Error.ROLLBACK, 1)
    assert await refused(bench, 3) == (Error.BAD_RANGE, 1)
    async with bench.session() as session:
        await certify(session, bench, 2)
    assert await refused(bench, 1) == (Error.ROLLBACK, 2)
    assert await refused(bench, 4) == (Error.BAD_RANGE, 2)
    await bench.terminal.restart()
    assert await refused(bench, 1) == (Error.ROLLBACK, 2)


async def test_a_blank_terminal_is_in_its_first_epoch(bench: Workbench) -> None:
    authority = Authority()
    async with bench.session() as session:
        key = await session.public_key()
        for epoch, code in ((0, Error.ROLLBACK), (2, Error.BAD_RANGE)):
            with pytest.raises(TerminalRefused) as caught:
                await session.offer_root(authority.root.public, authority.for_terminal(key.public, epoch), 1.0)
            assert caught.value.link_code == code


async def test_another_certificate_for_the_same_epoch_changes_nothing_else(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("A-1"))
    async with bench.session() as session:
        before = await session.status(who(bench).public)
        await certify(session, bench, 1)
        after = await session.status(who(bench).public)
    assert (after.epoch, after.next_seq, after.head) == (1, before.next_seq, before.head)


async def test_a_receipt_of_the_old_epoch_means_nothing_in_the_new_one(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    old = await settle(bench)
    async with bench.session() as session:
        await certify(session, bench, 2)
        with pytest.raises(TerminalRefused) as caught:
            await session.give_receipt(old)
    assert caught.value.link_code == Error.WRONG_DEVICE
    await bench.terminal.restart()
    async with bench.session() as session:
        status = await session.status(who(bench).public)
    assert (status.epoch, status.first_seq, status.receipted_seq) == (2, 1, 0)


async def change(bench: Workbench, epoch: int) -> None:
    async with bench.session() as session:
        await certify(session, bench, epoch)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("torn", TORN)
async def test_a_cut_leaves_the_old_epoch_whole_or_the_new_one_begun(bench: Workbench, torn: int) -> None:
    """At each flash operation of a change in turn, and once more while the next start finishes it."""
    await bench.ready(ORDERS)
    public = who(bench).public
    begun = finished = 0
    for operation in range(60):
        async with bench.session() as session:
            before = await session.status(public)
        await settle(bench)
        whole = [r.digest for r in await records(bench, before.epoch)]
        await bench.terminal.cut_power(operation, torn)
        changed = await done_before_dark(bench, change(bench, before.epoch + 1))
        struck = bench.terminal.powered_down
        if struck:
            await bench.terminal.stop()
            await bench.terminal.start(cut=(operation % 9, torn))
            await bench.terminal.restart()
        async with bench.session() as session:
            after = await session.status(public)
        if after.epoch == before.epoch:
            assert not changed
            found = await records(bench, before.epoch)
            assert [r.digest for r in found][: len(whole)] == whole
            assert after.receipted_seq == len(whole)
        else:
            begun += 1
            assert after.epoch == before.epoch + 1
            assert after.receipted_seq == 0
            found = await records(bench, after.epoch)
            assert found[0].head.action == Action.KEY_ROTATE
            assert {r.head.epoch for r in found} == {after.epoch}
        if changed and not struck:
            finished = operation
            break
    assert finished > 5 and begun > 3, (finished, begun)
