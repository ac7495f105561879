"""A shop with terminals in processes, made once for all that is asked of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))

from organisation_scene import Company  # noqa: E402

from plomba.errors import PlombaError  # noqa: E402
from plomba.sim.interpreter import interpreter  # noqa: E402


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    try:
        interpreter()
    except PlombaError as error:
        pytest.skip(error.what())
    with Company(tmp_path_factory.mktemp("company")) as company:
        yield company
