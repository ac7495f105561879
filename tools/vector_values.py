"""Bytes that look random and are the same on every machine, and the JSON form of fields."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def octets(name: str, length: int) -> bytes:
    """SHA-256 over `plomba/vectors/1`, name and a counter, as many bytes as wanted."""
    blocks = range(0, length, 32)
    return b"".join(hashlib.sha256(f"plomba/vectors/1 {name} {at}".encode()).digest() for at in blocks)[:length]


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes in hexadecimal, numbers as they are."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
