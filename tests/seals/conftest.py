"""An organisation that issues seals, and a terminal's list of them under MicroPython."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from seal_scene import Ask, Command, House, Ran

from plomba.cli import main
from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "org")


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Answers calls of seals_mpy.py, all of them in one process that begins with an empty flash."""
    try:
        program = interpreter()
    except PlombaError as error:
        pytest.skip(error.what())
    path = [ROOT / "protocol", ROOT / "firmware", ROOT / "firmware" / "lib", HERE, HERE.parent / "journal", ".frozen"]

    def asked(calls: list[str]) -> list[str]:
        finished = subprocess.run(
            [str(program), "-X", "heapsize=512wk", str(HERE / "seals_mpy.py")],
            input="".join(f"{call}\n" for call in calls),
            env={**os.environ, "MICROPYPATH": ":".join(map(str, path))},
            capture_output=True,
            text=True,
        )
        answers = finished.stdout.splitlines()
        # An uncaught error is written to stdout.
        assert finished.returncode == 0 and len(answers) == len(calls), "\n".join(answers[-8:]) + finished.stderr
        return answers

    return asked


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process, in English."""
    monkeypatch.setenv("PLOMBA_LANG", "en")

    def command(*arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(ended.value.code, said.out, said.err)  # type: ignore[arg-type]

    return command
