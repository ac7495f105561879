"""Enrolment: a terminal proves that it holds its key, a person accepts the root on its screen, the ledger knows it.

A second person can be asked: where the dock has no root, the terminal's signed request goes to whoever has it
(`request`), and the certificate comes back (`certificate`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from plomba.errors import UsageError, VerificationError
from plomba.ledger import Enrolled, Ledger
from plomba.terminal import Terminal
from plomba.trust.keys import verify
from plomba.trust.objects import SignedObject
from plomba.trust.organisation import Organisation
from plomba_wire import chain
from plomba_wire.codec import Certificate, EnrolKeyOk
from plomba_wire.vocabulary import Enrolment, Role

_FORMAT = "plomba/enrolment-request/1"


async def enrol(
    terminal: Terminal,
    organisation: Organisation,
    ledger: Ledger,
    *,
    label: str,
    place: int,
    now: int,
    patience: float = 120.0,
    again: bool = False,
    certificate: bytes | None = None,
) -> Enrolled:
    """Enrols an open terminal. `now` is seconds since 1970; `patience` is how long to wait for its OK key, seconds.

    `again` opens a new epoch on a terminal that is enrolled: it takes that only when every record has a receipt.
    `certificate` is one that somebody else made from its `request`. Raises VerificationError `possession_failed`,
    `key_revoked`, `terminal_quarantined`, `certificate_other`; UsageError `enrol_duplicate`; TerminalError
    `enrol_waiting`, `enrol_refused`; TerminalRefused `refused_unsynced_records`; StoreError.
    """
    key = await terminal.public_key()
    key_id = terminal.hello.terminal
    revocations = organisation.trust.revocations
    if revocations is not None and revocations.covers(key_id, now):
        raise VerificationError("key_revoked", what="terminal", terminal=terminal.id, seq="-")
    reason = ledger.forks.quarantined(key_id)
    if reason is not None:
        raise VerificationError("terminal_quarantined", terminal=terminal.id, reason=reason)
    enrolled_there = terminal.hello.enrolment == Enrolment.ENROLLED
    ours = enrolled_there and terminal.root_id in (b"", chain.key_id(organisation.trust.root))
    known = ledger.terminal(key_id)
    held = known is not None and known.epoch == key.epoch and SignedObject.parse(known.certificate).valid_at(now)
    if held and ours and not again and certificate is None:
        raise UsageError("enrol_duplicate", terminal=terminal.id, epoch=key.epoch)
    epoch = key.epoch + 1 if again and enrolled_there else key.epoch
    if certificate is None:
        certificate = organisation.certify_terminal(
            key.public, epoch=epoch, protection=key.protection, label=label, now=now
        )
    else:
        epoch = _fitting(organisation, certificate, key, now)
    await terminal.offer_root(organisation.trust.root, certificate, patience)
    enrolled = Enrolled(key_id, key.public, epoch, label, place, certificate)
    ledger.enrol(enrolled)
    return enrolled


@dataclass(frozen=True, slots=True)
class Request:
    """What a terminal asks to be certified, with its signature over all of it: possession of the key is proved."""

    public: bytes
    epoch: int
    protection: int
    label: str
    again: bool

    @property
    def id(self) -> bytes:
        return chain.key_id(self.public)

    @property
    def wanted_epoch(self) -> int:
        return self.epoch + self.again

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """Raises VerificationError `request_damaged`, `possession_failed`."""
        try:
            fields = json.loads(data)
            if fields["format"] != _FORMAT:
                raise ValueError(fields["format"])
            public, nonce, signature = (bytes.fromhex(fields[name]) for name in ("public", "nonce", "signature"))
            found = cls(
                public, int(fields["epoch"]), int(fields["protection"]), str(fields["label"]), bool(fields["again"])
            )
            digest = chain.possession_digest(nonce, public, found.epoch, found.protection)
        except (ValueError, KeyError, TypeError, OverflowError, ArithmeticError) as error:
            raise VerificationError("request_damaged", reason=type(error).__name__) from error
        if len(public) != 64 or not verify(public, digest, signature):
            raise VerificationError("possession_failed", terminal=chain.key_id(public).hex())
        return found


async def request(terminal: Terminal, nonce: bytes, label: str, *, again: bool = False) -> bytes:
    """The terminal's request, for a person elsewhere who has the root. `nonce` is 16 fresh bytes.

    With `again` it asks for the next epoch; the signature is over the one it is in.
    """
    key: EnrolKeyOk = await terminal.request_key(nonce)
    fields = {
        "format": _FORMAT,
        "terminal": terminal.id,
        "public": key.public.hex(),
        "epoch": key.epoch,
        "protection": key.protection,
        "label": label,
        "again": again,
        "nonce": nonce.hex(),
        "signature": key.signature.hex(),
    }
    return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()


def _fitting(organisation: Organisation, data: bytes, key: EnrolKeyOk, now: int) -> int:
    """Epoch of a certificate that is this terminal's, in its dates. Raises VerificationError."""
    certificate: Certificate = organisation.trust.certificate(data, now=now)
    if certificate.role != Role.TERMINAL or certificate.public != key.public:
        raise VerificationError(
            "certificate_other", found=chain.key_id(certificate.public).hex(), terminal=chain.key_id(key.public).hex()
        )
    return certificate.epoch
