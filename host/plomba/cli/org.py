"""`plomba org`: the organisation's keys."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba.cli import passphrase as passphrases
from plomba.cli.org_sheet import ask_sheet, read_sheet, refuse_sheet, write_sheet
from plomba.cli.org_status import facts, render
from plomba.errors import UsageError
from plomba.texts import language, say
from plomba.trust import handover, issuing, public_copy, recovery, revoking
from plomba.trust.organisation import WORKING, Organisation
from plomba_wire.vocabulary import Revocation

DAYS_MAX = 3660
REASONS = {
    "lost": Revocation.LOST,
    "stolen": Revocation.STOLEN,
    "replaced": Revocation.REPLACED,
    "retired": Revocation.RETIRED,
}
RootKey = Annotated[Path | None, Parameter(help="The root's file, when it is not FOLDER/root.pem.")]
PassphraseFile = Annotated[
    Path | None,
    Parameter(help="File with the passphrase, mode 0600, or /dev/fd/N. Else PLOMBA_PASSPHRASE_FILE, else asked."),
]
SheetFile = Annotated[Path | None, Parameter(help="Write the secret recovery sheet into this file, to be printed.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON object.")]


def init(
    folder: Path,
    *,
    solo: Annotated[bool, Parameter(negative="", help="Guide me: a point with one PC.")] = False,
    sheet: SheetFile = None,
    root_key: RootKey = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Make root, dock and desk keys in FOLDER and print the root's fingerprint. The root lies under a passphrase.

    Example: plomba org init org --sheet /media/usb/sheet.txt
    """
    refuse_sheet(sheet)
    Organisation.refuse_existing(folder, root_key)
    if solo:
        _say("solo_begin", folder=folder)
    secret = passphrases.new(passphrase_file, str(root_key or folder / "root.pem"))
    if solo and sheet is None:
        sheet = ask_sheet()
    organisation = Organisation.create(folder, now=_now(), passphrase=secret, root_key=root_key)
    if sheet is not None:
        write_sheet(sheet, organisation.unlocked())
    print(organisation.fingerprint, flush=True)
    if solo:
        _say("solo_end", folder=folder)
    if sheet is None:
        _say("sheet_none", folder=folder)
    else:
        _say("sheet_written", path=sheet)
    return 0


def status(folder: Path, *, root_key: RootKey = None, json_: Json = False) -> int:
    """Who holds which key, until when; the revocation list; where the root is. Asks for no passphrase.

    Example: plomba org status org
    """
    found = facts(Organisation.load(folder), root_key or folder / "root.pem", _now())
    print(json.dumps(found) if json_ else render(found, language()))
    return 0


