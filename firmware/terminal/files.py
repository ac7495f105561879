"""Small state on LittleFS: one value a file, replaced whole or not at all."""

import os

import vfs
from micropython import const

from terminal.flash import BLOCK, PAGE, FileRange, Region

_FOLDER = "/state/"
_ENOENT = const(2)


def mount(device: FileRange, journal: Region) -> None:
    """Mounts the small state. Raises OSError when it cannot be mounted, and then leaves it as it is.

    It is formatted only on a terminal that has never written a record: there is nothing to lose then, and a power cut
    in the very first format must not shut the terminal out for ever.
    """
    try:
        vfs.mount(_lfs(device), "/state")
    except OSError:
        if not _unused(journal):
            raise
        vfs.VfsLfs2.mkfs(device, progsize=PAGE)  # type: ignore[arg-type]
        vfs.mount(_lfs(device), "/state")


def unmount() -> None:
    """Whoever comes next mounts it again."""
    vfs.umount("/state")


def _lfs(device: FileRange):
    return vfs.VfsLfs2(device, progsize=PAGE)  # type: ignore[abstract, arg-type]


def _unused(journal: Region) -> bool:
    page = bytearray(PAGE)
    for block in range(journal.blocks):
        journal.read(block * BLOCK, page)
        if page != b"\xff" * PAGE:
            return False
    return True


def load(name: str) -> "bytes | None":
    """The value, or None when it was never saved. Raises OSError: what cannot be read is not taken for never saved."""
    try:
        with open(_FOLDER + name, "rb") as file:
            return file.read()
    except OSError as error:
        if error.errno != _ENOENT:
            raise
        return None


def save(name: str, value: bytes) -> None:
    """Durable on return: LittleFS makes close and rename atomic. Raises OSError."""
    fresh = _FOLDER + name + ".new"
    with open(fresh, "wb") as file:
        file.write(value)
    os.rename(fresh, _FOLDER + name)
