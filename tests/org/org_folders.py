"""An organisation's folder seen from outside: what a command left, every file, every form of a secret."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from plomba.trust.keys import PrivateKey

PASSPHRASE = "correct horse battery staple"
NEW_PASSPHRASE = "правильный конь батарея скрепка"
NOW = int(time.time())


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit status and all that it said."""

    status: int
    out: str
    err: str

    @property
    def code(self) -> str:
        """The stable code of the error on stderr."""
        return self.err.rsplit("[", 1)[1].split("]", 1)[0]


Command = Callable[..., Ran]


def secrets_of(key: PrivateKey) -> list[bytes]:
    """A private number in the forms in which it could slip out."""
    number = key.number
    return [
        number,
        number.hex().encode(),
        number.hex().upper().encode(),
        base64.b64encode(number),
        base64.b32encode(number),
        str(int.from_bytes(number, "big")).encode(),
    ]


def passphrase_file(path: Path, text: str) -> Path:
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


posix_only = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's; docs/keys.md says so")
