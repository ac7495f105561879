"""Files that a command writes whole or not at all."""

from __future__ import annotations

from pathlib import Path

from plomba.errors import StoreError


def write(path: Path, data: bytes) -> None:
    """Raises StoreError `file_unwritable`; then what was there is still there."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise StoreError("file_unwritable", path=path, reason=error.strerror) from error
