"""docs/keys.md: its way to the root without plomba works, and its commands exist."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

from org_folders import PASSPHRASE, Command

from plomba.trust.organisation import Organisation

DOCS = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")


def test_openssl_opens_the_root_without_plomba(locked: Path) -> None:
    path = locked / "root.pem"
    n, r, p, salt = (part.split("=")[1] for part in path.read_text().splitlines()[0].split()[1:])
    assert "n, r, p, salt" in DOCS
    password = hashlib.scrypt(
        PASSPHRASE.encode(), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p), maxmem=2**28, dklen=32
    )
    command = ["openssl", "pkey", "-in", str(path), "-passin", "stdin", "-pubout", "-outform", "DER"]
    der = subprocess.run(command, input=password.hex().encode(), check=True, capture_output=True).stdout
    assert der.endswith(Organisation.load(locked).trust.root)


def test_every_command_and_option_it_names_exists(run: Command) -> None:
    commands = set(re.findall(r"plomba org (\w+)", DOCS))
    assert commands == {"init", "status", "issue", "revoke", "rotate", "export", "recover"}
    known = set()
    for command in commands:
        known |= set(re.findall(r"--[a-z-]+", run("org", command, "--help").out))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", DOCS)) <= known
