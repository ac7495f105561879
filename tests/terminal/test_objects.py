"""Nothing that comes down the link is believed unless it is signed, addressed, newer and in force."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

from plomba.desk import rules as rule_packs
from plomba.desk.manifest import Expected, build
from plomba.errors import TerminalRefused, VerificationError
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import issue, package, split_package
from plomba.trust.organisation import Organisation, Signer
from plomba_wire.codec import ReceiptBody, TimeBody
from plomba_wire.vocabulary import Error, ObjectKind, Protection, Role

pytestmark = pytest.mark.anyio

ORDERS = [plain("A-1"), plain("A-2")]


async def refused(bench: Workbench, kind: int, version: int, data: bytes) -> int:
    """The link code with which the terminal refuses an object."""
    with pytest.raises(TerminalRefused) as caught:
        await bench.push(kind, version, data)
    return caught.value.link_code


def foreign(tmp_path: Path) -> Organisation:
    return Organisation.create(tmp_path / "stranger", now=int(time.time()))


async def test_a_manifest_signed_by_nobody_or_a_stranger(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready(ORDERS)
    good = bench.manifest(ORDERS, 2)
    signed, content = split_package(good)
    forged = signed[:-64] + bytes(64) + content
    assert await refused(bench, ObjectKind.MANIFEST, 2, forged) == Error.BAD_SIGNATURE
    stranger = foreign(tmp_path)
    by_stranger = bench.signed(ObjectKind.MANIFEST, b"x", 2, signer=stranger.desk)
    assert await refused(bench, ObjectKind.MANIFEST, 2, by_stranger) == Error.UNKNOWN_KEY
    stolen = Signer(PrivateKey.generate(), bench.organisation.desk.certificate)
    assert await refused(bench, ObjectKind.MANIFEST, 2, bench.signed(ObjectKind.MANIFEST, b"x", 2, signer=stolen)) == (
        Error.UNKNOWN_KEY
    )
    assert await bench.terminal.scan(label("A-1")) == "ok", "the old manifest is still in force"


async def test_every_bit_of_a_manifest_counts(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    good = bench.manifest(ORDERS, 2)
    for at in range(0, len(good), 37):
        bad = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :]
        try:
            split_package(bad)
        except VerificationError:
            continue  # a length that lies: this does not even get to the cable
        assert await refused(bench, ObjectKind.MANIFEST, 2, bad) in (
            Error.BAD_SIGNATURE,
            Error.BAD_HASH,
            Error.MALFORMED,
            Error.UNKNOWN_KEY,
            Error.ROLLBACK,
            Error.EXPIRED,
            Error.WRONG_ROLE,
            Error.WRONG_DEVICE,
        ), at
    await bench.push(ObjectKind.MANIFEST, 2, good)


async def test_the_wrong_signer_role(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    by_dock = bench.signed(ObjectKind.MANIFEST, b"x", 2, signer=bench.organisation.dock)
    assert await refused(bench, ObjectKind.MANIFEST, 2, by_dock) == Error.WRONG_ROLE


async def test_older_and_equal_versions(bench: Workbench) -> None:
    await bench.ready(ORDERS, version=5)
    for version in (4, 5):
        assert await refused(bench, ObjectKind.MANIFEST, version, bench.manifest(ORDERS, version)) == Error.ROLLBACK
    pack = rule_packs.load()
    again = bench.signed(ObjectKind.RULES, pack.body, pack.number)
    assert await refused(bench, ObjectKind.RULES, pack.number, again) == Error.ROLLBACK


async def test_an_expired_object(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    late = bench.signed(ObjectKind.MANIFEST, b"x", 2, not_after=int(time.time()) - 10)
    assert await refused(bench, ObjectKind.MANIFEST, 2, late) == Error.EXPIRED


async def test_a_manifest_for_another_terminal(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    other = bytes(8)
    expected = [Expected(order, order.state) for order in ORDERS]
    raw = build(other, epoch=1, through=0, place=7, salt=bytes(16), expected=expected)
    assert await refused(bench, ObjectKind.MANIFEST, 2, bench.signed(ObjectKind.MANIFEST, raw, 2)) == Error.WRONG_DEVICE


async def test_rules_that_are_no_rules(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    for body in (b"", b"[]", b'{"number":2}', b"\xff", b'{"number":3,"steps":[],"gates":{}}'):
        bad = bench.signed(ObjectKind.RULES, body, 2)
        assert await refused(bench, ObjectKind.RULES, 2, bad) == Error.MALFORMED, body


async def test_trap_17_time_counts_once_for_one_terminal_and_one_nonce(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    now = int(time.time())

    def sign(terminal: bytes, nonce: bytes) -> bytes:
        body = TimeBody(terminal, nonce, now, 1000).pack()
        return bench.signed(ObjectKind.TIME, body, now, signer=bench.organisation.dock)

    async with bench.session() as session:
        hello = session.hello
        first = sign(hello.terminal, hello.device_nonce)
        await session.push(ObjectKind.TIME, now, first)
        for wrong, code in (
            (sign(hello.terminal, hello.device_nonce), Error.NONCE_MISMATCH),
            (sign(hello.terminal, bytes(16)), Error.NONCE_MISMATCH),
            (sign(bytes(8), hello.device_nonce), Error.WRONG_DEVICE),
        ):
            with pytest.raises(TerminalRefused) as caught:
                await session.push(ObjectKind.TIME, now, wrong)
            assert caught.value.link_code == code
    assert await refused(bench, ObjectKind.TIME, now, first) == Error.NONCE_MISMATCH, "a replay in the next session"


async def test_trap_13_a_receipt_must_fit_the_journal(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("A-1"))
    enrolled = bench.enrolled
    assert enrolled is not None
    organisation = bench.organisation
    async with bench.session() as session:
        status = await session.status(enrolled.public)

        def receipt(signer: Signer, **changes: object) -> bytes:
            fields = {
                "terminal": enrolled.id,
                "epoch": 1,
                "up_to": status.next_seq - 1,
                "head": status.head,
                "utc": int(time.time()),
                "log_size": 1,
                "log_root": bytes(32),
            } | changes
            body = ReceiptBody(*fields.values()).pack()
            return bench.signed(ObjectKind.RECEIPT, body, 1, signer=signer)

        for wrong, code in (
            (receipt(organisation.desk), Error.WRONG_ROLE),
            (receipt(foreign(tmp_path).dock), Error.UNKNOWN_KEY),
            (receipt(organisation.dock, head=bytes(32)), Error.CHAIN_FORK),
            (receipt(organisation.dock, up_to=status.next_seq), Error.BAD_RANGE),
            (receipt(organisation.dock, terminal=bytes(8)), Error.WRONG_DEVICE),
            (receipt(organisation.dock, epoch=2), Error.WRONG_DEVICE),
        ):
            with pytest.raises(TerminalRefused) as caught:
                await session.give_receipt(wrong)
            assert caught.value.link_code == code
        assert (await session.status(enrolled.public)).receipted_seq == status.receipted_seq
        assert await session.give_receipt(receipt(organisation.dock)) == status.next_seq - 1


async def test_a_certificate_outside_its_dates(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    key = PrivateKey.generate()
    assert bench.organisation.root is not None
    certificate = issue(
        bench.organisation.root,
        key.public,
        role=Role.DESK,
        protection=Protection.OPEN,
        epoch=1,
        label="old desk",
        serial=9,
        not_before=1,
        not_after=1000,
    )
    data = package(ObjectKind.MANIFEST, b"x", key, certificate, version=2, not_before=1)
    assert await refused(bench, ObjectKind.MANIFEST, 2, data) == Error.EXPIRED
