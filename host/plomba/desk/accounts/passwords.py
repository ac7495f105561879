"""Passwords: scrypt, with its cost beside each hash, and the same work for a name that is not there.

One is stretched at a time: whoever tries many at once gets in line, and the desk's memory stays its own.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import threading
import unicodedata
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from plomba.errors import UsageError

SHORTEST = 10
"""Characters."""
LONGEST = 256
_LENGTH = 32
_COST_MAX = 2**22
"""Of n * r * p: a hash that asks for more is not one of ours."""
_HELD = re.compile(r"scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9_-]{16,64})\$([A-Za-z0-9_-]{43})")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of scrypt: n * r * 128 bytes of memory, `p` times. By default 32 MiB three times, one of the settings that
    OWASP's password storage cheat sheet holds equal, and the one for a small machine."""

    n: int = 2**15
    r: int = 8
    p: int = 3


class Passwords:
    """Makes and tries hashes. In no thread that others wait for: each takes a tenth of a second and more."""

    def __init__(self, cost: Cost = Cost()) -> None:
        self._cost = cost
        self._nobodys = self._held(os.urandom(16), os.urandom(_LENGTH))

    def made(self, password: str) -> str:
        """What is kept of a new password. Raises UsageError `password_short`, `password_long`."""
        check(password)
        salt = os.urandom(16)
        return self._held(salt, stretched(password, salt, self._cost))

    def fits(self, password: str, held: str | None) -> bool:
        """Whether it is the password that `held` was made of; None is nobody's, and costs the same time."""
        found = _HELD.fullmatch(held or self._nobodys)
        if found is None:
            raise ValueError("not a password hash of ours")
        cost = Cost(*(int(found[at]) for at in (1, 2, 3)))
        if cost.n * cost.r * cost.p > _COST_MAX:
            raise ValueError("cost of scrypt out of bounds")
        same = hmac.compare_digest(stretched(password[:LONGEST], _bytes(found[4]), cost), _bytes(found[5]))
        return same and held is not None and len(password) <= LONGEST

    def _held(self, salt: bytes, hash: bytes) -> str:
        cost = self._cost
        return f"scrypt${cost.n}${cost.r}${cost.p}${_text(salt)}${_text(hash)}"


def check(password: str) -> None:
    """Raises UsageError `password_short`, `password_long`."""
    if len(password.strip()) < SHORTEST:
        raise UsageError("password_short", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise UsageError("password_long", longest=LONGEST)


def stretched(password: str, salt: bytes, cost: Cost) -> bytes:
    """scrypt (RFC 7914) of a password in NFC: keyboards compose letters with marks in different ways."""
    key = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    with _one_at_a_time:
        return Scrypt(salt=salt, length=_LENGTH, n=cost.n, r=cost.r, p=cost.p).derive(key)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
