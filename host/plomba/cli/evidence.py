"""`plomba evidence ORDER`: makes the evidence pack of one order from a dock's ledger."""

from __future__ import annotations

import sys
from pathlib import Path

from plomba.evidence import make_pack
from plomba.ledger import Ledger
from plomba.texts import say
from plomba.trust.organisation import Organisation


def evidence(order: str, *, ledger: Path, org: Path, out: Path) -> int:
    """Make the evidence pack of one order.

    Says on stderr when a terminal that speaks in it has lost records: what was in them is in no pack.

    Example: plomba evidence 4021-7733-1 --ledger dock.db --org org --out order.plomba
    """
    organisation = Organisation.load(org)
    with Ledger.open(ledger) as store:
        out.write_bytes(
            make_pack(store, organisation.trust.root, order, organisation.handed_over, organisation.revocations)
        )
        terminals = {(record.terminal, record.epoch) for record in store.records_of(order)}
        losses = [loss for loss in store.losses.all() if loss[:2] in terminals]
    for terminal, epoch, first, last, _ in losses:
        told = say("evidence", "records_lost", terminal=terminal.hex(), epoch=epoch, first=first, last=last)
        print(told, file=sys.stderr)
    return 0
