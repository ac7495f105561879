"""The real firmware in a MicroPython process for each terminal, asked line by line (terminal_mpy.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from plomba.sim.interpreter import HEAP_WITH_CODE, firmware_path, interpreter
from plomba.sim.virtual_terminal import FLASH_BLOCKS

HERE = Path(__file__).resolve().parent
Told = dict[str, Any]


class Died(AssertionError):
    """The firmware ended; what it printed."""


class Board:
    """A context manager. `firmware` stands in the place of the tree's own: a copy that was broken."""

    def __init__(self, folder: Path, name: str, firmware: Path | None = None) -> None:
        self.name = name
        self.flash = folder / f"{name}.bin"
        self._firmware = firmware

    def __enter__(self) -> Board:
        sim, *rest = firmware_path()
        if self._firmware is not None:
            rest[:2] = [self._firmware, self._firmware / "lib"]
        path = [sim, *rest, HERE]
        with open(os.devnull, "r+b", buffering=0) as panel:
            self._process = subprocess.Popen(
                [str(interpreter()), "-X", f"heapsize={HEAP_WITH_CODE}", str(HERE / "terminal_mpy.py")],
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith("SIM_")},
                    "MICROPYPATH": ":".join([*map(str, path), ".frozen"]),
                    "SIM_PANEL_FD": str(panel.fileno()),
                    "SIM_FLASH": str(self.flash),
                    "SIM_FLASH_BLOCKS": str(FLASH_BLOCKS),
                    "SIM_HEAP": str(HEAP_WITH_CODE),
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[panel.fileno()],
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def ask(self, name: str, given: object = 1) -> Told:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([name, given]).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line.startswith(b"{"):
            process.stdin.close()
            raise Died((line + process.stdout.read()).decode(errors="replace")[-800:])
        told: Told = json.loads(line)
        return told

    def keep_flash(self, path: Path) -> None:
        shutil.copyfile(self.flash, path)

    def put_flash(self, path: Path) -> None:
        """The chip of another time, under the running process: it has to be started anew at once."""
        with open(self.flash, "r+b", buffering=0) as chip:
            chip.write(path.read_bytes())
