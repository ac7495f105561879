"""Verification of what comes down the link: a bundle is `length u16 | certificate object | object`."""

import struct

from plomba_wire import chain
from plomba_wire.codec import Certificate, Envelope, Malformed
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind, Role
from terminal.keys import p256

_HALF_N = 0x7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8
_CERTIFICATE_MAX = 200
HEAD_MAX = 2 + _CERTIFICATE_MAX + Envelope.SIZE
"""Bytes of a bundle that hold certificate and envelope at most."""

_SIGNERS = {
    ObjectKind.RECEIPT: (Role.DOCK,),
    ObjectKind.MANIFEST: (Role.DESK,),
    ObjectKind.RULES: (Role.DESK,),
    ObjectKind.TIME: (Role.DESK, Role.DOCK),
}


class Opening:
    """The head of a bundle: who signed, and what. `signed_from` is where the signed object begins."""

    def __init__(self, head: bytes, root: bytes, now: int) -> None:
        """Raises Refusal unless a certificate of `root` stands behind the object. `now` 0 = clock not set."""
        try:
            length = struct.unpack_from(">H", head, 0)[0] if len(head) > 2 else 0xFFFF
            if length > _CERTIFICATE_MAX:
                raise Malformed("bundle")
            certificate = head[2 : 2 + length]
            self.signed_from = 2 + length
            self.envelope = Envelope.read(head, self.signed_from)
            outer = Envelope.read(certificate, 0)
            unsigned = certificate[: -chain.SIGNATURE]
            signer = Certificate.unpack(unsigned[Envelope.SIZE :])
        except Malformed:
            raise Refusal(Error.MALFORMED)
        if outer.length != len(unsigned) - Envelope.SIZE:
            raise Refusal(Error.MALFORMED)
        if outer.kind != ObjectKind.CERTIFICATE or outer.key_id != chain.key_id(root):
            raise Refusal(Error.UNKNOWN_KEY)
        if not fits(root, chain.object_digest(unsigned), certificate[-chain.SIGNATURE :]):
            raise Refusal(Error.BAD_SIGNATURE)
        if now and not (_in_force(outer, now) and _in_force(self.envelope, now)):
            raise Refusal(Error.EXPIRED)
        if signer.role not in _SIGNERS.get(self.envelope.kind, ()):
            raise Refusal(Error.WRONG_ROLE)
        if self.envelope.key_id != chain.key_id(signer.public):
            raise Refusal(Error.UNKNOWN_KEY)
        self.public = signer.public
        self.size = self.signed_from + Envelope.SIZE + self.envelope.length + chain.SIGNATURE


def open_bundle(bundle: bytes, kind: int, root: bytes, now: int) -> "tuple[Envelope, bytes]":
    """Envelope and body of a small bundle. Raises Refusal."""
    opening = Opening(bundle[:HEAD_MAX], root, now)
    if opening.envelope.kind != kind or opening.size != len(bundle):
        raise Refusal(Error.MALFORMED)
    unsigned = bundle[opening.signed_from : -chain.SIGNATURE]
    if not fits(opening.public, chain.object_digest(unsigned), bundle[-chain.SIGNATURE :]):
        raise Refusal(Error.BAD_SIGNATURE)
    return opening.envelope, unsigned[Envelope.SIZE :]


def fits(public: bytes, digest: bytes, signature: bytes) -> bool:
    """A signature of ours: valid, and with low s (SPEC.md, Numbers)."""
    if int.from_bytes(signature[32:], "big") > _HALF_N:
        return False
    return p256.verify(public, digest, signature)


def _in_force(envelope: Envelope, now: int) -> bool:
    return envelope.not_before <= now and (not envelope.not_after or now <= envelope.not_after)
