"""The organisation's keys in a folder: root, dock and desk, certified. Thin: no passphrase, no revocation yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plomba.errors import StoreError
from plomba.trust.keys import PrivateKey, fingerprint
from plomba.trust.objects import Trust, issue
from plomba_wire.vocabulary import Protection, Role

_YEAR = 366 * 86400


@dataclass(frozen=True, slots=True)
class Signer:
    """A key below the root and its certificate object."""

    key: PrivateKey
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Organisation:
    """The keys of one organisation. `root` is None where only the working keys are kept."""

    folder: Path
    trust: Trust
    root: PrivateKey | None
    dock: Signer
    desk: Signer

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.trust.root)

    @classmethod
    def create(cls, folder: Path, *, now: int) -> Organisation:
        """Makes all keys. Raises StoreError when the folder holds keys already."""
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "root.pem").exists():
            raise StoreError("key_exists", path=folder / "root.pem")
        root = PrivateKey.generate()
        root.save(folder / "root.pem")
        (folder / "root.pub").write_bytes(root.public)
        (folder / "root.fingerprint").write_text(fingerprint(root.public) + "\n", encoding="ascii")
        for serial, (name, role) in enumerate((("dock", Role.DOCK), ("desk", Role.DESK)), start=1):
            key = PrivateKey.generate()
            key.save(folder / f"{name}.pem")
            certificate = issue(
                root,
                key.public,
                role=role,
                protection=Protection.OPEN,
                epoch=1,
                label=name,
                serial=serial,
                not_before=now - 86400,
                not_after=now + 2 * _YEAR,
            )
            (folder / f"{name}.cert").write_bytes(certificate)
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> Organisation:
        """Reads the keys that are there. Raises StoreError."""
        try:
            public = (folder / "root.pub").read_bytes()
            certificates = {name: (folder / f"{name}.cert").read_bytes() for name in ("dock", "desk")}
        except OSError as error:
            raise StoreError("org_missing", path=folder) from error
        if len(public) != 64:
            raise StoreError("key_damaged", path=folder / "root.pub")
        root = PrivateKey.load(folder / "root.pem") if (folder / "root.pem").exists() else None
        signers = {
            name: Signer(PrivateKey.load(folder / f"{name}.pem"), certificate)
            for name, certificate in certificates.items()
        }
        return cls(folder, Trust(public), root, signers["dock"], signers["desk"])

    def certify_terminal(self, public: bytes, *, epoch: int, protection: int, label: str, now: int) -> bytes:
        """A certificate for a terminal's key. Raises StoreError where the root is not kept."""
        if self.root is None:
            raise StoreError("root_offline", path=self.folder)
        return issue(
            self.root,
            public,
            role=Role.TERMINAL,
            protection=protection,
            epoch=epoch,
            label=label,
            serial=now,
            not_before=now - 86400,
            not_after=now + 2 * _YEAR,
        )
