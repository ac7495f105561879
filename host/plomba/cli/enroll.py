"""`plomba enroll PORT`: makes a terminal one of the organisation's; `plomba org approve`: the second person's part."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba.cli import passphrase
from plomba.dock import Dock, EnrolmentRequest, enrol, request_enrolment
from plomba.errors import UsageError
from plomba.ledger import Ledger
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.organisation import Organisation


def enroll(
    port: str,
    *,
    org: Path,
    ledger: Path | None = None,
    place: int | None = None,
    label: str = "terminal",
    patience: float = 120.0,
    again: Annotated[bool, Parameter(help="Open a new epoch on a terminal that is enrolled.")] = False,
    request: Annotated[
        Path | None, Parameter(help="Only write the terminal's request here, for whoever has the root.")
    ] = None,
    certificate: Annotated[Path | None, Parameter(help="The certificate that came back for the request.")] = None,
    root_key: Annotated[Path | None, Parameter(help="Where the root's key lies, if not in the folder.")] = None,
    passphrase_file: Annotated[Path | None, Parameter(help="A file with the root's passphrase.")] = None,
    capture: Annotated[Path | None, Parameter(help="Write everything that passes into this file (.plcap).")] = None,
) -> int:
    """Enrol the terminal on PORT. Compare the fingerprint on its screen, then press OK on the terminal.

    With two persons: `--request FILE` here, `plomba org approve` where the root is, `--certificate FILE` here.

    Example: plomba enroll /dev/ttyACM0 --org org --ledger dock.db --place 7 --label counter-1
    """
    if request is not None:
        return asyncio.run(_ask(port, request, label, again, capture))
    if ledger is None or place is None:
        raise UsageError("enrol_where", missing="--ledger" if ledger is None else "--place")
    given = _read(certificate) if certificate is not None else None
    if given is None:
        organisation = passphrase.unlock(org, root_key=root_key, passphrase_file=passphrase_file)
    else:
        organisation = Organisation.load(org)

    async def run() -> str:
        if again:
            # What the old epoch still holds is pulled and receipted first: the terminal would refuse else.
            await Dock(store, organisation, None, time.time).sync(port)
        async with Terminal(open_transport(port, capture)) as terminal:
            shown = organisation.fingerprint[:32].upper()
            print(" ".join(shown[at : at + 4] for at in range(0, 32, 4)), file=sys.stderr)
            enrolled = await enrol(
                terminal,
                organisation,
                store,
                label=label,
                place=place,
                now=int(time.time()),
                patience=patience,
                again=again,
                certificate=given,
            )
            return enrolled.id.hex()

    with Ledger.open(ledger) as store:
        print(asyncio.run(run()))
    return 0


def approve(
    folder: Path,
    request: Path,
    out: Path,
    *,
    root_key: Annotated[Path | None, Parameter(help="Where the root's key lies, if not in the folder.")] = None,
    passphrase_file: Annotated[Path | None, Parameter(help="A file with the root's passphrase.")] = None,
) -> int:
    """Certify the terminal whose REQUEST this is, and write its certificate to OUT.

    Ask the person at the terminal for its id before you do, on another way than the request came.

    Example: plomba org approve org counter-1.enrol counter-1.cert
    """
    asked = EnrolmentRequest.parse(_read(request))
    organisation = passphrase.unlock(folder, root_key=root_key, passphrase_file=passphrase_file)
    certificate = organisation.certify_terminal(
        asked.public,
        epoch=asked.wanted_epoch,
        protection=asked.protection,
        label=asked.label,
        now=int(time.time()),
    )
    out.write_bytes(certificate)
    print(asked.id.hex())
    return 0


async def _ask(port: str, path: Path, label: str, again: bool, capture: Path | None) -> int:
    async with Terminal(open_transport(port, capture)) as terminal:
        path.write_bytes(await request_enrolment(terminal, os.urandom(16), label, again=again))
        print(terminal.id)
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError("file_missing", path=path) from error
