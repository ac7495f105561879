from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from far_ends import KINDS
from line_bench import Bench


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "captured"])
def bench(request: pytest.FixtureRequest, kind: Any, tmp_path: Path) -> Bench:
    return Bench(kind, request.param, tmp_path)
