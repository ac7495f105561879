"""One root hands over to another: the old one signs the object, the new one signs inside it (SPEC.md, RootRotation)."""

from __future__ import annotations

from plomba.errors import VerificationError
from plomba.trust.keys import PrivateKey, verify
from plomba.trust.objects import SignedObject, bundle, seal, split_bundle
from plomba_wire import chain
from plomba_wire.codec import Malformed, RootRotation
from plomba_wire.vocabulary import ObjectKind


def rotate(old: PrivateKey, new: PrivateKey, number: int) -> bytes:
    """The bundle by which `new` takes over from `old`. `number` rises by one with each rotation, the first is 1.

    It holds from ever and without an end: a terminal that slept for years, or whose clock is behind, takes it too.
    """
    signature = new.sign(chain.rotation_digest(old.public, new.public, number))
    body = RootRotation(new.public, signature).pack()
    return bundle(b"", seal(ObjectKind.ROOT, body, old, version=number, not_before=0))


def rotation_number(data: bytes) -> int:
    """The number that a rotation claims. Raises VerificationError."""
    return SignedObject.parse(split_bundle(data)[1]).envelope.version


def verify_rotation(data: bytes, old_public: bytes) -> bytes:
    """The root (X || Y) that takes over from `old_public`, both signatures proved.

    Raises VerificationError: `object_malformed`; `root_foreign` when another root handed over; `signature_bad` when the
    old root did not sign; `rotation_unaccepted` when the new one did not.
    """
    certificate, object_data = split_bundle(data)
    if certificate:
        raise VerificationError("object_malformed", where="certificate")
    signed = SignedObject.parse(object_data)
    if signed.envelope.kind != ObjectKind.ROOT:
        raise VerificationError("object_malformed", where="kind")
    if signed.envelope.key_id != chain.key_id(old_public):
        raise VerificationError(
            "root_foreign",
            what="rotation",
            found=signed.envelope.key_id.hex(),
            root=chain.key_id(old_public).hex(),
        )
    if not signed.signed_by(old_public):
        raise VerificationError("signature_bad", what="rotation")
    try:
        rotation = RootRotation.unpack(signed.body)
    except Malformed as error:
        raise VerificationError("object_malformed", where=error.where) from error
    digest = chain.rotation_digest(old_public, rotation.public, signed.envelope.version)
    if not verify(rotation.public, digest, rotation.signature):
        raise VerificationError("rotation_unaccepted", number=signed.envelope.version)
    return rotation.public
