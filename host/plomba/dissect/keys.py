"""The keys that signatures are held against: from the capture itself, from a ledger, below a root that was given.

What a capture says of its own keys proves only that it agrees with itself: `source` tells whose word it is.
"""

from __future__ import annotations

from collections.abc import Callable

from plomba.dissect.entry import BAD, OK, UNCHECKED, Signature
from plomba.errors import VerificationError
from plomba.trust.keys import fingerprint, verify
from plomba.trust.objects import SIGNERS, SignedObject, split_bundle
from plomba_wire import chain, codec
from plomba_wire.vocabulary import ObjectKind, Role

CAPTURE = "capture"
LEDGER = "ledger"
ROOT = "root"
CERTIFICATE = "certificate"

_BY_ROOT = (ObjectKind.REVOCATIONS, ObjectKind.ROOT)
"""Kinds that the root signs itself: their bundle has a certificate of length 0."""


class KeyRing:
    """`root` is a public key that was given (64 bytes), `pin` a root's fingerprint (64 hex digits) where its key is
    not at hand; `ledger` gives the public key of a terminal by its id."""

    def __init__(
        self,
        *,
        root: bytes | None = None,
        pin: str | None = None,
        ledger: Callable[[bytes], bytes | None] | None = None,
    ) -> None:
        self._pin = fingerprint(root) if root is not None else pin
        self._ledger = ledger
        self._roots: dict[bytes, tuple[bytes, str]] = {}
        self._terminals: dict[bytes, bytes] = {}
        if root is not None:
            self._roots[chain.key_id(root)] = root, ROOT

    def learn_root(self, root: bytes) -> bool:
        """A root of the capture. False when another one was given."""
        id = chain.key_id(root)
        if self._pin is None:
            self._roots.setdefault(id, (root, CAPTURE))
        elif fingerprint(root) == self._pin:
            self._roots[id] = root, ROOT
        return id in self._roots

    def learn_terminal(self, public: bytes) -> None:
        """A terminal's key of the capture."""
        self._terminals[chain.key_id(public)] = public

    def terminal(self, id: bytes) -> tuple[bytes, str] | None:
        """Public key and source; the ledger's word goes before the capture's."""
        known = self._ledger(id) if self._ledger is not None else None
        if known is not None:
            return known, LEDGER
        public = self._terminals.get(id)
        return (public, CAPTURE) if public is not None else None

    def check(self, what: str, id: bytes, digest: bytes, signature: bytes) -> Signature:
        """A terminal's signature over `digest`."""
        found = self.terminal(id)
        if found is None:
            return Signature(what, UNCHECKED, "no key", id)
        public, source = found
        if verify(public, digest, signature):
            return Signature(what, OK, "", id, source)
        return Signature(what, BAD, "does not fit", id, source)

    def check_certificate(self, raw: bytes) -> tuple[Signature, codec.Certificate | None]:
        """A certificate object. A terminal's key in it is remembered; the certificate says whose it is."""
        what = "certificate"
        try:
            signed = SignedObject.parse(raw)
            certificate = codec.Certificate.unpack(signed.body)
        except (VerificationError, codec.Malformed):
            return Signature(what, UNCHECKED, "does not fit its layout"), None
        found = self._by_root(what, signed, ObjectKind.CERTIFICATE)
        if found.verdict == OK and certificate.role == Role.TERMINAL:
            self.learn_terminal(certificate.public)
        return found, certificate

    def check_bundle(self, raw: bytes, what: str, kind: int) -> list[Signature]:
        """The certificate of a bundle and the object of `kind` that its key signed. Dates are not looked at."""
        try:
            first, second = split_bundle(raw)
            signed = SignedObject.parse(second)
        except VerificationError:
            return [Signature(what, UNCHECKED, "does not fit its layout")]
        if not first:
            return self._root_signed(what, signed, kind)
        vouched, certificate = self.check_certificate(first)
        id = signed.envelope.key_id
        if certificate is None:
            return [vouched, Signature(what, UNCHECKED, "no certificate", id)]
        if vouched.verdict == BAD:
            return [vouched, Signature(what, BAD, "its certificate is bad", id, CERTIFICATE)]
        if signed.envelope.kind != kind:
            return [vouched, Signature(what, BAD, "an object of another kind", id, CERTIFICATE)]
        if not _may_sign(certificate.role, kind):
            return [vouched, Signature(what, BAD, "a role that may not sign it", id, CERTIFICATE)]
        if not signed.signed_by(certificate.public):
            return [vouched, Signature(what, BAD, "does not fit", id, CERTIFICATE)]
        return [vouched, Signature(what, OK, "", id, CERTIFICATE)]

    def _by_root(self, what: str, signed: SignedObject, kind: int) -> Signature:
        """Whether a root that is known signed it, as an object of `kind`."""
        id = signed.envelope.key_id
        root = self._roots.get(id)
        if root is None:
            foreign = self._pin is not None and id != bytes.fromhex(self._pin)[:8]
            return Signature(what, BAD, "by another root", id) if foreign else Signature(what, UNCHECKED, "no root", id)
        public, source = root
        if signed.envelope.kind != kind:
            return Signature(what, BAD, "an object of another kind", id, source)
        if not signed.signed_by(public):
            return Signature(what, BAD, "does not fit", id, source)
        return Signature(what, OK, "", id, source)

    def _root_signed(self, what: str, signed: SignedObject, kind: int) -> list[Signature]:
        """An object in a bundle without a certificate. A root that takes over is believed as the old one is."""
        found = self._by_root(what, signed, kind)
        if kind not in _BY_ROOT:
            return [Signature(what, BAD, "no certificate, and no root signs this kind", signed.envelope.key_id)]
        if kind != ObjectKind.ROOT or signed.envelope.kind != kind:
            return [found]
        try:
            rotation = codec.RootRotation.unpack(signed.body)
        except codec.Malformed:
            return [found]
        new = chain.key_id(rotation.public)
        old = self._roots.get(signed.envelope.key_id)
        if old is None:
            if fingerprint(rotation.public) == self._pin:
                found = Signature(what, UNCHECKED, "by the root before the one given", signed.envelope.key_id)
            return [found, Signature("rotation", UNCHECKED, "no old root", new)]
        digest = chain.rotation_digest(old[0], rotation.public, signed.envelope.version)
        if not verify(rotation.public, digest, rotation.signature):
            return [found, Signature("rotation", BAD, "does not fit", new, found.source)]
        if found.verdict == OK:
            self._roots.setdefault(new, (rotation.public, old[1]))
        return [found, Signature("rotation", OK, "", new, found.source)]


def _may_sign(role: int, kind: int) -> bool:
    if kind == ObjectKind.TIME:
        return role in (Role.DESK, Role.DOCK)
    return SIGNERS.get(kind) == role
