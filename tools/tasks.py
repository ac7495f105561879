"""The tasks of `python3 tools`: make the environment ready, then become the program that does the work."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import environment
import system_packages
from become import become
from environment import BIN, PYTHON, ROOT

USAGE = """\
usage: python3 tools <task> [arguments]

  demo [arguments]                 the whole story on this machine, without hardware: plomba demo
  test [--long] [pytest arguments] every check, then every test
  lint                             the checks without the tests
  format                           put the code in its one shape
  gen [--check]                    write the generated files, or only say whether they are current
  fuzz [--runs N] [--seed S]       every decoder against hostile bytes, and the real terminal
  sweep power [--cuts N] [--long]  the power cut at every flash operation, and again in what follows; bad blocks
  crypto-check FILE...             hold our verifiers and signers to Wycheproof, CAVP or RFC 6979 vectors

The first run makes .venv from tools/requirements.lock; later ones start at once."""


def main(arguments: list[str]) -> NoReturn:
    """Run one task and leave with its exit code; 2 for a task that does not exist, 1 if the set-up failed."""
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(USAGE)
        sys.exit(0)
    if not arguments or arguments[0] not in TASKS:
        print(USAGE, file=sys.stderr)
        sys.exit(2)
    try:
        command = TASKS[arguments[0]](arguments[1:])
    except environment.SetUpFailed as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    os.chdir(ROOT)
    become(command, inside())


def demo(arguments: list[str]) -> list[str]:
    environment.ready()
    system_packages.provide(system_packages.DEMO)
    return [str(BIN / "plomba"), "demo", *arguments]


def test(arguments: list[str]) -> list[str]:
    environment.ready()
    environment.typings()
    system_packages.provide(system_packages.TEST)
    return [str(PYTHON), str(ROOT / "tools" / "checks.py"), "test", *arguments]


def lint(arguments: list[str]) -> list[str]:
    environment.ready()
    environment.typings()
    return [str(PYTHON), str(ROOT / "tools" / "checks.py"), "lint", *arguments]


def gen(arguments: list[str]) -> list[str]:
    environment.ready()
    return [str(PYTHON), str(ROOT / "tools" / "generate.py"), *arguments]


def crypto_check(arguments: list[str]) -> list[str]:
    environment.ready()
    # The files are named from where the person stands, and the work is done from the project's folder.
    named = [name if name.startswith("-") else os.path.abspath(name) for name in arguments]
    return [str(PYTHON), str(ROOT / "tools" / "crypto_check.py"), *named]


def fuzz(arguments: list[str]) -> list[str]:
    environment.ready()
    return [str(PYTHON), str(ROOT / "tools" / "fuzz.py"), "--fuzzer", str(environment.fuzzer()), *arguments]


def sweep(arguments: list[str]) -> list[str]:
    environment.ready()
    return [str(PYTHON), str(ROOT / "tools" / "sweep.py"), *arguments]


def shape(arguments: list[str]) -> list[str]:
    environment.ready()
    return [str(PYTHON), str(ROOT / "tools" / "checks.py"), "format", *arguments]


TASKS = {
    "demo": demo,
    "test": test,
    "lint": lint,
    "format": shape,
    "gen": gen,
    "fuzz": fuzz,
    "sweep": sweep,
    "crypto-check": crypto_check,
}


def inside() -> dict[str, str]:
    """This process's variables as an activated environment would have them."""
    variables = {**os.environ, "VIRTUAL_ENV": str(environment.ENV)}
    variables["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    variables.pop("PYTHONHOME", None)
    return variables
