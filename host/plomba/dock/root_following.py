"""Leads a terminal from the root it trusts to the one in force, with the certificate that belongs there."""

from __future__ import annotations

from dataclasses import replace

from plomba.errors import StoreError, VerificationError
from plomba.ledger import Enrolled, Ledger
from plomba.terminal import Terminal
from plomba.trust.issued import read_all
from plomba.trust.objects import SignedObject
from plomba.trust.organisation import Organisation
from plomba.trust.rotation import rotation_number
from plomba_wire import chain
from plomba_wire.vocabulary import ObjectKind


async def follow_root(
    terminal: Terminal, enrolled: Enrolled, organisation: Organisation, ledger: Ledger
) -> tuple[Enrolled, bool]:
    """The terminal as it is enrolled now, and whether a root was pushed.

    Without this it would take no receipt: the dock's own certificate is the new root's. Raises VerificationError
    `root_foreign`; StoreError `certificate_missing` when the new root has not certified it.
    """
    root = organisation.trust.root
    at_root = terminal.root_id in (b"", chain.key_id(root))
    if at_root and SignedObject.parse(enrolled.certificate).envelope.key_id == chain.key_id(root):
        return enrolled, False
    former = [chain.key_id(public) for public in organisation.former]
    if not at_root and terminal.root_id not in former:
        raise VerificationError(
            "root_foreign", what="terminal", found=terminal.root_id.hex(), root=chain.key_id(root).hex()
        )
    anew = _certified(enrolled, organisation)
    if anew is None:
        if at_root:
            return enrolled, False
        raise StoreError("certificate_missing", terminal=terminal.id, path=organisation.folder)
    if not at_root:
        for rotation in organisation.rotations[former.index(terminal.root_id) :]:
            await terminal.push(ObjectKind.ROOT, rotation_number(rotation), rotation)
    # At the root already: led there by another dock, or by this one before it was cut off.
    await terminal.offer_root(root, anew.certificate)
    ledger.enrol(anew)
    return anew, not at_root


def _certified(enrolled: Enrolled, organisation: Organisation) -> Enrolled | None:
    """With its newest certificate by the root in force."""
    root = chain.key_id(organisation.trust.root)
    found = None
    for each in read_all(organisation.folder, organisation.roots):
        if each.public == enrolled.public and each.epoch == enrolled.epoch and each.root == root:
            found = replace(enrolled, certificate=each.data)
    return found
