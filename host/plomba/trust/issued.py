"""Every certificate that a root gave, one file each in `issued/`, by serial number: who holds which key, how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plomba.errors import StoreError, UsageError, VerificationError
from plomba.trust import staged_files
from plomba.trust.objects import SignedObject, Trust
from plomba_wire import chain

LABEL_MAX = 32
"""Bytes of the longest label (SPEC.md, Certificate)."""
_SUFFIX = ".cert"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, proved to be a root's. Times are seconds since 1970, ids are key ids."""

    serial: int
    role: int
    protection: int
    epoch: int
    label: str
    public: bytes
    not_before: int
    not_after: int
    root: bytes
    data: bytes

    @property
    def id(self) -> bytes:
        return chain.key_id(self.public)

    @property
    def file(self) -> str:
        """Where it lies in the organisation's folder."""
        return name(self.serial)

    @classmethod
    def parse(cls, data: bytes, roots: Sequence[bytes]) -> Issued:
        """Reads a certificate that one of `roots` (X || Y) gave. Raises VerificationError."""
        envelope = SignedObject.parse(data).envelope
        root = next((root for root in roots if chain.key_id(root) == envelope.key_id), roots[0])
        certificate = Trust(root).certificate(data)
        return cls(
            envelope.version,
            certificate.role,
            certificate.protection,
            certificate.epoch,
            certificate.label.decode("utf-8", "replace"),
            certificate.public,
            envelope.not_before,
            envelope.not_after,
            envelope.key_id,
            data,
        )


def checked_label(label: str) -> str:
    """Raises UsageError `label_long` for a label that is too long, or holds control characters."""
    if len(label.encode()) > LABEL_MAX or not label.isprintable():
        raise UsageError("label_long", label=label, limit=LABEL_MAX)
    return label


def name(serial: int) -> str:
    """Where the certificate `serial` lies in the organisation's folder."""
    return f"issued/{serial:010d}{_SUFFIX}"


def names(folder: Path) -> list[str]:
    """Where the certificates of a folder lie in it, ascending by serial number."""
    return staged_files.names(folder, "issued", _SUFFIX)


def next_serial(taken: Iterable[str], now: int) -> int:
    """A number that no certificate in `taken` (file names; others are passed over) has. It is at least `now`, so that a
    folder restored from an old copy does not give a number again."""
    serials = [int(Path(each).stem) for each in taken if each.startswith("issued/")]
    return max([now, *(serial + 1 for serial in serials)])


def read_all(folder: Path, roots: Sequence[bytes]) -> list[Issued]:
    """Every certificate, ascending by serial number. Raises StoreError `certificate_damaged`."""
    found = []
    for each in names(folder):
        path = staged_files.located(folder, each)
        try:
            found.append(Issued.parse(path.read_bytes(), roots))
        except (OSError, VerificationError) as error:
            raise StoreError("certificate_damaged", path=path, reason=error) from error
    return found
