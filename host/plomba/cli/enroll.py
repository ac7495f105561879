"""`plomba enroll PORT`: makes a terminal one of the organisation's."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from plomba.dock import enrol
from plomba.ledger import Ledger
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.organisation import Organisation


def enroll(
    port: str,
    *,
    org: Path,
    ledger: Path,
    place: int,
    label: str = "terminal",
    patience: float = 120.0,
    capture: Path | None = None,
) -> int:
    """Enrol the terminal on PORT. Compare the fingerprint on its screen, then press OK on the terminal.

    Example: plomba enroll /dev/ttyACM0 --org org --ledger dock.db --place 7 --label counter-1
    """
    organisation = Organisation.load(org)

    async def run() -> str:
        async with Terminal(open_transport(port, capture)) as terminal:
            shown = organisation.fingerprint[:32].upper()
            print(" ".join(shown[at : at + 4] for at in range(0, 32, 4)), file=sys.stderr)
            enrolled = await enrol(
                terminal, organisation, store, label=label, place=place, now=int(time.time()), patience=patience
            )
            return enrolled.id.hex()

    with Ledger.open(ledger) as store:
        print(asyncio.run(run()))
    return 0
