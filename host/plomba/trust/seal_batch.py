"""A batch of seals as a file: a line each, its name, a tab and the text of its QR code. To be printed, then deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plomba.errors import StoreError, UsageError
from plomba.trust import staged_files
from plomba.trust.sealing import COUNT_MAX, Made
from plomba_wire import seal
from plomba_wire.codec import Seal

_FILE_MAX = COUNT_MAX * 200


def refuse_taken(path: Path) -> None:
    """Before any number is given: whether the file can be new there. Raises UsageError `seals_place`."""
    if path.exists() or not path.parent.is_dir():
        raise UsageError("seals_place", path=path)


def write(path: Path, seals: Sequence[Made]) -> None:
    """Whole or not at all, readable by its owner only: who copies it can print the same seals.

    Raises UsageError `seals_place` for a name that was taken meanwhile, StoreError.
    """
    lines = "".join(f"{each.name}\t{each.text}\n" for each in seals)
    try:
        staged_files.put_new(path, lines.encode())
    except FileExistsError as error:
        raise UsageError("seals_place", path=path) from error
    except OSError as error:
        raise StoreError("file_unwritable", path=path, reason=error.strerror or error) from error


def read(path: Path) -> list[Made]:
    """Raises UsageError `seal_batch_unreadable`: no such file, a line that is no seal, or one under another's name."""
    try:
        with open(path, "rb") as file:
            lines = file.read(_FILE_MAX).splitlines()
    except OSError as error:
        raise UsageError("seal_batch_unreadable", path=path, line=0, reason=error.strerror or error) from error
    if not lines:
        raise UsageError("seal_batch_unreadable", path=path, line=0, reason="0")
    made = []
    for number, line in enumerate(lines, start=1):
        try:
            name, text = line.split(b"\t")
            found = Seal.unpack(seal.payload(text))
            if seal.typed(name) != name or seal.numbers(name)[1:] != (found.batch, found.number):
                raise ValueError(name.decode("ascii"))
        except ValueError as error:
            raise UsageError("seal_batch_unreadable", path=path, line=number, reason=error) from error
        made.append(Made(name.decode("ascii"), text.decode("ascii")))
    return made
