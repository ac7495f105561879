"""codes_mpy.py on both interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from plomba.errors import PlombaError
from plomba.sim.interpreter import firmware_path, interpreter

HERE = Path(__file__).resolve().parent
_, FIRMWARE, LIB, PROTOCOL = firmware_path()

if str(FIRMWARE) not in sys.path:
    sys.path.append(str(FIRMWARE))


def call(symbology: int, code: bytes) -> str:
    return f"{symbology} {code.hex() or '-'}"


def ask_host(calls: Iterable[str]) -> list[str]:
    """Answers calls of codes_mpy.py under CPython."""
    import codes_mpy

    return [codes_mpy.answer(line) for line in calls]


def ask_board(calls: Iterable[str]) -> list[str]:
    """The same under MicroPython, all in one process; skips the test where there is none."""
    calls = list(calls)
    try:
        program = interpreter()
    except PlombaError as error:
        pytest.skip(error.what("en"))
    finished = subprocess.run(
        [program, "-X", "heapsize=512wk", str(HERE / "codes_mpy.py")],
        input="".join(f"{line}\n" for line in calls),
        env={**os.environ, "MICROPYPATH": ":".join(map(str, (PROTOCOL, FIRMWARE, LIB, HERE, ".frozen")))},
        capture_output=True,
        text=True,
    )
    answers = finished.stdout.splitlines()
    # An uncaught error is written to stdout.
    assert finished.returncode == 0 and len(answers) == len(calls), "\n".join(answers[-5:]) + finished.stderr
    return answers
