"""The numbered, expiring list of keys that are not to be believed any more (SPEC.md, RevocationList)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plomba.errors import VerificationError
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import SignedObject, bundle, seal, split_bundle
from plomba_wire import chain
from plomba_wire.codec import Malformed, RevocationList, RevokedRow
from plomba_wire.vocabulary import ObjectKind

REVOKED_MAX = 600
"""Rows of the longest list (SPEC.md, RevocationList)."""
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Revocations:
    """A list, proved to be the root's. `rows`: key id -> (since, reason); times are seconds since 1970."""

    number: int
    not_before: int
    not_after: int
    rows: Mapping[bytes, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def issue(
        cls, root: PrivateKey, *, number: int, rows: Mapping[bytes, tuple[int, int]], now: int, not_after: int
    ) -> bytes:
        """The bundle of a list that `root` signs. It holds from a day before `now`, for clocks that are behind.

        Raises ValueError for more than REVOKED_MAX rows.
        """
        if len(rows) > REVOKED_MAX:
            raise ValueError(f"{len(rows)} rows are more than {REVOKED_MAX}")
        packed = b"".join(RevokedRow(key, *rows[key]).pack() for key in sorted(rows))
        body = RevocationList(packed).pack()
        signed = seal(ObjectKind.REVOCATIONS, body, root, version=number, not_before=now - _DAY, not_after=not_after)
        return bundle(b"", signed)

    @classmethod
    def open(cls, data: bytes, root: bytes) -> Revocations:
        """Reads a bundle; see `parse`."""
        certificate, signed = split_bundle(data)
        if certificate:
            raise VerificationError("object_malformed", where="certificate")
        return cls.parse(signed, root)

    @classmethod
    def parse(cls, object_data: bytes, root: bytes) -> Revocations:
        """Reads the object, signed by `root` (X || Y). Its dates are left to the caller: see `expired`.

        Raises VerificationError `object_malformed`, `root_foreign`, `signature_bad`.
        """
        signed = SignedObject.parse(object_data)
        envelope = signed.envelope
        if envelope.kind != ObjectKind.REVOCATIONS:
            raise VerificationError("object_malformed", where="kind")
        if envelope.key_id != chain.key_id(root):
            raise VerificationError(
                "root_foreign", what="revocations", found=envelope.key_id.hex(), root=chain.key_id(root).hex()
            )
        if not signed.signed_by(root):
            raise VerificationError("signature_bad", what="revocations")
        return cls(envelope.version, envelope.not_before, envelope.not_after, _rows(signed.body))

    def covers(self, key_id: bytes, at: int) -> bool:
        """Whether what the key signed at `at` (s since 1970) counts for nothing."""
        row = self.rows.get(key_id)
        return row is not None and at >= row[0]

    def expired(self, now: int) -> bool:
        """Whether a newer list is due: this one may hide a key that was revoked since."""
        return bool(self.not_after) and now > self.not_after


def _rows(body: bytes) -> dict[bytes, tuple[int, int]]:
    """Raises VerificationError."""
    rows: dict[bytes, tuple[int, int]] = {}
    try:
        packed = RevocationList.unpack(body).rows
        if len(packed) % RevokedRow.SIZE:
            raise VerificationError("object_malformed", where="rows")
        found = [RevokedRow.read(packed, at) for at in range(0, len(packed), RevokedRow.SIZE)]
    except Malformed as error:
        raise VerificationError("object_malformed", where=error.where) from error
    for before, row in zip([None, *found], found, strict=False):
        if before is not None and before.key >= row.key:
            raise VerificationError("object_malformed", where="order of rows")
        rows[row.key] = (row.since, row.reason)
    return rows
