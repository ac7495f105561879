"""The terminal's staff list in every situation, one process of MicroPython for all of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPT = HERE / "staff_mpy.py"
PATH = [ROOT / folder for folder in ("tests/journal", "firmware", "firmware/lib", "protocol")]
SITUATIONS = re.findall(r"^def test_(\w+)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    try:
        command = [str(interpreter()), "-X", "heapsize=512wk", str(SCRIPT)]
    except PlombaError as error:
        pytest.skip(error.what())
    paths = ":".join([*map(str, PATH), ".frozen"])
    finished = subprocess.run(
        command, env={**os.environ, "MICROPYPATH": paths}, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, "\n".join(finished.stdout.splitlines()[-20:]) + finished.stderr
    answers: dict[str, str] = json.loads(finished.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(found: dict[str, str], name: str) -> None:
    assert found[f"test_{name}"] == ""
