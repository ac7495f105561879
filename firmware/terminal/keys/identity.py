"""Who this terminal is: its key, born here and never leaving, its root, its certificate."""

from plomba_wire import chain
from plomba_wire.codec import Certificate, Envelope, Malformed, RootRotation
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Enrolment, Error, ObjectKind, Role
from terminal import files
from terminal.keys.signer import KeyDamaged
from terminal.objects.signed import fits

_ROOT = 64
_NUMBER = 4


class Identity:
    """`signer` has the key (signer.py). Raises KeyDamaged for a certificate that is not whole.

    `root` is the one that is believed, None before there is one; `rotation` the number of the rotation that brought it,
    0 for the one that a person accepted. `epoch` is the certificate's: both change with one file.
    """

    def __init__(self, signer) -> None:
        self.signer = signer
        self.public = signer.public
        self.id = chain.key_id(self.public)
        self.protection = signer.protection
        self.certificate = files.load("certificate")
        self.epoch = 1
        if self.certificate is not None:
            try:
                self.epoch = _body(self.certificate).epoch
            except Malformed:
                raise KeyDamaged
        self.offered: "tuple[bytes, bytes] | None" = None
        self.declined: "tuple[bytes, bytes] | None" = None
        # Root, number and former roots are one file: they change together.
        stored = files.load("root") or b""
        self.root = stored[:_ROOT] or None
        self.rotation = int.from_bytes(stored[_ROOT : _ROOT + _NUMBER], "big")
        self._former = stored[_ROOT + _NUMBER :]

    @property
    def serial(self) -> int:
        """Serial number of the certificate."""
        return Envelope.read(self.certificate, 0).version  # type: ignore[arg-type]

    @property
    def roots(self) -> bytes:
        """The root and those before it, which vouched for what was installed in their time; none on a blank one."""
        return (self.root or b"") + self._former

    @property
    def enrolment(self) -> int:
        if self.root and self.certificate:
            return Enrolment.ENROLLED
        return Enrolment.WAITING if self.offered else Enrolment.BLANK

    def sign(self, digest: bytes) -> bytes:
        """Signature over a digest, with the smaller s. Raises entropy.EntropyFailure, signer.ChipFailure."""
        return self.signer.sign(digest)

    def certified_epoch(self, root: bytes, certificate: bytes) -> int:
        """Epoch of a certificate by `root` for this terminal's key: the one at hand or, once enrolled, the next.

        Raises Refusal. Its dates are for those who verify records: a wrong clock must not shut a terminal out.
        """
        try:
            envelope = Envelope.read(certificate, 0)
            body = _body(certificate)
        except Malformed:
            raise Refusal(Error.BAD_SIGNATURE)
        unsigned = certificate[: -chain.SIGNATURE]
        if (
            envelope.kind != ObjectKind.CERTIFICATE
            or envelope.length != len(unsigned) - Envelope.SIZE
            or body.role != Role.TERMINAL
            or body.public != self.public
            or not fits(root, chain.object_digest(unsigned), certificate[-chain.SIGNATURE :])
        ):
            raise Refusal(Error.BAD_SIGNATURE)
        if body.epoch < self.epoch:
            raise Refusal(Error.ROLLBACK, self.epoch)
        if body.epoch > self.epoch + (self.root is not None):
            raise Refusal(Error.BAD_RANGE, self.epoch)
        return body.epoch

    def offer(self, root: bytes, certificate: bytes) -> None:
        """A root asks to be accepted: a person has to press OK. Its certificate was looked at."""
        self.offered = (root, certificate)

    def accept(self) -> bool:
        """The person at the terminal pressed OK for the root on the screen."""
        if self.offered is None:
            return False
        root, certificate = self.offered
        self.take(certificate)
        files.save("root", root)
        self.root, self.offered = root, None
        return True

    def decline(self) -> None:
        """The person at the terminal said no: the same root with the same certificate is not shown again."""
        self.declined, self.offered = self.offered, None

    def take(self, certificate: bytes) -> None:
        """A certificate that was looked at replaces the one that is held; so does its epoch. Raises OSError."""
        files.save("certificate", certificate)
        self.certificate = certificate
        self.epoch = _body(certificate).epoch

    def rotate(self, number: int, body: bytes) -> None:
        """The root that takes over, by the word of the one before it. Raises Refusal, OSError.

        The certificate stays as it is until the new root brings one.
        """
        assert self.root is not None
        if number <= self.rotation:
            raise Refusal(Error.ROLLBACK, self.rotation)
        try:
            rotation = RootRotation.unpack(body)
        except Malformed:
            raise Refusal(Error.MALFORMED)
        digest = chain.rotation_digest(self.root, rotation.public, number)
        if not fits(rotation.public, digest, rotation.signature):
            raise Refusal(Error.BAD_SIGNATURE)
        former = self.roots
        files.save("root", rotation.public + number.to_bytes(_NUMBER, "big") + former)
        self.root, self.rotation, self._former = rotation.public, number, former


def _body(certificate: bytes) -> Certificate:
    return Certificate.unpack(certificate[Envelope.SIZE : -chain.SIGNATURE])
