"""Files of a folder that change together: a crash at any moment leaves all of the old or all of the new.

New files are written to `.next`, flushed, and the folder is renamed to `.committed`: that is the moment of change. Then
they move to their places. A reader looks into `.committed` first, and again when it met a writer; the next writer ends
what a crash left undone.
Modes are POSIX's: on Windows a file has what its folder grants, and nothing is checked.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from plomba.errors import StoreError

_NEXT = ".next"
_COMMITTED = ".committed"
_LOCK = ".lock"
_READS = 100
Read = TypeVar("Read")
TRACES = {_NEXT, _COMMITTED, _LOCK}
"""What this module leaves in a folder beside the files themselves."""
PRIVATE = ".pem"
"""How a file ends that only its owner may read."""


def refuse_readable(path: Path) -> None:
    """Raises StoreError `key_readable` when others than its owner may read a private file; OSError."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StoreError("key_readable", path=path)


def refuse_writable(folder: Path) -> None:
    """Raises StoreError `folder_writable` when others than its owner may put keys into a folder; OSError."""
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o022:
        raise StoreError("folder_writable", path=folder)


def write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes a file that must not exist yet, and flushes it. Raises FileExistsError, OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes a file whole under another name, then puts it in its place. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    write_new(temporary, data, mode)
    os.replace(temporary, path)
    flush_folder(path.parent)


def put_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes a file whole under another name, then gives it its own, which must be free.

    Raises FileExistsError, OSError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    try:
        write_new(temporary, data, mode)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links: the name is taken first, and a crash leaves it empty.
            write_new(path, b"", mode)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Makes renames in a folder durable, where the system can. Raises OSError."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def located(folder: Path, name: str) -> Path:
    """Where the file `name` of `folder` lies just now; it may be nowhere."""
    committed = folder / _COMMITTED / name
    return committed if committed.exists() else folder / name


def content(folder: Path, name: str) -> bytes:
    """What the file `name` of `folder` holds; a writer that moves it meanwhile is followed.

    Raises FileNotFoundError when it is nowhere, OSError.
    """
    try:
        return located(folder, name).read_bytes()
    except FileNotFoundError:
        # From `.committed` a file goes to its place, and nowhere else.
        return (folder / name).read_bytes()


def names(folder: Path, below: str, suffix: str) -> list[str]:
    """Names (`below/stem.suffix`) of the files there are, ascending."""
    found = {
        f"{below}/{path.name}" for base in (folder, folder / _COMMITTED) for path in (base / below).glob(f"*{suffix}")
    }
    return sorted(found)


def beside_writers(folder: Path, read: Callable[[], Read]) -> Read:
    """What `read` gives, which has to prove that its files belong together; it runs again when a writer came between.

    Raises what `read` raises; StoreError `folder_busy` when the writing does not end.
    """
    for _ in range(_READS):
        before = _stamp(folder)
        try:
            return read()
        except StoreError:
            if _stamp(folder) == before:
                raise
    raise StoreError("folder_busy", path=folder)


def _stamp(folder: Path) -> set[tuple[str, int, int]]:
    """Another one after each file that came into its place."""
    stamp = set()
    for base in (folder, folder / _COMMITTED):
        try:
            for entry in os.scandir(base):
                if entry.name not in (_NEXT, _LOCK):
                    status = entry.stat()
                    stamp.add((entry.path, status.st_ino, status.st_mtime_ns))
        except OSError:
            stamp.add((str(base), 0, 0))
    return stamp


@contextmanager
def changing(folder: Path, *, make: bool = False) -> Iterator[None]:
    """One writer at a time. What a crash left undone is ended first. With `make` the folder may be new.

    Raises StoreError: `folder_busy` while another writer is at work; `folder_failed` for whatever the system refuses.
    """
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with open(folder / _LOCK, "ab") as lock:
            try:
                _hold(lock.fileno())
            except OSError as error:
                raise StoreError("folder_busy", path=folder) from error
            _settle(folder)
            shutil.rmtree(folder / _NEXT, ignore_errors=True)
            yield
    except OSError as error:
        raise StoreError("folder_failed", path=folder, reason=error.strerror or error) from error


def commit(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes all of `files` (name -> content), or none. Only inside `changing`. Raises OSError."""
    staged = folder / _NEXT
    staged.mkdir(mode=0o700)
    for name, data in files.items():
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, data, 0o600 if name.endswith(PRIVATE) else 0o644)
    for below in {(staged / name).parent for name in files} | {staged}:
        flush_folder(below)
    os.replace(staged, folder / _COMMITTED)
    flush_folder(folder)
    _settle(folder)


def _settle(folder: Path) -> None:
    committed = folder / _COMMITTED
    if not committed.exists():
        return
    for path in sorted(path for path in committed.rglob("*") if path.is_file()):
        target = folder / path.relative_to(committed)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        flush_folder(target.parent)
    flush_folder(folder)
    shutil.rmtree(committed)


if sys.platform == "win32":
    import msvcrt

    def _hold(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _hold(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
