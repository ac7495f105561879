"""Verification of what comes down the link: a bundle is `length u16 | certificate object | object`.

What the root signs itself, revocation lists and rotations, has a certificate of length 0. The list that is in force
counts for what arrives. What is installed was believed when it came, and no revocation takes it away: at the start it
is held against the roots alone, so that a revoked desk key does not leave a terminal without rules.
"""

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
    ObjectKind.IMAGE: (Role.RELEASE,),
    ObjectKind.STAFF: (Role.DESK,),
    ObjectKind.SEALS: (Role.DESK,),
}
_ROOT_SIGNS = (ObjectKind.REVOCATIONS, ObjectKind.ROOT)
_KEY = 64


class Opening:
    """The head of a bundle: who signed, and what. `signed_from` is where the signed object begins."""

    def __init__(self, head: bytes, roots: bytes, now: int, revocations=None) -> None:
        """Raises Refusal unless one of `roots` (X || Y, one or several in a row) stands behind the object.

        `now` 0 = clock not set: dates do not count. Without `revocations` no key is revoked.
        """
        try:
            length = struct.unpack_from(">H", head, 0)[0] if len(head) > 2 else 0xFFFF
            if length > _CERTIFICATE_MAX:
                raise Malformed("bundle")
            certificate = head[2 : 2 + length]
            self.signed_from = 2 + length
            self.envelope = Envelope.read(head, self.signed_from)
        except Malformed:
            raise Refusal(Error.MALFORMED)
        self.size = self.signed_from + Envelope.SIZE + self.envelope.length + chain.SIGNATURE
        if certificate:
            self._certified(certificate, roots, now, revocations)
        else:
            self._by_root(roots)
        if now and not _in_force(self.envelope, now):
            raise Refusal(Error.EXPIRED)

    def _by_root(self, roots: bytes) -> None:
        """A list may name the root that signs it: else no list and no rotation could follow."""
        if self.envelope.kind not in _ROOT_SIGNS:
            raise Refusal(Error.MALFORMED)
        self.public = _root(roots, self.envelope.key_id)

    def _certified(self, data: bytes, roots: bytes, now: int, revocations) -> None:
        outer, signer = certified(data, roots)
        signer_id = chain.key_id(signer.public)
        if revocations is not None and (revocations.holds(signer_id) or revocations.holds(outer.key_id)):
            raise Refusal(Error.KEY_REVOKED)
        if now and not _in_force(outer, now):
            raise Refusal(Error.EXPIRED)
        if signer.role not in _SIGNERS.get(self.envelope.kind, ()):
            raise Refusal(Error.WRONG_ROLE)
        if self.envelope.key_id != signer_id:
            raise Refusal(Error.UNKNOWN_KEY)
        self.public = signer.public


def certificate(data: bytes) -> "tuple[Envelope, Certificate]":
    """Envelope and body of a certificate, whoever signed it. Raises Refusal."""
    try:
        outer = Envelope.read(data, 0)
        body = Certificate.unpack(data[Envelope.SIZE : -chain.SIGNATURE])
    except Malformed:
        raise Refusal(Error.MALFORMED)
    if outer.length != len(data) - Envelope.SIZE - chain.SIGNATURE:
        raise Refusal(Error.MALFORMED)
    if outer.kind != ObjectKind.CERTIFICATE:
        raise Refusal(Error.UNKNOWN_KEY)
    return outer, body


def certified(data: bytes, roots: bytes) -> "tuple[Envelope, Certificate]":
    """The same, signed by one of `roots`; its dates are left to the caller. Raises Refusal."""
    outer, body = certificate(data)
    issuer = _root(roots, outer.key_id)
    if not fits(issuer, chain.object_digest(data[: -chain.SIGNATURE]), data[-chain.SIGNATURE :]):
        raise Refusal(Error.BAD_SIGNATURE)
    return outer, body


def open_bundle(bundle: bytes, kind: int, roots: bytes, now: int, revocations=None) -> "tuple[Envelope, bytes]":
    """Envelope and body of a small bundle; the arguments are those of Opening. Raises Refusal."""
    opening = Opening(bundle[:HEAD_MAX], roots, now, revocations)
    if opening.envelope.kind != kind or opening.size != len(bundle):
        raise Refusal(Error.MALFORMED)
    # The list of a manifest's blocks is 5 KB: a copy of it more was what a crumbled heap had no room for.
    unsigned = memoryview(bundle)[opening.signed_from : -chain.SIGNATURE]
    if not fits(opening.public, chain.object_digest(unsigned), bundle[-chain.SIGNATURE :]):
        raise Refusal(Error.BAD_SIGNATURE)
    return opening.envelope, bytes(unsigned[Envelope.SIZE :])


def fits(public: "bytes | p256.Table", digest: bytes, signature: bytes) -> bool:
    """A signature of ours: valid, and with low s (SPEC.md, Numbers)."""
    if int.from_bytes(signature[32:], "big") > _HALF_N:
        return False
    return p256.verify(public, digest, signature)


def _in_force(envelope: Envelope, now: int) -> bool:
    return envelope.not_before <= now and (not envelope.not_after or now <= envelope.not_after)


def _root(roots: bytes, key_id: bytes) -> bytes:
    """The one of `roots` that has this id. Raises Refusal."""
    for at in range(0, len(roots), _KEY):
        root = roots[at : at + _KEY]
        if chain.key_id(root) == key_id:
            return root
    raise Refusal(Error.UNKNOWN_KEY)
