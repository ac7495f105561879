"""What stands between a thief of the root's file and the root: a passphrase of some length, stretched by scrypt.

`BestAvailableEncryption` of `cryptography` writes PBES2: AES-256-CBC under PBKDF2-HMAC-SHA-256 with 2,048 rounds, and
offers no other count for PKCS #8. That is little, so what it gets is not the passphrase but scrypt's result, 64 hex
digits. Salt and cost stand in a line before the PEM block, which every reader of PEM skips.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
)

from plomba.errors import UsageError

SHORTEST = 12
"""Characters. Below that a stolen file falls to guessing, whatever a guess costs."""
LONGEST = 1024
_COST = (2**17, 8, 1)
"""n, r, p: 128 MiB for each guess, the cost that OWASP's password storage cheat sheet names for scrypt."""
_COST_MAX = 2**22
"""Of n * r * p: 512 MiB. A file that asks for more is not one of ours."""
_HEAD = re.compile(rb"plomba-scrypt n=(\d{1,8}) r=(\d{1,3}) p=(\d{1,3}) salt=([0-9a-f]{32})\r?\n")


def check(passphrase: bytes) -> None:
    """Raises UsageError `passphrase_short`, `passphrase_long`. `passphrase` is UTF-8."""
    characters = len(passphrase.decode("utf-8", "replace").strip())
    if characters < SHORTEST:
        raise UsageError("passphrase_short", shortest=SHORTEST)
    if characters > LONGEST:
        raise UsageError("passphrase_long", longest=LONGEST)


def encryption(passphrase: bytes | None) -> tuple[bytes, KeySerializationEncryption]:
    """What stands before the PEM block, and how the block is encrypted. Raises UsageError: see `check`."""
    if passphrase is None:
        return b"", NoEncryption()
    check(passphrase)
    salt = secrets.token_bytes(16)
    n, r, p = _COST
    head = f"plomba-scrypt n={n} r={r} p={p} salt={salt.hex()}\n".encode()
    return head, BestAvailableEncryption(_scrypt(passphrase, salt, n, r, p))


def stretched(passphrase: bytes, pem: bytes) -> bytes:
    """The password of a PEM block; of a file without our line the passphrase itself. Raises ValueError."""
    head = _HEAD.match(pem)
    if head is None:
        return _one_form(passphrase)
    n, r, p = (int(head[at]) for at in (1, 2, 3))
    if n * r * p > _COST_MAX:
        raise ValueError("cost of scrypt out of bounds")
    return _scrypt(passphrase, bytes.fromhex(head[4].decode()), n, r, p)


def _scrypt(passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(_one_form(passphrase)).hex().encode()


def _one_form(passphrase: bytes) -> bytes:
    """Keyboards compose letters with marks in different ways; the passphrase is the same."""
    return unicodedata.normalize("NFC", passphrase.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )
