"""Revoking a key by its id, by the role of a working key, or by the label of its certificate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from plomba.errors import StoreError, UsageError
from plomba.trust import issued, staged_files
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import LIST_HOLDS, REVOCATIONS, Organisation
from plomba.trust.revocations import REVOKED_MAX, Revocations
from plomba_wire import chain

_KEY_ID = re.compile(r"[0-9a-fA-F]{16}")


def resolve(organisation: Organisation, name: str, *, unlisted: bool = False) -> bytes:
    """The id of the key that `name` means: 16 hex digits, a working key's name, or a label. Raises UsageError.

    An id without a certificate in `issued/` is taken with `unlisted` only, against slips of the pen. Codes:
    `key_unknown`; `key_ambiguous` when several keys that are not revoked bear the label; `root_not_revocable`.
    """
    certified = issued.read_all(organisation.folder, organisation.roots)
    known = {each.id for each in certified} | {signer.key.id for signer in organisation.working.values()}
    if _KEY_ID.fullmatch(name):
        key = bytes.fromhex(name)
        if key == chain.key_id(organisation.trust.root):
            raise UsageError("root_not_revocable", path=organisation.folder)
        if key in known or unlisted:
            return key
        raise UsageError("key_unknown", name=name, path=organisation.folder)
    if name in organisation.working:
        return organisation.working[name].key.id
    revoked = organisation.revoked().rows
    found = sorted({each.id for each in certified if each.label == name and each.id not in revoked})
    if len(found) > 1:
        raise UsageError("key_ambiguous", name=name, found=", ".join(each.hex() for each in found))
    if not found:
        raise UsageError("key_unknown", name=name, path=organisation.folder)
    return found[0]


def revoke(
    organisation: Organisation, key: bytes, *, reason: int, since: int, now: int, lasts: int = LIST_HOLDS
) -> Revocations:
    """Puts a key on the list; what it signed from `since` (s since 1970) on counts for nothing.

    A key stays on the list for ever. It can be revoked again for an earlier moment, never for a later one. Raises
    UsageError `revoked_already`, `since_future`; StoreError `revocations_full`.
    """
    if since > now:
        raise UsageError("since_future")
    root = organisation.unlocked()
    with organisation.writing() as held:
        if key in held.rows and held.rows[key][0] <= since:
            raise UsageError("revoked_already", key=key.hex())
        if key not in held.rows and len(held.rows) == REVOKED_MAX:
            raise StoreError("revocations_full", path=organisation.folder, limit=REVOKED_MAX)
        return _publish(organisation.folder, root, held, {**held.rows, key: (since, reason)}, now, lasts)


def renew(organisation: Organisation, *, now: int, lasts: int = LIST_HOLDS) -> Revocations:
    """The same keys under the next number and with a new end. Raises StoreError."""
    root = organisation.unlocked()
    with organisation.writing() as held:
        return _publish(organisation.folder, root, held, held.rows, now, lasts)


def _publish(
    folder: Path, root: PrivateKey, held: Revocations, rows: Mapping[bytes, tuple[int, int]], now: int, lasts: int
) -> Revocations:
    data = Revocations.issue(root, number=held.number + 1, rows=rows, now=now, not_after=now + lasts)
    staged_files.commit(folder, {REVOCATIONS: data})
    return Revocations.open(data, root.public)
