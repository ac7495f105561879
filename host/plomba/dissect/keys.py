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
        if self._pin is None:
            self._roots[chain.key_id(root)] = root, CAPTURE
        elif fingerprint(root) == self._pin:
            self._roots[chain.key_id(root)] = root, ROOT
        return self._pin is None or fingerprint(root) == self._pin

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
        id = signed.envelope.key_id
        root = self._roots.get(id)
        if root is None:
            foreign = self._pin is not None and id != bytes.fromhex(self._pin)[:8]
            verdict = (BAD, "by another root") if foreign else (UNCHECKED, "no root")
            return Signature(what, *verdict, id), certificate
        public, source = root
        if signed.envelope.kind != ObjectKind.CERTIFICATE:
            return Signature(what, BAD, "an object of another kind", id, source), certificate
        if not signed.signed_by(public):
            return Signature(what, BAD, "does not fit", id, source), certificate
        if certificate.role == Role.TERMINAL:
            self.learn_terminal(certificate.public)
        return Signature(what, OK, "", id, source), certificate

    def check_bundle(self, raw: bytes, what: str, kind: int) -> list[Signature]:
        """The certificate of a bundle and the object of `kind` that its key signed. Dates are not looked at."""
        try:
            first, second = split_bundle(raw)
            signed = SignedObject.parse(second)
        except VerificationError:
            return [Signature(what, UNCHECKED, "does not fit its layout")]
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


def _may_sign(role: int, kind: int) -> bool:
    if kind == ObjectKind.TIME:
        return role in (Role.DESK, Role.DOCK)
    return SIGNERS.get(kind) == role
