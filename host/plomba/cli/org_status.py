"""What `plomba org status` says: facts for programs, the same in words for people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plomba.texts import say, words
from plomba.trust import issued, root_file
from plomba.trust.issued import Issued
from plomba.trust.organisation import DAY, Organisation
from plomba_wire import chain
from plomba_wire.vocabulary import Role

SOON = 30
"""Days before its end from which a certificate is named."""
SOON_LIST = 14
"""The same for the revocation list."""
_ROLES = {
    Role.TERMINAL: "terminal",
    Role.DOCK: "dock",
    Role.DESK: "desk",
    Role.SEAL_ISSUER: "seal-issuer",
    Role.RELEASE: "release",
}


def facts(organisation: Organisation, root_key: Path, now: int) -> dict[str, Any]:
    """Everything there is to say at `now` (s since 1970); no private byte is in it. Raises StoreError."""
    held = organisation.revoked()
    working = {signer.certificate for signer in organisation.working.values()}
    newest = {each.id: each for each in issued.read_all(organisation.folder, organisation.roots)}
    for signer in organisation.working.values():
        newest.setdefault(signer.key.id, Issued.parse(signer.certificate, organisation.roots))
    keys = []
    for each in sorted(newest.values(), key=lambda each: (each.role, each.label, each.serial)):
        row = held.rows.get(each.id)
        keys.append(
            {
                "key": each.id.hex(),
                "role": _ROLES[each.role],
                "label": each.label,
                "here": each.data in working,
                "serial": each.serial,
                "epoch": each.epoch,
                "not_before": each.not_before,
                "not_after": each.not_after,
                "state": "revoked" if row else _state(each.not_after, now, SOON),
                "revoked_since": row[0] if row else None,
                "reason": row[1] if row else None,
                "root": each.root.hex(),
            }
        )
    return {
        "fingerprint": organisation.fingerprint,
        "root": _root(organisation, root_key),
        "keys": keys,
        "revocations": {
            "number": held.number,
            "revoked": len(held.rows),
            "not_after": held.not_after,
            "state": _state(held.not_after, now, SOON_LIST) if held.number else "none",
        },
        "rotations": len(organisation.rotations),
        "former": [chain.key_id(public).hex() for public in organisation.former],
        "now": now,
    }


def _root(organisation: Organisation, root_key: Path) -> dict[str, Any]:
    id = chain.key_id(organisation.trust.root)
    path = root_file.find(root_key, id)
    if path is None:
        return {"key": id.hex(), "state": "elsewhere", "path": None}
    return {"key": id.hex(), "state": "locked" if root_file.locked(path) else "open", "path": str(path)}


def _state(not_after: int, now: int, soon: int) -> str:
    if not_after and now > not_after:
        return "expired"
    return "soon" if not_after and now > not_after - soon * DAY else "good"


def render(found: dict[str, Any], lang: str) -> str:
    """The facts in words, a line each."""

    def text(key: str, **fields: object) -> str:
        return say("org", key, lang, **fields)

    root, revoked = found["root"], found["revocations"]
    lines = [
        text("status_fingerprint", fingerprint=found["fingerprint"]),
        text(f"status_root_{root['state']}", path=root["path"]),
    ]
    for key in found["keys"]:
        reason = words("revocation", lang)[key["reason"]] if key["reason"] else ""
        since = _day(key["revoked_since"]) if reason else ""
        state = text(f"status_{key['state']}", reason=reason, since=since)
        label = key["label"] if key["label"].isprintable() else repr(key["label"])
        until = text("status_until", day=_day(key["not_after"]), epoch=key["epoch"], serial=key["serial"])
        mark = "*" if key["here"] else " "
        lines.append(f"{mark} {key['role']:<11} {label:<20} {key['key']}  {until}  {state}".rstrip())
    if any(key["here"] for key in found["keys"]):
        lines.append(text("status_here"))
    lines.append(
        text(
            f"status_list_{revoked['state']}",
            number=revoked["number"],
            revoked=revoked["revoked"],
            day=_day(revoked["not_after"]),
        )
    )
    if found["rotations"]:
        lines.append(text("status_rotations", count=found["rotations"], former=", ".join(found["former"])))
    return "\n".join(lines)


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
