from __future__ import annotations

from collections.abc import Iterator

import pytest
from screen_rig import Screen


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    running = Screen()
    yield running
    running.close()
