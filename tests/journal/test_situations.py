"""Situations of journal, slots, epoch and small state, one at a time, in the order in which the script names them."""

from __future__ import annotations

import re

import pytest
from journal_runs import HERE, Found, Run

SCRIPTS = (
    "journal_full_mpy.py",
    "journal_places_mpy.py",
    "journal_damage_mpy.py",
    "journal_bad_blocks_mpy.py",
    "slots_faults_mpy.py",
    "epoch_faults_mpy.py",
    "objects_gone_mpy.py",
)
SITUATIONS = [
    pytest.param(script, name, id=name.removeprefix("test_"))
    for script in SCRIPTS
    for name in re.findall(r"^def (test_\w+)", (HERE / script).read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.fixture(scope="module")
def found(run: Run) -> dict[str, Found]:
    return {script: run(script) for script in SCRIPTS}


@pytest.mark.parametrize(("script", "name"), SITUATIONS)
def test_situation(found: dict[str, Found], script: str, name: str) -> None:
    assert found[script][name] == ""
