"""The organisation's keys in a folder: the root's public part, dock and desk with their certificates, revocations.

The root's private part is needed only to certify, to revoke and to rotate; it may lie under a passphrase and elsewhere.
What is done with it is in `plomba.trust.issuing`, `revoking` and `handover`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from plomba.errors import StoreError, VerificationError
from plomba.trust import issued, root_file, staged_files
from plomba.trust.issued import Issued
from plomba.trust.keys import PrivateKey, fingerprint
from plomba.trust.objects import Trust, issue
from plomba.trust.revocations import Revocations
from plomba.trust.rotation import verify_rotation
from plomba_wire import chain
from plomba_wire.vocabulary import Protection, Role

DAY = 86400
YEAR = 366 * DAY
CERTIFIED_FOR = 2 * YEAR
"""Seconds that a certificate holds, where nothing else is asked for."""
LIST_HOLDS = 90 * DAY
"""Seconds that a revocation list holds: so long at most can an old one be shown in the place of a newer one."""
REVOCATIONS = "revocations.list"
"""File of the list in force: its bundle."""
WORKING = {"dock": Role.DOCK, "desk": Role.DESK, "seal-issuer": Role.SEAL_ISSUER, "release": Role.RELEASE}
"""File name -> role of the keys that lie in the folder; dock and desk always do."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key below the root and its certificate object."""

    key: PrivateKey
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Organisation:
    """The keys of one organisation. `root` is None where only the working keys are kept, or while it is locked.

    `former` are the roots (X || Y) before this one, oldest first; `rotations[n]` hands over from `former[n]`.
    `revocations` is the bundle of the list in force, None in a folder that never had one. `root_path` is the
    root's file, None where it is not kept.
    """

    folder: Path
    trust: Trust
    root: PrivateKey | None
    dock: Signer
    desk: Signer
    others: dict[str, Signer] = field(default_factory=dict)
    former: tuple[bytes, ...] = ()
    rotations: tuple[bytes, ...] = ()
    revocations: bytes | None = None
    root_path: Path | None = None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.trust.root)

    @property
    def handed_over(self) -> list[tuple[bytes, bytes]]:
        """The former roots, oldest first, each with the bundle by which it handed over."""
        return list(zip(self.former, self.rotations, strict=True))

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Every root (X || Y) whose certificates count, the one in force first."""
        return (self.trust.root, *reversed(self.former))

    @property
    def working(self) -> dict[str, Signer]:
        """Every key that lies in the folder, by the name of its file."""
        return {"dock": self.dock, "desk": self.desk, **self.others}

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        now: int,
        passphrase: bytes | None = None,
        root_key: Path | None = None,
        root: PrivateKey | None = None,
        held: Revocations | None = None,
        copy: Mapping[str, bytes] | None = None,
    ) -> Organisation:
        """Makes all keys, or nothing. Without a passphrase the root lies open: for tests and the demo.

        `root_key` is where the root goes, by default root.pem in the folder. For an organisation that lost its folder:
        `root` from the recovery sheet, `held` the newest list of revocations there is, `copy` its public files. Raises
        StoreError `key_exists`, `folder_writable`, `folder_failed`; UsageError for a short passphrase.
        """
        cls.refuse_existing(folder, root_key)
        target = root_key or folder / root_file.NAME
        # A list that nobody has any more may have had any number; the clock's is above all of them.
        number = 1 if root is None else max(now, held.number + 1 if held else 0)
        root = root or PrivateKey.generate()
        rows = held.rows if held else {}
        pem = root.pem(passphrase)
        files = {
            **(copy or {}),
            "root.pub": root.public,
            "root.fingerprint": (fingerprint(root.public) + "\n").encode(),
            REVOCATIONS: Revocations.issue(root, number=number, rows=rows, now=now, not_after=now + LIST_HOLDS),
        }
        for name in ("dock", "desk"):
            key = PrivateKey.generate()
            serial = issued.next_serial(files, now)
            certificate = issue(
                root,
                key.public,
                role=WORKING[name],
                protection=Protection.OPEN,
                epoch=1,
                label=name,
                serial=serial,
                not_before=now - DAY,
                not_after=now + CERTIFIED_FOR,
            )
            files |= {f"{name}.pem": key.pem(), f"{name}.cert": certificate, issued.name(serial): certificate}
        root_file.make_folder(folder)
        with staged_files.changing(folder):
            cls.refuse_existing(folder, root_key)
            root_file.put_beside(target, root.id, pem)
            staged_files.commit(folder, files)
            root_file.settle(target, root.id)
        return cls.load(folder, passphrase=passphrase, root_key=root_key)

    @staticmethod
    def refuse_existing(folder: Path, root_key: Path | None = None) -> None:
        """Raises StoreError `key_exists` where `create` would meet an organisation, or another root; `folder_failed`
        when there is no folder for the root."""
        if root_key is not None and not root_key.parent.is_dir():
            raise StoreError("folder_failed", path=root_key.parent, reason="no such folder")
        for taken in (root_key or folder / root_file.NAME, staged_files.located(folder, "root.pub")):
            if taken.exists():
                raise StoreError("key_exists", path=taken)

    @classmethod
    def load(
        cls, folder: Path, *, passphrase: bytes | None = None, root_key: Path | None = None, unlock: bool = False
    ) -> Organisation:
        """Reads the keys that are there.

        A root under a passphrase is read with `passphrase` only; without one `root` is None, with `unlock` an error.
        Raises StoreError: `org_missing`; `key_readable`, `folder_writable`; `key_missing`, `key_damaged`; `org_mixed`
        when the files are not of one organisation; `folder_busy`; `root_offline`, `root_other`, `key_locked`,
        `passphrase_wrong`.
        """
        return staged_files.beside_writers(folder, lambda: cls._load(folder, passphrase, root_key, unlock))

    @classmethod
    def _load(cls, folder: Path, passphrase: bytes | None, root_key: Path | None, unlock: bool) -> Organisation:
        found = cls._read(folder)
        named = root_key or folder / root_file.NAME
        path = root_file.find(named, chain.key_id(found.trust.root))
        if path is None:
            if root_key is not None or unlock:
                raise StoreError("root_offline", path=root_key or folder)
            return found
        if not unlock and passphrase is None and root_file.locked(path):
            return replace(found, root_path=named)
        root = PrivateKey.load(path, passphrase)
        if root.public != found.trust.root:
            raise StoreError("root_other", path=path, found=root.id.hex(), root=chain.key_id(found.trust.root).hex())
        return replace(found, root=root, root_path=named)

    @classmethod
    def _read(cls, folder: Path) -> Organisation:
        def content(name: str) -> bytes:
            return staged_files.located(folder, name).read_bytes()

        def signer(name: str) -> Signer:
            certificate = content(f"{name}.cert")
            path = staged_files.located(folder, f"{name}.pem")
            key = PrivateKey.load(path)
            if Issued.parse(certificate, [public]).public != key.public:
                raise StoreError("org_mixed", path=path)
            return Signer(key, certificate)

        try:
            public = content("root.pub")
            staged_files.refuse_writable(folder)
            if len(public) != 64:
                raise StoreError("key_damaged", path=folder / "root.pub")
            dock, desk = signer("dock"), signer("desk")
            others = {
                name: signer(name)
                for name in WORKING
                if name not in ("dock", "desk") and staged_files.located(folder, f"{name}.cert").exists()
            }
            rotations = tuple(content(name) for name in staged_files.names(folder, "rotations", ".rotation"))
            former = tuple(content(name) for name in staged_files.names(folder, "former", ".pub"))
            revocations = content(REVOCATIONS) if staged_files.located(folder, REVOCATIONS).exists() else None
            revoked = None if revocations is None else Revocations.open(revocations, public)
            _follow(rotations, (*former, public))
        except OSError as error:
            raise StoreError("org_missing", path=folder) from error
        except VerificationError as error:
            raise StoreError("org_mixed", path=folder) from error
        return cls(folder, Trust(public, revoked, former), None, dock, desk, others, former, rotations, revocations)

    def unlocked(self) -> PrivateKey:
        """The root. Raises StoreError `root_offline` where it is not kept, `key_locked` where nobody unlocked it."""
        if self.root is None:
            if self.root_path is not None:
                raise StoreError("key_locked", path=self.root_path)
            raise StoreError("root_offline", path=self.folder)
        return self.root

    def revoked(self) -> Revocations:
        """The list in force; in a folder that never had one an empty list with number 0 that ended long ago."""
        return self.trust.revocations or Revocations(0, 0, 1)

    @contextmanager
    def writing(self) -> Iterator[Revocations]:
        """Inside, nobody else writes to the folder; gives the list of revocations as it is now.

        Raises StoreError `folder_busy` while another writer is at work, or when one rotated the root since `load`.
        """
        with staged_files.changing(self.folder):
            if (self.folder / "root.pub").read_bytes() != self.trust.root:
                raise StoreError("folder_busy", path=self.folder)
            current = self.folder / REVOCATIONS
            yield Revocations.open(current.read_bytes(), self.trust.root) if current.exists() else self.revoked()

    def signer(self, name: str, *, now: int) -> Signer:
        """The working key `name`, when it may sign at `now` (s since 1970).

        Raises StoreError `key_missing`; VerificationError `certificate_dates`, `key_revoked`.
        """
        found = self.working.get(name)
        if found is None:
            raise StoreError("key_missing", path=self.folder / f"{name}.pem", reason="not issued")
        self.trust.certificate(found.certificate, now=now, what=name)
        return found

    def certify_terminal(self, public: bytes, *, epoch: int, protection: int, label: str, now: int) -> bytes:
        """A certificate for a terminal's key, kept in `issued/` too. Raises StoreError, see `unlocked` and `writing`;
        UsageError `label_long`."""
        root = self.unlocked()
        label = issued.checked_label(label)
        with self.writing():
            serial = issued.next_serial(issued.names(self.folder), now)
            # A renewed certificate goes on vouching for what the epoch holds already.
            since = [
                each.not_before
                for each in issued.read_all(self.folder, self.roots)
                if each.public == public and each.epoch == epoch and each.role == Role.TERMINAL
            ]
            certificate = issue(
                root,
                public,
                role=Role.TERMINAL,
                protection=protection,
                epoch=epoch,
                label=label,
                serial=serial,
                not_before=min(since, default=now - DAY),
                not_after=now + CERTIFIED_FOR,
            )
            staged_files.commit(self.folder, {issued.name(serial): certificate})
        return certificate


def _follow(rotations: Sequence[bytes], roots: Sequence[bytes]) -> None:
    """Proves that each root handed over to the next. Raises VerificationError."""
    if len(rotations) != len(roots) - 1:
        raise VerificationError("object_malformed", where="rotations")
    for rotation, old, new in zip(rotations, roots, roots[1:], strict=False):
        if verify_rotation(rotation, old) != new:
            raise VerificationError("object_malformed", where="rotations")
