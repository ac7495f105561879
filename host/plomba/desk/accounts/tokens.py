"""Bearer secrets: 256 random bits behind a prefix. The store holds their SHA-256: at this length nobody guesses one
back, so no salt and no stretching is needed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re

ACCOUNT = "plk_"
"""Of an account's token, so that a scanner of secrets finds one that was left somewhere."""
SESSION = "pls_"
_FORM = re.compile(r"pl[ks]_[A-Za-z0-9_-]{43}")


def new(prefix: str) -> str:
    return prefix + _text(os.urandom(32))


def digest(token: str) -> bytes | None:
    """What the store holds of it; None for what cannot be one."""
    return hashlib.sha256(token.encode("ascii")).digest() if _FORM.fullmatch(token) else None


def csrf(session: str) -> str:
    """The word that a page of the desk adds to what it sends: made of the session's secret, kept nowhere."""
    return _text(hmac.digest(session.encode(), b"plomba/csrf/1", "sha256"))


def same(a: str, b: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
