"""Another root takes over by the word of the one before it; what that one vouched for stays, and nothing new comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from authority import Authority, by
from cuts import TORN, done_before_dark
from trust_scene import rules
from workbench import Workbench, label, plain

from plomba.errors import TerminalRefused
from plomba_wire import codec, tlv
from plomba_wire.vocabulary import Enrolment, Error, Growth, ObjectKind, Role

pytestmark = pytest.mark.anyio

ORDERS = [plain("A-1"), plain("A-2"), plain("A-3")]


async def root_of(bench: Workbench) -> bytes:
    async with bench.session() as session:
        return tlv.unpack(session.hello.growth, 0)[Growth.ROOT]


async def hand_over(bench: Workbench, old: Authority, new: Authority, number: int) -> None:
    await bench.push(ObjectKind.ROOT, number, old.hands_over(new.root, number))


async def code_of(act: Callable[[], Awaitable[object]]) -> int:
    with pytest.raises(TerminalRefused) as caught:
        await act()
    return caught.value.link_code


async def test_what_the_former_roots_vouched_for_stays_in_force(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert bench.enrolled is not None
    first, second, third = Authority(bench.organisation.root), Authority(), Authority()
    await hand_over(bench, first, second, 1)
    rules_2 = by(second.signer(Role.DESK), ObjectKind.RULES, rules(6), 6)
    await bench.push(ObjectKind.RULES, 6, rules_2)
    await hand_over(bench, second, third, 2)
    await bench.push(ObjectKind.REVOCATIONS, 1, third.revocations(1, [first.id]))
    receipted = 0
    for code in ("A-1", "A-2"):
        await bench.terminal.engine_ready()
        assert await bench.terminal.scan(label(code)) == "ok"
        async with bench.session() as session:
            status = await session.status(bench.enrolled.public)
            assert (status.rules, status.manifest, status.revocations) == (6, 1, 1)
            assert status.receipted_seq == (receipted or status.receipted_seq) > 0
            receipted = status.receipted_seq
            assert session.hello.enrolment == Enrolment.ENROLLED
        assert await root_of(bench) == third.id
        await bench.terminal.restart()


async def test_only_the_new_root_is_heard_from_then_on(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    first, second = Authority(bench.organisation.root), Authority()
    await hand_over(bench, first, second, 4)
    for _ in range(2):
        old = by(bench.organisation.desk, ObjectKind.RULES, rules(7), 7)
        assert await code_of(lambda data=old: bench.push(ObjectKind.RULES, 7, data)) == Error.UNKNOWN_KEY
        assert await code_of(lambda: hand_over(bench, first, Authority(), 5)) == Error.UNKNOWN_KEY
        assert await code_of(lambda: hand_over(bench, second, Authority(), 4)) == Error.ROLLBACK
        await bench.terminal.restart()
    await bench.push(ObjectKind.RULES, 7, by(second.signer(Role.DESK), ObjectKind.RULES, rules(7), 7))


async def test_the_new_root_brings_its_certificate_without_a_key_press(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert bench.enrolled is not None
    first, second = Authority(bench.organisation.root), Authority()
    certificate = second.for_terminal(bench.enrolled.public, 1)
    async with bench.session() as session:
        early = codec.EnrolRoot(second.root.public, certificate)
        assert await code_of(lambda: session.request(early)) == Error.REFUSED_BY_POLICY
    await hand_over(bench, first, second, 1)
    async with bench.session() as session:
        under_the_old = codec.EnrolRoot(second.root.public, bench.enrolled.certificate)
        assert await code_of(lambda: session.request(under_the_old)) == Error.BAD_SIGNATURE
        await session.offer_root(second.root.public, certificate, 1.0)
        back = codec.EnrolRoot(first.root.public, bench.enrolled.certificate)
        assert await code_of(lambda: session.request(back)) == Error.REFUSED_BY_POLICY
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(label("A-1")) == "ok"
    async with bench.session() as session:
        assert session.hello.enrolment == Enrolment.ENROLLED
        key = await session.public_key()
        assert (key.public, key.epoch) == (bench.enrolled.public, 1)


async def test_a_blank_terminal_has_no_root_to_rotate(bench: Workbench) -> None:
    assert await code_of(lambda: hand_over(bench, Authority(), Authority(), 1)) == Error.NOT_ENROLLED


@pytest.mark.parametrize("torn", TORN)
async def test_a_cut_leaves_the_old_root_or_the_new_one(bench: Workbench, torn: int) -> None:
    """At every flash operation of the hand-over; what is there is whole: its own people are heard, nobody else's."""
    await bench.ready(ORDERS)
    old = Authority(bench.organisation.root)
    number, version = 1, 10
    kept = {True: 0, False: 0}
    finished = False
    for operation in range(40):
        new = Authority()
        await bench.terminal.cut_power(operation, torn)
        finished = await done_before_dark(bench, hand_over(bench, old, new, number))
        await bench.terminal.restart()
        found = await root_of(bench)
        assert found in (old.id, new.id)
        assert not finished or found == new.id
        now, other = (new, old) if found == new.id else (old, new)
        kept[found == new.id] += 1
        pack = by(other.signer(Role.DESK), ObjectKind.RULES, rules(version), version)
        refused = await code_of(lambda data=pack, v=version: bench.push(ObjectKind.RULES, v, data))
        assert refused == Error.UNKNOWN_KEY
        await bench.push(
            ObjectKind.RULES, version, by(now.signer(Role.DESK), ObjectKind.RULES, rules(version), version)
        )
        old, number, version = now, number + 1, version + 1
        if finished:
            break
    assert finished and kept[False] and kept[True] > 1, kept
