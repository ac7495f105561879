"""A signed object that nobody may take: said on the screen, recorded once, the same reason however often it comes."""

from __future__ import annotations

import hashlib

import pytest
from workbench import HANDOUT, Workbench, label, plain, sealed

from plomba.desk import rules as rule_packs
from plomba.errors import TerminalRefused
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Signer
from plomba_wire import codec
from plomba_wire.vocabulary import Action, Error, ObjectKind, Tlv, Verdict

pytestmark = pytest.mark.anyio

ORDERS = [plain("R-1"), sealed("R-2", ["SEAL-2"])]


def forged(bench: Workbench, version: int) -> bytes:
    """Rules that a stranger signed behind the desk's certificate."""
    stranger = Signer(PrivateKey.generate(), bench.organisation.desk.certificate)
    return bench.signed(ObjectKind.RULES, b"{}", version, signer=stranger)


async def refused(bench: Workbench, kind: int, version: int, data: bytes) -> int:
    with pytest.raises(TerminalRefused) as caught:
        await bench.push(kind, version, data)
    return caught.value.link_code


async def told(bench: Workbench) -> list[tuple[int, bytes, bytes]]:
    await bench.sync()
    return [
        (record.head.verdict, record.parts[Tlv.OBJECT], record.parts[Tlv.REASON])
        for record in bench.records()
        if record.head.action == Action.OBJECT_REFUSED
    ]


async def test_each_kind_of_refusal_is_recorded_once_and_shown(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    tones, held = len(bench.terminal.tones), rule_packs.load().number
    assert await refused(bench, ObjectKind.RULES, 9, forged(bench, 9)) == Error.UNKNOWN_KEY
    assert await refused(bench, ObjectKind.RULES, 9, forged(bench, 9)) == Error.UNKNOWN_KEY
    again = bench.signed(ObjectKind.RULES, rule_packs.load().body, held)
    assert await refused(bench, ObjectKind.RULES, held, again) == Error.ROLLBACK
    assert bench.terminal.tones[tones:] == ["refused", "refused"]
    assert await told(bench) == [
        (Verdict.OBJECT_UNSIGNED, bytes([ObjectKind.RULES, 0, 0, 0, 9]), bytes([0, Error.UNKNOWN_KEY])),
        (Verdict.OBJECT_OLD, bytes([ObjectKind.RULES, 0, 0, 0, held]), bytes([0, Error.ROLLBACK])),
    ]


async def test_a_parcel_on_the_counter_keeps_its_screen(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.scan(label("R-2"))
    await terminal.scan(HANDOUT)
    assert await terminal.scan(label("R-2")) == "next"
    tones, screen = len(terminal.tones), terminal.screen
    await refused(bench, ObjectKind.RULES, 9, forged(bench, 9))
    assert (terminal.tones[tones:], terminal.screen) == ([], screen)
    assert [verdict for verdict, _, _ in await told(bench)] == [Verdict.OBJECT_UNSIGNED]


async def test_a_cut_object_is_not_taken_for_a_whole_one(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    data = bench.manifest(ORDERS, 9)
    bundle = len(data) - 8
    async with bench.session() as session:
        offer = codec.ObjectOffer(ObjectKind.MANIFEST, 9, len(data), bundle, hashlib.sha256(data[:bundle]).digest())
        await session.request(offer)
        with pytest.raises(TerminalRefused) as caught:
            await session.request(codec.ObjectCommit(ObjectKind.MANIFEST, 9))
    assert caught.value.link_code == Error.BAD_RANGE
    assert [verdict for verdict, _, _ in await told(bench)] == [Verdict.OBJECT_BROKEN]


async def test_a_piece_behind_the_refusal_is_told_the_same_reason(bench: Workbench) -> None:
    """The first answer may be one of too many in its second, and then the dock sends the piece again."""
    await bench.ready(ORDERS)
    data = forged(bench, 9)
    async with bench.session() as session:
        await session.request(
            codec.ObjectOffer(ObjectKind.RULES, 9, len(data), len(data), hashlib.sha256(data).digest())
        )
        for _ in range(2):
            with pytest.raises(TerminalRefused) as caught:
                for at in range(0, len(data), 1000):
                    await session.request(codec.ObjectData(at, data[at : at + 1000]))
            assert caught.value.link_code == Error.UNKNOWN_KEY
