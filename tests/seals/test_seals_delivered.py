"""The list's way to the terminal: from the organisation's folder over desk and dock, once for each change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from cuts import TORN, done_before_dark
from seal_scene import NOW, House
from workbench import Workbench

from plomba.dock import Dock
from plomba.errors import PlombaError, TerminalRefused
from plomba.forward import Desk
from plomba.testing.point import DeskProcess
from plomba.trust import issuing, revoking, sealing
from plomba.trust.organisation import Organisation
from plomba.trust.seal_register import NAME, Register
from plomba_wire import codec
from plomba_wire.codec import SealList
from plomba_wire.vocabulary import Action, Error, ObjectKind, Revocation, Tlv

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    async with Workbench(tmp_path) as bench:
        await bench.enrol()
        issuing.issue_working(bench.organisation, "seal-issuer", now=NOW)
        yield bench
        assert bench.terminal.output == ""


@pytest.fixture
async def desk(bench: Workbench, tmp_path: Path) -> AsyncIterator[Desk]:
    async with DeskProcess(tmp_path / "desk", bench.organisation.folder) as process, Desk(process.url) as desk:
        bench.dock = Dock(bench.ledger, bench.organisation, desk, bench.clock)
        yield desk


def issue(bench: Workbench, count: int) -> None:
    organisation = type(bench.organisation).load(bench.organisation.folder)
    sealing.issue(organisation, count, now=NOW)


def version(bench: Workbench) -> int:
    return Register.load(bench.organisation.folder).version


async def held(bench: Workbench) -> int:
    assert bench.enrolled is not None
    async with bench.session() as session:
        return (await session.status(bench.enrolled.public)).seals


async def test_a_list_is_brought_when_there_is_a_newer_one(bench: Workbench, desk: Desk) -> None:
    assert "seals" not in (await bench.sync()).pushed
    assert await held(bench) == 0
    for _ in range(2):
        issue(bench, 3)
        assert "seals" in (await bench.sync()).pushed
        again = await bench.sync()
        assert "seals" not in again.pushed + again.refused
        assert await held(bench) == version(bench)
    objects = [record.parts[Tlv.OBJECT][0] for record in bench.records() if record.head.action == Action.OBJECT_SET]
    assert objects.count(ObjectKind.SEALS) == 2
    await bench.terminal.stop()
    await bench.terminal.start()
    assert await held(bench) == version(bench)


async def test_what_the_desk_answers(bench: Workbench, desk: Desk) -> None:
    terminal = bench.id.hex()
    await bench.sync()
    async with httpx2.AsyncClient(base_url=desk.url) as http:
        assert (await http.get(f"/api/v1/terminals/{terminal}/seals")).status_code == 204
        assert (await http.get(f"/api/v1/terminals/{'0' * 16}/seals")).status_code == 404
    assert await desk.seals(terminal) is None
    assert await desk.seals("0" * 16) is None
    issue(bench, 1)
    found = await desk.seals(terminal)
    assert found is not None
    assert found == await desk.seals(terminal)
    assert bench.organisation.trust.open(found, ObjectKind.SEALS).envelope.version == version(bench)


async def test_an_older_register_is_not_given_out(bench: Workbench, desk: Desk) -> None:
    """It would forget which seals are void."""
    issue(bench, 1)
    path = bench.organisation.folder / NAME
    old = path.read_bytes()
    issue(bench, 3)
    await bench.sync()
    newest = version(bench)
    path.write_bytes(old)
    with pytest.raises(PlombaError) as caught:
        await desk.seals(bench.id.hex())
    assert str(newest) in caught.value.what()
    for _ in range(2):
        issue(bench, 1)
    assert version(bench) > newest
    with pytest.raises(PlombaError) as caught:
        await desk.seals(bench.id.hex())
    assert str(newest) in caught.value.what()
    path.unlink()
    with pytest.raises(PlombaError) as caught:
        await desk.seals(bench.id.hex())
    assert await held(bench) == newest


async def test_a_running_desk_knows_who_was_revoked_since(bench: Workbench, desk: Desk) -> None:
    """Of a revoked issuer nothing but its name is said, be the register another one or the same."""
    terminal, folder = bench.id.hex(), bench.organisation.folder
    issue(bench, 1)
    await bench.sync()
    for change in ("revoked", "renewed"):
        organisation = Organisation.load(folder)
        if change == "revoked":
            issuer = organisation.working["seal-issuer"].key.id
            revoking.revoke(organisation, issuer, reason=Revocation.STOLEN, since=NOW, now=NOW)
        else:
            issuing.issue_working(organisation, "seal-issuer", now=NOW)
            issue(bench, 1)
        found = await desk.seals(terminal)
        assert found is not None
        body = bench.organisation.trust.open(found, ObjectKind.SEALS).body
        assert body == sealing.body(Organisation.load(folder), Register.load(folder)), change
        assert SealList.unpack(body).ranges == (0 if change == "revoked" else 1)
        assert found == await desk.seals(terminal)


async def test_a_list_that_is_refused_holds_up_nothing_else(bench: Workbench, desk: Desk, tmp_path: Path) -> None:
    """A register of issuers whom the terminal's root does not vouch for, behind this desk's good signature."""
    other = House(tmp_path / "other")
    other.issue(1)

    async def foreign(terminal: str) -> bytes:
        body = sealing.body(other.organisation, other.register)
        return sealing.sign(bench.organisation, other.register, body, now=NOW)

    desk.seals = foreign  # type: ignore[method-assign]
    report = await bench.sync()
    assert report.refused == ["seals"]
    assert report.receipted_seq
    assert "manifest" in report.pushed
    assert await held(bench) == 0


@pytest.mark.parametrize("name", ["rules", "manifest", "staff", "seals"])
async def test_a_list_that_the_desk_cannot_give_holds_up_nothing_else(
    bench: Workbench, desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    issue(bench, 1)
    desk_says = PlombaError("desk_unreachable", url=desk.url, reason="HTTP 503")

    async def nothing(terminal: str) -> bytes:
        raise desk_says

    monkeypatch.setattr(desk, name, nothing)
    report = await bench.sync()
    assert (report.missing, report.refused, report.refusals) == ([name], [], [desk_says])
    assert {"rules", "manifest", "seals"} - set(report.pushed) == {name} - {"staff"}
    assert report.receipted_seq == bench.records()[-1].head.seq, "what was installed is recorded, and receipted"
    monkeypatch.undo()
    again = await bench.sync()
    assert (again.missing, again.refusals) == ([], [])
    assert (name in again.pushed) == (name != "staff")


@pytest.mark.parametrize("name", ["rules", "manifest"])
async def test_what_is_no_bundle_holds_up_nothing_else(
    bench: Workbench, desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    issue(bench, 1)

    async def noise(terminal: str) -> bytes:
        return b"noise"

    monkeypatch.setattr(desk, name, noise)
    report = await bench.sync()
    assert report.missing == [name] and "seals" in report.pushed


@pytest.mark.parametrize("torn", TORN)
async def test_power_goes_at_every_step_of_the_list(bench: Workbench, torn: int) -> None:
    """The list in force is the one before or the new one, whole, and never the one before that."""
    terminal = bench.terminal
    held_before, finished = 0, False
    for operation in range(60):
        issue(bench, 1)
        newest = version(bench)
        await terminal.cut_power(operation, torn)
        finished = await done_before_dark(bench, push(bench))
        await terminal.restart()
        now = await held(bench)
        assert now in ((newest,) if finished else (held_before, newest))
        assert "SEALS_DAMAGED" not in (await bench.sync()).checks
        held_before = now
        if finished:
            break
    assert finished and terminal.power_cuts > 3


async def push(bench: Workbench) -> None:
    organisation = type(bench.organisation).load(bench.organisation.folder)
    register = Register.load(organisation.folder)
    data = sealing.sign(organisation, register, sealing.body(organisation, register), now=NOW)
    await bench.push(ObjectKind.SEALS, register.version, data)


async def test_a_list_that_is_cut_off_is_not_installed(bench: Workbench) -> None:
    issue(bench, 3)
    async with bench.session() as session:
        offer = codec.ObjectOffer(ObjectKind.SEALS, version(bench), 400, 400, bytes(32))
        await session.request(offer)
        with pytest.raises(TerminalRefused) as caught:
            await session.request(codec.ObjectCommit(ObjectKind.SEALS, version(bench)))
    assert caught.value.link_code == Error.BAD_RANGE
    assert await held(bench) == 0
    await push(bench)
    assert await held(bench) == version(bench)
