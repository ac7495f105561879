"""A terminal believes nobody before a person has accepted a root on its screen."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from workbench import PLACE, STORE, Workbench, label, plain

from plomba.dock import enrol
from plomba.errors import TerminalError
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import issue
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Enrolment, ObjectKind, Protection, Role

pytestmark = pytest.mark.anyio


async def test_a_blank_terminal_refuses_objects_and_scans(bench: Workbench) -> None:
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(STORE) == "refused"
    async with bench.session() as session:
        assert session.hello.enrolment == Enrolment.BLANK
        with pytest.raises(TerminalError) as caught:
            await session.push(ObjectKind.TIME, 1, bench.signed(ObjectKind.TIME, b"anything", 1))
    assert caught.value.code == "refused_not_enrolled"
    with pytest.raises(TerminalError) as caught:
        await bench.sync()
    assert caught.value.code == "terminal_not_enrolled"
    assert caught.value.exit_status == 3


async def test_the_root_is_taken_only_after_a_key_press(bench: Workbench) -> None:
    async with bench.session() as session:
        with pytest.raises(TerminalError) as caught:
            await enrol(
                session,
                bench.organisation,
                bench.ledger,
                label="x",
                place=PLACE,
                now=int(time.time()),
                patience=0.3,
            )
    assert caught.value.code == "enrol_waiting"
    async with bench.session() as session:
        assert session.hello.enrolment == Enrolment.WAITING
        assert bench.ledger.terminal(session.hello.terminal) is None


async def test_a_declined_root_is_forgotten(bench: Workbench) -> None:
    screens = len(bench.terminal.screens)
    async with bench.session() as session:
        key = await session.public_key()
        certificate = bench.organisation.certify_terminal(
            key.public, epoch=1, protection=1, label="x", now=int(time.time())
        )
        task = asyncio.create_task(session.offer_root(bench.organisation.trust.root, certificate, 10.0))
        await bench.terminal.wait(lambda: len(bench.terminal.screens) > screens, "root")
        bench.terminal.press("back")
        await bench.terminal.wait(lambda: len(bench.terminal.screens) > screens + 1, "idle screen")
        with pytest.raises(TerminalError) as caught:
            await task
        assert caught.value.code == "enrol_declined", "and the root does not come back to the screen"
        assert session.hello.enrolment == Enrolment.BLANK


async def test_a_second_organisation_is_refused(bench: Workbench, tmp_path: Path) -> None:
    await bench.enrol()
    stranger = Organisation.create(tmp_path / "stranger", now=int(time.time()))
    async with bench.session() as session:
        with pytest.raises(TerminalError) as caught:
            await enrol(session, stranger, bench.ledger, label="x", place=1, now=int(time.time()), patience=1.0)
    assert caught.value.code == "enrol_refused"


async def test_a_certificate_for_another_key_is_refused(bench: Workbench) -> None:
    other = PrivateKey.generate()
    assert bench.organisation.root is not None
    certificate = issue(
        bench.organisation.root,
        other.public,
        role=Role.TERMINAL,
        protection=Protection.OPEN,
        epoch=1,
        label="other",
        serial=1,
        not_before=0,
        not_after=0,
    )
    async with bench.session() as session:
        with pytest.raises(TerminalError) as caught:
            await session.offer_root(bench.organisation.trust.root, certificate, 1.0)
    assert caught.value.code == "refused_bad_signature"


async def test_a_certificate_with_a_high_s_is_refused(bench: Workbench) -> None:
    """ECDSA is malleable: the other s is as valid, and would be a second certificate that nobody issued."""
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    async with bench.session() as session:
        key = await session.public_key()
        certificate = bench.organisation.certify_terminal(
            key.public, epoch=key.epoch, protection=key.protection, label="x", now=int(time.time())
        )
        high = certificate[:-32] + (n - int.from_bytes(certificate[-32:], "big")).to_bytes(32, "big")
        with pytest.raises(TerminalError) as caught:
            await session.offer_root(bench.organisation.trust.root, high, 1.0)
    assert caught.value.code == "refused_bad_signature"


async def test_key_and_enrolment_survive_power_off(bench: Workbench) -> None:
    await bench.ready([plain("A-1")])
    before = bench.id
    await bench.terminal.restart()
    async with bench.session() as session:
        assert session.hello.terminal == before
        assert session.hello.enrolment == Enrolment.ENROLLED
        assert session.hello.boot == 2
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(label("A-1")) == "ok"
