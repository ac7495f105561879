"""From sources to a terminal that runs them, as it is typed: build, issue a release key, sign, dock."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
from workbench import Workbench, plain

from plomba.dock import Dock
from plomba.image import Version, read
from plomba.ledger import Ledger
from plomba.trust.issuing import issue_working

pytestmark = pytest.mark.anyio

ENVIRONMENT = {**os.environ, "PLOMBA_LANG": "en", "PYTHONIOENCODING": "utf-8"}
SECOND = Version(0, 2, 0)


async def plomba(*arguments: str | Path) -> tuple[int, str, list[str]]:
    """Exit status, standard output, stable codes on standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plomba", *map(str, arguments)),
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return process.returncode or 0, out.decode(), re.findall(r"\[(\w+)\]", err.decode())


async def test_a_terminal_gets_the_firmware_that_was_built(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready([plain("I-1")])
    built, signed, org = tmp_path / "built.image", tmp_path / "signed.image", tmp_path / "org"
    status, out, _ = await plomba("image", "build", "0.2.0", "--out", built)
    assert status == 0 and json.loads(out)["bytes"] == built.stat().st_size
    arguments = ("image", "sign", built, "--org", org, "--out", signed)
    assert (await plomba(*arguments))[::2] == (1, ["key_missing"]) and not signed.exists()
    issue_working(bench.organisation, "release", now=int(time.time()) - 60)
    assert (await plomba(*arguments))[0] == 0
    bench.ledger.close()
    docking = ("dock", "sync", bench.terminal.port, "--org", org, "--ledger", tmp_path / "dock.db", "--image", signed)
    status, out, _ = await plomba(*docking)
    assert status == 0 and "image" in json.loads(out)["pushed"]
    await bench.terminal.wait(lambda: bench.terminal.resets == 1 and bench.terminal.up, "restart")
    status, out, _ = await plomba(*docking)
    assert status == 0 and json.loads(out)["pushed"] == ["time"], "one that runs it is not given it again"
    async with bench.session() as session:
        assert Version.of(session.hello.firmware) == SECOND
    bench.ledger = Ledger.open(tmp_path / "dock.db")


async def test_a_terminal_with_too_little_battery_gets_it_next_time(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready([plain("I-1")])
    issue_working(bench.organisation, "release", now=int(time.time()) - 60)
    assert (await plomba("image", "build", "0.2.0", "--out", tmp_path / "built"))[0] == 0
    signing = ("image", "sign", tmp_path / "built", "--org", tmp_path / "org", "--out", tmp_path / "signed")
    assert (await plomba(*signing))[0] == 0
    dock = Dock(bench.ledger, bench.organisation, None, bench.clock, image=read(tmp_path / "signed"))
    bench.terminal.charge(20)
    assert (await dock.sync(bench.terminal.port)).refused == ["image"]
    bench.terminal.charge(60)
    assert "image" in (await dock.sync(bench.terminal.port)).pushed
    await bench.terminal.wait(lambda: bench.terminal.resets == 1 and bench.terminal.up, "restart")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("image", "build", "0.2", "--out", "x"), "image_version"),
        (("image", "build", "0.300.0", "--out", "x"), "image_version"),
        (("image", "build", "0.2.0", "--out", "x", "--board", "toaster"), "image_board"),
        (("image", "build", "0.2.0", "--out", "x", "--floor", "0.3.0"), "image_floor"),
    ],
)
async def test_what_cannot_be_built(tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    out = tmp_path / "x"
    given = [str(out) if argument == "x" else argument for argument in arguments]
    assert (await plomba(*given))[::2] == (2, [code])
    assert not out.exists()


async def test_a_file_that_is_no_image(bench: Workbench, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"not an image")
    issue_working(bench.organisation, "release", now=int(time.time()) - 60)
    signing = ("image", "sign", wrong, "--org", tmp_path / "org", "--out", tmp_path / "signed")
    assert (await plomba(*signing))[::2] == (2, ["image_malformed"]) and not (tmp_path / "signed").exists()
    bench.ledger.close()
    docking = ("dock", "sync", bench.terminal.port, "--org", tmp_path / "org", "--ledger", tmp_path / "dock.db")
    assert (await plomba(*docking, "--image", wrong))[::2] == (2, ["image_malformed"])
    assert (await plomba(*docking, "--image", tmp_path / "missing"))[::2] == (1, ["image_unreadable"])
    bench.ledger = Ledger.open(tmp_path / "dock.db")
