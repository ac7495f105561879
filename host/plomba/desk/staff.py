"""Staff lists: written in TOML with people's names, compiled to the rows a terminal searches, which hold none.

number = 3                # rises with each change
owner = "desk"            # who answers challenges: the desk's key; "none"; or X || Y, 128 hex digits

[[badge]]
number = 42
name = "..."              # stays here
hand = "CLERK"            # vocabulary.toml, hand
pin_hash = "..."          # `plomba staff pin 42`; or pin = "1234"; neither: a badge without a PIN
until = 2027-01-31T21:00:00+03:00
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from plomba.desk.words import codes
from plomba.errors import UsageError
from plomba.trust.keys import public_key
from plomba_wire.codec import StaffList, StaffRow
from plomba_wire.pin_proof import PROOF, SALT, is_pin, pin_proof
from plomba_wire.schema import STAFF_MAX

BADGE_MAX = 999_999_999
"""A card takes nine digits."""
_NUMBER_MAX = 0xFFFFFFFF
_NOBODY = bytes(64)


@dataclass(frozen=True, slots=True)
class Badge:
    """`hand` is a code of vocabulary.toml, `until` s since 1970, 0 = no end. A badge with neither `pin` nor `proof` has
    no PIN."""

    number: int
    name: str
    hand: int
    until: int
    pin: bytes = b""
    salt: bytes = bytes(SALT)
    proof: bytes = bytes(PROOF)


@dataclass(frozen=True, slots=True)
class Staff:
    """A list ready to be signed. Its object's version is `number`. `owner` is X || Y, zeros for nobody, None for the
    desk's key."""

    number: int
    owner: bytes | None
    badges: tuple[Badge, ...]

    def body(self, desk: bytes) -> bytes:
        """The object's body, the same bytes every time; `desk` is the public key (X || Y) that signs it."""
        rows = b""
        for badge in sorted(self.badges, key=lambda badge: badge.number):
            salt, proof = badge.salt, badge.proof
            if badge.pin:
                salt = hashlib.sha256(b"plomba/pin-salt/1" + desk + badge.number.to_bytes(4, "big")).digest()[:SALT]
                proof = pin_proof(salt, badge.number, badge.pin)
            rows += StaffRow(badge.number, badge.hand, badge.until, salt, proof).pack()
        return StaffList(desk if self.owner is None else self.owner, rows).pack()


def load(path: Path) -> Staff:
    """Raises UsageError that names the place of a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("staff_invalid", path=path, where=error) from error
    return compile_list(text, str(path))


def compile_list(text: str, path: str) -> Staff:
    """Raises UsageError."""
    try:
        return _staff(tomllib.loads(text), _lines(text))
    except (tomllib.TOMLDecodeError, _Wrong) as error:
        raise UsageError("staff_invalid", path=path, where=error) from error


class _Wrong(Exception):
    """Where in the file the mistake is."""


def _lines(text: str) -> list[int]:
    """The line of each [[badge]]."""
    return [at for at, line in enumerate(text.splitlines(), start=1) if re.match(r"\s*\[\[\s*badge\s*\]\]", line)]


def _staff(data: Mapping[str, Any], lines: list[int]) -> Staff:
    _only(data, {"number", "owner", "badge"}, "list")
    number = _whole(data.get("number"), 1, _NUMBER_MAX, "number")
    owner = _owner(data.get("owner", "desk"))
    entries = data.get("badge", [])
    if not isinstance(entries, list):
        raise _Wrong("badge")
    if len(entries) > STAFF_MAX:
        raise _Wrong(f"badge: {len(entries)} > {STAFF_MAX}")
    found: dict[int, Badge] = {}
    for at, entry in enumerate(entries):
        where = f"badge {at + 1}" + (f" (line {lines[at]})" if len(lines) == len(entries) else "")
        badge = _badge(entry, where)
        if badge.number in found:
            raise _Wrong(f"{where}: number {badge.number} twice")
        found[badge.number] = badge
    return Staff(number, owner, tuple(found.values()))


def _owner(value: object) -> bytes | None:
    if value in ("desk", "none"):
        return None if value == "desk" else _NOBODY
    try:
        owner = bytes.fromhex(str(value))
        public_key(owner)
    except ValueError as error:
        raise _Wrong("owner") from error
    return owner


def _badge(entry: Any, where: str) -> Badge:
    _only(entry, {"number", "name", "hand", "pin", "pin_hash", "until"}, where)
    number = _whole(entry.get("number"), 1, BADGE_MAX, f"{where}: number")
    name = entry.get("name", "")
    if not isinstance(name, str) or not (name.isprintable() or not name):
        raise _Wrong(f"{where}: name")
    hand = codes("hand").get(str(entry.get("hand")))
    if hand is None:
        raise _Wrong(f"{where}: hand {entry.get('hand')}")
    until = _until(entry.get("until"), where)
    if "pin" in entry and "pin_hash" in entry:
        raise _Wrong(f"{where}: pin and pin_hash")
    if "pin" in entry:
        pin = entry["pin"]
        # Neither here nor in a log: whoever reads the message is not to learn the PIN.
        if not isinstance(pin, str) or not is_pin(pin.encode("utf-8", "replace")):
            raise _Wrong(f"{where}: pin")
        return Badge(number, name, hand, until, pin.encode())
    if "pin_hash" in entry:
        salt, proof = _pin_hash(entry["pin_hash"], where)
        return Badge(number, name, hand, until, b"", salt, proof)
    return Badge(number, name, hand, until)


def _until(value: object, where: str) -> int:
    """A time without an offset is this machine's."""
    if value is None:
        return 0
    if not isinstance(value, datetime):
        raise _Wrong(f"{where}: until")
    try:
        return _whole(int(value.astimezone().timestamp()), 1, _NUMBER_MAX, f"{where}: until")
    except (OSError, OverflowError, ValueError) as error:
        raise _Wrong(f"{where}: until") from error


def _pin_hash(value: object, where: str) -> tuple[bytes, bytes]:
    found = re.fullmatch(f"([0-9a-f]{{{2 * SALT}}}):([0-9a-f]{{{2 * PROOF}}})", str(value))
    if found is None or not any(bytes.fromhex(found[1])):
        raise _Wrong(f"{where}: pin_hash")
    return bytes.fromhex(found[1]), bytes.fromhex(found[2])


def pin_hash(salt: bytes, badge: int, pin: bytes) -> str:
    """What stands in the file in the place of a PIN."""
    return f"{salt.hex()}:{pin_proof(salt, badge, pin).hex()}"


def _whole(value: object, low: int, high: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _Wrong(where)
    return value


def _only(entry: object, keys: set[str], where: str) -> None:
    if not isinstance(entry, dict):
        raise _Wrong(where)
    unknown = sorted(set(entry) - keys)
    if unknown:
        raise _Wrong(f"{where}: {unknown[0]}")
