"""Every answer that an owner gave, a line of JSON each, noted before the digits are shown.

A line holds the SHA-256 of the line before it: what is taken out of the middle, or changed, shows. Nothing holds the
last line: that it was taken away, or changed, does not show here; the audit shows an override that has no answer. The
digits are not in it. A line that a crash has cut off is passed over, and stays.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from plomba.errors import StoreError
from plomba.trust import staged_files

NAME = "answers.jsonl"
"""The file, in the organisation's folder."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer. `at` is s since 1970, `terminal` and `by` (the owner's key) are key ids in hexadecimal, `need` the
    name of a verdict."""

    at: int
    terminal: str
    label: str
    order: str
    need: str
    challenge: str
    by: str


def append(folder: Path, answered: Answered) -> None:
    """Durable on return. Raises StoreError `folder_busy`, `folder_failed`."""
    with staged_files.changing(folder):
        path = folder / NAME
        held = path.read_bytes() if path.exists() else b""
        lines = held.splitlines()
        line = json.dumps(asdict(answered) | {"previous": _digest(lines[-1] if lines else b"")})
        end = b"" if not held or held.endswith(b"\n") else b"\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(end + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if not held:
            staged_files.flush_folder(folder)


def read(folder: Path) -> list[Answered]:
    """All answers, oldest first. Raises StoreError `answers_damaged` where the lines do not join."""
    path = folder / NAME
    return list(_read(path, path.read_bytes().splitlines())) if path.exists() else []


def _read(path: Path, lines: list[bytes]) -> Iterator[Answered]:
    before = b""
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            if fields.pop("previous", "") != _digest(before):
                raise StoreError("answers_damaged", path=path, line=number)
            try:
                yield Answered(**fields)
            except TypeError as error:
                raise StoreError("answers_damaged", path=path, line=number) from error
        before = line


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
