"""`plomba evidence ORDER`: makes the evidence pack of one order from a dock's ledger."""

from __future__ import annotations

from pathlib import Path

from plomba.evidence import make_pack
from plomba.ledger import Ledger
from plomba.trust.organisation import Organisation


def evidence(order: str, *, ledger: Path, org: Path, out: Path) -> int:
    """Make the evidence pack of one order.

    Example: plomba evidence 4021-7733-1 --ledger dock.db --org org --out order.plomba
    """
    organisation = Organisation.load(org)
    with Ledger.open(ledger) as store:
        out.write_bytes(
            make_pack(store, organisation.trust.root, order, organisation.handed_over, organisation.revocations)
        )
    return 0
