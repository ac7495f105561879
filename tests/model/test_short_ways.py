"""Short ways through the firmware and the desk that random people find rarely."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from organisation_scene import Company, World
from people import CODE_128, DATA_MATRIX, QR
from witness import Witness

from plomba.desk.differences import Differences
from plomba_wire.vocabulary import Action, State, Verdict

Scan = Callable[..., list[tuple[int, int]]]


@pytest.fixture
def world(company: Company) -> Iterator[World]:
    world = World(company, Witness(company, company.parcels), company.parcels)
    yield world
    world.close()


@pytest.fixture
def scan(world: World) -> Scan:
    """(action, verdict) of what each code comes to at a terminal; b"" is the OK key."""

    def scan(name: str, *codes: bytes) -> list[tuple[int, int]]:
        found = []
        for code in codes:
            if code:
                records = world.do(name, "scan", QR if b"*" in code else CODE_128, code)
            else:
                records = world.do(name, "key", "ok")
            found += [(record.head.action, record.head.verdict) for record in records]
        return found

    return scan


def test_a_second_card_for_a_held_parcel_speaks_of_where_it_is_by_now(world: World, scan: Scan) -> None:
    assert scan("point", b"PLB*BADGE*22", b"PLB*HANDOUT", b"E-1", b"PLB*HOLD", b"E-1")[-1][1] == Verdict.HELD
    assert scan("point", b"PLB*RETURN", b"PLB*RETURN") == [
        (Action.RETURN_OPEN, Verdict.OK),
        (Action.RETURN_OPEN, Verdict.REPEAT),
    ]


def test_a_card_after_a_bag_speaks_of_where_the_bag_has_gone(world: World, scan: Scan) -> None:
    scan("warehouse", b"PLB*BADGE*14", b"PLB*BAG", b"PLB*SACK*M-1", b"B-1", b"PLB*TAKE", b"B-1", b"PLB*ACT*9")
    assert scan("warehouse", b"PLB*SACK*M-1", b"PLB*HOLD") == [
        (Action.HANDOVER_IN, Verdict.OK),
        (Action.HOLD, Verdict.OK),
    ]
    assert world.terminals["warehouse"].last.head.state_before == State.WITH_COURIER


def test_a_seal_of_our_own_opens_the_gate_at_the_desk_too(world: World, scan: Scan) -> None:
    seal = world.company.own[0].text.encode()
    assert scan("point", b"PLB*BADGE*22", b"PLB*HANDOUT", b"E-5", seal, b"")[-2:] == [
        (Action.SEAL_CHECK, Verdict.SEAL_OK),
        (Action.HANDOUT, Verdict.OK),
    ]
    world.dock("point")
    assert world.states()["E-5"] == (State.DELIVERED, "customer")
    assert not Differences(world.book.store).disputed


def test_a_dock_counts_nothing_of_the_shift_twice(world: World, scan: Scan) -> None:
    allow = (b"PLB*OVERRIDE", b"PLB*REASON*20", b"PLB*PHOTO*CAM-1", b"PLB*BADGE*22")
    scan("point", b"PLB*BADGE*14", b"PLB*HANDOUT", b"E-2")
    assert scan("point", *allow)[-1] == (Action.OVERRIDE, Verdict.OK)
    world.dock("point")
    scan("point", b"E-6")
    assert scan("point", *allow)[-1] == (Action.OVERRIDE, Verdict.OK)
    world.dock("point")
    scan("point", b"E-3")
    assert scan("point", b"PLB*OVERRIDE")[-1] == (Action.OVERRIDE, Verdict.LIMIT)


@pytest.mark.parametrize("code", [b"1111222233334444", b"PLB*BADGE*21", b"PLB*CALL", b"PLB*REASON*1", b"PLB*RESULT*1"])
def test_anything_may_come_where_a_seal_is_to_be_bound(world: World, scan: Scan, code: bytes) -> None:
    scan("point", b"PLB*BADGE*22", b"PLB*STORE", b"D-1")
    assert scan("point", b"PLB*SEALED")[-1] == (Action.INTAKE_CHECK, Verdict.NEED_SEAL)
    assert world.do("point", "scan", DATA_MATRIX, code)


def test_the_siren_is_silent_for_what_another_terminal_gave(world: World, scan: Scan) -> None:
    scan("courier", b"PLB*BADGE*12", b"PLB*HANDOUT", b"E-2", b"PLB*TAKE")
    scan("point", b"PLB*BADGE*22", b"PLB*HANDOUT", b"E-2", b"S51", b"")
    world.dock("point")
    world.dock("courier")
    assert not world.do("courier", "wait", ms=70_000)
    scan("courier", b"PLB*HANDOUT", b"E-6", b"PLB*TAKE")
    world.dock("courier")
    (siren,) = world.do("courier", "wait", ms=70_000)
    assert siren.head.verdict == Verdict.LEFT_UNSCANNED


def test_what_another_terminal_moved_since_is_not_taken_back(world: World, scan: Scan) -> None:
    scan("courier", b"PLB*BADGE*12", b"PLB*HANDOUT", b"E-1")
    scan("point", b"PLB*BADGE*22", b"PLB*HANDOUT", b"E-1", b"")
    world.dock("point")
    world.dock("courier")
    assert scan("courier", b"PLB*UNDO")[-1] == (Action.REFUSED_SCAN, Verdict.NOTHING_TO_UNDO)


def test_of_two_decisions_begun_at_once_the_limit_counts_both(world: World, scan: Scan) -> None:
    gathered = (b"PLB*OVERRIDE", b"PLB*REASON*20", b"PLB*PHOTO*CAM-1")
    scan("point", b"PLB*BADGE*14", b"PLB*HANDOUT", b"E-2", *gathered, b"PLB*BADGE*22")
    scan("point", b"E-3", *gathered, b"E-6", *gathered)
    assert scan("point", b"PLB*BADGE*22")[-1] == (Action.OVERRIDE, Verdict.OK)
    assert scan("point", b"E-3", b"PLB*BADGE*22")[-1] == (Action.OVERRIDE, Verdict.LIMIT)
