"""Enrolment: a terminal proves that it holds its key, a person accepts the root on its screen, the ledger knows it."""

from __future__ import annotations

from plomba.ledger import Enrolled, Ledger
from plomba.terminal import Terminal
from plomba.trust.organisation import Organisation


async def enrol(
    terminal: Terminal,
    organisation: Organisation,
    ledger: Ledger,
    *,
    label: str,
    place: int,
    now: int,
    patience: float = 120.0,
) -> Enrolled:
    """Enrols an open terminal. `now` is seconds since 1970; `patience` is how long to wait for its OK key, seconds.

    Raises VerificationError `possession_failed`; TerminalError `enrol_waiting`, `enrol_refused`; StoreError.
    """
    key = await terminal.public_key()
    certificate = organisation.certify_terminal(
        key.public, epoch=key.epoch, protection=key.protection, label=label, now=now
    )
    await terminal.offer_root(organisation.trust.root, certificate, patience)
    enrolled = Enrolled(terminal.hello.terminal, key.public, key.epoch, label, place, certificate)
    ledger.enrol(enrolled)
    return enrolled
