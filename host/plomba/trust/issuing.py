"""What the root certifies: the working keys in its folder, and public keys that were made elsewhere."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from plomba.errors import UsageError
from plomba.trust import issued, seal_register, sealing, staged_files
from plomba.trust.issued import Issued
from plomba.trust.keys import PrivateKey, public_key
from plomba.trust.objects import issue
from plomba.trust.organisation import CERTIFIED_FOR, DAY, WORKING, Organisation
from plomba_wire.vocabulary import Protection


def issue_working(
    organisation: Organisation, name: str, *, now: int, label: str | None = None, lasts: int = CERTIFIED_FOR
) -> Issued:
    """A new key and its certificate in the folder, in the place of the one before; `lasts` is seconds.

    The former certificate stays in `issued/`: what its key signed still verifies, unless it is revoked too. Raises
    StoreError, UsageError `label_long`; for a seal issuer, who gets a number in the register, `seal_issuers_full`.
    """
    key = PrivateKey.generate()
    return _issue(organisation, name, key.public, now=now, label=label, lasts=lasts, key=key)


def certify(
    organisation: Organisation, name: str, public: bytes, *, now: int, label: str, lasts: int = CERTIFIED_FOR
) -> Issued:
    """A certificate for a public key (X || Y) whose private part lies elsewhere; it is kept in `issued/` only."""
    return _issue(organisation, name, public, now=now, label=label, lasts=lasts, key=None)


def _issue(
    organisation: Organisation,
    name: str,
    public: bytes,
    *,
    now: int,
    label: str | None,
    lasts: int,
    key: PrivateKey | None,
) -> Issued:
    label = issued.checked_label(label or name)
    root = organisation.unlocked()
    with organisation.writing():
        serial = issued.next_serial(issued.names(organisation.folder), now)
        held = issued.read_all(organisation.folder, organisation.roots)
        epochs = [each.epoch for each in held if each.role == WORKING[name] and each.label == label]
        data = issue(
            root,
            public,
            role=WORKING[name],
            protection=Protection.OPEN,
            epoch=min(max(epochs, default=0) + 1, 0xFFFF),
            label=label,
            serial=serial,
            not_before=now - DAY,
            not_after=now + lasts,
        )
        files = {issued.name(serial): data}
        if key is not None:
            files |= {f"{name}.pem": key.pem(), f"{name}.cert": data}
            if name == sealing.KEY:
                files[seal_register.NAME] = sealing.registered(organisation, key.id, now=now).packed()
        staged_files.commit(organisation.folder, files)
    return Issued.parse(data, organisation.roots)


def read_public(path: Path) -> bytes:
    """A public key (X || Y) from a file: 64 bytes, 128 hex digits, or PEM. Raises UsageError `public_unreadable`."""
    try:
        data = path.read_bytes()
        if b"-----BEGIN" in data:
            return _from_pem(data)
        public = data if len(data) == 64 else bytes.fromhex(data.decode("ascii").strip())
        if len(public) != 64:
            raise ValueError("not 64 bytes")
        public_key(public)
    except (OSError, ValueError) as error:
        raise UsageError("public_unreadable", path=path, reason=error) from error
    return public


def _from_pem(data: bytes) -> bytes:
    """Raises ValueError."""
    if b"PRIVATE" in data:
        raise ValueError("a private key")
    key = serialization.load_pem_public_key(data)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
