"""An organisation's folder with a seal issuer, and what it can sign: seals, lists, right and wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plomba.trust import issuing, revoking, sealing
from plomba.trust.objects import bundle, package, seal
from plomba.trust.organisation import Organisation, Signer
from plomba.trust.seal_register import Register
from plomba.trust.sealing import Made
from plomba_wire.codec import SealIssuer, SealList, SealRange
from plomba_wire.vocabulary import ObjectKind, Revocation

NOW = int(time.time())
Ask = Callable[[list[str]], list[str]]
Range = tuple[int, int, int, int]


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit status and all that it said."""

    status: int
    out: str
    err: str

    @property
    def code(self) -> str:
        """The stable code of the error on stderr."""
        return self.err.rsplit("[", 1)[1].split("]", 1)[0]


Command = Callable[..., Ran]


class House:
    """The root lies open. Issuer 1 has its key; `renew` makes another one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        Organisation.create(folder, now=NOW)
        self.renew()

    @property
    def organisation(self) -> Organisation:
        return Organisation.load(self.folder)

    @property
    def register(self) -> Register:
        return Register.load(self.folder)

    @property
    def root(self) -> bytes:
        return self.organisation.trust.root

    @property
    def issuer(self) -> Signer:
        return self.organisation.working["seal-issuer"]

    def renew(self) -> None:
        issuing.issue_working(self.organisation, "seal-issuer", now=NOW)

    def issue(self, count: int, batch: int | None = None) -> list[Made]:
        return sealing.issue(self.organisation, count, batch=batch, now=NOW)

    def void(self, *names: str) -> tuple[int, int]:
        return sealing.void(self.organisation, names, "lost", now=NOW)

    def revoke_issuer(self) -> None:
        revoking.revoke(self.organisation, self.issuer.key.id, reason=Revocation.STOLEN, since=NOW, now=NOW)

    def listed(self) -> tuple[int, bytes]:
        """Version and bundle of the list, as the desk signs it."""
        register, organisation = self.register, self.organisation
        return register.version, sealing.sign(organisation, register, sealing.body(organisation, register), now=NOW)

    def signed(self, body: bytes, version: int, by: Signer | None = None) -> bytes:
        """A list of any content, by the desk or by another signer."""
        by = by or self.organisation.desk
        return package(ObjectKind.SEALS, body, by.key, by.certificate, version=version, not_before=NOW - 3600)

    def by_root(self, body: bytes, version: int) -> bytes:
        root = self.organisation.unlocked()
        return bundle(b"", seal(ObjectKind.SEALS, body, root, version=version, not_before=NOW - 3600))

    def stranger(self, role: str, house: House) -> Signer:
        """The key of another organisation's `role`."""
        return house.organisation.working[role]

    def install(self, bundle: bytes, version: int) -> str:
        return f"install {ObjectKind.SEALS} {version} x{bundle.hex()} x{self.root.hex()}"

    def install_list(self) -> str:
        version, bundle = self.listed()
        return self.install(bundle, version)

    def install_revocations(self) -> str:
        organisation = self.organisation
        assert organisation.revocations is not None
        number = organisation.revoked().number
        return f"revoke {ObjectKind.REVOCATIONS} {number} x{organisation.revocations.hex()} x{self.root.hex()}"

    def start(self) -> str:
        return f"start x{self.root.hex()}"


def check(text: str | bytes) -> str:
    return f"check x{(text.encode() if isinstance(text, str) else text).hex()}"


def body(issuers: list[tuple[int, bytes]], ranges: list[Range], voids: list[Range], *, more: bytes = b"") -> bytes:
    """Body of a list, in the order given, with no regard to what is allowed."""
    rows = b"".join(SealIssuer(number, len(certificate)).pack() + certificate for number, certificate in issuers)
    rows += b"".join(SealRange(*row).pack() for row in [*ranges, *voids]) + more
    return SealList(len(issuers), len(ranges), len(voids), rows).pack()
