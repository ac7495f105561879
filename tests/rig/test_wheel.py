"""The wheel carries firmware and protocol: installed in an empty folder, the kit works without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TEN_LINES = """
def test_a_ring_leaves_only_with_its_seal(plomba_point):
    p = plomba_point
    p.orders(p.sealed("RING-1", seal="SEAL-1"))
    p.scan("RING-1")
    p.mode("HANDOUT")
    assert p.scan("RING-1") == "next"
    assert p.press("ok") == "refused"
    assert p.seal("SEAL-1") == "ok"
    assert p.press("ok") == "release"
    assert [e.state_after for e in p.dock() if e.order][-1] == "DELIVERED"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return next(out.glob("*.whl"))


def test_ten_lines_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """Unpacked on a path of its own, so that neither the tree nor its editable install is in reach."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "test_ring.py").write_text(TEN_LINES, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_ring.py"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and "1 passed" in ran.stdout, ran.stdout + ran.stderr
    where = subprocess.run(
        [sys.executable, "-c", "from plomba.sim.interpreter import firmware_path as f; print(f()[1])"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert where.stdout.strip() == str(site / "plomba" / "_firmware")
