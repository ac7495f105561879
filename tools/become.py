"""Go on as another program: its signals and its exit code are this process's from here on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import NoReturn


def become(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by `command`. On Windows, where exec starts a stranger and returns to the prompt
    at once, stay until it ends and leave with its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)
    child = subprocess.Popen(command, env=environment)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            continue  # Ctrl-C went to the child as well, and the child decides what it means.
