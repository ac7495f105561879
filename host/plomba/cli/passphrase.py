"""The root's passphrase: typed at the terminal, or from a file that is named. It is never an argument or a variable."""

from __future__ import annotations

import getpass
import os
import sys
import unicodedata
from pathlib import Path

from plomba.cli.secret_file import first_line
from plomba.errors import UsageError
from plomba.texts import say
from plomba.trust import passphrases, root_file
from plomba.trust.keys import fingerprint
from plomba.trust.organisation import Organisation
from plomba_wire import chain

VARIABLE = "PLOMBA_PASSPHRASE_FILE"
"""Names the file, where no option does."""
NEW_VARIABLE = "PLOMBA_NEW_PASSPHRASE_FILE"


def existing(file: Path | None, about: str) -> bytes:
    """The passphrase there is. `about` is what the terminal shows. Raises UsageError."""
    named = _named(file, VARIABLE)
    if named is not None:
        return first_line(named, "passphrase")
    return _typed(say("org", "passphrase", about=about), VARIABLE)


def new(file: Path | None, about: str, variable: str = VARIABLE) -> bytes:
    """A new one, asked twice, long enough. Raises UsageError."""
    named = _named(file, variable)
    if named is not None:
        found = first_line(named, "passphrase")
        passphrases.check(found)
        return found
    found = _typed(say("org", "passphrase_new", about=about, shortest=passphrases.SHORTEST), variable)
    passphrases.check(found)
    if _typed(say("org", "passphrase_again"), variable) != found:
        raise UsageError("passphrase_differs")
    return found


def unlock(folder: Path, *, root_key: Path | None = None, passphrase_file: Path | None = None) -> Organisation:
    """The organisation with its root; the passphrase is asked for when the root wants one. Raises PlombaError."""
    found = Organisation.load(folder)
    path = root_file.find(root_key or folder / root_file.NAME, chain.key_id(found.trust.root))
    if path is None or not root_file.locked(path):
        return Organisation.load(folder, root_key=root_key, unlock=True)
    passphrase = existing(passphrase_file, f"{path} ({fingerprint(found.trust.root)[:16]})")
    return Organisation.load(folder, passphrase=passphrase, root_key=root_key, unlock=True)


def _named(file: Path | None, variable: str) -> Path | None:
    return file or (Path(os.environ[variable]) if os.environ.get(variable) else None)


def _typed(prompt: str, variable: str) -> bytes:
    if not sys.stdin.isatty():
        raise UsageError("passphrase_needed", variable=variable)
    try:
        return unicodedata.normalize("NFC", getpass.getpass(prompt)).encode("utf-8", "surrogateescape")
    except EOFError:
        raise UsageError("passphrase_needed", variable=variable) from None
