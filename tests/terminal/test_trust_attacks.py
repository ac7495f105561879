"""Each thing that could be slipped to a terminal, and the link code with which it is refused.

One terminal stands for the whole table (trust_scene.py): a refused attack changes nothing, and each row holds that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attacks import FOREIGN, FORMER, FREEZE, MIX, ROLLBACK
from attacks_by_signers import CONFUSED, FORMS, KEYS, LISTED, REVOKED
from trust_scene import LISTS, MANIFEST, NEXT, ROOT, RULES, TIME, Attack, Scene
from workbench import Workbench

from plomba.errors import TerminalRefused
from plomba_wire.vocabulary import Action, Verdict

REFUSALS = {Verdict.OBJECT_OLD, Verdict.OBJECT_FOREIGN, Verdict.OBJECT_UNSIGNED, Verdict.OBJECT_BROKEN}

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with Workbench(tmp_path_factory.mktemp("attacks")) as bench:
        scene = Scene(bench)
        await scene.prepare()
        yield scene
        async with bench.session() as session:
            assert await scene.held(session) == scene.before
            refused = [head for head in await scene.recorded(session) if head.action == Action.OBJECT_REFUSED]
        # A dock that never stops must not fill the journal with its refusals.
        assert 10 <= len(refused) <= 16
        assert {head.verdict for head in refused} <= REFUSALS
        assert bench.terminal.output == ""


def table(attacks: list[Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", attacks, ids=[attack.name.replace(" ", "-") for attack in attacks])


async def is_refused(scene: Scene, attack: Attack) -> None:
    async with scene.bench.session() as session:
        before = await scene.held(session)
        assert before == scene.before, "an attack before this one"
        with pytest.raises(TerminalRefused) as caught:
            await attack.act(scene, session)
        assert caught.value.link_code == attack.code
        assert await scene.held(session) == before


@table(ROLLBACK)
async def test_nothing_goes_back(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


async def test_an_older_receipt_is_answered_with_the_held_one(scene: Scene) -> None:
    async with scene.bench.session() as session:
        older = scene.receipt(up_to=1, head=bytes(32))
        assert await session.give_receipt(older) == scene.status.next_seq - 1
        assert await session.give_receipt(scene.held_receipt) == scene.status.next_seq - 1


@table(FREEZE)
async def test_outside_its_dates(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(MIX)
async def test_parts_that_do_not_belong_together(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(FOREIGN)
async def test_under_a_root_nobody_accepted(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(FORMER)
async def test_under_the_root_that_was_replaced(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(REVOKED)
async def test_by_a_revoked_key(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(CONFUSED)
async def test_by_the_wrong_role(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(FORMS)
async def test_in_another_form(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


@table(LISTED)
async def test_a_list_that_is_none(scene: Scene, attack: Attack) -> None:
    await is_refused(scene, attack)


async def test_and_the_right_ones_are_taken(tmp_path: Path) -> None:
    """The table proves nothing if the same things are refused without an attack in them."""
    async with Workbench(tmp_path) as bench:
        scene = Scene(bench)
        await scene.prepare()
        async with bench.session() as session:
            await session.push(TIME, scene.now, scene.time(session.hello.device_nonce))
            await session.push(RULES, 9, scene.rules())
            await session.push(MANIFEST, 9, scene.manifest(9))
            await session.push(LISTS, 9, scene.authority.revocations(9, KEYS))
            status = await session.status(scene.public)
            assert (status.rules, status.manifest, status.revocations) == (9, 9, 9)
            assert await session.give_receipt(scene.receipt(up_to=status.next_seq - 1, head=status.head))
            await session.push(ROOT, 9, scene.authority.hands_over(NEXT, 9))
