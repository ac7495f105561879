"""The organisation gets a new root: signed by old and new, every working key certified anew, at one moment."""

from __future__ import annotations

from plomba.trust import issued, root_file, staged_files
from plomba.trust.keys import PrivateKey, fingerprint
from plomba.trust.objects import issue
from plomba.trust.organisation import CERTIFIED_FOR, LIST_HOLDS, REVOCATIONS, Organisation
from plomba.trust.revocations import Revocations
from plomba.trust.rotation import rotate
from plomba_wire.vocabulary import Revocation


def hand_over(
    organisation: Organisation,
    *,
    now: int,
    passphrase: bytes | None = None,
    reason: int = Revocation.REPLACED,
) -> Organisation:
    """Makes a new root, under `passphrase`, in the place of the old one's file. Raises StoreError, UsageError.

    Certified anew are the working keys and every other key whose certificate is of the old root, in its dates and not
    revoked. The list of revocations goes on under the next number, and names the old root: what it signs from `now` on
    counts for nothing. Its public part and the rotation stay, so that what it certified before still verifies.
    """
    old = organisation.unlocked()
    folder, path = organisation.folder, organisation.root_path or organisation.folder / root_file.NAME
    new = PrivateKey.generate()
    pem = new.pem(passphrase)
    with organisation.writing() as held:
        root_file.settle(path, old.id)
        number = len(organisation.rotations) + 1
        rows = {**held.rows, old.id: (now, reason)}
        files = {
            "root.pub": new.public,
            "root.fingerprint": (fingerprint(new.public) + "\n").encode(),
            f"former/{number:04d}.pub": old.public,
            f"rotations/{number:04d}.rotation": rotate(old, new, number),
            REVOCATIONS: Revocations.issue(new, number=held.number + 1, rows=rows, now=now, not_after=now + LIST_HOLDS),
            **_certified_anew(organisation, new, held, now),
        }
        root_file.put_beside(path, new.id, pem)
        staged_files.commit(folder, files)
        root_file.settle(path, new.id)
    return Organisation.load(folder, passphrase=passphrase, root_key=path)


def _certified_anew(organisation: Organisation, new: PrivateKey, held: Revocations, now: int) -> dict[str, bytes]:
    """Certificates under the new root: of working keys for the full time, of others to the end they had."""
    files = {}
    serial = issued.next_serial(issued.names(organisation.folder), now)
    working = {signer.key.id: name for name, signer in organisation.working.items()}
    newest = {(each.id, each.epoch): each for each in issued.read_all(organisation.folder, organisation.roots)}
    for signer in organisation.working.values():
        each = issued.Issued.parse(signer.certificate, organisation.roots)
        newest.setdefault((each.id, each.epoch), each)
    for (key, _), each in newest.items():
        name = working.get(key)
        if name is None and (held.covers(key, now) or each.not_after < now):
            continue
        data = issue(
            new,
            each.public,
            role=each.role,
            protection=each.protection,
            epoch=each.epoch,
            label=each.label,
            serial=serial,
            not_before=each.not_before,
            not_after=now + CERTIFIED_FOR if name else each.not_after,
        )
        files[issued.name(serial)] = data
        if name is not None:
            files[f"{name}.cert"] = data
        serial += 1
    return files
