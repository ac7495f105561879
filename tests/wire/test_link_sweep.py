"""One docking, every byte of it dropped, flipped or doubled in turn: the same end each time, in the same session.

All of it takes a minute and a half and runs with --long; a share of it, the same one each time, runs always.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from random import Random

import pytest
from memory_service import MemoryService, octets
from virtual_link import VERSION, Clean, OneByte, VirtualLink, Wire

OBJECT = octets("object", 1700)
COUNT = 12
SHARE = 900

Fault = tuple[str, int, str]


def link(down: Wire | None = None, up: Wire | None = None) -> VirtualLink:
    return VirtualLink(MemoryService(COUNT, 200), object=OBJECT, max_body=600, window=1400, down=down, up=up)


@cache
def recorded() -> dict[str, bytes]:
    """What goes each way when nothing happens to it."""
    wires = {"down": Clean(), "up": Clean()}
    link(**wires).run()
    return {direction: wire.carried for direction, wire in wires.items()}


def faults() -> list[Fault]:
    return [
        (direction, at, damage)
        for direction, data in recorded().items()
        for at in range(len(data))
        for damage in ("drop", "flip", "double")
    ]


def faulted(faults: Iterable[Fault]) -> None:
    for direction, at, damage in faults:
        found = link(**{direction: OneByte(at, damage)})
        found.run(until=60.0, sessions=1)
        served = [name for name in found.service.served if name != "ObjectData"]
        where = (direction, at, damage)
        assert [body for body, _ in found.durable] == [record[2:-64] for record in found.service.records], where
        assert found.given == found.service.receipted == COUNT, where
        assert found.service.installed == {VERSION: OBJECT} and found.installed, where
        assert served == ["Status", "SyncOpen", "Receipt", "ObjectOffer", "ObjectCommit"], where
        # Two frames can be gone, for a lost delimiter: what is asked for again may be one of them.
        assert found.rewinds <= 2 and found.now < 4.0, where


def test_the_recorded_docking_has_every_message() -> None:
    wires = Clean(), Clean()
    found = link(*wires)
    found.run()
    said = {type(message).__name__ for tap in (found.said, found.answered) for _, message in tap.messages}
    assert said == {
        *("Hello", "HelloOk", "Status", "StatusOk", "SyncOpen", "SyncOpenOk", "Data", "Credit", "SyncEnd"),
        *("Receipt", "ReceiptOk", "ObjectOffer", "ObjectOfferOk", "ObjectData", "ObjectCredit"),
        *("ObjectCommit", "ObjectCommitOk", "Bye"),
    }
    assert found.rewinds == 0


def test_a_share_of_all_single_faults() -> None:
    faulted(Random(1).sample(faults(), SHARE))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_all_single_faults() -> None:
    every = faults()
    assert len(every) > 10000
    faulted(every)
