"""A test vector of ECDSA on P-256 with SHA-256, whatever the form of its file."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256 (NIST SP 800-186, 3.2.1.3)."""


@dataclass(frozen=True)
class Signature:
    """`raw` is what a verifier of r || s is given, `numbers` is r and s: None where the encoding has none.

    `stopped` says why there is no `raw`: "der" is no valid DER, "size" an r or s of more than 256 bits.
    """

    raw: bytes | None
    numbers: tuple[int, int] | None
    stopped: str = ""

    @property
    def high_s(self) -> bool:
        return self.numbers is not None and self.numbers[1] > N // 2

    @classmethod
    def of(cls, r: int, s: int) -> Signature:
        if max(r, s) >> 256:
            return cls(None, (r, s), "size")
        return cls(r.to_bytes(32, "big") + s.to_bytes(32, "big"), (r, s))

    @classmethod
    def p1363(cls, raw: bytes) -> Signature:
        if len(raw) != 64:
            return cls(raw, None)
        return cls(raw, (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")))

    @classmethod
    def der(cls, encoded: bytes) -> Signature:
        try:
            return cls.of(*decode_dss_signature(encoded))
        except ValueError:
            return cls(None, None, "der")


@dataclass(frozen=True)
class ToVerify:
    """`public` is X || Y as the file has it, on the curve or not; `verdict` is valid, invalid or acceptable."""

    id: str
    comment: str
    public: bytes
    digest: bytes
    signature: Signature
    verdict: str


@dataclass(frozen=True)
class ToSign:
    """A published signature. `nonce` is None when it is that of RFC 6979."""

    id: str
    comment: str
    d: int
    public: bytes
    digest: bytes
    r: int
    s: int
    nonce: int | None


@dataclass
class VectorFile:
    """What one file holds; `skipped` counts the tests left out by group (or section) and reason."""

    path: Path
    form: str
    to_verify: list[ToVerify] = field(default_factory=list)
    to_sign: list[ToSign] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, case: ToSign) -> None:
        """What was published as signed is there to verify as well."""
        self.to_sign.append(case)
        published = Signature.of(case.r, case.s)
        self.to_verify.append(ToVerify(case.id, case.comment, case.public, case.digest, published, "valid"))


def to_sign(
    name: str, comment: str, message: str, case: Mapping[str, str], public: bytes | None, nonce: int | None
) -> ToSign:
    """A case from its fields d, r and s (or R and S); the message is hexadecimal. Raises KeyError, ValueError."""
    d = integer(case["d"])
    if not 0 < d < N or (nonce is not None and not 0 < nonce < N):
        raise ValueError("d or k is not in [1, n - 1]")
    if public is None:
        numbers = ec.derive_private_key(d, ec.SECP256R1()).public_key().public_numbers()
        public = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    r, s = (integer(case.get(half) or case[half.upper()]) for half in ("r", "s"))
    return ToSign(name, comment, d, public, sha256(message), r, s, nonce)


def sha256(message: str) -> bytes:
    """Of a message in hexadecimal. Raises ValueError."""
    return hashlib.sha256(bytes.fromhex(message)).digest()


def integer(text: str) -> int:
    """Hexadecimal digits and nothing else. Raises ValueError."""
    if not re.fullmatch(r"[0-9A-Fa-f]+", text):
        raise ValueError(f"{text!r} is no hexadecimal number")
    return int(text, 16)


def coordinates(x: str, y: str) -> bytes:
    """X || Y; a coordinate of more than 256 bits makes it longer than 64 bytes. Raises ValueError."""
    return b"".join(n.to_bytes(max(32, (n.bit_length() + 7) // 8), "big") for n in (integer(x), integer(y)))


def uncompressed(point: str) -> bytes:
    """X || Y of 04 || X || Y, of whatever length. Raises ValueError for another kind of point."""
    octets = bytes.fromhex(point)
    if octets[:1] != b"\x04":
        raise ValueError("its key is no uncompressed point")
    return octets[1:]
