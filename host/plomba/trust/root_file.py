"""The file with the root's private key: where it lies, and how another root takes its place without a moment of none.

A new root is written beside the old one as `root.KEYID.pem`. The folder's change decides which of the two is in force;
then the new one takes the old one's name. Which file counts is seen without a passphrase: the one with the id of the
root in force in its name, else the plain name.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from plomba.errors import StoreError
from plomba.trust import staged_files
from plomba.trust.keys import is_locked

NAME = "root.pem"


def make_folder(folder: Path) -> None:
    """Makes the organisation's folder, open to its owner only. Raises StoreError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged_files.refuse_writable(folder)
    except OSError as error:
        raise StoreError("folder_failed", path=folder, reason=error.strerror or error) from error


def find(path: Path, root: bytes) -> Path | None:
    """The file of the root with the key id `root`, where it is not elsewhere."""
    return next((each for each in (_beside(path, root), path) if each.is_file()), None)


def locked(path: Path) -> bool:
    """Whether the file wants a passphrase. Raises StoreError."""
    try:
        staged_files.refuse_readable(path)
        return is_locked(path.read_bytes())
    except OSError as error:
        raise StoreError("key_missing", path=path, reason=error.strerror or error) from error


def put_beside(path: Path, root: bytes, pem: bytes) -> None:
    """Writes a root that is to take over. What a crash left of an earlier try goes. Raises OSError."""
    for stale in path.parent.glob(f"{path.stem}.*{path.suffix}"):
        if re.fullmatch(r"\.[0-9a-f]{16}", stale.name[len(path.stem) : -len(path.suffix) or None]):
            stale.unlink()
    staged_files.replace(_beside(path, root), pem)


def settle(path: Path, root: bytes) -> None:
    """The root that took over gets the plain name; the one before it is gone. Raises OSError."""
    beside = _beside(path, root)
    if beside.exists():
        os.replace(beside, path)
        staged_files.flush_folder(path.parent)


def _beside(path: Path, root: bytes) -> Path:
    return path.with_name(f"{path.stem}.{root.hex()}{path.suffix}")
