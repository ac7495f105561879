"""One docking, every byte of it dropped, flipped, doubled or swapped with the next, and the cable pulled before it: the
same end each time, nothing twice, nothing lost.

All of it takes minutes and runs with --long; a share of it, the same one each time, runs always.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from random import Random

import pytest
from memory_service import MemoryService, octets
from virtual_link import VERSION, Clean, Cut, OneByte, VirtualLink, Wire

from plomba_wire import codec

OBJECT = octets("object", 1700)
COUNT = 12
SHARE = 1500

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
        for damage in ("drop", "flip", "double", "swap", "disconnect")
    ]


def faulted(faults: Iterable[Fault]) -> None:
    for direction, at, damage in faults:
        where = (direction, at, damage)
        if damage == "disconnect":
            pulled(where)
            continue
        found = link(**{direction: OneByte(at, damage)})
        found.run(until=60.0, sessions=1)
        served = [name for name in found.service.served if name != "ObjectData"]
        assert [body for body, _ in found.durable] == [record[2:-64] for record in found.service.records], where
        assert found.given == found.service.receipted == COUNT, where
        assert found.service.installed == {VERSION: OBJECT} and found.installed, where
        assert served == ["Status", "SyncOpen", "Receipt", "ObjectOffer", "ObjectCommit"], where
        # Two frames can be gone, for a lost delimiter: what is asked for again may be one of them.
        assert found.rewinds <= 2 and found.now < 4.0, where


def pulled(where: Fault) -> None:
    """The cable is out before this byte, for 40 s, and in again: by then the dock has given the session up."""
    direction, at, _ = where
    cut = Cut(at)
    found = link(**{direction: cut})
    found.at(40.0, cut.mend)
    found.run(until=120.0)
    assert [body for body, _ in found.durable] == [record[2:-64] for record in found.service.records], where
    assert found.given == found.service.receipted == COUNT, where
    assert found.service.installed == {VERSION: OBJECT} and found.installed, where
    assert found.service.served.count("ObjectCommit") == 1, where
    opens = [message.from_seq for _, message in found.said.messages if isinstance(message, codec.SyncOpen)]
    assert opens == sorted(opens), where


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
    assert len(every) > 20000
    faulted(every)