def issue(
    folder: Path,
    role: Annotated[str, Parameter(help="dock, desk, seal-issuer or release.")],
    *,
    label: Annotated[str | None, Parameter(help="Name for people, at most 32 bytes.")] = None,
    days: Annotated[int, Parameter(help="How long it holds.")] = 732,
    public: Annotated[Path | None, Parameter(help="Certify this public key: 64 bytes, hex, or PEM.")] = None,
    root_key: RootKey = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Make a new key and certificate for ROLE in FOLDER, or certify a public key that was made elsewhere.

    Example: plomba org issue org release --days 365
    """
    if role not in WORKING:
        raise UsageError("role_unknown", found=role, known=", ".join(WORKING))
    lasts = _seconds(days)
    key = issuing.read_public(public) if public else None
    organisation = passphrases.unlock(folder, root_key=root_key, passphrase_file=passphrase_file)
    if key is None:
        made = issuing.issue_working(organisation, role, now=_now(), label=label, lasts=lasts)
    else:
        made = issuing.certify(organisation, role, key, now=_now(), label=label or role, lasts=lasts)
    where = folder / (f"{role}.cert" if key is None else made.file)
    print(json.dumps({"key": made.id.hex(), "serial": made.serial, "epoch": made.epoch, "certificate": str(where)}))
    return 0


def revoke(
    folder: Path,
    key: Annotated[str | None, Parameter(help="Key id (16 hex digits), role or label.")] = None,
    *,
    reason: Annotated[str | None, Parameter(help="lost, stolen, replaced or retired.")] = None,
    since: Annotated[str | None, Parameter(help="When it was lost, this machine's time; now if left out.")] = None,
    renew: Annotated[bool, Parameter(negative="", help="Only a new number and a new end for the list.")] = False,
    unlisted: Annotated[bool, Parameter(negative="", help="Take an id that no certificate here has.")] = False,
    days: Annotated[int, Parameter(help="How long the list holds.")] = 90,
    root_key: RootKey = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Put a key on the revocation list: what it signed since then counts for nothing. It never comes off.

    Example: plomba org revoke org counter-1 --reason stolen --since 2026-11-20T18:00
    """
    lasts, now = _seconds(days), _now()
    if renew == (key is not None):
        raise UsageError("revoke_what")
    code = None if renew else _reason(reason)
    begin = _moment(since) if since else now
    organisation = passphrases.unlock(folder, root_key=root_key, passphrase_file=passphrase_file)
    shown: dict[str, object] = {}
    if key is None or code is None:
        made = revoking.renew(organisation, now=now, lasts=lasts)
    else:
        found = revoking.resolve(organisation, key, unlisted=unlisted)
        made = revoking.revoke(organisation, found, reason=code, since=begin, now=now, lasts=lasts)
        shown = {"key": found.hex(), "since": begin}
        for name, signer in organisation.working.items():
            if signer.key.id == found:
                _say("revoked_working", role=name, folder=folder)
    print(json.dumps({**shown, "number": made.number, "revoked": len(made.rows), "not_after": made.not_after}))
    return 0


def rotate(
    folder: Path,
    *,
    reason: Annotated[str, Parameter(help="Why the old root goes: replaced, stolen, lost or retired.")] = "replaced",
    sheet: SheetFile = None,
    root_key: RootKey = None,
    passphrase_file: PassphraseFile = None,
    new_passphrase_file: Annotated[
        Path | None, Parameter(help="The new root's. Else PLOMBA_NEW_PASSPHRASE_FILE, else asked.")
    ] = None,
) -> int:
    """Make a new root, signed by the old one and by itself, and certify every working key anew under it.

    Example: plomba org rotate org --sheet /media/usb/sheet.txt
    """
    code = _reason(reason)
    refuse_sheet(sheet)
    organisation = passphrases.unlock(folder, root_key=root_key, passphrase_file=passphrase_file)
    about = say("org", "root_new")
    secret = passphrases.new(new_passphrase_file, about, passphrases.NEW_VARIABLE)
    rotated = handover.hand_over(organisation, now=_now(), passphrase=secret, reason=code)
    if sheet is not None:
        write_sheet(sheet, rotated.unlocked())
    print(json.dumps({"fingerprint": rotated.fingerprint, "former": organisation.fingerprint}), flush=True)
    _say("rotated", folder=folder)
    return 0


def export(
    folder: Path,
    out: Path,
    *,
    sheet: SheetFile = None,
    root_key: RootKey = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Write what verifiers and docks may have into OUT: public keys, certificates, revocations, rotations.

    Example: plomba org export org org-public
    """
    refuse_sheet(sheet)
    if sheet is None:
        organisation = Organisation.load(folder)
    else:
        organisation = passphrases.unlock(folder, root_key=root_key, passphrase_file=passphrase_file)
    written = public_copy.export(organisation, out)
    if sheet is not None:
        write_sheet(sheet, organisation.unlocked())
    print(json.dumps({"fingerprint": organisation.fingerprint, "files": written}))
    return 0


def recover(
    folder: Path,
    sheet: Annotated[Path | None, Parameter(help="File with the sheet; without it the lines are asked for.")] = None,
    *,
    copy: Annotated[Path | None, Parameter(help="An exported folder, when FOLDER is lost too.")] = None,
    root_key: RootKey = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Make the root's file again from its recovery sheet, under a new passphrase.

    Example: plomba org recover org
    """
    found = read_sheet(sheet)
    secret = passphrases.new(passphrase_file, str(root_key or folder / "root.pem"))
    organisation = recovery.recover(folder, found, now=_now(), passphrase=secret, root_key=root_key, copy=copy)
    print(organisation.fingerprint)
    return 0


def _now() -> int:
    return int(time.time())


def _say(key: str, **fields: object) -> None:
    print(say("org", key, language(), **fields), file=sys.stderr)


def _seconds(days: int) -> int:
    if not 1 <= days <= DAYS_MAX:
        raise UsageError("days_range", found=days, limit=DAYS_MAX)
    return days * 86400


def _reason(reason: str | None) -> int:
    if reason not in REASONS:
        raise UsageError("reason_unknown", found=reason or "", known=", ".join(REASONS))
    return REASONS[reason]


def _moment(text: str) -> int:
    """Seconds since 1970 of an ISO date or time; without an offset it is this machine's time."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
        if moment.year < 1970:
            raise ValueError("before 1970")
        return int(moment.timestamp())
    except (ValueError, OverflowError, OSError):
        raise UsageError("since_unreadable", found=text) from None
