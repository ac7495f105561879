"""A secret out of a file that is named: its first line. A pipe (/dev/fd/3) is as good as a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from plomba.errors import UsageError

_FILE_MAX = 8192


def first_line(path: Path, what: str) -> bytes:
    """`what` is passphrase or token. Raises UsageError `passphrase_file_readable`, `passphrase_file_missing`,
    `token_file_readable`, `token_file_missing`."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
                raise UsageError(f"{what}_file_readable", path=path)
            found = file.read(_FILE_MAX)
    except OSError as error:
        raise UsageError(f"{what}_file_missing", path=path, reason=error.strerror or error) from error
    return found.split(b"\n")[0].rstrip(b"\r")
