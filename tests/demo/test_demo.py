"""The demo is the main job: one command, real parts, equal counts, and a pack that checks itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo_records import check_the_day

PLOMBA = [sys.executable, "-m", "plomba"]


def plomba(*arguments: str, language: str = "en", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PLOMBA, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=110,
        cwd=cwd,
        env={**os.environ, "PLOMBA_LANG": language, "PYTHONIOENCODING": "utf-8"},
    )


HAPPENED = {
    "sealed_without_seal_refused",
    "sealed_allowed_after_refusal",
    "wrong_seal",
    "seal_of_another_order",
    "used_seal",
    "seal_freed_and_used_again",
    "unreadable_held",
    "unknown_order",
    "wrong_state",
    "double_scan",
    "refusal",
    "undo",
    "left_unscanned",
    "seal_read_without_manifest",
    "shift",
}
"""At least once: where the power goes a scan may be one more."""
ONCE = {
    "pin_typed",
    "badge_unknown",
    "badge_revoked",
    "rule_shown",
    "scan_before_rule_read",
    "rule_read",
    "refusal_with_reason",
    "own_seal",
    "forged_seal",
    "unreadable_decided",
    "unreadable_typed",
}


def _a_day(seed: int, out: Path) -> dict[str, Any]:
    ran = plomba("demo", "--json", "--seed", str(seed), "--out", str(out))
    assert ran.returncode == 0, ran.stderr
    facts: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert facts["lost"] == 0
    assert facts["records"] == facts["verified"] == facts["receipted"] == facts["forwarded"] == facts["desk_events"]
    assert set(facts["happened"]) == HAPPENED | ONCE and min(facts["happened"].values()) >= 1
    assert {name: count for name, count in facts["happened"].items() if name in ONCE} == dict.fromkeys(ONCE, 1)
    assert facts["pairs"] == facts["pairs_matching"] == 2
    check_the_day(facts, out)
    assert facts["link_cuts"] >= 2 and facts["power_cuts"] >= 2 and facts["dock_kills"] >= 1
    return facts


@pytest.mark.parametrize("seed", (1,))
def test_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    facts = _a_day(seed, tmp_path / "out")
    assert facts["interpreter"].startswith("micropython")
    assert facts["orders"] >= 40
    assert len(list(Path(facts["screens"]).glob("*.png"))) >= 20
    assert Path(facts["desk_page"]).stat().st_size > 1000
    if seed == 1:
        _check_the_pack(Path(facts["evidence"]), facts["root"], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 26))
def test_nothing_is_lost_many_days_in_a_row(seed: int, tmp_path: Path) -> None:
    _a_day(seed, tmp_path / "out")


def _check_the_pack(pack: Path, root: str, tmp_path: Path) -> None:
    good = plomba("verify", str(pack), "--root", root)
    assert good.returncode == 0, good.stderr
    for words in ("SCAN THE SEAL", "DO NOT HAND OVER", "WRONG SEAL", "SEAL IS RIGHT", "HAND IT OVER"):
        assert words in good.stdout
    told = json.loads(plomba("verify", str(pack), "--root", root, "--json").stdout)
    assert [entry["verdict"] for entry in told["entries"]][-1] == "OK"
    raw = pack.read_bytes()
    for at in (0, 40, len(raw) // 3, len(raw) // 2, len(raw) - 1):
        bad = tmp_path / "bad.plomba"
        bad.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        refused = plomba("verify", str(bad), "--root", root)
        assert refused.returncode == 4, (at, refused.stdout)
        assert "[pack_damaged]" in refused.stderr or "[root_foreign]" in refused.stderr
    foreign = plomba("verify", str(pack), "--root", "ab" * 32)
    assert foreign.returncode == 4 and "[root_foreign]" in foreign.stderr


@pytest.mark.long
def test_it_speaks_the_language(tmp_path: Path, language: str = "uk") -> None:
    ran = plomba("demo", language=language, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    for words in ("втрачено 0", "СКАНУЙ ПЛОМБУ", "НОВЕ ПРАВИЛО", "не читається: вирішив старший", "збігаються у 2"):
        assert words in ran.stdout, words


def test_it_does_not_empty_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    ran = plomba("demo", "--out", str(tmp_path))
    assert ran.returncode == 2 and "[folder_taken]" in ran.stderr
    assert (tmp_path / "thesis.txt").exists()
