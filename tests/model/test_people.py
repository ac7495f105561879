"""Random people on random orders, through the real firmware of four terminals and a real desk: every promise holds.

What is asked is in witness.py, who does what in people.py. A failure prints every scan and key that led to it.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from organisation_scene import Company, World
from people import People
from witness import Witness, spoken

from plomba_wire.vocabulary import Action, Verdict

STEPS = 400
"""Steps of one run; each run is a day of its own, from the same morning."""
RUNS, MORE_RUNS, LONG_RUNS = 5, 13, 1250
HEAP_GROWTH = 4096
"""Bytes that a process may hold more after many starts: what stays is not what a run left behind."""
# What has to have happened, or the people were not sensible enough to find anything.
_HAPPENED = (
    (Action.HANDOUT, Verdict.OK),
    (Action.HANDOUT, Verdict.NEED_SEAL),
    (Action.SEAL_CHECK, Verdict.SEAL_OK),
    (Action.SEAL_CHECK, Verdict.WRONG_SEAL),
    (Action.HANDOVER_OUT, Verdict.OK),
    (Action.HANDOVER_IN, Verdict.OK),
    (Action.HANDOVER_IN, Verdict.NEED_ACT),
    (Action.OVERRIDE, Verdict.OK),
    (Action.UNREADABLE, Verdict.UNREADABLE),
    (Action.HOLD, Verdict.OK),
    (Action.RELEASE, Verdict.OK),
    (Action.UNDO, Verdict.OK),
    (Action.PACK, Verdict.OK),
    (Action.NOTE, Verdict.LEFT_UNSCANNED),
)

steps = st.lists(st.integers(0, 2**32 - 1), min_size=STEPS, max_size=STEPS)


def a_day(company: Company, choices: list[int], *, spare_listed: bool) -> Counter[tuple[int, int]]:
    """Raises Breach, with every scan and key as a note, when a promise was broken."""
    witness = Witness(company, company.parcels)
    world = World(company, witness, company.parcels, unlisted=() if spare_listed else ("spare",))
    try:
        people = People(world, witness)
        for choice in choices:
            people.step(choice)
        for name in world.terminals:
            world.dock(name)
    except BaseException as error:
        lines = [line for name in world.terminals for line in _last_of(world, name)]
        error.add_note("\n".join([*world.trace, "", *lines]))
        raise
    finally:
        world.close()
    return Counter(witness.stats)


def _last_of(world: World, name: str) -> list[str]:
    return [f"{name} {spoken(record)}" for record in world.terminals[name].records[-8:]]


def known_days(company: Company, *, spare_listed: bool, runs: int) -> Counter[tuple[int, int]]:
    """The same days on every machine: what is promised of them does not depend on luck."""
    seen: Counter[tuple[int, int]] = Counter()
    for seed in range(runs):
        rng = random.Random(f"{seed} {spare_listed}")
        seen.update(a_day(company, [rng.getrandbits(32) for _ in range(STEPS)], spare_listed=spare_listed))
    return seen


def fresh_days(company: Company, *, spare_listed: bool) -> Counter[tuple[int, int]]:
    """Days that nobody has seen; a failing one is made short."""
    seen: Counter[tuple[int, int]] = Counter()

    @settings(
        max_examples=LONG_RUNS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(steps)
    def run(choices: list[int]) -> None:
        seen.update(a_day(company, choices, spare_listed=spare_listed))

    run()
    return seen


def holds_no_more(company: Company) -> None:
    for name, held in company.held.items():
        assert max(held) - held[0] < HEAP_GROWTH, (name, held[0], max(held))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("runs", [RUNS, pytest.param(MORE_RUNS, marks=pytest.mark.long)])
@pytest.mark.parametrize("spare_listed", [True, False], ids=["every terminal has a list", "one has no list"])
def test_no_way_leads_past_a_promise(company: Company, spare_listed: bool, runs: int) -> None:
    seen = known_days(company, spare_listed=spare_listed, runs=runs)
    holds_no_more(company)
    assert not [what for what in _HAPPENED if not seen[what]]


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("spare_listed", [True, False], ids=["every terminal has a list", "one has no list"])
def test_no_way_of_a_million_steps_leads_past_a_promise(company: Company, spare_listed: bool) -> None:
    seen = fresh_days(company, spare_listed=spare_listed)
    holds_no_more(company)
    assert not [what for what in _HAPPENED if seen[what] < 100]
