"""The recovery sheet as the command meets it: a file to be printed, or lines typed from paper."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from plomba.errors import StoreError, UsageError
from plomba.texts import language, say
from plomba.trust import recovery_sheet
from plomba.trust.keys import PrivateKey
from plomba.trust.recovery_sheet import Sheet
from plomba.trust.staged_files import write_new

_FILE_MAX = 65536


def refuse_sheet(path: Path | None) -> None:
    """Before anything is made: whether the sheet can be written there. Raises UsageError `sheet_place`."""
    if path is None:
        return
    if path.exists() or not path.parent.is_dir():
        raise UsageError("sheet_place", path=path)


def write_sheet(path: Path, root: PrivateKey) -> None:
    """Writes the sheet, readable by its owner only. Raises StoreError `sheet_failed`."""
    text = recovery_sheet.write(root, made=date.today().isoformat(), lang=language())
    try:
        write_new(path, text.encode())
    except OSError as error:
        raise StoreError("sheet_failed", path=path, reason=error.strerror or error) from error


def ask_sheet() -> Path | None:
    """Where the sheet shall go, asked on the terminal; None for no sheet, or where nobody can be asked."""
    if not sys.stdin.isatty():
        return None
    while typed := _ask(say("org", "sheet_where")):
        path = Path(typed).expanduser()
        try:
            refuse_sheet(path)
        except UsageError as error:
            print(error.what(), file=sys.stderr)
        else:
            return path
    return None


def read_sheet(path: Path | None) -> Sheet:
    """The sheet in a file, or typed line by line; a line with a slip is asked for again. Raises UsageError."""
    if path is not None:
        try:
            with open(path, "rb") as file:
                return recovery_sheet.read(file.read(_FILE_MAX).decode("utf-8", "replace"))
        except OSError as error:
            raise UsageError("file_missing", path=path) from error
    if not sys.stdin.isatty():
        raise UsageError("sheet_needed")
    lines: list[str] = []
    while len(lines) < recovery_sheet.LINES:
        number = len(lines) + 1
        typed = _ask(say("org", "sheet_line", line=number, last=recovery_sheet.LINES))
        try:
            recovery_sheet.read_line(number, typed)
        except UsageError as error:
            print(error.what(), file=sys.stderr)
        else:
            lines.append(f"{number} {typed}")
    return recovery_sheet.read("\n".join(lines))


def _ask(prompt: str) -> str:
    """One line from the terminal. Raises UsageError at its end."""
    print(prompt, end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    if not typed:
        raise UsageError("sheet_needed")
    return typed.strip()
