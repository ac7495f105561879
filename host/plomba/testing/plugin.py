"""The pytest plugin `plomba`: fixtures for tests of an order system against a terminal nobody owns.

`plomba_rig` makes points; `plomba_point` is one, ready to scan. Without an interpreter for this platform the fixtures
skip with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter
from plomba.testing.rig import BlockingPoint, Rig


@pytest.fixture
def plomba_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """An organisation of its own, and `point(...)` to open as many pick-up points as a test needs."""
    try:
        interpreter()
    except PlombaError as error:
        pytest.skip(f"{error.what()}: {error.next_step()}")
    with Rig(tmp_path_factory.mktemp("plomba")) as rig:
        yield rig


@pytest.fixture
def plomba_point(plomba_rig: Rig) -> BlockingPoint:
    """One point with an enrolled terminal, rules and an open shift; records wait in its outbox."""
    return plomba_rig.point()
