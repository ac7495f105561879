"""Small state on LittleFS: files.save leaves the old value or the new one, whenever the power goes."""

from __future__ import annotations

import ast

import pytest
from conftest import ROOT, Found, Run


def mount() -> str:
    """The source of main.mount: importing main would start the terminal."""
    source = (ROOT / "firmware" / "main.py").read_text(encoding="utf-8")
    wanted = [
        ast.get_source_segment(source, node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name in ("_lfs", "mount")
    ]
    return "\n".join(["import vfs", *map(str, wanted)])


def sweep(run: Run, seed: int, saves: int, first: bool = False) -> None:
    found: Found = run("files_cuts_mpy.py", seed=seed, saves=saves, first=first, mount=mount())
    counts = f"{found['cuts']} cuts, {found['wrongs']} violations"
    assert not found["wrongs"], "\n".join([counts, *found["violations"]])
    assert found["cuts"] >= (12 * saves or 24), counts


def test_a_save_is_cut_at_every_operation(run: Run) -> None:
    sweep(run, seed=1, saves=80)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_saves_are_cut_at_every_operation(run: Run, seed: int) -> None:
    sweep(run, seed=seed, saves=1000)


@pytest.mark.xfail(strict=True, reason="main.mount refuses for ever what a cut left of its own first format")
def test_the_very_first_start_is_cut_at_every_operation(run: Run) -> None:
    sweep(run, seed=1, saves=0, first=True)
