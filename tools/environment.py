"""The project's own `.venv` and `.typings`: made from hashed locks, anew when what decides them changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import installer
from exclusive import exclusive
from installer import SetUpFailed

__all__ = ["BIN", "ENV", "PYTHON", "ROOT", "SetUpFailed", "ready", "typings"]

ROOT = Path(__file__).resolve().parent.parent
ENV = ROOT / ".venv"
BIN = ENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")

_LOCK = ROOT / "tools" / "requirements.lock"
_TYPINGS = ROOT / ".typings"
_FUZZER = ROOT / ".fuzzer"
_FUZZER_LOCK = ROOT / "tools" / "fuzzer.lock"
_BUSY = ROOT / ".venv.lock"

# The mypy configuration that needs a port's stubs; one that is not there needs none.
_STUBS = {"rp2": "firmware/mypy.ini", "unix": "host/plomba/sim/board/mypy.ini"}


def ready() -> None:
    """Make `.venv` hold exactly the locked requirements and the project in place. Raises SetUpFailed."""
    _once(ENV, _environment_fingerprint(), _make_environment, PYTHON)


def typings() -> None:
    """Put the MicroPython stubs that board code is checked against under `.typings`. Raises SetUpFailed."""
    for port, configuration in _STUBS.items():
        if (ROOT / configuration).is_file():
            lock, target = ROOT / "tools" / "typings" / f"{port}.lock", _TYPINGS / port
            fingerprint = hashlib.sha256(lock.read_bytes()).hexdigest()
            _once(target, fingerprint, partial(_make_target, lock, target), target / "stdlib")


def fuzzer() -> Path:
    """Put the coverage-guided fuzzer under `.fuzzer` and say where that is; it is empty where no wheel of it exists.

    Raises SetUpFailed.
    """
    fingerprint = hashlib.sha256(_FUZZER_LOCK.read_bytes() + sys.version.encode()).hexdigest()
    _once(_FUZZER, fingerprint, partial(_make_target, _FUZZER_LOCK, _FUZZER), _FUZZER)
    return _FUZZER


def _once(folder: Path, fingerprint: str, make: Callable[[int], None], proof: Path) -> None:
    """Call `make` unless `folder` already carries `fingerprint` and `proof` is there, one process at a time.

    The stamp is taken away before the work and written after it: a run that was killed half-way leaves a
    folder without a stamp, and the next run starts it again.
    """
    stamp = folder / ".plomba-stamp"

    def current() -> bool:
        return stamp.is_file() and stamp.read_text() == fingerprint and proof.exists()

    if current():
        return
    with exclusive(_BUSY) as busy:
        if current():
            return
        stamp.unlink(missing_ok=True)
        make(busy)
        fresh = stamp.with_suffix(".new")
        fresh.write_text(fingerprint)
        fresh.replace(stamp)


def _environment_fingerprint() -> str:
    """SHA-256, in hex, of all that decides what is in `.venv`.

    The place is part of it: scripts and the in-place install hold absolute paths, so that the environment of
    a copied tree would run the original's code.
    """
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    decides = [
        _LOCK.read_text(encoding="utf-8"),
        pyproject["build-system"],
        pyproject["project"],
        pyproject["tool"]["hatch"],
        sys.version.split()[0],
        str(ROOT),
    ]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _make_environment(busy: int) -> None:
    print("setting up .venv (first run, or its requirements changed) ...", file=sys.stderr, flush=True)
    installer.make_venv(ENV)
    install = installer.choose(PYTHON, busy)
    # The lock names every package; pip's resolver would meet newer releases and give up over them (coverage[toml]).
    install("--require-hashes", "--no-deps", "-r", str(_LOCK))
    install("--no-deps", "--no-build-isolation", "-e", str(ROOT))


def _make_target(lock: Path, target: Path, busy: int) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    install = installer.choose(PYTHON, busy)
    install("--require-hashes", "--no-deps", "--target", str(target), "-r", str(lock))
