"""What `lint` and `test` run, in order, up to the first failure. Runs inside the project's environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from become import become

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = sys.executable

Step = tuple[str, list[str]]

_HOST = ("host/plomba", "protocol/plomba_wire")
_ON_BOARD = (
    ("mypy firmware", "firmware/mypy.ini", ("firmware/main.py", "firmware/boards", "firmware/terminal")),
    ("mypy sim board", "host/plomba/sim/board/mypy.ini", ("host/plomba/sim/board",)),
)


def main(arguments: list[str]) -> int:
    """Exit code of the first step that failed, or 0; `test` then goes on as pytest."""
    task, rest = arguments[0], arguments[1:]
    code = _all(_format() if task == "format" else _lint())
    if code or task != "test":
        return code
    if not any((ROOT / "tests").rglob("test_*.py")):
        print("pytest: no tests yet")
        return 0
    # Last and as it is, so that its closing line closes the whole output.
    print("pytest")
    # A file's tests stay together, for they share what they set up; `-n 0` runs all of them one by one. Two more at a
    # time than there are processors: a third of the time a test waits for an interpreter, a server, a disk.
    workers = str((os.cpu_count() or 1) + 2)
    # Counting the lines that ran costs a third of the time.
    cover = ["--cov"] if "--long" in rest else []
    # Files in their order: by their numbers of tests, the few that take longest would come last, each on its own.
    spread = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    become([PYTHON, "-m", "pytest", *cover, *spread, *rest], _variables())


def _lint() -> Iterator[Step]:
    """A step whose subject has not been written yet does not exist."""
    yield "ruff check", [PYTHON, "-m", "ruff", "check", "--quiet", "--output-format=concise", "."]
    yield "ruff format --check", [PYTHON, "-m", "ruff", "format", "--check", "--output-format=concise", "."]
    if _exist("tools/generate.py"):
        yield "gen --check", [PYTHON, "tools/generate.py", "--check"]
    if found := _exist(*_HOST):
        yield "mypy host, protocol", [PYTHON, "-m", "mypy", *found]
    for name, configuration, sources in _ON_BOARD:
        if _exist(configuration) and (found := _exist(*sources)):
            yield name, [PYTHON, "-m", "mypy", "--config-file", configuration, *found]
    if _exist("host/plomba/__init__.py") and _exist("protocol/plomba_wire/__init__.py"):
        yield "lint-imports", [str(BIN / "lint-imports"), "--no-cache"]
    yield "addresses", [PYTHON, "tools/addresses.py"]


def _format() -> Iterator[Step]:
    yield "ruff check --fix", [PYTHON, "-m", "ruff", "check", "--fix", "--quiet", "."]
    yield "ruff format", [PYTHON, "-m", "ruff", "format", "--quiet", "."]


def _exist(*paths: str) -> list[str]:
    """Those of `paths` that are files, or folders with Python in them."""
    return [path for path in paths if (ROOT / path).is_file() or any((ROOT / path).rglob("*.py"))]


def _all(steps: Iterator[Step]) -> int:
    for name, command in steps:
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=ROOT, env=_variables(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        took = time.perf_counter() - started
        if done.returncode:
            print(done.stdout.decode(errors="replace"), end="")
            print(f"{name:<24}failed, exit code {done.returncode}, {took:.1f} s", flush=True)
            return done.returncode
        print(f"{name:<24}{took:5.1f} s", flush=True)
    return 0


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("MYPYPATH", "PYTHONPATH")}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
