"""`plomba dock`: one docking by hand, and what still waits to be forwarded."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba import image as images
from plomba.cli.desk_token import TokenFile, desk_token
from plomba.dock import Dock, Report
from plomba.errors import StoreError, UsageError
from plomba.forward import Desk, Forwarder
from plomba.ledger import Ledger
from plomba.trust.organisation import Organisation


def sync(
    port: str,
    *,
    org: Path,
    ledger: Path,
    desk: Annotated[str | None, Parameter(help="The desk's address; without it records wait in the outbox.")] = None,
    token_file: TokenFile = None,
    capture: Annotated[Path | None, Parameter(help="Write everything that passes into this file (.plcap).")] = None,
    lists: Annotated[bool, Parameter(help="Push the list of orders; off beside a marketplace's own app.")] = True,
    image: Annotated[Path | None, Parameter(help="A signed image for terminals whose firmware is older.")] = None,
    accept_loss: Annotated[
        list[str] | None,
        Parameter(negative="", help="Numbers that `records_lost` named, as 17-18: the chain goes on behind them."),
    ] = None,
    stay: Annotated[
        bool, Parameter(help="Keep the link open, until the cable is pulled or a new image has been brought.")
    ] = False,
) -> int:
    """Dock the terminal on PORT once: pull, verify, store, receipt, forward, bring its objects up to date.

    Exit 5 when everything is stored and receipted, but the desk has not taken it yet; 1 when it could not give a list
    (`missing`), and all else was done. With --stay a line of facts for
    each time something came, until the cable is pulled.

    Example: plomba dock sync /dev/ttyACM0 --org org --ledger dock.db --desk http://127.0.0.1:8080
    """

    async def run() -> int:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Desk(desk, token)) if desk else None
            docking = Dock(store, organisation, client, time.time, lists=lists, image=newer, accept_losses=losses)
            if stay:
                async for report in docking.attend(port, capture=capture):
                    tell(report)
                return 0
            report = await docking.sync(port, capture=capture)
        tell(report)
        if report.waiting is not None:
            raise report.waiting
        # The rest was done, but somebody has to look at the desk.
        return 1 if report.missing else 0

    def tell(report: Report) -> None:
        held = store.counts()
        facts = {
            "terminal": report.terminal,
            "records": report.records,
            "receipted_seq": report.receipted_seq,
            "forwarded": report.forwarded,
            "pushed": report.pushed,
            "refused": report.refused,
            "missing": report.missing,
            "checks": report.checks,
            "lost": [[loss.first_seq, loss.last_seq] for loss in report.lost],
            "damaged_pages": report.damaged_pages,
            "held": held["records"],
            "waiting": held["waiting"],
            "refused_by_desk": held["refused"],
        }
        print(json.dumps(facts), flush=True)
        for refusal in report.refusals:
            print(f"plomba: {refusal.what()}  [{refusal.code}]\n  → {refusal.next_step()}", file=sys.stderr)

    token = desk_token(token_file) if desk else None
    organisation = Organisation.load(org)
    newer = images.read(image) if image is not None else None
    losses = [_numbers(text) for text in accept_loss or ()]
    with Ledger.open(ledger) as store:
        return asyncio.run(run())


def _numbers(text: str) -> tuple[int, int]:
    """First and last number. Raises UsageError `loss_numbers`."""
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise UsageError("loss_numbers", text=text)
    return int(first), int(last or first)


def forward(*, ledger: Path, desk: str, token_file: TokenFile = None) -> int:
    """Forward what waits in the outbox.

    Example: plomba dock forward --ledger dock.db --desk http://127.0.0.1:8080
    """

    async def run() -> int:
        async with Desk(desk, token) as client:
            return await Forwarder(store, client, time.time).run(now=True)

    token = desk_token(token_file)
    with Ledger.open(ledger) as store:
        print(json.dumps({"forwarded": asyncio.run(run()), **store.counts()}))
    return 0


def forks(
    *, ledger: Path, out: Annotated[Path | None, Parameter(help="Write each proof into this folder.")] = None
) -> int:
    """List the forks in LEDGER: two records of one key under one number, which is a copied terminal.

    A proof (.fork) stands by itself: `plomba verify FILE.fork --root ROOT`. Exit 4 when there is one.

    Example: plomba dock forks --ledger dock.db --out forks
    """
    with Ledger.open(ledger) as store:
        found = store.forks.proofs()
    for name, proof in found:
        print(name)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{name}.fork").write_bytes(proof.pack())
    return 4 if found else 0


def damage(
    *, ledger: Path, out: Annotated[Path | None, Parameter(help="Write each page into this folder.")] = None
) -> int:
    """List what terminals' flash has lost: records that are missing, and pages that held neither a record nor nothing.

    A page for each cut of power is normal, and no record is missing with it.

    Example: plomba dock damage --ledger dock.db --out pages
    """
    with Ledger.open(ledger) as store:
        pages, losses = store.losses.pages(), store.losses.all()
    for terminal, epoch, first, last, accepted in losses:
        moment = datetime.fromtimestamp(accepted, UTC)
        print(f"lost {terminal.hex()}-{epoch} {first}-{last} accepted {moment:%Y-%m-%dT%H:%M:%SZ}")
    for page in pages:
        print(f"page {page.name}")
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            for page in pages:
                (out / f"{page.name}.page").write_bytes(page.content)
        except OSError as error:
            raise StoreError("file_unwritable", path=out, reason=error.strerror) from error
    return 0


def release(terminal: str, *, ledger: Path) -> int:
    """Let TERMINAL (16 hex digits) out of quarantine: a person has found out which one is the copy. Its proofs stay.

    Example: plomba dock release 0123456789abcdef --ledger dock.db
    """
    try:
        key_id = bytes.fromhex(terminal)
    except ValueError:
        key_id = b""
    with Ledger.open(ledger) as store:
        if not store.forks.release(key_id):
            raise UsageError("not_quarantined", terminal=terminal)
    return 0
