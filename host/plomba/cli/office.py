"""What the demo's office prepares: the staff list, seals of its own, one forged, the rule that comes at noon."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from random import Random

from plomba.desk.staff import pin_hash
from plomba.trust import issuing, seal_batch, sealing
from plomba.trust.organisation import Organisation
from plomba_wire import seal
from plomba_wire.codec import Seal
from plomba_wire.pin_proof import SALT

CLERK, SECOND_CLERK, COURIER, SUPERVISOR, FORMER = 4017, 5120, 731, 90, 3306
"""Badges on the staff list; the last one has ended."""
STRANGER = 666
"""A badge that is on no list."""
_HANDS = {CLERK: "CLERK", SECOND_CLERK: "CLERK", COURIER: "COURIER", SUPERVISOR: "SUPERVISOR", FORMER: "CLERK"}
_WITH_PIN = (CLERK, SUPERVISOR)
_ENDED = "2024-06-30T21:00:00+03:00"
_SEALS = 2


def staff_list(rng: Random) -> tuple[str, dict[int, str]]:
    """The list as docs/staff.md describes it, and the PINs by badge: they stand in no file."""
    pins = {badge: f"{rng.randrange(10**4):04}" for badge in _WITH_PIN}
    lines = ['number = 1\nowner = "desk"\n']
    for badge, hand in _HANDS.items():
        lines.append(f'[[badge]]\nnumber = {badge}\nhand = "{hand}"')
        if badge in pins:
            lines.append(f'pin_hash = "{pin_hash(rng.randbytes(SALT), badge, pins[badge].encode())}"')
        if badge == FORMER:
            lines.append(f"until = {_ENDED}")
        lines.append("")
    return "\n".join(lines), pins


def own_seal(organisation: Organisation, folder: Path, now: int) -> tuple[str, str, str]:
    """Name and text of a signed seal, and the text of a forged one: the same number under a signature it never had.

    Makes the issuer's key, a batch, and its file in `folder`.
    """
    issuing.issue_working(organisation, sealing.KEY, now=now)
    made, other = sealing.issue(Organisation.load(organisation.folder), _SEALS, now=now)
    seal_batch.write(folder / "seals.txt", [made, other])
    genuine, stolen = (Seal.unpack(seal.payload(each.text.encode())) for each in (made, other))
    forged = Seal(genuine.issuer, genuine.batch, genuine.number, stolen.signature)
    return made.name, made.text, seal.text(forged.pack()).decode()


def new_rule() -> str:
    """The rule pack that comes at noon."""
    return resources.files("plomba.desk").joinpath("rules", "demo.toml").read_text(encoding="utf-8")
