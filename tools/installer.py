"""What puts packages into the environment: uv if there is one, else its own pip, else this Python's pip."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

Install = Callable[..., None]


class SetUpFailed(Exception):
    """The set-up can not go on; the text says what happened and what to type."""


def make_venv(folder: Path) -> None:
    """Make an empty virtual environment without pip in `folder`, in place of what was there."""
    try:
        import venv
    except ImportError:
        raise SetUpFailed(_no_pip()) from None
    try:
        venv.create(folder, clear=True, symlinks=os.name != "nt", with_pip=False)
    except OSError as error:
        raise SetUpFailed(f"could not make {folder}: {error}") from error


def choose(python: Path, busy: int) -> Install:
    """The first installer that works here for the environment of `python`: a callable over pip's arguments.

    `busy` is the descriptor of the set-up lock, which every child holds as well. Raises SetUpFailed.
    """

    def works(*command: str) -> bool:
        return _run(command, busy).returncode == 0

    inside, outside = [str(python), "-m", "pip"], [sys.executable, "-m", "pip", "--python", str(python)]
    uv = shutil.which("uv")
    if uv and works(uv, "--version"):
        prefix = [uv, "pip", "install", "--python", str(python)]
    elif works(*inside, "--version") or (
        # Debian leaves ensurepip out of its Python unless python3-venv is installed.
        importlib.util.find_spec("ensurepip")
        and works(str(python), "-I", "-m", "ensurepip", "--upgrade", "--default-pip")
    ):
        prefix = [*inside, "install"]
    elif works(*outside, "--version"):  # pip 22.3 and newer can serve another environment
        prefix = [*outside, "install"]
    else:
        raise SetUpFailed(_no_pip())

    def install(*arguments: str) -> None:
        command = [*prefix, "--quiet", *arguments]
        done = _run(command, busy)
        if done.returncode:
            said = done.stdout.decode(errors="replace")
            raise SetUpFailed(f"{said}set-up failed, exit code {done.returncode} from: {' '.join(command)}")

    return install


def _run(command: Sequence[str], busy: int) -> subprocess.CompletedProcess[bytes]:
    """Run to the end, out of sight; what it said on either stream is in `stdout`."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        pass_fds=(busy,) if os.name == "posix" else (),
        check=False,
    )


def _no_pip() -> str:
    if shutil.which("apt-get"):
        sudo = "" if os.geteuid() == 0 else "sudo "
        return f"this Python cannot make a virtual environment; type: {sudo}apt install python3-venv"
    return f"{sys.executable} has neither venv with pip nor pip; install uv or pip and run this again"
