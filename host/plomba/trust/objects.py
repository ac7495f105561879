"""Signed objects (DESIGN: envelope) and the certificates that say who may sign them."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plomba.errors import VerificationError
from plomba.trust.keys import PrivateKey, verify
from plomba_wire import chain
from plomba_wire.codec import BlockList, Certificate, Envelope, Malformed
from plomba_wire.vocabulary import ObjectKind, Role

if TYPE_CHECKING:
    from plomba.trust.revocations import Revocations

CERTIFICATE_MAX = 200
"""Bytes of the longest certificate object."""
BLOCK = 4096
"""Bytes of a block of a large object's content (SPEC.md, section 3)."""
BLOCKS_MAX = 238
"""Blocks of the largest one."""
IN_BLOCKS = (ObjectKind.MANIFEST, ObjectKind.IMAGE)
"""Kinds whose signed body is a block list; what it names stands behind the bundle."""
SIGNERS = {
    ObjectKind.RECEIPT: Role.DOCK,
    ObjectKind.MANIFEST: Role.DESK,
    ObjectKind.RULES: Role.DESK,
    ObjectKind.IMAGE: Role.RELEASE,
    ObjectKind.STAFF: Role.DESK,
    ObjectKind.SEALS: Role.DESK,
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


def package(
    kind: int,
    body: bytes,
    key: PrivateKey,
    certificate: bytes,
    *,
    version: int,
    not_before: int,
    not_after: int = 0,
) -> bytes:
    """A signed object as it goes down to a terminal: its bundle and, for a kind IN_BLOCKS, the body behind it.

    Raises ValueError for more than BLOCKS_MAX blocks.
    """
    content = b""
    if kind in IN_BLOCKS:
        if len(body) > BLOCK * BLOCKS_MAX:
            raise ValueError(f"{len(body)} bytes are more than {BLOCKS_MAX} blocks")
        content, body = body, BlockList(len(body), block_hashes(body)).pack()
    signed = seal(kind, body, key, version=version, not_before=not_before, not_after=not_after)
    return bundle(certificate, signed) + content


def block_hashes(content: bytes) -> bytes:
    """SHA-256 of each block, one behind the other."""
    return b"".join(hashlib.sha256(content[at : at + BLOCK]).digest() for at in range(0, len(content), BLOCK))


def split_package(data: bytes) -> tuple[bytes, bytes]:
    """Bundle and content; the bundle ends where its object does. Raises VerificationError."""
    certificate, rest = split_bundle(data)
    try:
        end = Envelope.SIZE + Envelope.read(rest, 0).length + chain.SIGNATURE
    except Malformed as error:
        raise VerificationError("object_malformed", where=error.where) from error
    if len(rest) < end:
        raise VerificationError("object_malformed", where="length")
    at = 2 + len(certificate) + end
    return data[:at], data[at:]


def version_of(data: bytes) -> int:
    """The version that a package claims. Raises VerificationError."""
    return SignedObject.parse(split_bundle(split_package(data)[0])[1]).envelope.version


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
    """A pinned root, and what it vouches for: nothing of a key that its newest list of revocations names.

    `former` are roots that handed over to this one, one to the next (plomba.trust.rotation): what they certified while
    they were in force counts on.
    """

    root: bytes
    revocations: Revocations | None = None
    former: tuple[bytes, ...] = ()

    def certificate(self, data: bytes, *, now: int | None = None, what: str = "certificate") -> Certificate:
        """The certificate, proved to be the root's. Raises VerificationError."""
        signed = SignedObject.parse(data)
        if signed.envelope.kind != ObjectKind.CERTIFICATE:
            raise VerificationError("object_malformed", where="kind")
        root = next((root for root in (self.root, *self.former) if signed.envelope.key_id == chain.key_id(root)), None)
        if root is None:
            raise VerificationError(
                "root_foreign", what=what, found=signed.envelope.key_id.hex(), root=chain.key_id(self.root).hex()
            )
        if not signed.signed_by(root):
            raise VerificationError("signature_bad", what=what)
        if root != self.root:
            self._believe(signed.envelope.key_id, signed.envelope.not_before, what)
        if now is not None and not signed.valid_at(now):
            raise VerificationError("certificate_dates", what=what)
        try:
            certificate = Certificate.unpack(signed.body)
        except Malformed as error:
            raise VerificationError("object_malformed", where=error.where) from error
        if now is not None:
            self._believe(chain.key_id(certificate.public), now, what)
        return certificate

    def _believe(self, key_id: bytes, at: int, what: str) -> None:
        if self.revocations is not None and self.revocations.covers(key_id, at):
            raise VerificationError("key_revoked", what=what, terminal=key_id.hex())

    def open(self, data: bytes, kind: int, *, now: int | None = None) -> SignedObject:
        """The object in a package, proved to be of `kind` and by a key that may sign it. Of a kind IN_BLOCKS `body` is
        the content, proved by the list. Raises VerificationError."""
        whole, content = split_package(data)
        certificate_data, object_data = split_bundle(whole)
        certificate = self.certificate(certificate_data, now=now)
        signed = SignedObject.parse(object_data)
        if signed.envelope.kind != kind:
            raise VerificationError("object_malformed", where="kind")
        roles = (Role.DESK, Role.DOCK) if kind == ObjectKind.TIME else (SIGNERS[kind],)
        if certificate.role not in roles:
            raise VerificationError("role_wrong", found=certificate.role, wanted=roles[0])
        if not signed.signed_by(certificate.public):
            raise VerificationError("signature_bad", what=f"object of kind {kind}")
        # Without a clock, as of the object's own beginning: what a thief dates back is bounded by what receipts show.
        self._believe(signed.envelope.key_id, signed.envelope.not_before if now is None else now, f"kind {kind}")
        if now is not None and not signed.valid_at(now):
            raise VerificationError("object_dates", kind=kind)
        if kind in IN_BLOCKS:
            return replace(signed, body=_proved(content, signed.body))
        if content:
            raise VerificationError("object_malformed", where="length")
        return signed


def _proved(content: bytes, body: bytes) -> bytes:
    """`content`, when it is what the list in `body` names. Raises VerificationError."""
    try:
        named = BlockList.unpack(body)
    except Malformed as error:
        raise VerificationError("object_malformed", where=error.where) from error
    if not content or named.size != len(content) or named.hashes != block_hashes(content):
        raise VerificationError("object_malformed", where="block list")
    return content
