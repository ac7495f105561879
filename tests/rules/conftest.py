"""The firmware's reader of packs, under MicroPython."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


@pytest.fixture
def firmware_reads() -> Callable[[Iterable[bytes]], list[str]]:
    """Bodies -> what rules_mpy.py says of each, all in one process."""
    try:
        program = interpreter()
    except PlombaError as error:
        pytest.skip(error.what())

    def ask(bodies: Iterable[bytes]) -> list[str]:
        bodies = list(bodies)
        path = [ROOT / "protocol", ROOT / "firmware", ROOT / "firmware" / "lib", HERE, ".frozen"]
        finished = subprocess.run(
            [str(program), "-X", "heapsize=1024wk", str(HERE / "rules_mpy.py")],
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
