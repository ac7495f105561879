"""P-256 keys in the project's forms: public X || Y (64 bytes), signatures raw r || s (64 bytes) with low s."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from plomba.errors import StoreError
from plomba.trust import passphrases
from plomba.trust.staged_files import refuse_readable, write_new
from plomba_wire import chain

_ECDSA = ec.ECDSA(Prehashed(hashes.SHA256()))
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF_N = _N // 2
_SHARE = 32
"""Signatures that are worth a thread: it starts in the time of two."""


class PrivateKey:
    """A private key on this machine."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        numbers = key.public_key().public_numbers()
        self.public = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.id = chain.key_id(self.public)

    @classmethod
    def generate(cls) -> PrivateKey:
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_number(cls, number: bytes) -> PrivateKey:
        """The key whose private number is `number`, 32 bytes. Raises ValueError outside 1 .. n-1."""
        return cls(ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None = None) -> PrivateKey:
        """Reads a PEM file. Raises StoreError.

        Codes: `key_missing`; `key_readable` when others than its owner may read it; `key_locked` when it wants a
        passphrase and there is none; `passphrase_wrong`; `key_damaged`.
        """
        try:
            refuse_readable(path)
            pem = path.read_bytes()
        except OSError as error:
            raise StoreError("key_missing", path=path, reason=error.strerror or error) from error
        locked = is_locked(pem)
        if locked and passphrase is None:
            raise StoreError("key_locked", path=path)
        try:
            password = passphrases.stretched(passphrase, pem) if locked and passphrase is not None else None
            key = serialization.load_pem_private_key(pem, password)
        except (ValueError, TypeError):
            raise StoreError("passphrase_wrong" if locked else "key_damaged", path=path) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise StoreError("key_damaged", path=path)
        return cls(key)

    def pem(self, passphrase: bytes | None = None) -> bytes:
        """The key as PKCS #8, under `passphrase` where there is one (docs/keys.md says how)."""
        head, encryption = passphrases.encryption(passphrase)
        return head + self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    def save(self, path: Path, passphrase: bytes | None = None) -> None:
        """Writes a PEM file that only its owner may read. Raises StoreError when there is one already."""
        try:
            write_new(path, self.pem(passphrase))
        except FileExistsError as error:
            raise StoreError("key_exists", path=path) from error

    @property
    def number(self) -> bytes:
        """The private number, 32 bytes: for the recovery sheet and for nothing else."""
        return self._key.private_numbers().private_value.to_bytes(32, "big")

    def sign(self, digest: bytes) -> bytes:
        """Raw signature over a SHA-256 digest."""
        r, s = decode_dss_signature(self._key.sign(digest, _ECDSA))
        return r.to_bytes(32, "big") + min(s, _N - s).to_bytes(32, "big")

    def agree(self, public: bytes) -> bytes:
        """What this key and `public` (X || Y) share: the x coordinate of ECDH, 32 bytes (SP 800-56A rev. 3, 5.7.1.2).
        Raises ValueError when `public` is no point of the curve."""
        return self._key.exchange(ec.ECDH(), public_key(public))


def verify(public: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of ours over `digest`: valid, and with low s (SPEC.md, Numbers)."""
    if len(signature) != 64 or int.from_bytes(signature[32:], "big") > _HALF_N:
        return False
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public_key(public).verify(der, digest, _ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_each(claims: Sequence[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """`verify` of each (public, digest, signature), on all processors: OpenSSL works without the interpreter's lock."""
    workers = min(os.cpu_count() or 1, len(claims) // _SHARE)
    if workers < 2:
        return _verify_share(claims)
    share = -(-len(claims) // workers)
    with ThreadPoolExecutor(workers) as threads:
        shares = threads.map(_verify_share, (claims[at : at + share] for at in range(0, len(claims), share)))
        return [proved for each in shares for proved in each]


def _verify_share(claims: Sequence[tuple[bytes, bytes, bytes]]) -> list[bool]:
    return [verify(*claim) for claim in claims]


_public_keys: dict[bytes, ec.EllipticCurvePublicKey] = {}


def public_key(public: bytes) -> ec.EllipticCurvePublicKey:
    """The key object for X || Y, remembered. Raises ValueError when it is no point of the curve."""
    key = _public_keys.get(public)
    if key is None:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public)
        if len(_public_keys) < 1024:
            _public_keys[public] = key
    return key


def is_locked(pem: bytes) -> bool:
    """Whether a PEM file wants a passphrase."""
    return b"ENCRYPTED" in pem


def fingerprint(public: bytes) -> str:
    """SHA-256 of X || Y, 64 hex digits; a terminal shows the first 32."""
    return hashlib.sha256(public).hexdigest()
