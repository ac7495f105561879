"""Who this terminal is: its key, born here and never leaving, its root, its certificate."""

from plomba_wire import chain
from plomba_wire.codec import Certificate, Envelope, Malformed
from plomba_wire.vocabulary import Enrolment, ObjectKind, Protection, Role
from terminal import files
from terminal.keys import entropy, p256
from terminal.objects.signed import fits

_KEY = 32


class KeyDamaged(Exception):
    """The stored key is not whole. It is never replaced by itself: its records could not be told from a stranger's."""


class Identity:
    """Makes the key at first start. Raises KeyDamaged, and entropy.EntropyFailure when there is no randomness."""

    def __init__(self) -> None:
        entropy.self_test()
        stored = files.load("key")
        if stored is None:
            stored = entropy.new_private_key().to_bytes(_KEY, "big")
            files.save("key", stored)
        if len(stored) != _KEY:
            raise KeyDamaged
        self._private = int.from_bytes(stored, "big")
        self.public = p256.public_key(self._private)
        self.id = chain.key_id(self.public)
        self.epoch = 1
        self.protection = Protection.OPEN
        self.root = files.load("root")
        self.certificate = files.load("certificate")
        self.offered: "tuple[bytes, bytes] | None" = None

    @property
    def enrolment(self) -> int:
        if self.root and self.certificate:
            return Enrolment.ENROLLED
        return Enrolment.WAITING if self.offered else Enrolment.BLANK

    def sign(self, digest: bytes) -> bytes:
        """Signature over a digest, its nonce hedged with fresh entropy (RFC 6979 section 3.6)."""
        return p256.sign(self._private, digest, entropy.entropy(32))

    def offer(self, root: bytes, certificate: bytes) -> bool:
        """A root asks to be accepted. False when the certificate is not this root's for this terminal's key."""
        if self.root and self.root != root:
            return False
        if not _certifies(root, certificate, self.public):
            return False
        if self.root:
            files.save("certificate", certificate)
            self.certificate = certificate
        else:
            self.offered = (root, certificate)
        return True

    def accept(self) -> bool:
        """The person at the terminal pressed OK for the root on the screen."""
        if self.offered is None:
            return False
        root, certificate = self.offered
        files.save("certificate", certificate)
        files.save("root", root)
        self.root, self.certificate, self.offered = root, certificate, None
        return True

    def decline(self) -> None:
        self.offered = None


def _certifies(root: bytes, certificate: bytes, public: bytes) -> bool:
    try:
        envelope = Envelope.read(certificate, 0)
        unsigned = certificate[: -chain.SIGNATURE]
        body = Certificate.unpack(unsigned[Envelope.SIZE :])
    except Malformed:
        return False
    return (
        envelope.kind == ObjectKind.CERTIFICATE
        and envelope.length == len(unsigned) - Envelope.SIZE
        and body.role == Role.TERMINAL
        and body.public == public
        and fits(root, chain.object_digest(unsigned), certificate[-chain.SIGNATURE :])
    )
