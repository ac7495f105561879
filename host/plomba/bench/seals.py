"""The longest list of seals a terminal can have, and seals that are on it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from plomba.bench.station import Station
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import issue
from plomba.trust.sealing import ISSUERS_MAX, Made, make
from plomba_wire.codec import SealIssuer, SealList, SealRange
from plomba_wire.schema import SEALS_MAX
from plomba_wire.vocabulary import ObjectKind, Protection, Role

_DAY = 86400
_NUMBERS = 1000


@dataclass(frozen=True, slots=True)
class Printed:
    """A seal that is good, and one whose number was never issued; `body` is the list's."""

    good: Made
    not_issued: Made
    body: bytes


async def give_longest_list(station: Station) -> Printed:
    """The terminal gets a list of as many issuers as there can be and batches up to its end; it has to be off."""
    keys = [PrivateKey.generate() for _ in range(ISSUERS_MAX)]
    rows = b"".join(_issuer(station, number, key) for number, key in enumerate(keys, start=1))
    room = (SEALS_MAX - len(rows)) // SealRange.SIZE
    each = room // ISSUERS_MAX
    ranges = [
        SealRange(issuer, batch, 1, _NUMBERS).pack()
        for issuer in range(1, ISSUERS_MAX + 1)
        for batch in range(1, each + 1)
    ]
    body = SealList(ISSUERS_MAX, len(ranges), 0, rows + b"".join(ranges)).pack()
    async with VirtualTerminal(station.folder, flash_blocks=station.flash_blocks) as terminal:
        await station.push(terminal, ObjectKind.SEALS, 1, body)
    good, not_issued = (make(keys[-1], ISSUERS_MAX, each, number) for number in (_NUMBERS, _NUMBERS + 1))
    return Printed(good, not_issued, body)


def _issuer(station: Station, number: int, key: PrivateKey) -> bytes:
    now = int(time.time())
    certificate = issue(
        station.organisation.unlocked(),
        key.public,
        role=Role.SEAL_ISSUER,
        protection=Protection.OPEN,
        epoch=1,
        label="seal-issuer",
        serial=number,
        not_before=now - _DAY,
        not_after=now + _DAY,
    )
    return SealIssuer(number, len(certificate)).pack() + certificate
