"""Signed objects (DESIGN: envelope) and the certificates that say who may sign them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from plomba.errors import VerificationError
from plomba.trust.keys import PrivateKey, verify
from plomba_wire import chain
from plomba_wire.codec import Certificate, Envelope, Malformed
from plomba_wire.vocabulary import ObjectKind, Role

CERTIFICATE_MAX = 200
"""Bytes of the longest certificate object."""
SIGNERS = {
    ObjectKind.RECEIPT: Role.DOCK,
    ObjectKind.MANIFEST: Role.DESK,
    ObjectKind.RULES: Role.DESK,
    ObjectKind.IMAGE: Role.RELEASE,
}
"""Which role signs which kind. TIME comes from a desk or a dock; CERTIFICATE from the root."""


def seal(kind: int, body: bytes, key: PrivateKey, *, version: int, not_before: int, not_after: int = 0) -> bytes:
    """A signed object. Times are seconds since 1970; `not_after` 0 means no end."""
    envelope = Envelope(kind, key.id, version, not_before, not_after, len(body))
    unsigned = envelope.pack() + body
    return unsigned + key.sign(chain.object_digest(unsigned))


@dataclass(frozen=True, slots=True)
class SignedObject:
    """A signed object taken apart; its signature is not checked yet."""

    envelope: Envelope
    body: bytes
    raw: bytes

    @classmethod
    def parse(cls, data: bytes) -> SignedObject:
        """Reads exactly one object. Raises VerificationError."""
        try:
            envelope = Envelope.read(data, 0)
        except Malformed as error:
            raise VerificationError("object_malformed", where=error.where) from error
        if len(data) != Envelope.SIZE + envelope.length + chain.SIGNATURE:
            raise VerificationError("object_malformed", where="length")
        return cls(envelope, data[Envelope.SIZE : -chain.SIGNATURE], data)

    def signed_by(self, public: bytes) -> bool:
        if self.envelope.key_id != chain.key_id(public):
            return False
        return verify(public, chain.object_digest(self.raw[: -chain.SIGNATURE]), self.raw[-chain.SIGNATURE :])

    def valid_at(self, now: int) -> bool:
        """Whether `now` (s since 1970) lies inside its dates."""
        envelope = self.envelope
        return envelope.not_before <= now and (not envelope.not_after or now <= envelope.not_after)


def issue(
    root: PrivateKey,
    public: bytes,
    *,
    role: int,
    protection: int,
    epoch: int,
    label: str,
    serial: int,
    not_before: int,
    not_after: int,
) -> bytes:
    """A certificate object: `root` says what the key may sign. Raises ValueError for a label over 32 bytes."""
    body = Certificate(role, protection, epoch, public, label.encode()).pack()
    data = seal(ObjectKind.CERTIFICATE, body, root, version=serial, not_before=not_before, not_after=not_after)
    if len(data) > CERTIFICATE_MAX:
        raise ValueError("certificate over 200 bytes")
    return data


def bundle(certificate: bytes, signed: bytes) -> bytes:
    """An object below the root, travelling with its signer's certificate."""
    return struct.pack(">H", len(certificate)) + certificate + signed


def split_bundle(data: bytes) -> tuple[bytes, bytes]:
    """Certificate and object. Raises VerificationError."""
    if len(data) < 2:
        raise VerificationError("object_malformed", where="bundle")
    (length,) = struct.unpack_from(">H", data, 0)
    if length > CERTIFICATE_MAX or len(data) < 2 + length:
        raise VerificationError("object_malformed", where="bundle")
    return data[2 : 2 + length], data[2 + length :]


@dataclass(frozen=True, slots=True)
class Trust:
    """A pinned root, and what it vouches for."""

    root: bytes

    def certificate(self, data: bytes, *, now: int | None = None, what: str = "certificate") -> Certificate:
        """The certificate, proved to be the root's. Raises VerificationError."""
        signed = SignedObject.parse(data)
        if signed.envelope.kind != ObjectKind.CERTIFICATE:
            raise VerificationError("object_malformed", where="kind")
        if signed.envelope.key_id != chain.key_id(self.root):
            raise VerificationError(
                "root_foreign", what=what, found=signed.envelope.key_id.hex(), root=chain.key_id(self.root).hex()
            )
        if not signed.signed_by(self.root):
            raise VerificationError("signature_bad", what=what)
        if now is not None and not signed.valid_at(now):
            raise VerificationError("certificate_dates", what=what)
        try:
            return Certificate.unpack(signed.body)
        except Malformed as error:
            raise VerificationError("object_malformed", where=error.where) from error

    def open(self, data: bytes, kind: int, *, now: int | None = None) -> SignedObject:
        """The object in a bundle, proved to be of `kind` and by a key that may sign it. Raises VerificationError."""
        certificate_data, object_data = split_bundle(data)
        certificate = self.certificate(certificate_data, now=now)
        signed = SignedObject.parse(object_data)
        if signed.envelope.kind != kind:
            raise VerificationError("object_malformed", where="kind")
        roles = (Role.DESK, Role.DOCK) if kind == ObjectKind.TIME else (SIGNERS[kind],)
        if certificate.role not in roles:
            raise VerificationError("role_wrong", found=certificate.role, wanted=roles[0])
        if not signed.signed_by(certificate.public):
            raise VerificationError("signature_bad", what=f"object of kind {kind}")
        if now is not None and not signed.valid_at(now):
            raise VerificationError("object_dates", kind=kind)
        return signed
