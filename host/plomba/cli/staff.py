"""`plomba staff`: the list of badges, checked and signed; the proof of a PIN."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba.desk import staff
from plomba.desk.manifest import SKEW
from plomba.errors import StoreError, UsageError, VerificationError
from plomba.texts import say
from plomba.trust import staged_files
from plomba.trust.objects import SignedObject, package, split_bundle
from plomba.trust.organisation import Organisation
from plomba_wire.codec import StaffList
from plomba_wire.pin_proof import LONGEST, SALT, SHORTEST, is_pin
from plomba_wire.vocabulary import ObjectKind


def check(file: Path) -> int:
    """Say what is wrong with a staff list, by row; else what is in it.

    Example: plomba staff check staff.toml
    """
    found = staff.load(file)
    badges = found.badges
    facts = {
        "number": found.number,
        "badges": len(badges),
        "without_pin": sorted(badge.number for badge in badges if not badge.pin and not any(badge.proof)),
        "pin_in_file": sorted(badge.number for badge in badges if badge.pin),
        "ended": sorted(badge.number for badge in badges if badge.until and badge.until < time.time()),
    }
    print(json.dumps(facts))
    return 0


def sign(file: Path, *, org: Path, out: Annotated[Path, Parameter(name=["--out", "-o"])]) -> int:
    """Sign a staff list with the desk's key. The number has to rise above that of the list in OUT.

    Example: plomba staff sign staff.toml --org org -o staff.obj
    """
    now = int(time.time())
    desk = Organisation.load(org).signer("desk", now=now)
    found = staff.load(file)
    body = found.body(desk.key.public)
    _refuse_older(out, found.number, body)
    data = package(ObjectKind.STAFF, body, desk.key, desk.certificate, version=found.number, not_before=now - SKEW)
    try:
        staged_files.replace(out, data, 0o644)
    except OSError as error:
        raise StoreError("file_unwritable", path=out, reason=error.strerror or error) from error
    print(json.dumps({"staff": str(out), "number": found.number, "badges": len(found.badges), "bytes": len(data)}))
    return 0


def pin(badge: int) -> int:
    """Ask for the PIN of BADGE, 4 to 8 digits, and print the line that proves it: no PIN stands in the file.

    Example: plomba staff pin 42
    """
    if not 1 <= badge <= staff.BADGE_MAX:
        raise UsageError("staff_badge", badge=badge, limit=staff.BADGE_MAX)
    found = _asked("pin", badge)
    if not is_pin(found):
        raise UsageError("staff_pin", shortest=SHORTEST, longest=LONGEST)
    if sys.stdin.isatty() and _asked("pin_again", badge) != found:
        raise UsageError("staff_pin_differs")
    print(f'pin_hash = "{staff.pin_hash(os.urandom(SALT), badge, found)}"')
    return 0


def _asked(key: str, badge: int) -> bytes:
    """The PIN as it was typed, or the line that was piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n").encode("utf-8", "replace")
    try:
        return getpass.getpass(say("staff", key, badge=badge)).encode("utf-8", "replace")
    except EOFError:
        return b""


def _refuse_older(out: Path, number: int, body: bytes) -> None:
    """Raises UsageError `staff_number` when terminals that hold the list in `out` would not take this one."""
    try:
        held = SignedObject.parse(split_bundle(out.read_bytes())[1])
        StaffList.unpack(held.body)
    except (OSError, VerificationError, ValueError):
        return
    version = held.envelope.version
    if number < version or (number == version and body != held.body):
        raise UsageError("staff_number", number=number, held=version)
